//! Part of step 6: how profiles changed, and the users whose names wait for the search.
//!
//! A transaction that indexes names does not see new ones before this transaction ends, so it must
//! not remove a user from `search_pending` before that.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use diesel::{
    pg::Pg,
    prelude::*,
    sql_types::{Array, BigInt, Nullable, Text, Timestamp},
    sqlite::Sqlite,
};
use rollcall_domain::{ProfileField, TelegramId};

use crate::base::{
    sqlstate::PgTransaction,
    statement::{parameters, rows, statement},
    timestamp::UtcMicros,
    transaction::Transaction,
};

/// How profiles changed, in the order of the table's key.
pub(crate) type ProfileChanges = BTreeMap<ChangeKey, OldAndNew>;

/// Which part of which user's profile changed, and when.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ChangeKey {
    pub(crate) user: TelegramId,
    pub(crate) at: DateTime<Utc>,
    pub(crate) field: ProfileField,
}

/// A part of a profile before and after a change.
pub(crate) struct OldAndNew {
    pub(crate) old: Option<String>,
    pub(crate) new: Option<String>,
}

rows! {
    /// A change of a profile, as a row to insert.
    pub(super) struct NewChange<'a>, NewChanges {
        changed_user: i64 as BigInt,
        changed_at: UtcMicros as Timestamp,
        field: &'static str as Text,
        old_value: Option<&'a str> as Nullable<Text>,
        new_value: Option<&'a str> as Nullable<Text>,
    }
}

impl<'a> NewChange<'a> {
    fn of(changes: &'a ProfileChanges) -> impl Iterator<Item = Self> {
        changes.iter().map(|(key, change)| Self {
            changed_user: key.user.get(),
            changed_at: key.at.into(),
            field: key.field.name(),
            old_value: change.old.as_deref(),
            new_value: change.new.as_deref(),
        })
    }
}

parameters! {
    /// What PostgreSQL's statements about names are given.
    pub(super) struct Names<'a> on Pg {
        changes: NewChanges<'a>,
        /// Sorted.
        pending: &'a [i64] as Array<BigInt>,
    }
}

impl<'a> Names<'a> {
    pub(super) fn of(pending: &'a [i64], changes: &'a ProfileChanges) -> Self {
        Self { changes: NewChange::of(changes).collect(), pending }
    }
}

/// PostgreSQL's statement for profile changes.
macro_rules! add_changes {
    () => {
        "
        INSERT INTO profile_changes (telegram_id, at, field, old_value, new_value)
        SELECT * FROM UNNEST(:changed_user, :changed_at, :field, :old_value, :new_value)
        ON CONFLICT (telegram_id, at, field) DO UPDATE SET new_value = excluded.new_value"
    };
}
pub(super) use add_changes;

/// PostgreSQL's statement for users whose names wait. Not DO NOTHING: this locks the row although it
/// changes nothing, so that no other transaction indexes the old names and removes the row.
macro_rules! add_pending {
    () => {
        "
        INSERT INTO search_pending SELECT * FROM UNNEST(:pending)
        ON CONFLICT (telegram_id) DO UPDATE SET telegram_id = excluded.telegram_id WHERE FALSE"
    };
}
pub(super) use add_pending;

/// Stores the same in a distributed database, next to the users.
pub(super) fn add_sharded(
    connection: &mut PgTransaction<'_>,
    pending: &[i64],
    changes: &ProfileChanges,
) -> QueryResult<()> {
    let Names { changes, pending } = Names::of(pending, changes);
    if !changes.changed_user.is_empty() {
        AddChangesSharded { changes }.execute(connection)?;
    }
    if !pending.is_empty() {
        AddPendingSharded { pending }.execute(connection)?;
    }
    Ok(())
}

statement! {
    struct AddChangesSharded<'a> {
        changes: NewChanges<'a>,
    }
    Pg => "
        INSERT INTO profile_changes (telegram_id, at, field, old_value, new_value)
        SELECT users.telegram_id, new.at, field, old_value, new_value
        FROM telegram_users AS users
        JOIN UNNEST(:changed_user, :changed_at, :field, :old_value, :new_value)
            AS new (id, at, field, old_value, new_value) ON new.id = users.telegram_id
        WHERE users.telegram_id = ANY(:changed_user)
        ON CONFLICT (telegram_id, at, field) DO UPDATE SET new_value = excluded.new_value",
}

statement! {
    struct AddPendingSharded<'a> {
        pending: &'a [i64] as Array<BigInt>,
    }
    Pg => "
        INSERT INTO search_pending
        SELECT telegram_id FROM telegram_users WHERE telegram_id = ANY(:pending)
        ON CONFLICT (telegram_id) DO UPDATE SET telegram_id = excluded.telegram_id WHERE FALSE",
}

statement! {
    struct AddAll<'a> {
        names: Names<'a>,
    }
    Pg => concat!("WITH changed AS (", add_changes!(), ")", add_pending!()),
}

statement! {
    struct AddPending {
        telegram_id: i64 as BigInt,
    }
    Sqlite => "INSERT INTO search_pending VALUES (:telegram_id) ON CONFLICT DO NOTHING",
}

statement! {
    struct AddChange<'a> {
        change: NewChange<'a>,
    }
    Sqlite => "
        INSERT INTO profile_changes (telegram_id, at, field, old_value, new_value)
        VALUES (:changed_user, :changed_at, :field, :old_value, :new_value)
        ON CONFLICT (telegram_id, at, field) DO UPDATE SET new_value = excluded.new_value",
}

/// Stores how profiles changed, and the users whose names wait, which are sorted.
pub(crate) fn add(
    connection: &mut Transaction<'_>,
    pending: &[i64],
    changes: &ProfileChanges,
) -> QueryResult<()> {
    match connection {
        Transaction::Sqlite(connection) => add_each(connection, pending, changes),
        Transaction::Postgres(connection) => {
            if connection.shards().is_some() {
                return add_sharded(connection, pending, changes);
            }
            AddAll { names: Names::of(pending, changes) }.execute(connection).map(drop)
        }
    }
}

/// Does the same on SQLite, where each row is a statement.
pub(super) fn add_each(
    connection: &mut SqliteConnection,
    pending: &[i64],
    changes: &ProfileChanges,
) -> QueryResult<()> {
    for &telegram_id in pending {
        AddPending { telegram_id }.execute(connection)?;
    }
    for change in NewChange::of(changes) {
        AddChange { change }.execute(connection)?;
    }
    Ok(())
}
