//! Times in the databases: UTC in microseconds.

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, SubsecRound, Timelike, Utc};
use diesel::{
    backend::Backend,
    deserialize::{self, FromSql, FromSqlRow},
    expression::AsExpression,
    pg::Pg,
    serialize::{self, IsNull, Output, ToSql},
    sql_types::{Date, Timestamp},
    sqlite::Sqlite,
};

use super::connection::MultiBackend;

/// The fixed form on SQLite, whose text order is time order; Diesel's own form has a varying number
/// of digits.
const SQLITE_FORM: &str = "%Y-%m-%d %H:%M:%S%.6f";

/// A time as a column of type `Timestamp` holds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, AsExpression, FromSqlRow)]
#[diesel(sql_type = Timestamp)]
pub(crate) struct UtcMicros(NaiveDateTime);

/// A day as a column of type `Date` takes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, AsExpression)]
#[diesel(sql_type = Date)]
pub(crate) struct Day(NaiveDate);

impl From<NaiveDate> for Day {
    fn from(day: NaiveDate) -> Self {
        Self(day)
    }
}

impl ToSql<Date, Sqlite> for Day {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        let mut text = String::with_capacity(10);
        if push_day(&mut text, self.0).is_none() {
            text = self.0.to_string();
        }
        out.set_value(text);
        Ok(IsNull::No)
    }
}

impl ToSql<Date, Pg> for Day {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        ToSql::<Date, Pg>::to_sql(&self.0, &mut out.reborrow())
    }
}

/// Writes a day as `YYYY-MM-DD`; `None` for a year that has not four digits. By hand, because chrono
/// parses its format each time, and a registration writes several times.
fn push_day(text: &mut String, day: NaiveDate) -> Option<()> {
    let year = u32::try_from(day.year()).ok().filter(|year| *year <= 9999)?;
    push_number(text, year, 4, "-");
    push_number(text, day.month(), 2, "-");
    push_number(text, day.day(), 2, "");
    Some(())
}

fn push_number(text: &mut String, number: u32, digits: u32, after: &str) {
    for place in (0..digits).rev() {
        text.extend(char::from_digit(number / 10_u32.pow(place) % 10, 10));
    }
    text.push_str(after);
}

impl UtcMicros {
    /// The time in SQLite's fixed form: 26 characters, of which the first ten are the day.
    pub(crate) fn to_text(self) -> String {
        let time = self.0.time();
        let mut text = String::with_capacity(26);
        if push_day(&mut text, self.0.date()).is_none() {
            return self.0.format(SQLITE_FORM).to_string();
        }
        text.push(' ');
        push_number(&mut text, time.hour(), 2, ":");
        push_number(&mut text, time.minute(), 2, ":");
        push_number(&mut text, time.second(), 2, ".");
        push_number(&mut text, time.nanosecond() / 1000, 6, "");
        text
    }

    /// Reads SQLite's fixed form.
    fn from_text(text: &str) -> Option<Self> {
        let number = |from: usize, to: usize| {
            let digits = text.as_bytes().get(from..to)?;
            digits.iter().try_fold(0, |number, digit| {
                digit.is_ascii_digit().then(|| number * 10 + u32::from(digit - b'0'))
            })
        };
        let between = [(4, b'-'), (7, b'-'), (10, b' '), (13, b':'), (16, b':'), (19, b'.')];
        let is_between = |&(place, byte): &(usize, u8)| text.as_bytes().get(place) == Some(&byte);
        if text.len() != 26 || !between.iter().all(is_between) {
            return None;
        }
        let year = i32::try_from(number(0, 4)?).ok()?;
        let date = NaiveDate::from_ymd_opt(year, number(5, 7)?, number(8, 10)?)?;
        let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
        date.and_hms_micro_opt(hour, minute, second, number(20, 26)?).map(Self)
    }
}

/// The nearest day that both databases can write.
pub(crate) fn storable(day: NaiveDate) -> NaiveDate {
    let ends = (NaiveDate::from_ymd_opt(1, 1, 1), NaiveDate::from_ymd_opt(9999, 12, 31));
    match ends {
        (Some(first), Some(last)) => day.clamp(first, last),
        _ => day,
    }
}

impl From<DateTime<Utc>> for UtcMicros {
    fn from(at: DateTime<Utc>) -> Self {
        Self(at.naive_utc().trunc_subsecs(6))
    }
}

impl From<UtcMicros> for DateTime<Utc> {
    fn from(at: UtcMicros) -> Self {
        at.0.and_utc()
    }
}

impl ToSql<Timestamp, Sqlite> for UtcMicros {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        out.set_value(self.to_text());
        Ok(IsNull::No)
    }
}

impl FromSql<Timestamp, Sqlite> for UtcMicros {
    fn from_sql(mut value: <Sqlite as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        let time = Self::from_text(value.read_text());
        time.ok_or_else(|| "a time that is not of the form YYYY-MM-DD HH:MM:SS.ffffff".into())
    }
}

impl ToSql<Timestamp, Pg> for UtcMicros {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        ToSql::<Timestamp, Pg>::to_sql(&self.0, &mut out.reborrow())
    }
}

impl FromSql<Timestamp, Pg> for UtcMicros {
    fn from_sql(value: <Pg as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        <NaiveDateTime as FromSql<Timestamp, Pg>>::from_sql(value).map(Self)
    }
}

impl ToSql<Timestamp, MultiBackend> for UtcMicros {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, MultiBackend>) -> serialize::Result {
        out.set_value((Timestamp, self));
        Ok(IsNull::No)
    }
}

impl FromSql<Timestamp, MultiBackend> for UtcMicros {
    fn from_sql(value: <MultiBackend as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        value.from_sql::<Self, Timestamp>()
    }
}

#[cfg(test)]
mod tests {
    use diesel::prelude::*;

    use super::*;

    #[test]
    fn text_has_a_fixed_form() {
        let text = |seconds, nanos| {
            UtcMicros::from(DateTime::from_timestamp(seconds, nanos).unwrap()).to_text()
        };
        assert_eq!(text(0, 0), "1970-01-01 00:00:00.000000");
        assert_eq!(text(1_700_000_000, 999_999_999), "2023-11-14 22:13:20.999999");
    }

    #[test]
    fn a_day_is_written_alike_on_both_databases() {
        let mut connection = SqliteConnection::establish(":memory:").unwrap();
        for text in ["0001-01-01", "2026-11-27", "9999-12-31"] {
            let day: NaiveDate = text.parse().unwrap();
            let written = diesel::select(Day(day).into_sql::<Date>());
            let written: NaiveDate = written.get_result(&mut connection).unwrap();
            assert_eq!(written, day);
        }
    }

    #[test]
    fn text_is_parsed_as_it_is_written() {
        for (seconds, nanos) in [(0, 0), (1_700_000_000, 123_456_000), (253_402_300_799, 1000)] {
            let time = UtcMicros::from(DateTime::from_timestamp(seconds, nanos).unwrap());
            assert_eq!(time.to_text(), time.0.format(SQLITE_FORM).to_string());
            assert_eq!(UtcMicros::from_text(&time.to_text()), Some(time));
        }
        for odd in [
            "",
            "2023-11-14",
            "2023-11-14 22:13:20",
            "2023-11-14T22:13:20.999999",
            "2023-13-14 22:13:20.999999",
            "2023-11-14 22:13:60.999999",
            "2023-11-14 22:13:20.99999 ",
            "2023-11-14 22:13:20.9999999",
            "+023-11-14 22:13:20.999999",
            "2023-11-14 22:13:20.99999é",
        ] {
            assert_eq!(UtcMicros::from_text(odd), None, "{odd}");
        }
    }
}
