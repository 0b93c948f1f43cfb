//! Step 1: the `update_id`s of a batch are stored, so that an update that Telegram sends again is
//! recognised.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use diesel::{
    pg::Pg,
    prelude::*,
    sql_types::{Array, BigInt, Timestamp},
    sqlite::Sqlite,
};
use rollcall_domain::Interaction;

use crate::base::{
    error::Failure,
    schema::recent_updates,
    statement::{Columns, statement},
    timestamp::UtcMicros,
    transaction::Transaction,
};

/// The updates that were known before the batch, by block; see [`Place`].
pub(super) struct KnownUpdates(BTreeMap<i64, i64>);

impl KnownUpdates {
    /// Whether the update of an interaction is one of them.
    pub(super) fn contains(&self, interaction: &Interaction) -> bool {
        Place::of(interaction).is_some_and(|Place { block, bit }| {
            self.0.get(&block).is_some_and(|updates| updates & bit != 0)
        })
    }
}

/// Where an update is stored: a block of 64 neighbouring updates, and its bit there. Users with odd
/// ids have blocks of their own, so that two writers that divide the users by that do not wait for
/// each other.
struct Place {
    block: i64,
    bit: i64,
}

impl Place {
    fn of(interaction: &Interaction) -> Option<Self> {
        let update_id = interaction.update_id?;
        let parity = interaction.telegram_id().get() & 1;
        Some(Self { block: ((update_id >> 6) << 1) | parity, bit: 1 << (update_id & 63) })
    }
}

/// Stores the updates of a batch, and returns which of their blocks' updates were known before.
pub(super) fn remember(
    connection: &mut Transaction<'_>,
    interactions: &[Interaction],
    now: DateTime<Utc>,
) -> Result<KnownUpdates, Failure> {
    let mut blocks = BTreeMap::<i64, i64>::new();
    for Place { block, bit } in interactions.iter().filter_map(Place::of) {
        *blocks.entry(block).or_default() |= bit;
    }
    let now = now.into();
    let stored: Vec<StoredBlock> = match connection {
        _ if blocks.is_empty() => Vec::new(),
        Transaction::Sqlite(connection) => blocks
            .into_iter()
            .map(|(block, updates)| RememberOne { block, updates, now }.get_result(*connection))
            .collect::<QueryResult<_>>()?,
        Transaction::Postgres(connection) => {
            let (blocks, updates) = blocks.into_iter().unzip();
            RememberAll { blocks, updates, now }.load(connection)?
        }
    };
    let known = stored.into_iter().filter_map(|row| Some((row.block, row.previous_updates?)));
    Ok(KnownUpdates(known.collect()))
}

/// A block, and the updates of it that were known before; `None` for a new block.
#[derive(Queryable, Selectable)]
#[diesel(table_name = recent_updates)]
struct StoredBlock {
    block: i64,
    previous_updates: Option<i64>,
}

statement! {
    struct RememberOne -> Columns<StoredBlock> {
        block: i64 as BigInt,
        updates: i64 as BigInt,
        now: UtcMicros as Timestamp,
    }
    Sqlite => "
        INSERT INTO recent_updates (block, updates, recorded_at) VALUES (:block, :updates, :now)
        ON CONFLICT (block) DO UPDATE SET
            previous_updates = updates,
            updates = updates | excluded.updates,
            recorded_at = CASE updates | excluded.updates WHEN updates
                THEN recorded_at ELSE excluded.recorded_at END
        RETURNING block, previous_updates",
}

statement! {
    struct RememberAll -> Columns<StoredBlock> {
        /// Sorted, so that all processes lock rows in one order.
        blocks: Vec<i64> as Array<BigInt>,
        updates: Vec<i64> as Array<BigInt>,
        now: UtcMicros as Timestamp,
    }
    Pg => "
        INSERT INTO recent_updates AS stored (block, updates, recorded_at)
        SELECT block, updates, :now FROM UNNEST(:blocks, :updates) AS new (block, updates)
        ON CONFLICT (block) DO UPDATE SET
            previous_updates = stored.updates,
            updates = stored.updates | excluded.updates,
            recorded_at = CASE stored.updates | excluded.updates WHEN stored.updates
                THEN stored.recorded_at ELSE excluded.recorded_at END
        RETURNING block, previous_updates",
}
