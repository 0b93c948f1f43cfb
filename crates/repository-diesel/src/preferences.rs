//! What users have chosen, in the tables `preferences` and `favourite_teams`.

use std::collections::BTreeMap;

use async_trait::async_trait;
use chrono_tz::Tz;
use diesel::{
    SqliteConnection,
    pg::Pg,
    prelude::*,
    query_builder::{AstPass, Query, QueryFragment, QueryId},
    sql_query,
    sql_types::{Array, BigInt, Nullable, Text},
    sqlite::Sqlite,
};
use rollcall_domain::{Language, MAX_FAVOURITES, Preferences, TelegramId};
use rollcall_repository::{PreferencesRepository, RepositoryError};

use crate::{
    Database,
    connection::AnyConnection,
    error::{Failure, is_unnamed},
    registration::push,
    row::telegram_id,
    schema::{favourite_teams, preferences},
    sqlstate,
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
    async fn preferences(
        &self,
        ids: &[TelegramId],
    ) -> Result<BTreeMap<TelegramId, Preferences>, RepositoryError> {
        let ids: Vec<i64> = ids.iter().map(|id| id.get()).collect();
        self.database.read("read preferences", move |connection| read(connection, &ids)).await
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
                false => remove_favourite(connection, id.get(), team),
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

/// Adds the club of a team that is known to the favourites of a user who is there and has room for
/// it. One that is a favourite already is written again, so that it counts as chosen too.
macro_rules! add_favourite {
    ($id:literal, $team:literal, $most:literal, $lock:literal) => {
        concat!(
            "INSERT INTO favourite_teams (telegram_id, team) \
             SELECT telegram_id, COALESCE(teams.club, teams.id) FROM telegram_users, teams \
             WHERE telegram_id = ", $id, " AND teams.id = ", $team, " AND (\
             SELECT count(DISTINCT COALESCE(theirs.club, others.team)) \
             FROM favourite_teams AS others LEFT JOIN teams AS theirs ON theirs.id = others.team \
             WHERE others.telegram_id = telegram_users.telegram_id \
             AND COALESCE(theirs.club, others.team) <> COALESCE(teams.club, teams.id)) < ", $most,
            $lock,
            " ON CONFLICT (telegram_id, team) DO UPDATE SET team = excluded.team"
        )
    };
}

/// Takes the club of a team from the favourites of a user, under whichever id it was chosen.
macro_rules! remove_favourite {
    ($id:literal, $team:literal) => {
        concat!(
            "DELETE FROM favourite_teams WHERE telegram_id = ",
            $id,
            " AND (team = ",
            $team,
            " OR team IN (SELECT same.id FROM teams AS same, teams AS given WHERE given.id = ",
            $team,
            " AND COALESCE(same.club, same.id) = COALESCE(given.club, given.id)))"
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

fn remove_favourite(connection: &mut AnyConnection, id: i64, team: i64) -> Result<bool, Failure> {
    const SQLITE: &str = remove_favourite!("?1", "?2");
    const POSTGRES: &str = remove_favourite!("$1", "$2");
    match connection {
        AnyConnection::Sqlite(connection) => {
            sql_query(SQLITE).bind::<BigInt, _>(id).bind::<BigInt, _>(team).execute(connection)?
        }
        AnyConnection::Postgres(connection) => {
            sql_query(POSTGRES).bind::<BigInt, _>(id).bind::<BigInt, _>(team).execute(connection)?
        }
    };
    Ok(true)
}

/// Reads both tables for one user.
#[derive(QueryId)]
struct ReadOne {
    telegram_id: i64,
}

impl QueryFragment<Sqlite> for ReadOne {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        push!(
            out,
            "SELECT telegram_id, language, time_zone, NULL FROM preferences WHERE telegram_id = ",
            BigInt = &self.telegram_id,
            " UNION ALL SELECT telegram_id, NULL, NULL, COALESCE(teams.club, team) \
             FROM favourite_teams LEFT JOIN teams ON teams.id = team WHERE telegram_id = ",
            BigInt = &self.telegram_id,
        );
        Ok(())
    }
}

impl Query for ReadOne {
    type SqlType = ChoiceSqlType;
}

impl RunQueryDsl<SqliteConnection> for ReadOne {}

/// Reads both tables for several users.
struct ReadAll<'a> {
    telegram_ids: &'a [i64],
}

impl QueryFragment<Pg> for ReadAll<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        push!(
            out,
            "SELECT telegram_id, language, time_zone, NULL::bigint FROM preferences \
             WHERE telegram_id = ANY(",
            Array<BigInt> = self.telegram_ids,
            ") UNION ALL SELECT telegram_id, NULL, NULL, COALESCE(teams.club, team) \
             FROM favourite_teams LEFT JOIN teams ON teams.id = team WHERE telegram_id = ANY(",
            Array<BigInt> = self.telegram_ids,
            ")",
        );
        Ok(())
    }
}

impl QueryId for ReadAll<'_> {
    type QueryId = ReadAll<'static>;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl Query for ReadAll<'_> {
    type SqlType = ChoiceSqlType;
}

impl<C> RunQueryDsl<C> for ReadAll<'_> {}

/// A row of either table: the user, a language and a time zone, or a team.
type Choice = (i64, Option<String>, Option<String>, Option<i64>);
type ChoiceSqlType = (BigInt, Nullable<Text>, Nullable<Text>, Nullable<BigInt>);

fn read(
    connection: &mut AnyConnection,
    ids: &[i64],
) -> Result<BTreeMap<TelegramId, Preferences>, Failure> {
    let mut rows: Vec<Choice> = Vec::new();
    match connection {
        AnyConnection::Sqlite(connection) => {
            for &telegram_id in ids {
                rows.extend(ReadOne { telegram_id }.load::<Choice>(connection)?);
            }
        }
        AnyConnection::Postgres(connection) => {
            let all = || ReadAll { telegram_ids: ids };
            rows = match all().load(connection) {
                Err(error) if is_unnamed(&error) => {
                    sqlstate::examine(connection, error, |connection| Ok(all().load(connection)?))?
                }
                rows => rows?,
            };
        }
    }
    let mut chosen: BTreeMap<TelegramId, Preferences> = BTreeMap::new();
    for (id, language, time_zone, team) in rows {
        let corrupt = |column, reason: &str| Failure::Corrupt {
            table: "preferences",
            column,
            key: id.to_string(),
            reason: reason.to_owned(),
        };
        let chosen = chosen.entry(telegram_id("preferences", id)?).or_default();
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
