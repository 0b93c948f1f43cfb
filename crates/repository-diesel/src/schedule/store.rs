//! Writing games.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use diesel::{
    prelude::*,
    sql_query,
    sql_types::{Bool, Text},
};
use rollcall_domain::{Game, GameUpdate, Team};
use rollcall_repository::StoredGames;
use serde_json::{Value, json};

use crate::{connection::AnyConnection, error::Failure, timestamp::UtcMicros};

/// Games and their teams as parameters, each of which is one JSON array: a statement is the same
/// text, and one, however many rows there are. Rows are sorted by key, so that several processes
/// lock them in one order.
pub(super) struct Batch {
    games: String,
    teams: String,
    /// The days of which these are all games.
    days: Option<String>,
    rows: u64,
}

impl Batch {
    pub(super) fn of(given: &[Game], days: &BTreeSet<NaiveDate>) -> Self {
        let games: BTreeMap<i64, Value> =
            given.iter().map(|game| (game.id, game_json(game))).collect();
        let of_both = given.iter().flat_map(|game| [&game.away, &game.home]);
        let teams = of_both.map(|team| {
            let Team { id, abbreviation, name } = team;
            (*id, json!({ "id": id, "abbreviation": abbreviation, "name": name }))
        });
        let rows = u64::try_from(games.len()).unwrap_or(u64::MAX);
        let days: Vec<String> = days.iter().map(NaiveDate::to_string).collect();
        let days = (!days.is_empty()).then(|| json!(days).to_string());
        Self { rows, games: as_json(games), teams: as_json(teams.collect()), days }
    }

    pub(super) fn store(&self, connection: &mut AnyConnection) -> Result<StoredGames, Failure> {
        let written: Vec<Written> = match connection {
            AnyConnection::Sqlite(connection) => {
                sql_query(sqlite::TEAMS).bind::<Text, _>(&self.teams).execute(connection)?;
                sql_query(sqlite::GAMES).bind::<Text, _>(&self.games).load(connection)?
            }
            AnyConnection::Postgres(connection) => {
                sql_query(postgres::TEAMS).bind::<Text, _>(&self.teams).execute(connection)?;
                sql_query(postgres::GAMES).bind::<Text, _>(&self.games).load(connection)?
            }
        };
        let mut stored = StoredGames::default();
        for row in &written {
            match row.is_new {
                true => stored.new += 1,
                false => stored.changed += 1,
            }
        }
        stored.unchanged = self.rows.saturating_sub(stored.new + stored.changed);
        stored.withdrawn = self.withdraw(connection)?;
        Ok(stored)
    }

    /// Withdraws the other games of the days of which these are all.
    fn withdraw(&self, connection: &mut AnyConnection) -> QueryResult<u64> {
        let Some(days) = &self.days else { return Ok(0) };
        let withdrawn = match connection {
            AnyConnection::Sqlite(connection) => sql_query(sqlite::WITHDRAW)
                .bind::<Text, _>(days)
                .bind::<Text, _>(&self.games)
                .execute(connection)?,
            AnyConnection::Postgres(connection) => sql_query(postgres::WITHDRAW)
                .bind::<Text, _>(days)
                .bind::<Text, _>(&self.games)
                .execute(connection)?,
        };
        Ok(u64::try_from(withdrawn).unwrap_or_default())
    }
}

/// How games stand, as one parameter.
pub(super) struct Updates(String);

impl Updates {
    pub(super) fn of(given: &[GameUpdate]) -> Self {
        Self(as_json(given.iter().map(|update| (update.id, update_json(update))).collect()))
    }

    /// Answers how many games have changed.
    pub(super) fn store(&self, connection: &mut AnyConnection) -> Result<u64, Failure> {
        let changed = match connection {
            AnyConnection::Sqlite(connection) => {
                sql_query(sqlite::UPDATE).bind::<Text, _>(&self.0).execute(connection)?
            }
            AnyConnection::Postgres(connection) => {
                sql_query(postgres::UPDATE).bind::<Text, _>(&self.0).execute(connection)?
            }
        };
        Ok(u64::try_from(changed).unwrap_or_default())
    }
}

/// What an upsert answers of each game that it wrote.
#[derive(QueryableByName)]
struct Written {
    #[diesel(sql_type = Bool)]
    is_new: bool,
}

fn as_json(rows: BTreeMap<i64, Value>) -> String {
    Value::Array(rows.into_values().collect()).to_string()
}

fn game_json(game: &Game) -> Value {
    json!({
        "id": game.id,
        "season": game.season,
        "kind": game.kind.name(),
        "day": game.day.to_string(),
        "starts_at": UtcMicros::from(game.starts_at).to_text(),
        "is_time_open": game.is_time_open,
        "away_team": game.away.id,
        "home_team": game.home.id,
        "venue": game.venue,
        "venue_zone": game.venue_zone.map(|zone| zone.name()),
        "state": game.state.name(),
        "away_score": game.score.map(|score| score.away),
        "home_score": game.score.map(|score| score.home),
    })
}

fn update_json(update: &GameUpdate) -> Value {
    json!({
        "id": update.id,
        "day": update.day.to_string(),
        "starts_at": UtcMicros::from(update.starts_at).to_text(),
        "is_time_open": update.is_time_open,
        "state": update.state.name(),
        "away_score": update.score.map(|score| score.away),
        "home_score": update.score.map(|score| score.home),
    })
}

/// What both databases spell alike: of the rows of `given`, those are written that differ from what
/// is there.
macro_rules! upsert_games {
    ($given:literal) => {
        concat!(
            "INSERT INTO games (id, season, kind, day, starts_at, is_time_open, away_team, \
             home_team, venue, venue_zone, state, away_score, home_score, revision) ",
            $given,
            " ON CONFLICT (id) DO UPDATE SET season = excluded.season, kind = excluded.kind, \
             day = excluded.day, starts_at = excluded.starts_at, \
             is_time_open = excluded.is_time_open, is_withdrawn = false, \
             away_team = excluded.away_team, home_team = excluded.home_team, \
             venue = excluded.venue, venue_zone = excluded.venue_zone, state = excluded.state, \
             away_score = excluded.away_score, home_score = excluded.home_score, \
             revision = games.revision + 1 \
             WHERE games.season <> excluded.season OR games.kind <> excluded.kind \
             OR games.starts_at <> excluded.starts_at OR games.is_withdrawn \
             OR games.is_time_open <> excluded.is_time_open \
             OR games.away_team <> excluded.away_team OR games.home_team <> excluded.home_team \
             OR games.venue <> excluded.venue OR games.state <> excluded.state \
             OR games.day IS DISTINCT FROM excluded.day \
             OR games.venue_zone IS DISTINCT FROM excluded.venue_zone \
             OR games.away_score IS DISTINCT FROM excluded.away_score \
             OR games.home_score IS DISTINCT FROM excluded.home_score \
             RETURNING revision = 1 AS is_new"
        )
    };
}

macro_rules! upsert_teams {
    ($given:literal) => {
        concat!(
            "INSERT INTO teams (id, abbreviation, name) ",
            $given,
            " ON CONFLICT (id) DO UPDATE \
             SET abbreviation = excluded.abbreviation, name = excluded.name \
             WHERE teams.abbreviation <> excluded.abbreviation OR teams.name <> excluded.name"
        )
    };
}

macro_rules! update_games {
    ($given:literal) => {
        concat!(
            "UPDATE games SET day = given.day, starts_at = given.starts_at, \
             is_time_open = given.is_time_open, is_withdrawn = false, state = given.state, \
             away_score = given.away_score, home_score = given.home_score, \
             revision = games.revision + 1 FROM (",
            $given,
            ") AS given WHERE games.id = given.id AND (games.starts_at <> given.starts_at \
             OR games.state <> given.state OR games.is_withdrawn \
             OR games.is_time_open <> given.is_time_open \
             OR games.day IS DISTINCT FROM given.day \
             OR games.away_score IS DISTINCT FROM given.away_score \
             OR games.home_score IS DISTINCT FROM given.home_score)"
        )
    };
}

mod sqlite {
    pub(super) const TEAMS: &str = upsert_teams!(
        "SELECT value ->> 'id', value ->> 'abbreviation', value ->> 'name' \
         FROM json_each(?) WHERE true"
    );
    pub(super) const GAMES: &str = upsert_games!(
        "SELECT value ->> 'id', value ->> 'season', value ->> 'kind', value ->> 'day', \
         value ->> 'starts_at', value ->> 'is_time_open', value ->> 'away_team', value ->> 'home_team', \
         value ->> 'venue', value ->> 'venue_zone', value ->> 'state', value ->> 'away_score', \
         value ->> 'home_score', 1 FROM json_each(?) WHERE true"
    );
    pub(super) const UPDATE: &str = update_games!(
        "SELECT value ->> 'id' AS id, value ->> 'day' AS day, \
         value ->> 'starts_at' AS starts_at, value ->> 'is_time_open' AS is_time_open, \
         value ->> 'state' AS state, value ->> 'away_score' AS away_score, \
         value ->> 'home_score' AS home_score FROM json_each(?)"
    );
    pub(super) const WITHDRAW: &str = "UPDATE games SET is_withdrawn = true, \
         revision = revision + 1 \
         WHERE day IN (SELECT value FROM json_each(?)) AND NOT is_withdrawn \
         AND id NOT IN (SELECT value ->> 'id' FROM json_each(?))";
}

mod postgres {
    pub(super) const TEAMS: &str = upsert_teams!(
        "SELECT * FROM jsonb_to_recordset($1::jsonb) \
         AS given(id bigint, abbreviation text, name text)"
    );
    pub(super) const GAMES: &str = upsert_games!(
        "SELECT given.*, 1 FROM jsonb_to_recordset($1::jsonb) AS given(id bigint, season integer, \
         kind text, day date, starts_at timestamp, is_time_open boolean, away_team bigint, \
         home_team bigint, venue text, venue_zone text, state text, away_score integer, \
         home_score integer)"
    );
    pub(super) const UPDATE: &str = update_games!(
        "SELECT * FROM jsonb_to_recordset($1::jsonb) AS row(id bigint, day date, \
         starts_at timestamp, is_time_open boolean, state text, away_score integer, \
         home_score integer)"
    );
    pub(super) const WITHDRAW: &str = "UPDATE games SET is_withdrawn = true, \
         revision = revision + 1 \
         WHERE day IN (SELECT value::date FROM jsonb_array_elements_text($1::jsonb)) \
         AND NOT is_withdrawn \
         AND id NOT IN (SELECT (value ->> 'id')::bigint FROM jsonb_array_elements($2::jsonb))";
}
