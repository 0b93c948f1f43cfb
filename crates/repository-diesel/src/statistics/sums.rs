//! Reading the sums.

use std::{cmp::Reverse, collections::BTreeMap};

use chrono::NaiveDate;
use diesel::{
    dsl::sql,
    prelude::*,
    sql_types::{BigInt, Bool},
};
use rollcall_domain::Figure;
use rollcall_repository::{DaySum, LabelSum};

use super::source_sums::{self, Names};
use crate::base::{
    connection::AnyConnection, error::Failure, schema::activity_sums, timestamp::storable,
};

/// The sum over all slots. Cast, because PostgreSQL's sum of BIGINT is a NUMERIC.
pub(super) const TOTAL: &str = "CAST(SUM(value) AS BIGINT)";

/// A [`DaySum`] as it is read.
#[derive(Queryable)]
pub(super) struct DayRow {
    pub(super) figure: String,
    pub(super) day: NaiveDate,
    pub(super) label: String,
    pub(super) value: i64,
}

/// A [`LabelSum`] as it is read.
#[derive(Queryable)]
struct LabelRow {
    figure: String,
    label: String,
    value: i64,
}

/// See [`ActivityRepository`](rollcall_repository::ActivityRepository).
pub(crate) fn sums_by_day(
    connection: &mut AnyConnection,
    figures: &[Figure],
    first: NaiveDate,
    last: NaiveDate,
) -> Result<Vec<DaySum>, Failure> {
    let (first, last) = (storable(first), storable(last));
    let mut sums = Vec::new();
    let (of_sources, others) = parted(figures);
    if !others.is_empty() {
        let rows: Vec<DayRow> = activity_sums::table
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
        for DayRow { figure: name, day, label, value } in rows {
            sums.push(DaySum { figure: figure(&name)?, day, label, value });
        }
    }
    if !of_sources.is_empty() {
        let rows = source_sums::by_day(connection, first, last)?;
        let names = Names::read(connection)?;
        let mut named = BTreeMap::new();
        for DaySum { figure, day, label, value } in rows {
            if of_sources.contains(&figure) {
                *named.entry((figure, day, names.payload(label))).or_default() += value;
            }
        }
        let sum = |((figure, day, label), value)| DaySum { figure, day, label, value };
        sums.extend(named.into_iter().map(sum));
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
) -> Result<Vec<LabelSum>, Failure> {
    let (first, last) = (storable(first), storable(last));
    let mut sums = Vec::new();
    let (of_sources, others) = parted(figures);
    if !others.is_empty() {
        let rows: Vec<LabelRow> = activity_sums::table
            .filter(activity_sums::figure.eq_any(names(&others)))
            .filter(activity_sums::day.between(first, last))
            .group_by((activity_sums::figure, activity_sums::label))
            .select((activity_sums::figure, activity_sums::label, sql::<BigInt>(TOTAL)))
            .load(connection)?;
        for LabelRow { figure: name, label, value } in rows {
            sums.push(LabelSum { figure: figure(&name)?, label, value });
        }
    }
    if !of_sources.is_empty() {
        let rows = source_sums::by_source(connection, first, last)?;
        let names = Names::read(connection)?;
        let mut named = BTreeMap::new();
        for LabelSum { figure, label, value } in rows {
            if of_sources.contains(&figure) {
                *named.entry((figure, names.payload(label))).or_default() += value;
            }
        }
        let sum = |((figure, label), value)| LabelSum { figure, label, value };
        sums.extend(named.into_iter().map(sum));
    }
    sums.sort_unstable_by(|a, b| {
        (a.figure, Reverse(a.value), &a.label).cmp(&(b.figure, Reverse(b.value), &b.label))
    });
    Ok(sums)
}

/// The figures by source, and the others, because they are in different tables.
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

/// See [`ActivityRepository`](rollcall_repository::ActivityRepository).
pub(crate) fn first_day(connection: &mut AnyConnection) -> Result<Option<NaiveDate>, Failure> {
    // Reads along the primary key up to the first day whose sum is not zero.
    let day = activity_sums::table
        .filter(activity_sums::figure.eq(Figure::Active.name()))
        .group_by(activity_sums::day)
        .having(sql::<Bool>("SUM(value) > 0"))
        .select(activity_sums::day)
        .order(activity_sums::day)
        .first(connection);
    Ok(day.optional()?)
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
