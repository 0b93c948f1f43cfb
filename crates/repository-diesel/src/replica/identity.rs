//! Whether two servers have the same database.

use diesel::{
    OptionalExtension as _, QueryResult, RunQueryDsl,
    sql_types::{BigInt, Bool, Text},
};

use crate::base::connection::AnyConnection;

/// What distinguishes databases.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Identity {
    /// The name of the database.
    name: String,
    /// What a server and its physical replicas have in common. `None` if it may not be read, as with some
    /// providers.
    system: Option<String>,
    /// The bot that the database belongs to, and since when; `None` before it first ran.
    bot: Option<String>,
}

/// The result of a comparison.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Likeness {
    Same,
    /// With the difference.
    Other(String),
    /// Nothing shows whether they are the same.
    Unknown,
}

impl Identity {
    pub(super) fn read(connection: &mut AnyConnection) -> QueryResult<Self> {
        let name = text("SELECT current_database()::text").get_result(connection)?;
        let system = text("SELECT system_identifier::text FROM pg_control_system()");
        let system: Option<String> = system.get_result(connection).ok();
        let has_table = "SELECT to_regclass('bot_identity') IS NOT NULL";
        let bot = match diesel::dsl::sql::<Bool>(has_table).get_result(connection)? {
            false => None,
            true => text(
                "SELECT concat(telegram_id, ' ', extract(epoch FROM claimed_at)) \
                      FROM bot_identity",
            )
            .get_result(connection)
            .optional()?,
        };
        Ok(Self { name, system, bot })
    }

    /// Compares the primary with what should be its replica.
    pub(super) fn compare(&self, replica: &Self) -> Likeness {
        let other = |what: &str| Likeness::Other(what.to_owned());
        if self.name != replica.name {
            return Likeness::Other(format!("its database is {}, not {}", replica.name, self.name));
        }
        match (&self.system, &replica.system) {
            (Some(ours), Some(its)) if ours == its => return Likeness::Same,
            (Some(_), Some(_)) => return other("its server has another system identifier"),
            _ => {}
        }
        match (&self.bot, &replica.bot) {
            (Some(ours), Some(its)) if ours == its => Likeness::Same,
            (Some(_), Some(_)) => other("it belongs to another bot"),
            _ => Likeness::Unknown,
        }
    }
}

fn text(sql: &str) -> diesel::expression::SqlLiteral<Text> {
    diesel::dsl::sql::<Text>(sql)
}

/// The time at which a server was started, as a number: no two servers share it.
pub(super) fn started_at(connection: &mut AnyConnection) -> QueryResult<i64> {
    diesel::dsl::sql::<BigInt>(
        "SELECT (extract(epoch FROM pg_postmaster_start_time()) * 1000000)::bigint",
    )
    .get_result(connection)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(name: &str, system: Option<&str>, bot: Option<&str>) -> Identity {
        let owned = |it: &str| it.to_owned();
        Identity { name: owned(name), system: system.map(owned), bot: bot.map(owned) }
    }

    #[test]
    fn databases_are_distinguished_by_what_may_be_read() {
        let other = |what: &str| Likeness::Other(what.to_owned());
        let ours = identity("d", Some("1"), Some("7 x"));
        for (replica, expected) in [
            (ours.clone(), Likeness::Same),
            (identity("d", Some("1"), None), Likeness::Same),
            (identity("e", Some("1"), Some("7 x")), other("its database is e, not d")),
            (
                identity("d", Some("2"), Some("7 x")),
                other("its server has another system identifier"),
            ),
            (identity("d", None, Some("7 x")), Likeness::Same),
            (identity("d", None, Some("8 x")), other("it belongs to another bot")),
            (identity("d", None, None), Likeness::Unknown),
        ] {
            assert_eq!(ours.compare(&replica), expected, "{replica:?}");
        }
    }
}
