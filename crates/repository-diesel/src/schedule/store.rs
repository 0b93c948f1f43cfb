//! Writing games.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use diesel::{
    pg::Pg,
    prelude::*,
    sql_types::{Bool, Text},
    sqlite::Sqlite,
};
use rollcall_domain::{Game, GameUpdate, Team};
use rollcall_repository::StoredGames;
use serde_json::{Value, json};

use crate::base::{
    connection::{AnyConnection, either},
    error::Failure,
    statement::statement,
    timestamp::UtcMicros,
};

/// Games and their teams as parameters, each of which is one JSON array: one statement has the same
/// text for any number of rows. Rows are sorted by key, so that several processes lock them in one
/// order.
pub(super) struct Batch {
    games: String,
    teams: String,
    /// The days whose games these all are.
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
        let teams = StoreTeams { teams: &self.teams };
        let games = StoreGames { games: &self.games };
        let are_new: Vec<bool> = either!(connection => {
            teams.execute(connection)?;
            games.load(connection)?
        });
        let mut stored = StoredGames::default();
        for is_new in are_new {
            match is_new {
                true => stored.new += 1,
                false => stored.changed += 1,
            }
        }
        stored.unchanged = self.rows.saturating_sub(stored.new + stored.changed);
        stored.withdrawn = self.withdraw(connection)?;
        Ok(stored)
    }

    /// Withdraws the other games of the days whose games these all are.
    fn withdraw(&self, connection: &mut AnyConnection) -> QueryResult<u64> {
        let Some(days) = &self.days else { return Ok(0) };
        let withdraw = Withdraw { days, games: &self.games };
        let withdrawn = either!(connection => withdraw.execute(connection)?);
        Ok(u64::try_from(withdrawn).unwrap_or_default())
    }
}

/// The times and scores of games, as one parameter.
pub(super) struct Updates(String);

impl Updates {
    pub(super) fn of(given: &[GameUpdate]) -> Self {
        Self(as_json(given.iter().map(|update| (update.id, update_json(update))).collect()))
    }

    /// Returns how many games have changed.
    pub(super) fn store(&self, connection: &mut AnyConnection) -> Result<u64, Failure> {
        let update = UpdateGames { updates: &self.0 };
        let changed = either!(connection => update.execute(connection)?);
        Ok(u64::try_from(changed).unwrap_or_default())
    }
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

/// The end of the statement that stores games: a known game is written only if it differs.
macro_rules! unless_alike {
    () => {
        "
        ON CONFLICT (id) DO UPDATE SET
            season = excluded.season, kind = excluded.kind, day = excluded.day,
            starts_at = excluded.starts_at, is_time_open = excluded.is_time_open,
            is_withdrawn = false, away_team = excluded.away_team, home_team = excluded.home_team,
            venue = excluded.venue, venue_zone = excluded.venue_zone, state = excluded.state,
            away_score = excluded.away_score, home_score = excluded.home_score,
            revision = games.revision + 1
        WHERE games.season <> excluded.season OR games.kind <> excluded.kind
            OR games.starts_at <> excluded.starts_at OR games.is_withdrawn
            OR games.is_time_open <> excluded.is_time_open
            OR games.away_team <> excluded.away_team OR games.home_team <> excluded.home_team
            OR games.venue <> excluded.venue OR games.state <> excluded.state
            OR games.day IS DISTINCT FROM excluded.day
            OR games.venue_zone IS DISTINCT FROM excluded.venue_zone
            OR games.away_score IS DISTINCT FROM excluded.away_score
            OR games.home_score IS DISTINCT FROM excluded.home_score
        RETURNING revision = 1"
    };
}

statement! {
    /// Stores games, and returns of each that was written whether it is new.
    struct StoreGames<'a> -> Bool {
        games: &'a str as Text,
    }
    Sqlite => concat!("
        INSERT INTO games (id, season, kind, day, starts_at, is_time_open, away_team, home_team,
            venue, venue_zone, state, away_score, home_score, revision)
        SELECT value ->> 'id', value ->> 'season', value ->> 'kind', value ->> 'day',
            value ->> 'starts_at', value ->> 'is_time_open', value ->> 'away_team',
            value ->> 'home_team', value ->> 'venue', value ->> 'venue_zone', value ->> 'state',
            value ->> 'away_score', value ->> 'home_score', 1
        FROM json_each(:games) WHERE true", unless_alike!()),
    Pg => concat!("
        INSERT INTO games (id, season, kind, day, starts_at, is_time_open, away_team, home_team,
            venue, venue_zone, state, away_score, home_score, revision)
        SELECT given.*, 1 FROM jsonb_to_recordset(:games::jsonb) AS given (
            id bigint, season integer, kind text, day date, starts_at timestamp,
            is_time_open boolean, away_team bigint, home_team bigint, venue text, venue_zone text,
            state text, away_score integer, home_score integer)", unless_alike!()),
}

statement! {
    /// Stores teams.
    struct StoreTeams<'a> {
        teams: &'a str as Text,
    }
    Sqlite => "
        INSERT INTO teams (id, abbreviation, name)
        SELECT value ->> 'id', value ->> 'abbreviation', value ->> 'name'
        FROM json_each(:teams) WHERE true
        ON CONFLICT (id) DO UPDATE SET abbreviation = excluded.abbreviation, name = excluded.name
        WHERE teams.abbreviation <> excluded.abbreviation OR teams.name <> excluded.name",
    Pg => "
        INSERT INTO teams (id, abbreviation, name)
        SELECT * FROM jsonb_to_recordset(:teams::jsonb)
            AS given (id bigint, abbreviation text, name text)
        ON CONFLICT (id) DO UPDATE SET abbreviation = excluded.abbreviation, name = excluded.name
        WHERE teams.abbreviation <> excluded.abbreviation OR teams.name <> excluded.name",
}

/// The end of the statement that updates games: only those that differ are written.
macro_rules! where_different {
    () => {
        "
        WHERE games.id = given.id AND (games.starts_at <> given.starts_at
            OR games.state <> given.state OR games.is_withdrawn
            OR games.is_time_open <> given.is_time_open
            OR games.day IS DISTINCT FROM given.day
            OR games.away_score IS DISTINCT FROM given.away_score
            OR games.home_score IS DISTINCT FROM given.home_score)"
    };
}

statement! {
    /// Updates the times and scores of games.
    struct UpdateGames<'a> {
        updates: &'a str as Text,
    }
    Sqlite => concat!("
        UPDATE games SET day = given.day, starts_at = given.starts_at,
            is_time_open = given.is_time_open, is_withdrawn = false, state = given.state,
            away_score = given.away_score, home_score = given.home_score,
            revision = games.revision + 1
        FROM (
            SELECT value ->> 'id' AS id, value ->> 'day' AS day,
                value ->> 'starts_at' AS starts_at, value ->> 'is_time_open' AS is_time_open,
                value ->> 'state' AS state, value ->> 'away_score' AS away_score,
                value ->> 'home_score' AS home_score
            FROM json_each(:updates)) AS given", where_different!()),
    Pg => concat!("
        UPDATE games SET day = given.day, starts_at = given.starts_at,
            is_time_open = given.is_time_open, is_withdrawn = false, state = given.state,
            away_score = given.away_score, home_score = given.home_score,
            revision = games.revision + 1
        FROM jsonb_to_recordset(:updates::jsonb) AS given (
            id bigint, day date, starts_at timestamp, is_time_open boolean, state text,
            away_score integer, home_score integer)", where_different!()),
}

statement! {
    /// Withdraws the games of these days that are not among the given ones.
    struct Withdraw<'a> {
        days: &'a str as Text,
        games: &'a str as Text,
    }
    Sqlite => "
        UPDATE games SET is_withdrawn = true, revision = revision + 1
        WHERE day IN (SELECT value FROM json_each(:days)) AND NOT is_withdrawn
        AND id NOT IN (SELECT value ->> 'id' FROM json_each(:games))",
    Pg => "
        UPDATE games SET is_withdrawn = true, revision = revision + 1
        WHERE day IN (SELECT value::date FROM jsonb_array_elements_text(:days::jsonb))
        AND NOT is_withdrawn
        AND id NOT IN (SELECT (value ->> 'id')::bigint FROM jsonb_array_elements(:games::jsonb))",
}
