//! Step 2: the `update_id`s of a batch are stored, so that an update that Telegram sends again is
//! recognised.
//!
//! An update is always about the same user. Once a transaction has locked the user's row, it sees every
//! update of this user that others have stored, and nobody stores another one. So this step comes after
//! the upsert. Each writer stores in rows of its own [`slot`](crate::base::slot), and waits for no other.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use diesel::{
    pg::Pg,
    prelude::*,
    sql_types::{Array, BigInt, Timestamp},
    sqlite::Sqlite,
};
use rollcall_domain::Interaction;

use crate::base::{
    schema::recent_updates,
    slot::slot,
    sqlstate::PgTransaction,
    statement::{Columns, statement},
    timestamp::UtcMicros,
    transaction::Transaction,
};

/// The `update_id`s of a batch that are known to have been recorded before it.
#[derive(Default)]
pub(super) struct KnownUpdates(BTreeSet<i64>);

impl KnownUpdates {
    /// Whether the update of an interaction is one of them.
    pub(super) fn contains(&self, interaction: &Interaction) -> bool {
        interaction.update_id.is_some_and(|update_id| self.0.contains(&update_id))
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}

/// Where an update is stored: a block of 64 neighbouring updates, and its bit there.
struct Place {
    block: i64,
    bit: i64,
}

impl Place {
    fn of(update_id: i64) -> Self {
        Self { block: update_id >> 6, bit: 1 << (update_id & 63) }
    }
}

/// Stores the updates of interactions, whose users are locked. Those that were recorded before are
/// added to `known`; returns whether there are any. Then the transaction must be rolled back.
pub(super) fn remember(
    connection: &mut Transaction<'_>,
    interactions: &[&Interaction],
    now: DateTime<Utc>,
    known: &mut KnownUpdates,
) -> QueryResult<bool> {
    let update_ids = interactions.iter().filter_map(|interaction| interaction.update_id);
    let mut blocks = BTreeMap::<i64, i64>::new();
    for Place { block, bit } in update_ids.clone().map(Place::of) {
        *blocks.entry(block).or_default() |= bit;
    }
    let recorded = match connection {
        _ if blocks.is_empty() => return Ok(false),
        Transaction::Sqlite(connection) => remember_each(connection, &blocks, now.into())?,
        Transaction::Postgres(connection) if connection.shards().is_some() => {
            remember_sharded(connection, interactions, now.into())?
        }
        Transaction::Postgres(connection) => {
            let (blocks, updates) = blocks.into_iter().unzip();
            RememberAll { blocks, updates, now: now.into() }.load(connection)?
        }
    };
    let mut blocks = BTreeMap::<i64, i64>::new();
    for RecordedUpdates { block, updates } in recorded {
        *blocks.entry(block).or_default() |= updates;
    }
    let is_recorded = |update_id: &i64| {
        let Place { block, bit } = Place::of(*update_id);
        blocks.get(&block).is_some_and(|updates| updates & bit != 0)
    };
    let before = known.len();
    known.0.extend(update_ids.filter(is_recorded));
    Ok(known.len() > before)
}

/// Stores the updates in a distributed database, each in the shard of its user. Citus shows a statement what
/// its own parts have written, so what was recorded before is read first. The locked users keep that from
/// changing.
fn remember_sharded(
    connection: &mut PgTransaction<'_>,
    interactions: &[&Interaction],
    now: UtcMicros,
) -> QueryResult<Vec<RecordedUpdates>> {
    let Some(shards) = connection.shards().cloned() else { return Ok(Vec::new()) };
    let mut rows = BTreeMap::<(i64, i64), i64>::new();
    let mut all_slots = BTreeSet::new();
    for interaction in interactions {
        let Some(Place { block, bit }) = interaction.update_id.map(Place::of) else { continue };
        let user = interaction.telegram_id().get();
        *rows.entry((block, shards.slot(user))).or_default() |= bit;
        all_slots.extend(shards.slots(user));
    }
    let blocks: BTreeSet<i64> = rows.keys().map(|(block, _)| *block).collect();
    let recorded = RecordedInShard {
        blocks: blocks.into_iter().collect(),
        slots: all_slots.into_iter().collect(),
    };
    let recorded = recorded.load(connection)?;
    let (blocks, slots, updates) = (Vec::new(), Vec::new(), Vec::new());
    let mut remember = RememberSharded { blocks, slots, updates, now };
    for ((block, slot), updates) in rows {
        remember.blocks.push(block);
        remember.slots.push(slot);
        remember.updates.push(updates);
    }
    remember.execute(connection)?;
    Ok(recorded)
}

fn remember_each(
    connection: &mut SqliteConnection,
    blocks: &BTreeMap<i64, i64>,
    now: UtcMicros,
) -> QueryResult<Vec<RecordedUpdates>> {
    let mut recorded = Vec::new();
    for (&block, &updates) in blocks {
        recorded.extend(RecordedInBlock { block }.load::<RecordedUpdates>(connection)?);
        RememberOne { block, updates, now }.execute(connection)?;
    }
    Ok(recorded)
}

/// The updates of a block that were recorded before, in one of its slots.
#[derive(Queryable, Selectable)]
#[diesel(table_name = recent_updates)]
struct RecordedUpdates {
    block: i64,
    updates: i64,
}

statement! {
    struct RecordedInBlock -> Columns<RecordedUpdates> {
        block: i64 as BigInt,
    }
    Sqlite => "SELECT block, updates FROM recent_updates WHERE block = :block",
}

statement! {
    struct RememberOne {
        block: i64 as BigInt,
        updates: i64 as BigInt,
        now: UtcMicros as Timestamp,
    }
    Sqlite => "
        INSERT INTO recent_updates (block, slot, updates, recorded_at)
        VALUES (:block, 0, :updates, :now)
        ON CONFLICT (block, slot) DO UPDATE SET
            updates = updates | excluded.updates,
            recorded_at = max(recorded_at, excluded.recorded_at)",
}

statement! {
    struct RecordedInShard -> Columns<RecordedUpdates> {
        blocks: Vec<i64> as Array<BigInt>,
        slots: Vec<i64> as Array<BigInt>,
    }
    Pg => "
        SELECT block, updates FROM recent_updates
        WHERE block = ANY(:blocks) AND slot = ANY(:slots)",
}

statement! {
    struct RememberSharded {
        /// Sorted.
        blocks: Vec<i64> as Array<BigInt>,
        slots: Vec<i64> as Array<BigInt>,
        updates: Vec<i64> as Array<BigInt>,
        now: UtcMicros as Timestamp,
    }
    Pg => "
        INSERT INTO recent_updates AS stored (block, slot, updates, recorded_at)
        SELECT block, slots.slot, updates, :now
        FROM shard_slots AS slots
        JOIN UNNEST(:blocks, :slots, :updates) AS new (block, slot, updates)
            ON new.slot = slots.slot
        WHERE slots.slot = ANY(:slots)
        ON CONFLICT (block, slot) DO UPDATE SET
            updates = stored.updates | excluded.updates,
            recorded_at = GREATEST(stored.recorded_at, excluded.recorded_at)",
}

statement! {
    /// Returns what is recorded of the blocks when it begins.
    struct RememberAll -> Columns<RecordedUpdates> {
        /// Sorted, for writers that share a slot.
        blocks: Vec<i64> as Array<BigInt>,
        updates: Vec<i64> as Array<BigInt>,
        now: UtcMicros as Timestamp,
    }
    Pg => concat!("
        WITH remembered AS (
            INSERT INTO recent_updates AS stored (block, slot, updates, recorded_at)
            SELECT block, ", slot!(), ", updates, :now
            FROM UNNEST(:blocks, :updates) AS new (block, updates)
            ON CONFLICT (block, slot) DO UPDATE SET
                updates = stored.updates | excluded.updates,
                recorded_at = GREATEST(stored.recorded_at, excluded.recorded_at))
        SELECT block, updates FROM recent_updates WHERE block = ANY(:blocks)"),
}
