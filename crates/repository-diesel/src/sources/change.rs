//! Changing which deep links have labels.

use std::collections::{BTreeSet, HashMap, HashSet};

use chrono::{DateTime, Utc};
use diesel::{
    Connection,
    dsl::{exists, not},
    prelude::*,
    result::Error::RollbackTransaction,
};
use rollcall_domain::{AuditAction, LabelKind, LabelName, StartPayload, TelegramUser};
use rollcall_repository::{Allowed, CreatedLabel, MAX_SOURCES, NewAuditEntry, SourceTag};

use super::{
    labels::{NewLink, give},
    list::payload_of,
};
use crate::{
    admin::audit::entry::add_entries,
    base::{
        connection::AnyConnection,
        error::Failure,
        free_text::FreeText,
        schema::{activity_state, sources, telegram_users},
        transaction::Transaction,
    },
    labels::label::{self, Author},
};

/// See [`SourceRepository`](rollcall_repository::SourceRepository).
pub(crate) fn allow(
    connection: &mut AnyConnection,
    payloads: &[StartPayload],
    tag: &SourceTag,
    at: DateTime<Utc>,
) -> Result<Allowed, Failure> {
    let mut refused = None;
    let allowed = connection.transaction(|connection| {
        lock(connection)?;
        let tag = match NewTag::of(connection, tag, at)? {
            Ok(tag) => tag,
            Err(full) => {
                refused = Some(full);
                return Err(Failure::Diesel(RollbackTransaction));
            }
        };
        let wanted: BTreeSet<&str> = payloads.iter().map(StartPayload::as_str).collect();
        let rows: Vec<KnownLink> = sources::table
            .filter(sources::payload.eq_any(&wanted))
            .select(KnownLink::as_select())
            .load(connection)?;
        let is_labelled = |payload: &&&str| {
            rows.iter().any(|row| row.payload == **payload && row.label.is_some())
        };
        let without = wanted.iter().filter(|payload| !is_labelled(payload));
        let links: Vec<NewLink<'_>> =
            without.map(|payload| NewLink { payload, since: at }).collect();
        let labels: i64 = sources::table.count().get_result(connection)?;
        let free = MAX_SOURCES.saturating_sub(labels.try_into().unwrap_or(usize::MAX));
        if links.len() > free {
            refused = Some(Allowed::Full { needed: links.len(), free });
            return Err(Failure::Diesel(RollbackTransaction));
        }
        give(&mut Transaction::from(&mut *connection), &links)?;
        let listed = || sources::table.filter(sources::payload.eq_any(&wanted));
        diesel::update(listed()).set(sources::is_listed.eq(true)).execute(connection)?;
        if let Some(NewTag { number, .. }) = &tag {
            diesel::update(listed()).set(sources::tag.eq(number)).execute(connection)?;
        }
        let mut entries = Vec::new();
        for payload in &wanted {
            let row = rows.iter().find(|row| row.payload == **payload);
            let tag = tag.as_ref().filter(|tag| row.and_then(|row| row.tag) != tag.number);
            if tag.is_some() || !row.is_some_and(|row| row.is_listed) {
                let what = format!("{payload}{}", tag.map_or("", |tag| &tag.remark));
                entries.push(entry(at, AuditAction::AllowedSource, None, Some(&what)));
            }
        }
        add_entries(connection, &entries, &FreeText::Plain)?;
        Ok(Allowed::Listed)
    });
    match (allowed, refused) {
        (Err(Failure::Diesel(RollbackTransaction)), Some(refused)) => Ok(refused),
        (allowed, _) => allowed,
    }
}

/// The tag that links get.
struct NewTag {
    /// Its number; `None` for no tag.
    number: Option<i32>,
    /// What the audit log says about it after the link.
    remark: String,
}

impl NewTag {
    /// The tag, which is created if it is new; `None` if links keep theirs. Or why it is refused.
    fn of(
        connection: &mut AnyConnection,
        tag: &SourceTag,
        at: DateTime<Utc>,
    ) -> Result<Result<Option<Self>, Allowed>, Failure> {
        let name: &LabelName = match tag {
            SourceTag::Keep => return Ok(Ok(None)),
            SourceTag::Remove => {
                return Ok(Ok(Some(Self { number: None, remark: "; no tag".to_owned() })));
            }
            SourceTag::Set(name) => name,
        };
        let author = Author { by: None, at };
        Ok(match label::create(connection, LabelKind::Tag, name, "", &author)? {
            CreatedLabel::New(label) | CreatedLabel::Known(label) => {
                Ok(Some(Self { number: Some(label.id), remark: format!("; tag {name}") }))
            }
            CreatedLabel::Full => Err(Allowed::NoRoomForTag),
        })
    }
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
        let unlisted = || sources::table.filter(sources::is_listed.eq(false));
        if connection.shards().is_some() {
            let found = unlisted().select(sources::payload).load(connection)?;
            let found = without_users(connection, found)?;
            return remove(connection, found, at);
        }
        let came =
            telegram_users::table.filter(telegram_users::source.eq(sources::payload.nullable()));
        let found = unlisted().filter(not(exists(came)));
        let found: Vec<String> = found.select(sources::payload).load(connection)?;
        remove(connection, found, at)
    })
}

/// Those of these links by which no user came, in a distributed database: Citus joins no table of which each
/// server has a copy with what has no row in a distributed one.
fn without_users(
    connection: &mut AnyConnection,
    payloads: Vec<String>,
) -> QueryResult<Vec<String>> {
    let mut unbrought = Vec::new();
    for payload in payloads {
        let came = telegram_users::table.filter(telegram_users::source.eq(&payload));
        if !diesel::select(exists(came)).get_result(connection)? {
            unbrought.push(payload);
        }
    }
    Ok(unbrought)
}

/// Keeps other transactions from giving labels until this one ends. On SQLite it makes this one the
/// only writer, before it reads anything that others could change.
pub(crate) fn lock(connection: &mut AnyConnection) -> QueryResult<()> {
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
    add_entries(connection, &entries, &FreeText::Plain)?;
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
    let unlisted = || {
        let found = sources::table.filter(sources::label.eq_any(labels));
        found.filter(sources::is_listed.eq(false))
    };
    if connection.shards().is_some() {
        let found = unlisted().select(sources::payload).load(connection)?;
        let unbrought = without_users(connection, found)?;
        let unbrought = sources::table.filter(sources::payload.eq_any(unbrought));
        return diesel::delete(unbrought).execute(connection).map(|_| ());
    }
    diesel::delete(unlisted().filter(not(exists(came)))).execute(connection).map(|_| ())
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
    tag: Option<i32>,
}
