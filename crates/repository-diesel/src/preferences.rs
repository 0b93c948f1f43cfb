//! The preferences of users, in the tables `preferences` and `favourite_teams`.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use chrono_tz::Tz;
use diesel::{
    Connection,
    pg::Pg,
    prelude::*,
    sql_types::{Array, BigInt, Nullable, Text},
    sqlite::Sqlite,
};
use rollcall_domain::{Language, MAX_FAVOURITES, Preferences, TelegramId};
use rollcall_repository::{PreferencesRepository, RepositoryError};

use crate::{
    base::{
        connection::{AnyConnection, either},
        database::Database,
        distributed,
        error::{Failure, is_unnamed},
        schema::{favourite_teams, preferences},
        sqlstate::{self, PgTransaction},
        statement::statement,
    },
    row::user::telegram_id,
    users::lock::lock_sharded,
};

/// The preferences of users.
#[derive(Clone, Debug)]
pub struct DieselPreferencesRepository {
    database: Database,
}

impl DieselPreferencesRepository {
    /// The repository in `database`, which must be migrated.
    pub fn new(database: Database) -> Self {
        Self { database }
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
        let language = language.map(Language::code);
        self.database
            .write("set a language", move |connection| {
                let set = SetLanguage { telegram_id: id.get(), language };
                Ok(either!(connection => set.execute(connection)?) > 0)
            })
            .await
    }

    async fn set_time_zone(
        &self,
        id: TelegramId,
        zone: Option<Tz>,
    ) -> Result<bool, RepositoryError> {
        let time_zone = zone.as_ref().map(|zone| zone.name());
        self.database
            .write("set a time zone", move |connection| {
                let set = SetTimeZone { telegram_id: id.get(), time_zone };
                Ok(either!(connection => set.execute(connection)?) > 0)
            })
            .await
    }

    async fn set_favourite(
        &self,
        id: TelegramId,
        team: i64,
        is_favourite: bool,
    ) -> Result<bool, RepositoryError> {
        self.database
            .write("set a favourite team", move |connection| {
                let telegram_id = id.get();
                if is_favourite {
                    let most = MAX_FAVOURITES.into();
                    if let AnyConnection::Postgres(connection) = connection
                        && let Some(shards) = distributed::shards(connection)
                    {
                        return connection.transaction(|connection| {
                            let mut transaction = PgTransaction::new(connection);
                            lock_sharded(
                                &mut transaction,
                                &shards,
                                &BTreeSet::from([telegram_id]),
                            )?;
                            let add = AddFavouriteSharded { telegram_id, team, most };
                            Ok(add.execute(&mut transaction)? > 0)
                        });
                    }
                    let add = AddFavourite { telegram_id, team, most };
                    return Ok(either!(connection => add.execute(connection)?) > 0);
                }
                let remove = RemoveFavourite { telegram_id, team };
                either!(connection => remove.execute(connection)?);
                Ok(true)
            })
            .await
    }
}

statement! {
    /// Sets the language of a user who exists, and on PostgreSQL keeps the user from being deleted
    /// until that is stored.
    struct SetLanguage {
        telegram_id: i64 as BigInt,
        language: Option<&'static str> as Nullable<Text>,
    }
    Sqlite => "
        INSERT INTO preferences (telegram_id, language)
        SELECT telegram_id, :language FROM telegram_users WHERE telegram_id = :telegram_id
        ON CONFLICT (telegram_id) DO UPDATE SET language = excluded.language",
    Pg => "
        INSERT INTO preferences (telegram_id, language)
        SELECT telegram_id, :language FROM telegram_users WHERE telegram_id = :telegram_id
        FOR KEY SHARE
        ON CONFLICT (telegram_id) DO UPDATE SET language = excluded.language",
}

statement! {
    /// Sets the time zone, as [`SetLanguage`] does the language.
    struct SetTimeZone {
        telegram_id: i64 as BigInt,
        time_zone: Option<&'static str> as Nullable<Text>,
    }
    Sqlite => "
        INSERT INTO preferences (telegram_id, time_zone)
        SELECT telegram_id, :time_zone FROM telegram_users WHERE telegram_id = :telegram_id
        ON CONFLICT (telegram_id) DO UPDATE SET time_zone = excluded.time_zone",
    Pg => "
        INSERT INTO preferences (telegram_id, time_zone)
        SELECT telegram_id, :time_zone FROM telegram_users WHERE telegram_id = :telegram_id
        FOR KEY SHARE
        ON CONFLICT (telegram_id) DO UPDATE SET time_zone = excluded.time_zone",
}

statement! {
    /// Adds the club of a known team to the favourites of a user who exists and has fewer than
    /// `most` others. A club that is a favourite already is written again, so that it counts as
    /// chosen too.
    struct AddFavourite {
        telegram_id: i64 as BigInt,
        team: i64 as BigInt,
        most: i64 as BigInt,
    }
    Sqlite => "
        INSERT INTO favourite_teams (telegram_id, team)
        SELECT telegram_id, COALESCE(teams.club, teams.id) FROM telegram_users, teams
        WHERE telegram_id = :telegram_id AND teams.id = :team AND (
            SELECT count(DISTINCT COALESCE(theirs.club, others.team))
            FROM favourite_teams AS others LEFT JOIN teams AS theirs ON theirs.id = others.team
            WHERE others.telegram_id = telegram_users.telegram_id
            AND COALESCE(theirs.club, others.team) <> COALESCE(teams.club, teams.id)) < :most
        ON CONFLICT (telegram_id, team) DO UPDATE SET team = excluded.team",
    Pg => "
        INSERT INTO favourite_teams (telegram_id, team)
        SELECT telegram_id, COALESCE(teams.club, teams.id) FROM telegram_users, teams
        WHERE telegram_id = :telegram_id AND teams.id = :team AND (
            SELECT count(DISTINCT COALESCE(theirs.club, others.team))
            FROM favourite_teams AS others LEFT JOIN teams AS theirs ON theirs.id = others.team
            WHERE others.telegram_id = telegram_users.telegram_id
            AND COALESCE(theirs.club, others.team) <> COALESCE(teams.club, teams.id)) < :most
        FOR KEY SHARE OF telegram_users
        ON CONFLICT (telegram_id, team) DO UPDATE SET team = excluded.team",
}

statement! {
    /// The user is locked.
    struct AddFavouriteSharded {
        telegram_id: i64 as BigInt,
        team: i64 as BigInt,
        most: i64 as BigInt,
    }
    Pg => "
        INSERT INTO favourite_teams (telegram_id, team)
        SELECT telegram_id, COALESCE(teams.club, teams.id) FROM telegram_users, teams
        WHERE telegram_id = :telegram_id AND teams.id = :team AND (
            SELECT count(DISTINCT COALESCE(theirs.club, others.team))
            FROM favourite_teams AS others LEFT JOIN teams AS theirs ON theirs.id = others.team
            WHERE others.telegram_id = telegram_users.telegram_id
            AND COALESCE(theirs.club, others.team) <> COALESCE(teams.club, teams.id)) < :most
        ON CONFLICT (telegram_id, team) DO UPDATE SET team = excluded.team",
}

statement! {
    /// Removes the club of a team from the favourites of a user, under whichever id it was chosen.
    struct RemoveFavourite {
        telegram_id: i64 as BigInt,
        team: i64 as BigInt,
    }
    Sqlite | Pg => "
        DELETE FROM favourite_teams
        WHERE telegram_id = :telegram_id
        AND (team = :team OR team IN (
            SELECT same.id FROM teams AS same, teams AS given
            WHERE given.id = :team
            AND COALESCE(same.club, same.id) = COALESCE(given.club, given.id)))",
}

statement! {
    /// Reads both tables for one user.
    struct ReadOne -> ChoiceColumns {
        telegram_id: i64 as BigInt,
    }
    Sqlite => "
        SELECT telegram_id, language, time_zone, NULL FROM preferences
        WHERE telegram_id = :telegram_id
        UNION ALL
        SELECT telegram_id, NULL, NULL, COALESCE(teams.club, team)
        FROM favourite_teams LEFT JOIN teams ON teams.id = team
        WHERE telegram_id = :telegram_id",
}

statement! {
    /// Reads both tables for several users.
    struct ReadAll<'a> -> ChoiceColumns {
        telegram_ids: &'a [i64] as Array<BigInt>,
    }
    Pg => "
        SELECT telegram_id, language, time_zone, NULL::bigint FROM preferences
        WHERE telegram_id = ANY(:telegram_ids)
        UNION ALL
        SELECT telegram_id, NULL, NULL, COALESCE(teams.club, team)
        FROM favourite_teams LEFT JOIN teams ON teams.id = team
        WHERE telegram_id = ANY(:telegram_ids)",
}

/// A row of either table: language and time zone, or a team.
#[derive(Queryable)]
struct Choice {
    telegram_id: i64,
    language: Option<String>,
    time_zone: Option<String>,
    team: Option<i64>,
}

type ChoiceColumns = (BigInt, Nullable<Text>, Nullable<Text>, Nullable<BigInt>);

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
                    sqlstate::examine(connection, error, |mut connection| {
                        Ok(all().load(&mut connection)?)
                    })?
                }
                rows => rows?,
            };
        }
    }
    let mut chosen: BTreeMap<TelegramId, Preferences> = BTreeMap::new();
    for Choice { telegram_id: id, language, time_zone, team } in rows {
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

/// Deletes the preferences of a user.
pub(crate) fn delete(connection: &mut AnyConnection, id: i64) -> QueryResult<()> {
    diesel::delete(preferences::table.find(id)).execute(connection)?;
    diesel::delete(favourite_teams::table.filter(favourite_teams::telegram_id.eq(id)))
        .execute(connection)?;
    Ok(())
}
