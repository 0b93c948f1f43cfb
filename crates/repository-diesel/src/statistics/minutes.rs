//! The sums of the last hour, by minute. A minute has the place of the one an hour before it, and
//! overwrites its row. So there are 60 rows, or 60 for each slot on PostgreSQL.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use diesel::{
    dsl::sql,
    pg::Pg,
    prelude::*,
    sql_types::{BigInt, Integer},
    sqlite::Sqlite,
};
use rollcall_domain::Interaction;

use crate::base::{
    connection::AnyConnection,
    schema::minute_sums,
    statement::{rows, statement},
};

/// How many minutes are kept.
const PLACES: i64 = 60;

rows! {
    /// What is added to a minute, which is counted from 1970.
    #[derive(Clone, Copy)]
    pub(crate) struct NewMinute, NewMinutes {
        minute: i32 as Integer,
        in_minute: i64 as BigInt,
    }
}

/// The number of a time's minute, counted from 1970.
pub(crate) fn minute_of(at: DateTime<Utc>) -> i32 {
    i32::try_from(at.timestamp().div_euclid(60)).unwrap_or_default()
}

impl NewMinute {
    /// The interactions of the hour up to `now`, by minute; sorted by their places. What is in the
    /// future counts now.
    pub(crate) fn of<'a>(
        interactions: impl Iterator<Item = &'a Interaction>,
        now: DateTime<Utc>,
    ) -> Vec<Self> {
        let present = i64::from(minute_of(now));
        let mut counts: BTreeMap<i64, (i64, i64)> = BTreeMap::new();
        for interaction in interactions {
            let minute = i64::from(minute_of(interaction.at)).min(present);
            if minute > present - PLACES {
                counts.entry(minute.rem_euclid(PLACES)).or_insert((minute, 0)).1 += 1;
            }
        }
        let row =
            |(minute, in_minute)| Some(Self { minute: i32::try_from(minute).ok()?, in_minute });
        counts.into_values().filter_map(row).collect()
    }
}

/// PostgreSQL's statement for [`NewMinutes`], as `insert_sums!`.
macro_rules! insert_minutes {
    () => {
        $crate::statistics::minutes::insert_minutes!(@ [$crate::base::slot::slot!()] "" "")
    };
    (sharded) => {
        $crate::statistics::minutes::insert_minutes!(
            @ ["slots.slot"] "shard_slots AS slots CROSS JOIN " " WHERE slots.slot = :slot")
    };
    (@ [$($slot:tt)*] $slots:literal $which:literal) => {
        concat!("
        INSERT INTO minute_sums AS stored (place, slot, minute, interactions)
        SELECT minute % 60, ", $($slot)*, ", minute, interactions
        FROM ", $slots, "UNNEST(:minute, :in_minute) AS new (minute, interactions)", $which, "
        ON CONFLICT (place, slot) DO UPDATE SET
            minute = GREATEST(stored.minute, excluded.minute),
            interactions = CASE
                WHEN excluded.minute > stored.minute THEN excluded.interactions
                WHEN excluded.minute = stored.minute
                    THEN stored.interactions + excluded.interactions
                ELSE stored.interactions END")
    };
}
pub(crate) use insert_minutes;

statement! {
    struct AddMinute {
        sum: NewMinute,
    }
    Sqlite => "
        INSERT INTO minute_sums (place, slot, minute, interactions)
        VALUES (:minute % 60, 0, :minute, :in_minute)
        ON CONFLICT (place, slot) DO UPDATE SET
            minute = max(minute, excluded.minute),
            interactions = CASE
                WHEN excluded.minute > minute THEN excluded.interactions
                WHEN excluded.minute = minute THEN interactions + excluded.interactions
                ELSE interactions END",
}

/// Adds to the minutes on SQLite, where each row is a statement.
pub(crate) fn add_minutes(
    connection: &mut SqliteConnection,
    minutes: &[NewMinute],
) -> QueryResult<()> {
    for &sum in minutes {
        AddMinute { sum }.execute(connection)?;
    }
    Ok(())
}

/// Stores minutes in a database without any, such as a new demo.
pub(crate) fn store_minutes(
    connection: &mut AnyConnection,
    minutes: &[(DateTime<Utc>, i64)],
) -> QueryResult<()> {
    for (at, interactions) in minutes {
        let minute = minute_of(*at);
        let place = i16::try_from(i64::from(minute).rem_euclid(PLACES)).unwrap_or_default();
        diesel::insert_into(minute_sums::table)
            .values((
                minute_sums::place.eq(place),
                minute_sums::slot.eq(0_i16),
                minute_sums::minute.eq(minute),
                minute_sums::interactions.eq(interactions),
            ))
            .execute(connection)?;
    }
    Ok(())
}

/// See [`ActivityRepository::minutes`](rollcall_repository::ActivityRepository::minutes).
pub(super) fn minutes(
    connection: &mut AnyConnection,
    first: DateTime<Utc>,
) -> QueryResult<Vec<(DateTime<Utc>, i64)>> {
    let rows: Vec<(i32, i64)> = minute_sums::table
        .filter(minute_sums::minute.ge(minute_of(first)))
        .group_by(minute_sums::minute)
        .order(minute_sums::minute)
        .select((
            minute_sums::minute,
            // Cast, because PostgreSQL's sum of BIGINT is a NUMERIC.
            sql::<BigInt>("CAST(SUM(interactions) AS BIGINT)"),
        ))
        .load(connection)?;
    let begin = |minute: i32| DateTime::from_timestamp(i64::from(minute) * 60, 0);
    Ok(rows.into_iter().filter_map(|(minute, sum)| Some((begin(minute)?, sum))).collect())
}
