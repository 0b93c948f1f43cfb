//! The sums of deep links. They have a table of their own, because there are many links: a row has
//! all figures of one link on one day.

use std::collections::HashMap;

use chrono::NaiveDate;
use diesel::{dsl::sql, prelude::*, sql_types::BigInt};
use rollcall_domain::{Figure, Label};
use rollcall_repository::{DaySum, LabelSum};

use crate::{
    base::{
        connection::AnyConnection,
        schema::{source_sums, sources},
    },
    row::user::label_of,
};

/// No day of activity is later.
pub(crate) const LAST_DAY: NaiveDate = NaiveDate::from_ymd_opt(9999, 12, 31).unwrap();

/// The labels of deep links as they are stored, each with the link's payload.
pub(crate) struct Names(HashMap<String, String>);

impl Names {
    /// The labels now. Read them after the sums: then a label that is dropped meanwhile counts as
    /// `(other)` already, and no new one is missing.
    pub(crate) fn read(connection: &mut AnyConnection) -> QueryResult<Self> {
        let rows: Vec<(Option<i32>, String)> =
            sources::table.select((sources::label, sources::payload)).load(connection)?;
        let name = |(label, payload): (Option<i32>, _)| {
            Some((Label::from(label_of(Some(label?))).text().into_owned(), payload))
        };
        Ok(Self(rows.into_iter().filter_map(name).collect()))
    }

    /// The link's payload; `(other)` if no link has the label any more.
    pub(crate) fn payload(&self, label: String) -> String {
        match self.0.get(&label) {
            Some(payload) => payload.clone(),
            None if label.is_empty() => label,
            None => Label::OTHER.to_string(),
        }
    }

    /// The label itself; `(other)` if no link has it any more.
    pub(crate) fn label(&self, label: String) -> String {
        if label.is_empty() || self.0.contains_key(&label) {
            label
        } else {
            Label::OTHER.to_string()
        }
    }
}

/// The sums of a deep link in all its figures.
#[derive(Queryable)]
struct Totals {
    starts: i64,
    new_users: i64,
    reachable: i64,
    day_1: i64,
    day_7: i64,
    day_30: i64,
}

/// The SQL type of [`TOTALS`].
type TotalsSqlType = (BigInt, BigInt, BigInt, BigInt, BigInt, BigInt);

/// The columns' sums over all slots. Cast, because PostgreSQL's sum of BIGINT is a NUMERIC.
const TOTALS: &str = "CAST(SUM(starts) AS BIGINT), CAST(SUM(new_users) AS BIGINT), \
                      CAST(SUM(reachable) AS BIGINT), CAST(SUM(day_1) AS BIGINT), \
                      CAST(SUM(day_7) AS BIGINT), CAST(SUM(day_30) AS BIGINT)";

/// The sums of each day from `first` to `last`, both included, and each label as it is stored;
/// without zeros.
pub(crate) fn by_day(
    connection: &mut AnyConnection,
    first: NaiveDate,
    last: NaiveDate,
) -> QueryResult<Vec<DaySum>> {
    let rows: Vec<(NaiveDate, String, Totals)> = source_sums::table
        .filter(source_sums::day.between(first, last))
        .group_by((source_sums::day, source_sums::source))
        .select((source_sums::day, source_sums::source, sql::<TotalsSqlType>(TOTALS)))
        .load(connection)?;
    let each = |(day, source, totals): (_, String, Totals)| {
        let sum = move |(figure, value)| DaySum { figure, day, label: source.clone(), value };
        totals.figures().map(sum)
    };
    Ok(rows.into_iter().flat_map(each).collect())
}

/// The sums over the days from `first` to `last`, both included, of each label as it is stored;
/// without zeros.
pub(crate) fn by_source(
    connection: &mut AnyConnection,
    first: NaiveDate,
    last: NaiveDate,
) -> QueryResult<Vec<LabelSum>> {
    let rows: Vec<(String, Totals)> = source_sums::table
        .filter(source_sums::day.between(first, last))
        .group_by(source_sums::source)
        .select((source_sums::source, sql::<TotalsSqlType>(TOTALS)))
        .load(connection)?;
    let each = |(source, totals): (String, Totals)| {
        let sum = move |(figure, value)| LabelSum { figure, label: source.clone(), value };
        totals.figures().map(sum)
    };
    Ok(rows.into_iter().flat_map(each).collect())
}

impl Totals {
    /// The figures that are not zero.
    fn figures(self) -> impl Iterator<Item = (Figure, i64)> {
        let sums = [
            (Figure::SourceStarts, self.starts),
            (Figure::SourceNew, self.new_users),
            (Figure::SourceReachable, self.reachable),
            (Figure::SourceDay1, self.day_1),
            (Figure::SourceDay7, self.day_7),
            (Figure::SourceDay30, self.day_30),
        ];
        sums.into_iter().filter(|(_, sum)| *sum != 0)
    }
}
