//! Step 6: what the interactions changed is written.

use chrono::{DateTime, Utc};
use diesel::{
    pg::Pg,
    prelude::*,
    sql_types::{Array, BigInt, Timestamp},
    sqlite::Sqlite,
};
use rollcall_domain::{Sums, TelegramId};

use super::{
    names::{self, Names, ProfileChanges, add_changes, add_pending},
    uses::{self, NewUses, Uses, add_uses},
};
use crate::{
    base::{
        sqlstate::PgTransaction,
        statement::{parameters, statement},
        timestamp::UtcMicros,
        transaction::Transaction,
    },
    row::columns::{NewUser, NewUsers, UserToStore, columns},
    statistics::{
        add::{
            NewSourceSum, NewSourceSums, NewSum, NewSums, add_each, add_sharded,
            insert_source_sums, insert_sums,
        },
        minutes::{NewMinute, NewMinutes, add_minutes, insert_minutes},
    },
};

/// What a batch changes, after the upsert. All rows of users are locked by then.
pub(super) struct Changes<'a> {
    /// Users whose profile, reachability or latest day changed; sorted by id.
    pub(super) users: Vec<UserToStore<'a>>,
    /// Users outside the batch who lost their username, and when; sorted.
    pub(super) losers: Vec<(TelegramId, DateTime<Utc>)>,
    /// What is added to the sums.
    pub(super) sums: Sums,
    /// What is added to the minutes of the last hour; sorted.
    pub(super) minutes: Vec<NewMinute>,
    /// The uses of commands and buttons.
    pub(super) uses: Uses,
    /// Users whose names wait for the search; sorted.
    pub(super) renamed: Vec<i64>,
    /// How profiles changed.
    pub(super) profiles: &'a ProfileChanges,
    /// A user of the batch: in a distributed database, the sums are added to in this user's shard.
    pub(super) someone: i64,
}

/// Writes the changes: on PostgreSQL in one statement, because each is a round trip.
pub(super) fn write(connection: &mut Transaction<'_>, changes: &Changes<'_>) -> QueryResult<()> {
    match connection {
        Transaction::Sqlite(connection) => write_each(connection, changes),
        Transaction::Postgres(connection) => write_all(connection, changes),
    }
}

fn write_each(
    connection: &mut SqliteConnection,
    Changes { users, losers, sums, minutes, uses, renamed, profiles, .. }: &Changes<'_>,
) -> QueryResult<()> {
    names::add_each(connection, renamed, profiles)?;
    uses::add_each(connection, uses)?;
    for &user in users {
        UpdateUser { user: user.into() }.execute(connection)?;
    }
    for &(id, at) in losers {
        ClearUsername { telegram_id: id.get(), at: at.into() }.execute(connection)?;
    }
    add_each(connection, sums)?;
    add_minutes(connection, minutes)
}

fn write_all(connection: &mut PgTransaction<'_>, changes: &Changes<'_>) -> QueryResult<()> {
    if let Some(shards) = connection.shards() {
        let slot = shards.slot(changes.someone);
        return write_sharded(connection, changes, slot);
    }
    let Changes { users, losers, sums, minutes, uses, renamed, profiles, .. } = changes;
    let users = users.iter().map(|user| NewUser::from(*user)).collect();
    let (losers, lost_at) = losers.iter().map(|&(id, at)| (id.get(), UtcMicros::from(at))).unzip();
    let (sums, source_sums) = (NewSum::of(sums).collect(), NewSourceSum::of(sums).collect());
    let minutes = minutes.iter().copied().collect();
    let mut rounds = uses.rounds().into_iter();
    let uses = rounds.next().unwrap_or_default();
    let rows = ChangedRows { users, losers, lost_at, sums, source_sums, minutes, uses };
    if renamed.is_empty() && profiles.is_empty() {
        WriteAll { rows }.execute(connection)?;
    } else {
        WriteAllWithNames { rows, names: Names::of(renamed, profiles) }.execute(connection)?;
    }
    uses::add_rounds(connection, rounds)
}

/// Writes the changes in a distributed database: each statement names the ids or the slot, by which Citus
/// finds the shard.
fn write_sharded(
    connection: &mut PgTransaction<'_>,
    Changes { users, losers, sums, minutes, uses, renamed, profiles, .. }: &Changes<'_>,
    slot: i64,
) -> QueryResult<()> {
    if !renamed.is_empty() || !profiles.is_empty() {
        names::add_sharded(connection, renamed, profiles)?;
    }
    for &(id, at) in losers {
        ClearSharded { telegram_id: id.get(), at: at.into() }.execute(connection)?;
    }
    add_sharded(connection, sums, slot)?;
    if !minutes.is_empty() {
        let minutes = minutes.iter().copied().collect();
        AddMinutesSharded { minutes, slot }.execute(connection)?;
    }
    uses::add_sharded(connection, uses)?;
    if !users.is_empty() {
        let users = users.iter().map(|user| NewUser::from(*user)).collect();
        UpdateSharded { users }.execute(connection)?;
    }
    Ok(())
}

/// PostgreSQL's statement for users that changed.
macro_rules! update_users {
    () => {
        concat!("
        UPDATE telegram_users AS stored SET ", columns!(update set_new), "
        FROM UNNEST(", columns!(all placeholder), ") AS new (", columns!(all name), ")
        WHERE stored.telegram_id = new.telegram_id")
    };
}

statement! {
    struct ClearSharded {
        telegram_id: i64 as BigInt,
        at: UtcMicros as Timestamp,
    }
    Pg => "
        UPDATE telegram_users SET username = NULL, updated_at = GREATEST(updated_at, :at)
        WHERE telegram_id = :telegram_id",
}

statement! {
    struct AddMinutesSharded {
        minutes: NewMinutes,
        slot: i64 as BigInt,
    }
    Pg => insert_minutes!(sharded),
}

statement! {
    struct UpdateSharded<'a> {
        users: NewUsers<'a>,
    }
    Pg => concat!(update_users!(), " AND stored.telegram_id = ANY(:telegram_id)"),
}

statement! {
    struct UpdateUser<'a> {
        user: NewUser<'a>,
    }
    Sqlite => concat!("
        UPDATE telegram_users SET ", columns!(update set_placeholder), "
        WHERE telegram_id = :telegram_id"),
}

statement! {
    struct ClearUsername {
        telegram_id: i64 as BigInt,
        at: UtcMicros as Timestamp,
    }
    Sqlite => "
        UPDATE telegram_users SET username = NULL, updated_at = max(updated_at, :at)
        WHERE telegram_id = :telegram_id",
}

/// All changes but those about names: the end of a statement that begins with `WITH`.
macro_rules! write_all {
    () => {
        concat!(
            "
        cleared AS (
            UPDATE telegram_users AS stored SET
                username = NULL, updated_at = GREATEST(stored.updated_at, lost.at)
            FROM UNNEST(:losers, :lost_at) AS lost (telegram_id, at)
            WHERE stored.telegram_id = lost.telegram_id),
        summed AS (",
            insert_sums!(),
            "),
        summed_sources AS (",
            insert_source_sums!(),
            "),
        summed_minutes AS (",
            insert_minutes!(),
            "),
        used AS (",
            add_uses!(),
            ")",
            update_users!()
        )
    };
}

parameters! {
    struct ChangedRows<'a> on Pg {
        users: NewUsers<'a>,
        losers: Vec<i64> as Array<BigInt>,
        lost_at: Vec<UtcMicros> as Array<Timestamp>,
        sums: NewSums<'a>,
        source_sums: NewSourceSums<'a>,
        minutes: NewMinutes,
        uses: NewUses,
    }
}

statement! {
    struct WriteAll<'a> {
        rows: ChangedRows<'a>,
    }
    Pg => concat!("WITH ", write_all!()),
}

statement! {
    struct WriteAllWithNames<'a> {
        rows: ChangedRows<'a>,
        names: Names<'a>,
    }
    Pg => concat!("
        WITH changed AS (", add_changes!(), "),
        pending AS (", add_pending!(), "),", write_all!()),
}
