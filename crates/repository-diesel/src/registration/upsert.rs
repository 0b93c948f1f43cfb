//! Step 1: new users are created, and `last_seen` of the others is moved. That locks all rows of
//! the batch, and changes no indexed column.

use std::{
    cmp::Ordering,
    collections::{BTreeMap, HashMap, HashSet, btree_map::Entry},
};

use chrono::{DateTime, Utc};
use diesel::{
    pg::Pg,
    prelude::*,
    sql_types::{Array, BigInt, Integer, Timestamp},
    sqlite::Sqlite,
};
use rollcall_domain::{ActiveDay, Interaction, LatestDay, TelegramId, TelegramUser};

use super::{
    day_count::DayCount,
    labels::Labels,
    upserted::{UpsertedUser, is_counted, upserted_columns},
};
use crate::{
    base::{
        distributed::Shards,
        sqlstate::PgTransaction,
        statement::{Columns, statement},
        timestamp::UtcMicros,
        transaction::Transaction,
    },
    row::columns::{NewUser, NewUsers, UserToStore, columns},
};

/// A user of a batch as it would be if it were new.
pub(super) struct SeenUser {
    pub(super) user: TelegramUser,
    /// The user's latest day in the batch.
    latest: DayCount,
    /// The number of the label that the user's source counts under.
    source_label: Option<i32>,
}

impl SeenUser {
    fn to_store(&self) -> UserToStore<'_> {
        let DayCount { interactions, first_hour } = self.latest;
        let day = ActiveDay { day: self.user.active_day(), first_hour: Some(first_hour) };
        UserToStore {
            user: &self.user,
            source_label: self.source_label,
            latest: LatestDay::first(day, interactions),
        }
    }
}

/// What each user of the batch would be if it were new, sorted by id.
pub(super) fn seen_users(
    interactions: &[&Interaction],
    now: DateTime<Utc>,
    labels: &Labels,
) -> Vec<SeenUser> {
    let mut users: BTreeMap<TelegramId, SeenUser> = BTreeMap::new();
    for interaction in interactions {
        match users.entry(interaction.telegram_id()) {
            Entry::Vacant(entry) => {
                let user = TelegramUser::created_by(interaction);
                let source_label = user.source.as_ref().and_then(|source| labels.at_first(source));
                entry.insert(SeenUser {
                    user,
                    latest: DayCount::after(None, interaction),
                    source_label,
                });
            }
            Entry::Occupied(mut entry) => {
                let SeenUser { user, latest, .. } = entry.get_mut();
                let (day, of) = (user.active_day(), interaction.at.date_naive());
                user.observe(interaction, now);
                match of.cmp(&day) {
                    Ordering::Greater => *latest = DayCount::after(None, interaction),
                    Ordering::Equal => *latest = DayCount::after(Some(*latest), interaction),
                    Ordering::Less => {}
                }
            }
        }
    }
    users.into_values().collect()
}

/// Inserts users, which are sorted by id and distinct. Of those that exist it moves `last_seen`
/// forward, and counts the interactions if they were on the latest day of the row.
pub(super) fn upsert(
    connection: &mut Transaction<'_>,
    users: &[SeenUser],
) -> QueryResult<Vec<UpsertedUser>> {
    match connection {
        Transaction::Sqlite(connection) => {
            users.iter().map(|user| touch_or_insert(connection, user)).collect()
        }
        Transaction::Postgres(connection) => touch_or_insert_all(connection, users),
    }
}

/// Two statements for a new user. No other process writes meanwhile, and an insert that falls back
/// on an update does the work of both for every user.
fn touch_or_insert(
    connection: &mut SqliteConnection,
    seen: &SeenUser,
) -> QueryResult<UpsertedUser> {
    let touch = TouchOne {
        telegram_id: seen.user.telegram_id.get(),
        last_seen: seen.user.last_seen.into(),
        interactions: seen.latest.interactions,
    };
    match touch.get_result(connection).optional()? {
        Some(known) => Ok(known),
        None => InsertOne { user: seen.to_store().into() }.get_result(connection),
    }
}

/// Two statements, because most users exist, and to update a row is less work than to try to insert
/// it. The second one does both, because two processes may create one user at once.
fn touch_or_insert_all(
    connection: &mut PgTransaction<'_>,
    users: &[SeenUser],
) -> QueryResult<Vec<UpsertedUser>> {
    if let Some(shards) = connection.shards().cloned() {
        return touch_or_insert_sharded(connection, users, &shards);
    }
    let touch = TouchAll {
        telegram_id: users.iter().map(|seen| seen.user.telegram_id.get()).collect(),
        last_seen: users.iter().map(|seen| seen.user.last_seen.into()).collect(),
        interactions: users.iter().map(|seen| seen.latest.interactions).collect(),
    };
    let mut rows: Vec<UpsertedUser> = touch.load(connection)?;
    if rows.len() < users.len() {
        let known: HashSet<i64> = rows.iter().map(|row| row.user.telegram_id).collect();
        let new = users.iter().filter(|seen| !known.contains(&seen.user.telegram_id.get()));
        let users = new.map(|seen| NewUser::from(seen.to_store())).collect();
        rows.extend(UpsertAll { users }.load::<UpsertedUser>(connection)?);
    }
    Ok(rows)
}

/// Does the same in a distributed database. The users are those of one shard, if the writer sees to it. Citus
/// takes rows only as values to the shard that it finds for each, so each new user is a statement.
fn touch_or_insert_sharded(
    connection: &mut PgTransaction<'_>,
    users: &[SeenUser],
    shards: &Shards,
) -> QueryResult<Vec<UpsertedUser>> {
    let ids: Vec<i64> = users.iter().map(|seen| seen.user.telegram_id.get()).collect();
    let mut rows: Vec<UpsertedUser> = Vec::new();
    // Shard by shard, so that all processes lock rows in one order.
    let seen: HashMap<i64, &SeenUser> = ids.iter().copied().zip(users).collect();
    for part in shards.split(ids.iter().copied()) {
        let users: Vec<&SeenUser> = part.iter().filter_map(|id| seen.get(id).copied()).collect();
        let touch = TouchSharded {
            last_seen: users.iter().map(|seen| seen.user.last_seen.into()).collect(),
            interactions: users.iter().map(|seen| seen.latest.interactions).collect(),
            telegram_id: part,
        };
        rows.extend(touch.load::<UpsertedUser>(connection)?);
    }
    let known: HashSet<i64> = rows.iter().map(UpsertedUser::id).collect();
    let new: Vec<&SeenUser> =
        users.iter().filter(|seen| !known.contains(&seen.user.telegram_id.get())).collect();
    if new.is_empty() {
        return Ok(rows);
    }
    let left_out: HashSet<i64> = {
        let ids = new.iter().map(|seen| seen.user.telegram_id.get());
        LeftOut { ids: ids.collect() }.load(connection)?.into_iter().collect()
    };
    for seen in new {
        let insert = UpsertSharded { user: seen.to_store().into() };
        let mut row: UpsertedUser = insert.get_result(connection)?;
        row.is_counted = !left_out.contains(&row.id());
        rows.push(row);
    }
    Ok(rows)
}

statement! {
    struct TouchOne -> Columns<UpsertedUser> {
        telegram_id: i64 as BigInt,
        last_seen: UtcMicros as Timestamp,
        interactions: i32 as Integer,
    }
    Sqlite => concat!("
        UPDATE telegram_users SET
            previous_seen = last_seen,
            last_seen = max(last_seen, :last_seen),
            day_interactions = day_interactions +
                CASE active_day WHEN substr(:last_seen, 1, 10) THEN :interactions ELSE 0 END
        WHERE telegram_id = :telegram_id
        RETURNING ", upserted_columns!()),
}

statement! {
    struct InsertOne<'a> -> Columns<UpsertedUser> {
        user: NewUser<'a>,
    }
    Sqlite => concat!("
        INSERT INTO telegram_users (", columns!(all name), ")
        VALUES (", columns!(all placeholder), ")
        RETURNING ", upserted_columns!()),
}

/// PostgreSQL's statement for users that exist, up to what it returns.
macro_rules! touch_all {
    () => {
        "
        UPDATE telegram_users AS stored SET
            previous_seen = stored.last_seen,
            last_seen = GREATEST(stored.last_seen, seen.at),
            day_interactions = stored.day_interactions +
                CASE stored.active_day WHEN seen.at::date THEN seen.interactions ELSE 0 END
        FROM UNNEST(:telegram_id, :last_seen, :interactions) AS seen (id, at, interactions)
        WHERE stored.telegram_id = seen.id"
    };
}

/// What an insert does instead if the user exists.
macro_rules! touch_known {
    () => {
        "
        ON CONFLICT (telegram_id) DO UPDATE SET
            previous_seen = stored.last_seen,
            last_seen = GREATEST(stored.last_seen, excluded.last_seen),
            day_interactions = stored.day_interactions +
                CASE stored.active_day WHEN excluded.active_day
                THEN excluded.day_interactions ELSE 0 END"
    };
}

statement! {
    struct TouchAll -> Columns<UpsertedUser> {
        /// Sorted, and the others in the same order.
        telegram_id: Vec<i64> as Array<BigInt>,
        last_seen: Vec<UtcMicros> as Array<Timestamp>,
        interactions: Vec<i32> as Array<Integer>,
    }
    Pg => concat!(touch_all!(), " RETURNING ", upserted_columns!()),
}

statement! {
    struct TouchSharded -> Columns<UpsertedUser> {
        /// Those of one shard; sorted, and the others in the same order.
        telegram_id: Vec<i64> as Array<BigInt>,
        last_seen: Vec<UtcMicros> as Array<Timestamp>,
        interactions: Vec<i32> as Array<Integer>,
    }
    Pg => concat!(
        touch_all!(), " AND stored.telegram_id = ANY(:telegram_id) RETURNING ", upserted_columns!()),
}

statement! {
    /// Of these users, those that the sums leave out.
    struct LeftOut -> BigInt {
        ids: Vec<i64> as Array<BigInt>,
    }
    Pg => "SELECT telegram_id FROM uncounted_users WHERE telegram_id = ANY(:ids)",
}

statement! {
    /// Whether the sums count the user is not asked here: Citus takes no subqueries in an insert.
    struct UpsertSharded<'a> -> Columns<UpsertedUser> {
        user: NewUser<'a>,
    }
    Pg => concat!("
        INSERT INTO telegram_users AS stored (", columns!(all name), ")
        VALUES (", columns!(all placeholder), ")", touch_known!(), "
        RETURNING ", upserted_columns!(stored), ", true"),
}

statement! {
    struct UpsertAll<'a> -> Columns<UpsertedUser> {
        users: NewUsers<'a>,
    }
    Pg => concat!("
        INSERT INTO telegram_users AS stored (", columns!(all name), ")
        SELECT * FROM UNNEST(", columns!(all placeholder), ")", touch_known!(), "
        RETURNING ", upserted_columns!()),
}
