//! Adding to the sums.

use std::{borrow::Cow, collections::BTreeMap};

use chrono::NaiveDate;
use diesel::{
    pg::Pg,
    prelude::*,
    sql_types::{BigInt, Date, Text},
    sqlite::Sqlite,
};
use rollcall_domain::{Figure, Label, Sums};

use crate::base::{
    sqlstate::PgTransaction,
    statement::{rows, statement},
    timestamp::Day,
    transaction::Transaction,
};

rows! {
    /// What is added to a sum.
    pub(crate) struct NewSum<'a>, NewSums {
        figure: &'static str as Text,
        sum_day: Day as Date,
        label: Cow<'a, str> as Text,
        value: i64 as BigInt,
    }
}

rows! {
    /// What is added to the sums of a deep link on a day.
    pub(crate) struct NewSourceSum<'a>, NewSourceSums {
        source_day: Day as Date,
        source_name: Cow<'a, str> as Text,
        starts: i64 as BigInt,
        new_users: i64 as BigInt,
        reachable: i64 as BigInt,
        day_1: i64 as BigInt,
        day_7: i64 as BigInt,
        day_30: i64 as BigInt,
    }
}

impl<'a> NewSum<'a> {
    /// The sums of all figures except those of deep links; sorted.
    pub(crate) fn of(sums: &'a Sums) -> impl Iterator<Item = Self> {
        sums.iter().filter(|(figure, ..)| !figure.is_by_source()).map(Self::new)
    }

    fn new((figure, day, label, value): (Figure, NaiveDate, &'a Label, i64)) -> Self {
        Self { figure: figure.name(), sum_day: day.into(), label: label.text(), value }
    }
}

impl<'a> NewSourceSum<'a> {
    /// The sums of deep links, a row for each link and day; sorted.
    pub(crate) fn of(sums: &'a Sums) -> impl Iterator<Item = Self> {
        let mut rows = BTreeMap::<(NaiveDate, &Label), Self>::new();
        for (figure, day, label, value) in sums.iter() {
            if !figure.is_by_source() {
                continue;
            }
            let row = rows.entry((day, label)).or_insert_with(|| Self::zero(day, label));
            if let Some(sum) = row.column(figure) {
                *sum += value;
            }
        }
        rows.into_values()
    }

    fn zero(day: NaiveDate, label: &'a Label) -> Self {
        Self {
            source_day: day.into(),
            source_name: label.text(),
            starts: 0,
            new_users: 0,
            reachable: 0,
            day_1: 0,
            day_7: 0,
            day_30: 0,
        }
    }

    fn column(&mut self, figure: Figure) -> Option<&mut i64> {
        match figure {
            Figure::SourceStarts => Some(&mut self.starts),
            Figure::SourceNew => Some(&mut self.new_users),
            Figure::SourceReachable => Some(&mut self.reachable),
            Figure::SourceDay1 => Some(&mut self.day_1),
            Figure::SourceDay7 => Some(&mut self.day_7),
            Figure::SourceDay30 => Some(&mut self.day_30),
            _ => None,
        }
    }
}

/// PostgreSQL's statement for [`NewSums`]. The one for a distributed database adds to `:slot`.
macro_rules! insert_sums {
    () => {
        $crate::statistics::add::insert_sums!(@ [$crate::base::slot::slot!()] "" "")
    };
    (sharded) => {
        $crate::statistics::add::insert_sums!(
            @ ["slots.slot"] "shard_slots AS slots CROSS JOIN " " WHERE slots.slot = :slot")
    };
    (@ [$($slot:tt)*] $slots:literal $which:literal) => {
        concat!("
        INSERT INTO activity_sums AS stored (figure, day, label, slot, value)
        SELECT figure, day, label, ", $($slot)*, ", value
        FROM ", $slots, "UNNEST(:figure, :sum_day, :label, :value)
            AS new (figure, day, label, value)", $which, "
        ON CONFLICT (figure, day, label, slot) DO UPDATE SET value = stored.value + excluded.value")
    };
}
pub(crate) use insert_sums;

/// PostgreSQL's statement for [`NewSourceSums`], as `insert_sums!`.
macro_rules! insert_source_sums {
    () => {
        $crate::statistics::add::insert_source_sums!(@ [$crate::base::slot::slot!()] "" "")
    };
    (sharded) => {
        $crate::statistics::add::insert_source_sums!(
            @ ["slots.slot"] "shard_slots AS slots CROSS JOIN " " WHERE slots.slot = :slot")
    };
    (@ [$($slot:tt)*] $slots:literal $which:literal) => {
        concat!("
        INSERT INTO source_sums AS stored
            (day, source, slot, starts, new_users, reachable, day_1, day_7, day_30)
        SELECT day, source, ", $($slot)*, ",
            starts, new_users, reachable, day_1, day_7, day_30
        FROM ", $slots, "UNNEST(:source_day, :source_name,
            :starts, :new_users, :reachable, :day_1, :day_7, :day_30)
            AS new (day, source, starts, new_users, reachable, day_1, day_7, day_30)", $which, "
        ON CONFLICT (day, source, slot) DO UPDATE SET
            starts = stored.starts + excluded.starts,
            new_users = stored.new_users + excluded.new_users,
            reachable = stored.reachable + excluded.reachable,
            day_1 = stored.day_1 + excluded.day_1,
            day_7 = stored.day_7 + excluded.day_7,
            day_30 = stored.day_30 + excluded.day_30")
    };
}
pub(crate) use insert_source_sums;

statement! {
    struct AddSumsSharded<'a> {
        sums: NewSums<'a>,
        slot: i64 as BigInt,
    }
    Pg => insert_sums!(sharded),
}

statement! {
    struct AddSourceSumsSharded<'a> {
        sums: NewSourceSums<'a>,
        slot: i64 as BigInt,
    }
    Pg => insert_source_sums!(sharded),
}

/// Adds to the sums of a distributed database, in the shard of the slot.
pub(crate) fn add_sharded(
    connection: &mut PgTransaction<'_>,
    sums: &Sums,
    slot: i64,
) -> QueryResult<()> {
    let source_sums: Vec<NewSourceSum<'_>> = NewSourceSum::of(sums).collect();
    let sums: Vec<NewSum<'_>> = NewSum::of(sums).collect();
    if !sums.is_empty() {
        AddSumsSharded { sums: sums.into_iter().collect(), slot }.execute(connection)?;
    }
    if !source_sums.is_empty() {
        let sums = source_sums.into_iter().collect();
        AddSourceSumsSharded { sums, slot }.execute(connection)?;
    }
    Ok(())
}

statement! {
    /// Adds to all sums in one round trip.
    struct AddAll<'a> {
        sums: NewSums<'a>,
        source_sums: NewSourceSums<'a>,
    }
    Pg => concat!("WITH summed AS (", insert_sums!(), ")", insert_source_sums!()),
}

statement! {
    struct AddSum<'a> {
        sum: NewSum<'a>,
    }
    Sqlite => "
        INSERT INTO activity_sums (figure, day, label, slot, value)
        VALUES (:figure, :sum_day, :label, 0, :value)
        ON CONFLICT (figure, day, label, slot) DO UPDATE SET value = value + excluded.value",
}

statement! {
    struct AddSourceSum<'a> {
        sum: NewSourceSum<'a>,
    }
    Sqlite => "
        INSERT INTO source_sums
        VALUES (:source_day, :source_name, 0,
            :starts, :new_users, :reachable, :day_1, :day_7, :day_30)
        ON CONFLICT (day, source, slot) DO UPDATE SET
            starts = starts + excluded.starts,
            new_users = new_users + excluded.new_users,
            reachable = reachable + excluded.reachable,
            day_1 = day_1 + excluded.day_1,
            day_7 = day_7 + excluded.day_7,
            day_30 = day_30 + excluded.day_30",
}

/// Adds to the sums.
pub(crate) fn add_sums(connection: &mut Transaction<'_>, sums: &Sums) -> QueryResult<()> {
    match connection {
        Transaction::Sqlite(connection) => add_each(connection, sums),
        Transaction::Postgres(connection) => {
            if let Some(shards) = connection.shards() {
                let slot = shards.slot(0);
                return add_sharded(connection, sums, slot);
            }
            let (sums, source_sums) = (NewSum::of(sums), NewSourceSum::of(sums));
            let add = AddAll { sums: sums.collect(), source_sums: source_sums.collect() };
            add.execute(connection).map(drop)
        }
    }
}

/// Adds to the sums of SQLite, where each row is a statement.
pub(crate) fn add_each(connection: &mut SqliteConnection, sums: &Sums) -> QueryResult<()> {
    for sum in NewSum::of(sums) {
        AddSum { sum }.execute(connection)?;
    }
    for sum in NewSourceSum::of(sums) {
        AddSourceSum { sum }.execute(connection)?;
    }
    Ok(())
}

statement! {
    struct AddAllErased<'a> {
        sums: NewSums<'a>,
    }
    Pg => "
        INSERT INTO erased_sums AS stored (figure, day, label, value)
        SELECT figure, day, label, value
        FROM UNNEST(:figure, :sum_day, :label, :value) AS new (figure, day, label, value)
        ON CONFLICT (figure, day, label) DO UPDATE SET value = stored.value + excluded.value",
}

statement! {
    struct AddErased<'a> {
        sum: NewSum<'a>,
    }
    Sqlite => "
        INSERT INTO erased_sums (figure, day, label, value)
        VALUES (:figure, :sum_day, :label, :value)
        ON CONFLICT (figure, day, label) DO UPDATE SET value = value + excluded.value",
}

/// Adds to the sums of deleted users.
pub(crate) fn add_erased(connection: &mut Transaction<'_>, sums: &Sums) -> QueryResult<()> {
    let all = sums.iter().map(NewSum::new);
    match connection {
        Transaction::Sqlite(connection) => {
            for sum in all {
                AddErased { sum }.execute(*connection)?;
            }
            Ok(())
        }
        Transaction::Postgres(connection) => {
            AddAllErased { sums: all.collect() }.execute(connection).map(drop)
        }
    }
}
