//! Undoing changes of many users, and forgetting them.

use chrono::{DateTime, Utc};
use diesel::{pg::Pg, prelude::*, sql_types::BigInt, sqlite::Sqlite};
use rollcall_domain::{Admin, AuditAction};
use rollcall_repository::LabelChangeState;

use super::{
    change::entry,
    label::Author,
    row::{UNDOING, read_change, summary},
    users::change,
};
use crate::{
    admin::audit::entry::add_entry,
    base::{
        connection::{AnyConnection, either},
        error::Failure,
        schema::label_changes,
        statement::statement,
        timestamp::UtcMicros,
        transaction::Transaction,
    },
};

statement! {
    /// Forgets some of the users that a change has changed; returns their ids.
    struct ForgetUsers -> BigInt {
        change: i64 as BigInt,
        limit: i64 as BigInt,
    }
    Sqlite => "
        DELETE FROM label_changed_users WHERE change = :change AND telegram_id IN (
            SELECT telegram_id FROM label_changed_users WHERE change = :change
            ORDER BY telegram_id LIMIT :limit)
        RETURNING telegram_id",
    Pg => "
        WITH part AS (
            SELECT telegram_id FROM label_changed_users WHERE change = :change
            ORDER BY telegram_id LIMIT :limit FOR UPDATE)
        DELETE FROM label_changed_users USING part
        WHERE label_changed_users.telegram_id = part.telegram_id
            AND label_changed_users.change = :change
        RETURNING label_changed_users.telegram_id",
}

statement! {
    struct ForgetUsersSharded -> BigInt {
        change: i64 as BigInt,
        limit: i64 as BigInt,
    }
    Pg => "
        WITH part AS (
            SELECT telegram_id FROM label_changed_users WHERE change = :change
            ORDER BY telegram_id LIMIT :limit)
        DELETE FROM label_changed_users USING part
        WHERE label_changed_users.telegram_id = part.telegram_id
            AND label_changed_users.change = :change
        RETURNING label_changed_users.telegram_id",
}

fn forget_users(connection: &mut AnyConnection, change: i64, limit: u32) -> QueryResult<Vec<i64>> {
    let forget = ForgetUsers { change, limit: limit.into() };
    let mut ids: Vec<i64> = match connection.distributed() {
        Some(connection) => ForgetUsersSharded { change, limit: limit.into() }.load(connection)?,
        None => either!(connection => forget.load(connection)?),
    };
    ids.sort_unstable();
    Ok(ids)
}

/// See [`LabelRepository::undo_label_change`](rollcall_repository::LabelRepository::undo_label_change).
/// Runs in a transaction.
pub(super) fn undo(
    connection: &mut AnyConnection,
    id: i64,
    limit: u32,
    author: &Author,
) -> Result<Option<bool>, Failure> {
    diesel::update(label_changes::table.find(id))
        .set((
            label_changes::state.eq(UNDOING),
            label_changes::touched_at.eq(UtcMicros::from(author.at)),
            label_changes::admin.eq(author.by.as_ref().map(Admin::to_string)),
        ))
        .execute(connection)?;
    let Some(undone) = read_change(connection, id)? else { return Ok(None) };
    let ids = forget_users(connection, id, limit)?;
    change(&mut Transaction::from(&mut *connection), undone.label.id, &ids, !undone.is_added)?;
    if u32::try_from(ids.len()).is_ok_and(|number| number >= limit) {
        return Ok(Some(false));
    }
    diesel::delete(label_changes::table.find(id)).execute(connection)?;
    let what = if undone.is_added { "added to" } else { "removed from" };
    let new = format!("{what} {}", summary(&undone));
    add_entry(connection, &author.entry(AuditAction::UndidLabelChange, None, Some(new)))?;
    Ok(Some(true))
}

/// A change without a step since a time.
pub(super) fn old(
    connection: &mut AnyConnection,
    before: DateTime<Utc>,
) -> QueryResult<Option<i64>> {
    label_changes::table
        .filter(label_changes::touched_at.lt(UtcMicros::from(before)))
        .order(label_changes::id)
        .select(label_changes::id)
        .first(connection)
        .optional()
}

/// Forgets a part of a change, unless it has gone on meanwhile. Runs in a transaction.
pub(super) fn forget(
    connection: &mut AnyConnection,
    id: i64,
    before: DateTime<Utc>,
    limit: u32,
) -> Result<(), Failure> {
    let is_old = label_changes::touched_at.lt(UtcMicros::from(before));
    let locked = diesel::update(label_changes::table.find(id).filter(is_old))
        .set(label_changes::state.eq(label_changes::state))
        .execute(connection)?;
    if locked == 0 {
        return Ok(());
    }
    let forgotten = forget_users(connection, id, limit)?;
    if u32::try_from(forgotten.len()).is_ok_and(|number| number >= limit) {
        return Ok(());
    }
    let change = read_change(connection, id)?;
    diesel::delete(label_changes::table.find(id)).execute(connection)?;
    // Without this entry, the log would lack a change that was never completed.
    if let Some(change) = change.filter(|it| it.state == LabelChangeState::Running) {
        add_entry(connection, &entry(&change, change.touched_at, "; stopped before its end"))?;
    }
    Ok(())
}
