//! Reading the sums, and what keeps them true when users go away.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use diesel::{dsl::sql, prelude::*, sql_types::BigInt};
use rollcall_domain::{Facts, Figure, Origin, ReachabilityChange, SourceLabel, Sums};

use crate::{
    connection::AnyConnection,
    error::Failure,
    reach::reach_change,
    registration::Statements,
    row::label_of,
    schema::{active_days, activity_sums, reach_history, starts, telegram_users},
    source_sums::{self, Names},
    timestamp::{UtcMicros, storable},
};

/// The sum over all slots. Cast, because PostgreSQL's sum of BIGINT is a NUMERIC.
const TOTAL: &str = "CAST(SUM(value) AS BIGINT)";

/// See [`ActivityRepository`](rollcall_repository::ActivityRepository).
pub(crate) fn sums_by_day(
    connection: &mut AnyConnection,
    figures: &[Figure],
    first: NaiveDate,
    last: NaiveDate,
) -> Result<Vec<(Figure, NaiveDate, String, i64)>, Failure> {
    let (first, last) = (storable(first), storable(last));
    let mut sums = Vec::new();
    let (of_sources, others) = parted(figures);
    if !others.is_empty() {
        let rows: Vec<(String, NaiveDate, String, i64)> = activity_sums::table
            .filter(activity_sums::figure.eq_any(names(&others)))
            .filter(activity_sums::day.between(first, last))
            .group_by((activity_sums::figure, activity_sums::day, activity_sums::label))
            .select((
                activity_sums::figure,
                activity_sums::day,
                activity_sums::label,
                sql::<BigInt>(TOTAL),
            ))
            .load(connection)?;
        for (name, day, label, value) in rows {
            sums.push((figure(&name)?, day, label, value));
        }
    }
    if !of_sources.is_empty() {
        let rows = source_sums::by_day(connection, first, last)?;
        let names = Names::read(connection)?;
        let mut named = BTreeMap::new();
        for (figure, day, label, value) in rows {
            if of_sources.contains(&figure) {
                *named.entry((figure, day, names.payload(label))).or_default() += value;
            }
        }
        sums.extend(named.into_iter().map(|((figure, day, name), sum)| (figure, day, name, sum)));
    }
    sums.sort_unstable();
    Ok(sums)
}

/// See [`ActivityRepository`](rollcall_repository::ActivityRepository).
pub(crate) fn sums_by_label(
    connection: &mut AnyConnection,
    figures: &[Figure],
    first: NaiveDate,
    last: NaiveDate,
) -> Result<Vec<(Figure, String, i64)>, Failure> {
    let (first, last) = (storable(first), storable(last));
    let mut sums = Vec::new();
    let (of_sources, others) = parted(figures);
    if !others.is_empty() {
        let rows: Vec<(String, String, i64)> = activity_sums::table
            .filter(activity_sums::figure.eq_any(names(&others)))
            .filter(activity_sums::day.between(first, last))
            .group_by((activity_sums::figure, activity_sums::label))
            .select((activity_sums::figure, activity_sums::label, sql::<BigInt>(TOTAL)))
            .load(connection)?;
        for (name, label, value) in rows {
            sums.push((figure(&name)?, label, value));
        }
    }
    if !of_sources.is_empty() {
        let rows = source_sums::by_source(connection, first, last)?;
        let names = Names::read(connection)?;
        let mut named = BTreeMap::new();
        for (figure, label, value) in rows {
            if of_sources.contains(&figure) {
                *named.entry((figure, names.payload(label))).or_default() += value;
            }
        }
        sums.extend(named.into_iter().map(|((figure, name), sum)| (figure, name, sum)));
    }
    sums.sort_unstable_by(|(a, a_label, a_value), (b, b_label, b_value)| {
        a.cmp(b).then(b_value.cmp(a_value)).then_with(|| a_label.cmp(b_label))
    });
    Ok(sums)
}

/// The figures by source, and the others: they are in different tables.
fn parted(figures: &[Figure]) -> (Vec<Figure>, Vec<Figure>) {
    figures.iter().partition(|figure| figure.is_by_source())
}

/// See [`ActivityRepository`](rollcall_repository::ActivityRepository).
pub(crate) fn totals(
    connection: &mut AnyConnection,
    figures: &[Figure],
    last: NaiveDate,
) -> Result<Vec<i64>, Failure> {
    let rows: Vec<(String, i64)> = activity_sums::table
        .filter(activity_sums::figure.eq_any(names(figures)))
        .filter(activity_sums::day.le(storable(last)))
        .group_by(activity_sums::figure)
        .select((activity_sums::figure, sql::<BigInt>(TOTAL)))
        .load(connection)?;
    let total = |figure: &Figure| {
        let row = rows.iter().find(|(name, _)| name == figure.name());
        row.map_or(0, |(_, total)| *total)
    };
    Ok(figures.iter().map(total).collect())
}

fn names(figures: &[Figure]) -> Vec<&'static str> {
    figures.iter().map(|figure| figure.name()).collect()
}

/// The figure of this name.
pub(crate) fn figure(name: &str) -> Result<Figure, Failure> {
    Figure::from_name(name).ok_or_else(|| Failure::Corrupt {
        table: "activity_sums",
        column: "figure",
        key: name.to_owned(),
        reason: "no figure has this name".to_owned(),
    })
}

/// Adds to the sums.
pub(crate) fn add_sums(connection: &mut AnyConnection, sums: &Sums) -> QueryResult<()> {
    match connection {
        AnyConnection::Sqlite(connection) => connection.add_sums(sums),
        AnyConnection::Postgres(connection) => connection.add_sums(sums),
    }
}

/// Locks the rows of users who are to be deleted, and answers what they count.
pub(crate) fn share_of(connection: &mut AnyConnection, ids: &[i64]) -> Result<Sums, Failure> {
    let mut sums = Sums::default();
    for &id in ids {
        if lock(connection, id)? {
            add_facts(connection, id, &mut sums)?;
        }
    }
    Ok(sums)
}

/// Takes what users count who are deleted in this transaction out of the sums about the present, and
/// keeps it in the others.
pub(crate) fn erase(connection: &mut AnyConnection, share: Sums) -> QueryResult<()> {
    match connection {
        AnyConnection::Sqlite(connection) => erase_sums(connection, share),
        AnyConnection::Postgres(connection) => erase_sums(connection, share),
    }
}

/// Locks a user's row, so that nobody adds to its facts; answers whether there is one. Spelled alike
/// on both databases, unlike the locking of rows.
pub(crate) fn lock(connection: &mut AnyConnection, id: i64) -> QueryResult<bool> {
    let locked = diesel::update(telegram_users::table.find(id))
        .set(telegram_users::previous_seen.eq(telegram_users::previous_seen))
        .execute(connection)?;
    Ok(locked > 0)
}

fn erase_sums(connection: &mut impl Statements, sums: Sums) -> QueryResult<()> {
    let (mut present, mut past) = (Sums::default(), Sums::default());
    for ((figure, day, label), value) in sums {
        if figure.is_of_the_present() {
            present.add(figure, day, label, -value);
        } else {
            past.add(figure, day, label, value);
        }
    }
    connection.add_sums(&present)?;
    connection.add_erased(&past)
}

/// What of a user's row counts in the figures.
pub(crate) type CountedRow =
    (i64, UtcMicros, NaiveDate, Option<String>, Option<i32>, Option<String>, bool, Option<String>);

/// The columns of a [`CountedRow`].
pub(crate) const COUNTED_COLUMNS: (
    telegram_users::telegram_id,
    telegram_users::created_at,
    telegram_users::active_day,
    telegram_users::source,
    telegram_users::source_label,
    telegram_users::language_code,
    telegram_users::has_private_chat,
    telegram_users::obstacle,
) = (
    telegram_users::telegram_id,
    telegram_users::created_at,
    telegram_users::active_day,
    telegram_users::source,
    telegram_users::source_label,
    telegram_users::language_code,
    telegram_users::has_private_chat,
    telegram_users::obstacle,
);

/// The facts of other tables about one user, each in the order of time.
#[derive(Default)]
pub(crate) struct Past {
    pub(crate) days: Vec<NaiveDate>,
    pub(crate) reach_changes: Vec<ReachabilityChange>,
    pub(crate) starts: Vec<(DateTime<Utc>, SourceLabel)>,
}

/// Adds what a user counts in each figure that is counted from users.
pub(crate) fn add_user(row: CountedRow, past: &mut Past, sums: &mut Sums) {
    let (_, created_at, active_day, source, label, language_code, has_private_chat, obstacle) = row;
    past.days.push(active_day);
    let facts = Facts {
        origin: Origin {
            created_on: DateTime::from(created_at).date_naive(),
            source: source.map(|_| label_of(label)),
        },
        language_code: language_code.as_deref(),
        is_reachable: has_private_chat && obstacle.is_none(),
        days: &past.days,
        reach_changes: &past.reach_changes,
        starts: &past.starts,
    };
    facts.add_to(sums);
}

fn add_facts(connection: &mut AnyConnection, id: i64, sums: &mut Sums) -> Result<(), Failure> {
    let row: CountedRow =
        telegram_users::table.find(id).select(COUNTED_COLUMNS).first(connection)?;
    let changes: Vec<(UtcMicros, String)> = reach_history::table
        .filter(reach_history::telegram_id.eq(id))
        .select((reach_history::at, reach_history::change))
        .load(connection)?;
    let came: Vec<(UtcMicros, Option<i32>)> = starts::table
        .filter(starts::telegram_id.eq(id))
        .select((starts::at, starts::label))
        .load(connection)?;
    let mut past = Past {
        days: active_days::table
            .filter(active_days::telegram_id.eq(id))
            .order(active_days::day)
            .select(active_days::day)
            .load(connection)?,
        reach_changes: changes
            .iter()
            .map(|(at, change)| reach_change(id, *at, change))
            .collect::<Result<_, _>>()?,
        starts: came.into_iter().map(|(at, label)| (at.into(), label_of(label))).collect(),
    };
    add_user(row, &mut past, sums);
    Ok(())
}

/// How often the sums have been counted from the facts; 0 where they were not yet, since the
/// database was migrated to having them.
pub(crate) fn recounts(connection: &mut AnyConnection) -> QueryResult<i64> {
    use crate::schema::activity_state;
    activity_state::table.select(activity_state::recounts).first(connection)
}
