//! The sums of deep links, which have a table of their own: there are many links, and a row has all
//! figures of one of them on one day.

use std::{
    borrow::Cow,
    collections::{BTreeMap, HashMap},
};

use chrono::NaiveDate;
use diesel::{dsl::sql, prelude::*, sql_types::BigInt};
use rollcall_domain::{Figure, Label, Sums};

use crate::{
    connection::AnyConnection,
    row::label_of,
    schema::{source_sums, sources},
};

/// The figures that are in the table, in the order of its columns.
const FIGURES: [Figure; 6] = [
    Figure::SourceStarts,
    Figure::SourceNew,
    Figure::SourceReachable,
    Figure::SourceDay1,
    Figure::SourceDay7,
    Figure::SourceDay30,
];

/// No day of activity is later.
pub(crate) const LAST_DAY: NaiveDate = NaiveDate::from_ymd_opt(9999, 12, 31).unwrap();

/// How many figures the table has.
pub(crate) const COLUMNS: usize = FIGURES.len();

/// What is to be added to the sums of a deep link on a day.
pub(crate) struct SourceSum<'a> {
    pub(crate) day: NaiveDate,
    pub(crate) source: Cow<'a, str>,
    /// In the order of the table's columns.
    pub(crate) values: [i64; COLUMNS],
}

/// The sums that belong into the table; sorted.
pub(crate) fn of_sources(sums: &Sums) -> Vec<SourceSum<'_>> {
    let mut rows = BTreeMap::<(NaiveDate, &Label), [i64; COLUMNS]>::new();
    for (figure, day, label, value) in sums.iter().filter(|(figure, ..)| figure.is_by_source()) {
        let values = rows.entry((day, label)).or_default();
        for (column, sum) in FIGURES.iter().zip(values) {
            if *column == figure {
                *sum += value;
            }
        }
    }
    rows.into_iter()
        .map(|((day, label), values)| SourceSum { day, source: label.text(), values })
        .collect()
}

/// The sums that belong elsewhere; sorted.
pub(crate) fn others(sums: &Sums) -> impl Iterator<Item = (Figure, NaiveDate, &Label, i64)> {
    sums.iter().filter(|(figure, ..)| !figure.is_by_source())
}

/// The labels that deep links have, as they are stored, each with the link's payload.
pub(crate) struct Names(HashMap<String, String>);

impl Names {
    /// Those that there are now. To be read after the sums: a label that is dropped meanwhile is then
    /// already the others', and one that is new is not missed.
    pub(crate) fn read(connection: &mut AnyConnection) -> QueryResult<Self> {
        let rows: Vec<(Option<i32>, String)> =
            sources::table.select((sources::label, sources::payload)).load(connection)?;
        let name = |(label, payload): (Option<i32>, _)| {
            Some((Label::from(label_of(Some(label?))).text().into_owned(), payload))
        };
        Ok(Self(rows.into_iter().filter_map(name).collect()))
    }

    /// The link's payload; `(other)` where no link has the label any more.
    pub(crate) fn payload(&self, label: String) -> String {
        match self.0.get(&label) {
            Some(payload) => payload.clone(),
            None if label.is_empty() => label,
            None => Label::OTHER.to_string(),
        }
    }

    /// The label itself; `(other)` where no link has it any more.
    pub(crate) fn label(&self, label: String) -> String {
        if label.is_empty() || self.0.contains_key(&label) {
            label
        } else {
            Label::OTHER.to_string()
        }
    }
}

type Values = (i64, i64, i64, i64, i64, i64);
type ValuesSqlType = (BigInt, BigInt, BigInt, BigInt, BigInt, BigInt);

/// The columns' sums over all slots. Cast, because PostgreSQL's sum of BIGINT is a NUMERIC.
const TOTALS: &str = "CAST(SUM(starts) AS BIGINT), CAST(SUM(new_users) AS BIGINT), \
                      CAST(SUM(reachable) AS BIGINT), CAST(SUM(day_1) AS BIGINT), \
                      CAST(SUM(day_7) AS BIGINT), CAST(SUM(day_30) AS BIGINT)";

/// The sums of each day from `first` to `last`, both included, and each label as it is stored; what
/// is zero is left out.
pub(crate) fn by_day(
    connection: &mut AnyConnection,
    first: NaiveDate,
    last: NaiveDate,
) -> QueryResult<Vec<(Figure, NaiveDate, String, i64)>> {
    let rows: Vec<(NaiveDate, String, Values)> = source_sums::table
        .filter(source_sums::day.between(first, last))
        .group_by((source_sums::day, source_sums::source))
        .select((source_sums::day, source_sums::source, sql::<ValuesSqlType>(TOTALS)))
        .load(connection)?;
    let each = |(day, source, values): (_, String, _)| {
        figures(values).map(move |(figure, value)| (figure, day, source.clone(), value))
    };
    Ok(rows.into_iter().flat_map(each).collect())
}

/// The sums over the days from `first` to `last`, both included, of each label as it is stored; what
/// is zero is left out.
pub(crate) fn by_source(
    connection: &mut AnyConnection,
    first: NaiveDate,
    last: NaiveDate,
) -> QueryResult<Vec<(Figure, String, i64)>> {
    let rows: Vec<(String, Values)> = source_sums::table
        .filter(source_sums::day.between(first, last))
        .group_by(source_sums::source)
        .select((source_sums::source, sql::<ValuesSqlType>(TOTALS)))
        .load(connection)?;
    let each = |(source, values): (String, _)| {
        figures(values).map(move |(figure, value)| (figure, source.clone(), value))
    };
    Ok(rows.into_iter().flat_map(each).collect())
}

fn figures(
    (starts, new, reachable, day_1, day_7, day_30): Values,
) -> impl Iterator<Item = (Figure, i64)> {
    let values = [starts, new, reachable, day_1, day_7, day_30];
    FIGURES.into_iter().zip(values).filter(|(_, value)| *value != 0)
}
