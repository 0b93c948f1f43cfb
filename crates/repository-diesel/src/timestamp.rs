//! Times in the databases: UTC in microseconds.

use chrono::{DateTime, NaiveDateTime, SubsecRound, Utc};
use diesel::{
    backend::Backend,
    deserialize::{self, FromSql, FromSqlRow},
    expression::AsExpression,
    pg::Pg,
    serialize::{self, IsNull, Output, ToSql},
    sql_types::{Text, Timestamp},
    sqlite::Sqlite,
};

use crate::connection::MultiBackend;

/// The fixed form on SQLite, whose text order is time order; Diesel's own has a varying number of
/// digits.
const SQLITE_FORM: &str = "%Y-%m-%d %H:%M:%S%.6f";

/// A time as a column of type `Timestamp` holds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, AsExpression, FromSqlRow)]
#[diesel(sql_type = Timestamp)]
pub(crate) struct UtcMicros(NaiveDateTime);

impl UtcMicros {
    /// The time in SQLite's fixed form.
    pub(crate) fn to_text(self) -> String {
        self.0.format(SQLITE_FORM).to_string()
    }

    /// The time as PostgreSQL's `timestamp` takes it.
    pub(crate) fn naive(self) -> NaiveDateTime {
        self.0
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
    fn from_sql(value: <Sqlite as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        let text = <String as FromSql<Text, Sqlite>>::from_sql(value)?;
        Ok(Self(NaiveDateTime::parse_from_str(&text, SQLITE_FORM)?))
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
    use super::*;

    #[test]
    fn text_has_a_fixed_form() {
        let text = |seconds, nanos| {
            UtcMicros::from(DateTime::from_timestamp(seconds, nanos).unwrap()).to_text()
        };
        assert_eq!(text(0, 0), "1970-01-01 00:00:00.000000");
        assert_eq!(text(1_700_000_000, 999_999_999), "2023-11-14 22:13:20.999999");
    }
}
