//! Which deep links have labels: by bringing users, or by the owner's list.

use std::{
    cmp::Reverse,
    collections::{BTreeSet, HashMap, HashSet},
};

use chrono::{DateTime, NaiveDate, Utc};
use diesel::{
    Connection,
    dsl::{exists, not},
    prelude::*,
};
use rollcall_domain::{AuditAction, Figure, Label, LabelledSource, StartPayload, TelegramUser};
use rollcall_repository::{Allowed, MAX_SOURCES, NewAuditEntry, Page, PageRequest};

use crate::{
    admin,
    connection::AnyConnection,
    error::Failure,
    registration::Statements,
    row::label_of,
    schema::{activity_state, sources, telegram_users},
    source_sums::{self, LAST_DAY},
    timestamp::UtcMicros,
};

/// See [`SourceRepository`](rollcall_repository::SourceRepository).
pub(crate) fn list(
    connection: &mut AnyConnection,
    request: PageRequest,
) -> Result<Page<LabelledSource>, Failure> {
    let rows: Vec<(String, Option<i32>, Option<UtcMicros>, bool)> = sources::table
        .select((sources::payload, sources::label, sources::since, sources::is_listed))
        .load(connection)?;
    let mut sums = HashMap::new();
    for (figure, label, value) in
        source_sums::by_source(connection, NaiveDate::default(), LAST_DAY)?
    {
        sums.insert((label, figure), value);
    }
    let mut labelled = Vec::new();
    for (payload, label, since, is_listed) in rows {
        let label = label.map(|label| Label::from(label_of(Some(label))).text().into_owned());
        let sum = |figure| {
            let sum = label.clone().and_then(|label| sums.get(&(label, figure)).copied());
            sum.unwrap_or_default().try_into().unwrap_or_default()
        };
        labelled.push(LabelledSource {
            users: sum(Figure::SourceNew),
            starts: sum(Figure::SourceStarts),
            payload: payload_of(payload)?,
            since: since.map(Into::into),
            is_listed,
        });
    }
    labelled.sort_by(|a, b| {
        (Reverse((a.users, a.starts)), a.payload.as_str())
            .cmp(&(Reverse((b.users, b.starts)), b.payload.as_str()))
    });
    let total = labelled.len().try_into().unwrap_or(u64::MAX);
    let before = request.offset().try_into().unwrap_or(usize::MAX);
    let size = request.size().try_into().unwrap_or(usize::MAX);
    let items = labelled.into_iter().skip(before).take(size).collect();
    Ok(Page { items, total, request })
}

/// See [`SourceRepository`](rollcall_repository::SourceRepository).
pub(crate) fn allow(
    connection: &mut AnyConnection,
    payloads: &[StartPayload],
    at: DateTime<Utc>,
) -> Result<Allowed, Failure> {
    connection.transaction(|connection| {
        lock(connection)?;
        let wanted: BTreeSet<&str> = payloads.iter().map(StartPayload::as_str).collect();
        let rows: Vec<(String, Option<i32>, bool)> = sources::table
            .filter(sources::payload.eq_any(&wanted))
            .select((sources::payload, sources::label, sources::is_listed))
            .load(connection)?;
        let is_known = |payload: &str, listed: bool| {
            rows.iter().any(|(known, label, is_listed)| {
                known == payload && if listed { *is_listed } else { label.is_some() }
            })
        };
        let without = wanted.iter().filter(|payload| !is_known(payload, false));
        let links: Vec<(&str, DateTime<Utc>)> = without.map(|payload| (*payload, at)).collect();
        let labels: i64 = sources::table.count().get_result(connection)?;
        let free = MAX_SOURCES.saturating_sub(labels.try_into().unwrap_or(usize::MAX));
        if links.len() > free {
            return Ok(Allowed::Full { needed: links.len(), free });
        }
        give_labels(connection, &links)?;
        diesel::update(sources::table.filter(sources::payload.eq_any(&wanted)))
            .set(sources::is_listed.eq(true))
            .execute(connection)?;
        let listed = wanted.iter().filter(|payload| !is_known(payload, true));
        let entries: Vec<NewAuditEntry> = listed
            .map(|payload| entry(at, AuditAction::AllowedSource, None, Some(payload)))
            .collect();
        admin::add_entries(connection, &entries)?;
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

/// Has nobody else give labels until the transaction is over. On SQLite it makes the transaction the
/// only writer, before it reads anything that others could change.
fn lock(connection: &mut AnyConnection) -> QueryResult<()> {
    diesel::update(activity_state::table)
        .set(activity_state::labels.eq(activity_state::labels))
        .execute(connection)
        .map(|_| ())
}

/// Takes the labels of these links away; answers them, sorted.
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
    admin::add_entries(connection, &entries)?;
    payloads.into_iter().map(payload_of).collect()
}

/// What a command on the server changed.
fn entry(
    at: DateTime<Utc>,
    action: AuditAction,
    old: Option<&str>,
    new: Option<&str>,
) -> NewAuditEntry {
    let (old, new) = (old.map(str::to_owned), new.map(str::to_owned));
    NewAuditEntry { at, admin: None, action, about: None, old, new }
}

/// Takes the labels away that users earned who are erased in this transaction, where nobody is left
/// who came by the same link. Else an account that is erased and comes again could take one each
/// time.
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

/// The labels of the links by which these users came, by payload: each earns one, as far as there is
/// room.
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
            links.push((source, since));
        }
    }
    labels.extend(give_labels(connection, &links)?);
    Ok(labels)
}

fn give_labels(
    connection: &mut AnyConnection,
    links: &[(&str, DateTime<Utc>)],
) -> QueryResult<Vec<(String, i32)>> {
    match connection {
        AnyConnection::Sqlite(connection) => connection.give_labels(links),
        AnyConnection::Postgres(connection) => connection.give_labels(links),
    }
}

fn payload_of(payload: String) -> Result<StartPayload, Failure> {
    payload.parse().map_err(|error| Failure::Corrupt {
        table: "sources",
        column: "payload",
        key: payload,
        reason: format!("{error}"),
    })
}
