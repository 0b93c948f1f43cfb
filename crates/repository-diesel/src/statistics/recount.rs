//! Counting the sums again from the facts.
//!
//! Facts and sums are read at one moment, and the differences are then added to the sums. They stay
//! right whatever others add meanwhile, so no writer has to wait.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use diesel::{Connection, connection::SimpleConnection, dsl::sql, prelude::*, sql_types::BigInt};
use rollcall_domain::{Figure, Sums};
use rollcall_repository::{DaySum, Difference};

use super::{
    add::add_sums,
    facts::{CountedUser, Past, ReachRow, StartRow, add_user},
    source_sums::{self, LAST_DAY, Names},
    sums::{DayRow, TOTAL, figure},
    uncounted::{kept, uncounted},
};
use crate::{
    base::{
        connection::AnyConnection,
        error::Failure,
        schema::{
            active_days, activity_state, activity_sums, erased_sums, reach_history, starts,
            telegram_users,
        },
        transaction::Transaction,
    },
    row::hour::active_day,
};

/// How many users are counted at once.
const USERS: i64 = 2000;

/// See [`ActivityRepository::recount`](rollcall_repository::ActivityRepository::recount).
pub(crate) fn recount(
    connection: &mut AnyConnection,
    mend: bool,
    progress: &(dyn Fn(u64, u64) + Send + Sync),
) -> Result<Vec<Difference>, Failure> {
    loop {
        let (differences, names, recounts) = connection.transaction(|connection| {
            if let Some(connection) = connection.distributed() {
                // The servers have no moment in common. So what changes users waits until the end.
                connection.batch_execute(
                    "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; \
                     LOCK TABLE telegram_users IN SHARE ROW EXCLUSIVE MODE",
                )?;
            } else if let AnyConnection::Postgres(connection) = connection {
                connection
                    .batch_execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")?;
            }
            let names = Names::read(connection)?;
            let differences = compare(connection, &names, progress)?;
            Ok::<_, Failure>((differences, names, recounts(connection)?))
        })?;
        if !mend || correct(connection, &differences, recounts)? {
            let named = |it: Difference| match it.figure.is_by_source() {
                true => Difference { label: names.payload(it.label), ..it },
                false => it,
            };
            return Ok(differences.into_iter().map(named).collect());
        }
        // Another process has corrected the sums since they were read.
    }
}

/// Counts the sums for the first time, if that is still to be done.
pub(crate) fn first(connection: &mut AnyConnection) -> Result<(), Failure> {
    if recounts(connection)? > 0 {
        return Ok(());
    }
    recount(connection, true, &|counted, all| {
        if counted > 0 && counted % LOGGED == 0 {
            log::info!(counted, all; "counting users for the statistics");
        }
    })
    .map(drop)
}

/// How often a first count is logged, in users; a multiple of [`USERS`].
const LOGGED: u64 = 1_000_000;

type Key = (Figure, NaiveDate, String);

/// The sums that differ, those of deep links by the labels as they are stored.
fn compare(
    connection: &mut AnyConnection,
    names: &Names,
    progress: &(dyn Fn(u64, u64) + Send + Sync),
) -> Result<Vec<Difference>, Failure> {
    let mut stored = stored(connection, names)?;
    let users: i64 = stored
        .iter()
        .filter(|((figure, ..), _)| *figure == Figure::Users)
        .map(|(_, value)| value)
        .sum();
    let mut counted = BTreeMap::new();
    for row in erased_sums::table.load(connection)?.into_iter().chain(kept(connection)?) {
        let DayRow { figure: name, day, label, value } = row;
        *counted.entry(key(figure(&name)?, day, label, names)).or_default() += value;
    }
    let users = u64::try_from(users).unwrap_or_default();
    for ((figure, day, label), value) in count_users(connection, users, progress)? {
        let key = key(figure, day, label.text().into_owned(), names);
        *counted.entry(key).or_default() += value;
    }
    for key in stored.keys() {
        counted.entry(key.clone()).or_default();
    }
    let differences = counted.into_iter().filter_map(|(key, counted)| {
        let stored = stored.remove(&key).unwrap_or_default();
        let (figure, day, label) = key;
        (stored != counted).then_some(Difference { figure, day, label, stored, counted })
    });
    Ok(differences.collect())
}

/// The key of a sum. Labels that no deep link has any more belong to `(other)`.
fn key(figure: Figure, day: NaiveDate, label: String, names: &Names) -> Key {
    let label = if figure.is_by_source() { names.label(label) } else { label };
    (figure, day, label)
}

/// The sums as they are stored, of the figures that can be counted.
fn stored(connection: &mut AnyConnection, names: &Names) -> Result<BTreeMap<Key, i64>, Failure> {
    let rows: Vec<DayRow> = activity_sums::table
        .group_by((activity_sums::figure, activity_sums::day, activity_sums::label))
        .select((
            activity_sums::figure,
            activity_sums::day,
            activity_sums::label,
            sql::<BigInt>(TOTAL),
        ))
        .load(connection)?;
    let mut sums = BTreeMap::new();
    for DayRow { figure: name, day, label, value } in rows {
        let figure = figure(&name)?;
        if figure.is_counted_from_users() {
            sums.insert((figure, day, label), value);
        }
    }
    for DaySum { figure, day, label, value } in
        source_sums::by_day(connection, NaiveDate::default(), LAST_DAY)?
    {
        *sums.entry(key(figure, day, label, names)).or_default() += value;
    }
    Ok(sums)
}

/// Counts all users but those that the sums leave out, in parts.
fn count_users(
    connection: &mut AnyConnection,
    all: u64,
    progress: &(dyn Fn(u64, u64) + Send + Sync),
) -> Result<Sums, Failure> {
    let (mut sums, mut counted, mut after) = (Sums::default(), 0, 0);
    let uncounted = uncounted(connection)?;
    progress(0, all);
    loop {
        let users: Vec<CountedUser> = telegram_users::table
            .filter(telegram_users::telegram_id.gt(after))
            .order(telegram_users::telegram_id)
            .limit(USERS)
            .select(CountedUser::as_select())
            .load(connection)?;
        let Some(&CountedUser { telegram_id: last, .. }) = users.last() else { return Ok(sums) };
        counted += u64::try_from(users.len()).unwrap_or_default();
        let mut others = Others::read(connection, after, last)?;
        for user in users {
            let past = others.of(user.telegram_id)?;
            if !uncounted.contains(&user.telegram_id) {
                add_user(&user, past, &mut sums);
            }
        }
        after = last;
        progress(counted, all.max(counted));
    }
}

/// The facts of other tables about a range of users, sorted by id.
struct Others {
    days: std::iter::Peekable<std::vec::IntoIter<(i64, NaiveDate, Option<i32>)>>,
    reach: std::iter::Peekable<std::vec::IntoIter<ReachRow>>,
    starts: std::iter::Peekable<std::vec::IntoIter<StartRow>>,
}

impl Others {
    /// Reads those of users after `after` and up to `last`.
    fn read(connection: &mut AnyConnection, after: i64, last: i64) -> QueryResult<Self> {
        let days: Vec<(i64, NaiveDate, Option<i32>)> = active_days::table
            .filter(active_days::telegram_id.gt(after))
            .filter(active_days::telegram_id.le(last))
            .order((active_days::telegram_id, active_days::day))
            .select((active_days::telegram_id, active_days::day, active_days::first_hour))
            .load(connection)?;
        let reach: Vec<ReachRow> = reach_history::table
            .filter(reach_history::telegram_id.gt(after))
            .filter(reach_history::telegram_id.le(last))
            .order((reach_history::telegram_id, reach_history::at))
            .select(ReachRow::as_select())
            .load(connection)?;
        let starts: Vec<StartRow> = starts::table
            .filter(starts::telegram_id.gt(after))
            .filter(starts::telegram_id.le(last))
            .order((starts::telegram_id, starts::at))
            .select(StartRow::as_select())
            .load(connection)?;
        Ok(Self {
            days: days.into_iter().peekable(),
            reach: reach.into_iter().peekable(),
            starts: starts.into_iter().peekable(),
        })
    }

    /// Takes those of one user. Callers ask for users in the order of their ids.
    fn of(&mut self, id: i64) -> Result<Past, Failure> {
        let mut past = Past::default();
        // Skips facts without a user, if there are any.
        while let Some((of, day, hour)) = self.days.next_if(|(of, ..)| *of <= id) {
            if of == id {
                past.days.push(active_day(day, hour));
            }
        }
        while let Some(row) = self.reach.next_if(|row| row.telegram_id <= id) {
            if row.telegram_id == id {
                past.reach_changes.push(row.into_change()?);
            }
        }
        while let Some(row) = self.starts.next_if(|row| row.telegram_id <= id) {
            if row.telegram_id == id {
                past.starts.push(row.counted());
            }
        }
        Ok(past)
    }
}

/// Corrects the sums; returns whether no other process has corrected them since they were read.
fn correct(
    connection: &mut AnyConnection,
    differences: &[Difference],
    recounts: i64,
) -> Result<bool, Failure> {
    let mut sums = Sums::default();
    for Difference { figure, day, label, stored, counted } in differences {
        sums.add(*figure, *day, label.clone().into(), counted - stored);
    }
    connection.transaction(|connection| {
        let unchanged = activity_state::table.filter(activity_state::recounts.eq(recounts));
        let noted = diesel::update(unchanged)
            .set(activity_state::recounts.eq(recounts + 1))
            .execute(connection)?;
        if noted > 0 && !sums.is_empty() {
            add_sums(&mut Transaction::from(connection), &sums)?;
        }
        Ok(noted > 0)
    })
}

/// How often the sums have been counted from the facts; 0 if they were not, since the migration that
/// added them.
fn recounts(connection: &mut AnyConnection) -> QueryResult<i64> {
    activity_state::table.select(activity_state::recounts).first(connection)
}
