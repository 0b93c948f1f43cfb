//! Changing which deep links have labels.

use std::collections::{BTreeSet, HashMap, HashSet};

use chrono::{DateTime, Utc};
use diesel::{
    Connection,
    dsl::{exists, not},
    prelude::*,
};
use rollcall_domain::{AuditAction, StartPayload, TelegramUser};
use rollcall_repository::{Allowed, MAX_SOURCES, NewAuditEntry};

use super::{
    labels::{NewLink, give},
    list::payload_of,
};
use crate::{
    admin::audit::entry::add_entries,
    base::{
        connection::AnyConnection,
        error::Failure,
        schema::{activity_state, sources, telegram_users},
        transaction::Transaction,
    },
};

/// See [`SourceRepository`](rollcall_repository::SourceRepository).
pub(crate) fn allow(
    connection: &mut AnyConnection,
    payloads: &[StartPayload],
    at: DateTime<Utc>,
) -> Result<Allowed, Failure> {
    connection.transaction(|connection| {
        lock(connection)?;
        let wanted: BTreeSet<&str> = payloads.iter().map(StartPayload::as_str).collect();
        let rows: Vec<KnownLink> = sources::table
            .filter(sources::payload.eq_any(&wanted))
            .select(KnownLink::as_select())
            .load(connection)?;
        let is_labelled = |payload: &&&str| {
            rows.iter().any(|row| row.payload == **payload && row.label.is_some())
        };
        let is_listed =
            |payload: &&&str| rows.iter().any(|row| row.payload == **payload && row.is_listed);
        let without = wanted.iter().filter(|payload| !is_labelled(payload));
        let links: Vec<NewLink<'_>> =
            without.map(|payload| NewLink { payload, since: at }).collect();
        let labels: i64 = sources::table.count().get_result(connection)?;
        let free = MAX_SOURCES.saturating_sub(labels.try_into().unwrap_or(usize::MAX));
        if links.len() > free {
            return Ok(Allowed::Full { needed: links.len(), free });
        }
        give(&mut Transaction::from(&mut *connection), &links)?;
        diesel::update(sources::table.filter(sources::payload.eq_any(&wanted)))
            .set(sources::is_listed.eq(true))
            .execute(connection)?;
        let listed = wanted.iter().filter(|payload| !is_listed(payload));
        let entries: Vec<NewAuditEntry> = listed
            .map(|payload| entry(at, AuditAction::AllowedSource, None, Some(payload)))
            .collect();
        add_entries(connection, &entries)?;
        Ok(Allowed::Listed)
    })
}

/// See [`SourceRepository`](rollcall_repository::SourceRepository).
pub(crate) fn drop(
    connection: &mut AnyConnection,
    payloads: &[StartPayload],
    at: DateTime<Utc>,
) -> Result<Vec<StartPayload>, Failure> {
    connection.transaction(|connection| {
        lock(connection)?;
        let wanted = payloads.iter().map(StartPayload::as_str);
        let found = sources::table.filter(sources::payload.eq_any(wanted));
        let found: Vec<String> = found.select(sources::payload).load(connection)?;
        remove(connection, found, at)
    })
}

/// See [`SourceRepository`](rollcall_repository::SourceRepository).
pub(crate) fn drop_without_users(
    connection: &mut AnyConnection,
    at: DateTime<Utc>,
) -> Result<Vec<StartPayload>, Failure> {
    connection.transaction(|connection| {
        lock(connection)?;
        let came =
            telegram_users::table.filter(telegram_users::source.eq(sources::payload.nullable()));
        let found = sources::table.filter(sources::is_listed.eq(false)).filter(not(exists(came)));
        let found: Vec<String> = found.select(sources::payload).load(connection)?;
        remove(connection, found, at)
    })
}

/// Keeps other transactions from giving labels until this one ends. On SQLite it makes this one the
/// only writer, before it reads anything that others could change.
fn lock(connection: &mut AnyConnection) -> QueryResult<()> {
    diesel::update(activity_state::table)
        .set(activity_state::labels.eq(activity_state::labels))
        .execute(connection)
        .map(|_| ())
}

/// Removes the labels of these links, and returns the links, sorted.
fn remove(
    connection: &mut AnyConnection,
    mut payloads: Vec<String>,
    at: DateTime<Utc>,
) -> Result<Vec<StartPayload>, Failure> {
    payloads.sort_unstable();
    diesel::delete(sources::table.filter(sources::payload.eq_any(&payloads)))
        .execute(connection)?;
    let entries: Vec<NewAuditEntry> = payloads
        .iter()
        .map(|payload| entry(at, AuditAction::DroppedSource, Some(payload), None))
        .collect();
    add_entries(connection, &entries)?;
    payloads.into_iter().map(payload_of).collect()
}

/// An audit entry of a command on the server.
fn entry(
    at: DateTime<Utc>,
    action: AuditAction,
    old: Option<&str>,
    new: Option<&str>,
) -> NewAuditEntry {
    let (old, new) = (old.map(str::to_owned), new.map(str::to_owned));
    NewAuditEntry { at, admin: None, action, about: None, old, new }
}

/// Removes the labels of users that are deleted in this transaction, unless another user came by the
/// same link. Otherwise an account that is deleted and returns could take a label each time.
pub(crate) fn give_up(connection: &mut AnyConnection, labels: &[i32]) -> QueryResult<()> {
    if labels.is_empty() {
        return Ok(());
    }
    let came = telegram_users::table.filter(telegram_users::source.eq(sources::payload.nullable()));
    let unbrought = sources::table
        .filter(sources::label.eq_any(labels))
        .filter(sources::is_listed.eq(false))
        .filter(not(exists(came)));
    diesel::delete(unbrought).execute(connection).map(|_| ())
}

/// The labels of the links that these users came by, by payload. Each link gets one, as far as there
/// is room.
pub(crate) fn label_all<'a>(
    connection: &mut AnyConnection,
    users: impl Iterator<Item = &'a TelegramUser>,
) -> QueryResult<HashMap<String, i32>> {
    let mut sources =
        users.filter_map(|user| Some((user.source.as_ref()?.as_str(), user.created_at)));
    let Some(first) = sources.next() else { return Ok(HashMap::new()) };
    lock(connection)?;
    let known: Vec<(String, Option<i32>)> =
        sources::table.select((sources::payload, sources::label)).load(connection)?;
    let mut labels: HashMap<String, i32> =
        known.into_iter().filter_map(|(payload, label)| Some((payload, label?))).collect();
    let mut earned = HashSet::new();
    let mut links = Vec::new();
    for (source, since) in std::iter::once(first).chain(sources) {
        if links.len() < MAX_SOURCES && !labels.contains_key(source) && earned.insert(source) {
            links.push(NewLink { payload: source, since });
        }
    }
    let given = give(&mut Transaction::from(connection), &links)?;
    labels.extend(given.into_iter().map(|link| (link.payload, link.label)));
    Ok(labels)
}

/// A deep link as it is stored.
#[derive(Queryable, Selectable)]
#[diesel(table_name = sources)]
struct KnownLink {
    payload: String,
    label: Option<i32>,
    is_listed: bool,
}
