//! Part of step 6: on which days users used commands and buttons.
//!
//! The rule is [`DaysOfUse::add`]. PostgreSQL applies it within the statement, and SQLite between two
//! statements. The rows of the users are locked by then, so no other process changes their uses.

use chrono::NaiveDate;
use diesel::{
    pg::Pg,
    prelude::*,
    sql_types::{Array, BigInt, Date, Integer, Text},
    sqlite::Sqlite,
};
use rollcall_domain::{DaysOfUse, Interaction, Used};

use crate::{
    base::{
        sqlstate::PgTransaction,
        statement::{Columns, parameters, statement},
        timestamp::Day,
    },
    row::command_use::StoredDays,
};

/// The uses of a batch, sorted and distinct: who used what, on which day.
pub(super) struct Uses(Vec<(i64, Used, NaiveDate)>);

impl Uses {
    pub(super) fn of(interactions: &[&Interaction]) -> Self {
        let mut uses: Vec<_> = interactions
            .iter()
            .filter_map(|it| Some((it.telegram_id().get(), it.used()?, it.at.date_naive())))
            .collect();
        uses.sort_unstable();
        uses.dedup();
        Self(uses)
    }

    /// The uses of each user and command, with their days in order.
    fn by_command(&self) -> impl Iterator<Item = &[(i64, Used, NaiveDate)]> {
        self.0.chunk_by(|(user, used, _), (next_user, next, _)| (user, used) == (next_user, next))
    }

    /// The first day of each user and command, then the second of each, and so on: a statement of
    /// PostgreSQL changes a row once. A batch rarely has more than one day.
    pub(super) fn rounds(&self) -> Vec<NewUses> {
        let mut rounds: Vec<NewUses> = Vec::new();
        for days in self.by_command() {
            rounds.resize_with(rounds.len().max(days.len()), NewUses::default);
            for (round, &(user, used, day)) in rounds.iter_mut().zip(days) {
                round.used_by.push(user);
                round.used.push(used.to_string());
                round.used_on.push(day.into());
            }
        }
        rounds
    }
}

parameters! {
    /// What PostgreSQL's statement is given: each user and command once.
    #[derive(Default)]
    pub(super) struct NewUses on Pg {
        used_by: Vec<i64> as Array<BigInt>,
        used: Vec<String> as Array<Text>,
        used_on: Vec<Day> as Array<Date>,
    }
}

/// Adds the uses on SQLite. A day that is known costs one look.
pub(super) fn add_each(connection: &mut SqliteConnection, uses: &Uses) -> QueryResult<()> {
    for uses in uses.by_command() {
        let Some(&(telegram_id, used, _)) = uses.first() else { continue };
        let command = used.to_string();
        let find = FindDays { telegram_id, command: &command };
        let stored: Option<StoredDays> = find.get_result(connection).optional()?;
        let before = stored.map(DaysOfUse::from);
        let mut after = before;
        for &(.., day) in uses {
            after.get_or_insert(DaysOfUse::first(day)).add(day);
        }
        if let Some(days) = after.filter(|_| after != before) {
            StoreDays {
                telegram_id,
                command: &command,
                first_day: days.first.into(),
                last_day: days.last.into(),
                days: i32::try_from(days.number).unwrap_or(i32::MAX),
                recent_days: days.recent.cast_signed(),
            }
            .execute(connection)?;
        }
    }
    Ok(())
}

/// Adds rounds on PostgreSQL, one after the other.
pub(super) fn add_rounds(
    connection: &mut PgTransaction<'_>,
    rounds: impl Iterator<Item = NewUses>,
) -> QueryResult<()> {
    for uses in rounds {
        AddUses { uses }.execute(connection)?;
    }
    Ok(())
}

statement! {
    struct FindDays<'a> -> Columns<StoredDays> {
        telegram_id: i64 as BigInt,
        command: &'a str as Text,
    }
    Sqlite => "
        SELECT first_day, last_day, days, recent_days FROM command_uses
        WHERE telegram_id = :telegram_id AND command = :command",
}

statement! {
    struct StoreDays<'a> {
        telegram_id: i64 as BigInt,
        command: &'a str as Text,
        first_day: Day as Date,
        last_day: Day as Date,
        days: i32 as Integer,
        recent_days: i64 as BigInt,
    }
    Sqlite => "
        INSERT OR REPLACE INTO command_uses
            (telegram_id, command, first_day, last_day, days, recent_days)
        VALUES (:telegram_id, :command, :first_day, :last_day, :days, :recent_days)",
}

/// PostgreSQL's statement. Most uses are on a day that is known, and the look before the insert spares
/// them the lock of their row. It is a subquery, because a join could read the whole table.
///
/// A shift of 64 bits by more than 63 gives zeros; such a shift of a number would not.
macro_rules! add_uses {
    () => {
        concat!(
            "
        INSERT INTO command_uses AS stored
            (telegram_id, command, first_day, last_day, days, recent_days)
        SELECT used_by, used, used_on, used_on, 1, 1
        FROM UNNEST(:used_by, :used, :used_on) AS new (used_by, used, used_on)
        WHERE new.used_on IS DISTINCT FROM (
            SELECT last_day FROM command_uses AS known
            WHERE known.telegram_id = new.used_by AND known.command = new.used)",
            $crate::registration::uses::merge_uses!()
        )
    };
}
pub(super) use add_uses;

/// What an insert does instead if the user has used the command.
macro_rules! merge_uses {
    () => {
        "
        ON CONFLICT (telegram_id, command) DO UPDATE SET
            first_day = LEAST(stored.first_day, excluded.first_day),
            last_day = GREATEST(stored.last_day, excluded.last_day),
            days = stored.days + 1,
            recent_days = CASE WHEN excluded.last_day > stored.last_day
                THEN (stored.recent_days::bit(64)
                    << (excluded.last_day - stored.last_day))::bigint | 1
                ELSE stored.recent_days
                    | (1::bit(64) << (stored.last_day - excluded.last_day))::bigint END
        WHERE excluded.last_day > stored.last_day
            OR excluded.last_day < stored.first_day
            OR stored.last_day - excluded.last_day < 64
                AND stored.recent_days
                    & (1::bit(64) << (stored.last_day - excluded.last_day))::bigint = 0"
    };
}
pub(super) use merge_uses;

/// Adds all uses in a distributed database.
pub(super) fn add_sharded(connection: &mut PgTransaction<'_>, uses: &Uses) -> QueryResult<()> {
    for uses in uses.rounds() {
        AddUsesSharded { uses }.execute(connection)?;
    }
    Ok(())
}

statement! {
    struct AddUsesSharded {
        uses: NewUses,
    }
    Pg => concat!("
        INSERT INTO command_uses AS stored
            (telegram_id, command, first_day, last_day, days, recent_days)
        SELECT users.telegram_id, used, used_on, used_on, 1, 1
        FROM telegram_users AS users
        JOIN UNNEST(:used_by, :used, :used_on) AS new (used_by, used, used_on)
            ON new.used_by = users.telegram_id
        WHERE users.telegram_id = ANY(:used_by)", merge_uses!()),
}

statement! {
    struct AddUses {
        uses: NewUses,
    }
    Pg => add_uses!(),
}
