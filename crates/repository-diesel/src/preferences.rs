//! What users have chosen, in the tables `preferences` and `favourite_teams`.

use async_trait::async_trait;
use chrono_tz::Tz;
use diesel::{
    PgConnection, SqliteConnection,
    pg::Pg,
    prelude::*,
    query_builder::{AstPass, Query, QueryFragment, QueryId},
    sql_query,
    sql_types::{BigInt, Nullable, Text},
    sqlite::Sqlite,
};
use rollcall_domain::{Language, MAX_FAVOURITES, Preferences, TelegramId};
use rollcall_repository::{PreferencesRepository, RepositoryError};

use crate::{
    Database,
    connection::AnyConnection,
    error::Failure,
    registration::push,
    schema::{favourite_teams, preferences},
};

/// What users have chosen.
#[derive(Clone, Debug)]
pub struct DieselPreferencesRepository {
    database: Database,
}

impl DieselPreferencesRepository {
    /// The repository in `database`, which must be migrated.
    pub fn new(database: Database) -> Self {
        Self { database }
    }

    async fn choose(
        &self,
        what: &'static str,
        choose: &'static Statement,
        id: TelegramId,
        value: Option<&'static str>,
    ) -> Result<bool, RepositoryError> {
        self.database
            .write(what, move |connection| {
                let rows = match connection {
                    AnyConnection::Sqlite(connection) => sql_query(choose.sqlite)
                        .bind::<Nullable<Text>, _>(value)
                        .bind::<BigInt, _>(id.get())
                        .execute(connection)?,
                    AnyConnection::Postgres(connection) => sql_query(choose.postgres)
                        .bind::<Nullable<Text>, _>(value)
                        .bind::<BigInt, _>(id.get())
                        .execute(connection)?,
                };
                Ok(rows > 0)
            })
            .await
    }
}

#[async_trait]
impl PreferencesRepository for DieselPreferencesRepository {
    async fn preferences(&self, id: TelegramId) -> Result<Preferences, RepositoryError> {
        self.database.read("read preferences", move |connection| read(connection, id.get())).await
    }

    async fn set_language(
        &self,
        id: TelegramId,
        language: Option<Language>,
    ) -> Result<bool, RepositoryError> {
        let code = language.map(Language::code);
        self.choose("choose a language", &LANGUAGE, id, code).await
    }

    async fn set_time_zone(
        &self,
        id: TelegramId,
        zone: Option<Tz>,
    ) -> Result<bool, RepositoryError> {
        let name = zone.as_ref().map(|zone| zone.name());
        self.choose("choose a time zone", &TIME_ZONE, id, name).await
    }

    async fn set_favourite(
        &self,
        id: TelegramId,
        team: i64,
        is_favourite: bool,
    ) -> Result<bool, RepositoryError> {
        self.database
            .write("choose a team", move |connection| match is_favourite {
                true => add_favourite(connection, id.get(), team),
                false => {
                    diesel::delete(favourite_teams::table.find((id.get(), team)))
                        .execute(connection)?;
                    Ok(true)
                }
            })
            .await
    }
}

/// A statement as each database spells it.
struct Statement {
    sqlite: &'static str,
    postgres: &'static str,
}

/// Chooses for a user who is there, and on PostgreSQL stays so until that is stored.
macro_rules! choose {
    ($column:literal) => {
        Statement {
            sqlite: concat!(
                "INSERT INTO preferences (telegram_id, ",
                $column,
                ") \
                 SELECT telegram_id, ? FROM telegram_users WHERE telegram_id = ? \
                 ON CONFLICT (telegram_id) DO UPDATE SET ",
                $column,
                " = excluded.",
                $column
            ),
            postgres: concat!(
                "INSERT INTO preferences (telegram_id, ",
                $column,
                ") \
                 SELECT telegram_id, $1 FROM telegram_users WHERE telegram_id = $2 \
                 FOR KEY SHARE \
                 ON CONFLICT (telegram_id) DO UPDATE SET ",
                $column,
                " = excluded.",
                $column
            ),
        }
    };
}

const LANGUAGE: Statement = choose!("language");
const TIME_ZONE: Statement = choose!("time_zone");

/// Adds a team that is known to the favourites of a user who is there and has room for it. One that
/// is a favourite already is written again, so that it counts as chosen too.
macro_rules! add_favourite {
    ($id:literal, $team:literal, $most:literal, $lock:literal) => {
        concat!(
            "INSERT INTO favourite_teams (telegram_id, team) \
             SELECT telegram_id, teams.id FROM telegram_users, teams \
             WHERE telegram_id = ", $id, " AND teams.id = ", $team, " AND (SELECT count(*) \
             FROM favourite_teams AS others WHERE others.telegram_id = telegram_users.telegram_id \
             AND others.team <> teams.id) < ", $most, $lock,
            " ON CONFLICT (telegram_id, team) DO UPDATE SET team = excluded.team"
        )
    };
}

fn add_favourite(connection: &mut AnyConnection, id: i64, team: i64) -> Result<bool, Failure> {
    const SQLITE: &str = add_favourite!("?", "?", "?", "");
    const POSTGRES: &str = add_favourite!("$1", "$2", "$3", " FOR KEY SHARE OF telegram_users");
    let most = i64::from(MAX_FAVOURITES);
    let rows = match connection {
        AnyConnection::Sqlite(connection) => sql_query(SQLITE)
            .bind::<BigInt, _>(id)
            .bind::<BigInt, _>(team)
            .bind::<BigInt, _>(most)
            .execute(connection)?,
        AnyConnection::Postgres(connection) => sql_query(POSTGRES)
            .bind::<BigInt, _>(id)
            .bind::<BigInt, _>(team)
            .bind::<BigInt, _>(most)
            .execute(connection)?,
    };
    Ok(rows > 0)
}

/// Reads both tables; each has its primary key.
#[derive(QueryId)]
struct Read {
    telegram_id: i64,
}

/// Alike on both databases; a macro, because a statement is typed by its database.
macro_rules! read {
    ($out:ident, $self:ident) => {
        push!(
            $out,
            "SELECT language, time_zone, CAST(NULL AS BIGINT) AS team FROM preferences \
             WHERE telegram_id = ",
            BigInt = &$self.telegram_id,
            " UNION ALL SELECT NULL, NULL, team FROM favourite_teams WHERE telegram_id = ",
            BigInt = &$self.telegram_id,
        )
    };
}

impl QueryFragment<Sqlite> for Read {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        read!(out, self);
        Ok(())
    }
}

impl RunQueryDsl<SqliteConnection> for Read {}

impl QueryFragment<Pg> for Read {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        read!(out, self);
        Ok(())
    }
}

impl RunQueryDsl<PgConnection> for Read {}

impl Query for Read {
    type SqlType = (Nullable<Text>, Nullable<Text>, Nullable<BigInt>);
}

/// A row of either table.
type Choice = (Option<String>, Option<String>, Option<i64>);

fn read(connection: &mut AnyConnection, id: i64) -> Result<Preferences, Failure> {
    let read = Read { telegram_id: id };
    let rows: Vec<Choice> = match connection {
        AnyConnection::Sqlite(connection) => read.load(connection)?,
        AnyConnection::Postgres(connection) => read.load(connection)?,
    };
    let corrupt = |column, reason: &str| Failure::Corrupt {
        table: "preferences",
        column,
        key: id.to_string(),
        reason: reason.to_owned(),
    };
    let mut chosen = Preferences::default();
    for (language, time_zone, team) in rows {
        if let Some(code) = language {
            let language = Language::from_code(&code);
            let unknown = || corrupt("language", "no language has this code");
            chosen.language = Some(language.ok_or_else(unknown)?);
        }
        if let Some(name) = time_zone {
            let zone = name.parse();
            chosen.time_zone =
                Some(zone.map_err(|_| corrupt("time_zone", "no time zone has this name"))?);
        }
        chosen.favourite_teams.extend(team);
    }
    Ok(chosen)
}

/// Deletes what a user has chosen.
pub(crate) fn delete(connection: &mut AnyConnection, id: i64) -> QueryResult<()> {
    diesel::delete(preferences::table.find(id)).execute(connection)?;
    diesel::delete(favourite_teams::table.filter(favourite_teams::telegram_id.eq(id)))
        .execute(connection)?;
    Ok(())
}
