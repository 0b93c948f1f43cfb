//! The games of the NHL, in the tables `games` and `teams`, and when they were fetched, in
//! `refreshes`.

use std::collections::BTreeMap;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use diesel::{
    Connection,
    dsl::exists,
    prelude::*,
    sql_query,
    sql_types::{Bool, Text},
};
use rollcall_domain::{Game, GameKind, GameState, GameUpdate, Score, Team};
use rollcall_repository::{
    GameFilter, Lease, Refresh, RepositoryError, ScheduleRepository, StoredGames,
};
use serde_json::{Value, json};

use crate::{
    Database,
    connection::AnyConnection,
    error::Failure,
    schema::{games, refreshes, teams},
    timestamp::UtcMicros,
};

/// The games, and when they were fetched.
#[derive(Clone, Debug)]
pub struct DieselScheduleRepository {
    database: Database,
}

impl DieselScheduleRepository {
    /// The repository in `database`, which must be migrated.
    pub fn new(database: Database) -> Self {
        Self { database }
    }
}

#[async_trait]
impl ScheduleRepository for DieselScheduleRepository {
    async fn store(&self, given: &[Game]) -> Result<StoredGames, RepositoryError> {
        let batch = Batch::of(given);
        self.database
            .write("store games", move |connection| {
                connection.transaction(|connection| batch.store(connection))
            })
            .await
    }

    async fn update(&self, updates: &[GameUpdate]) -> Result<u64, RepositoryError> {
        let rows = updates.iter().map(|update| (update.id, update_json(update)));
        let rows = as_json(rows.collect());
        self.database
            .write("update games", move |connection| {
                let changed = match connection {
                    AnyConnection::Sqlite(connection) => {
                        sql_query(sqlite::UPDATE).bind::<Text, _>(&rows).execute(connection)?
                    }
                    AnyConnection::Postgres(connection) => {
                        sql_query(postgres::UPDATE).bind::<Text, _>(&rows).execute(connection)?
                    }
                };
                Ok(u64::try_from(changed).unwrap_or_default())
            })
            .await
    }

    async fn games(&self, filter: &GameFilter, limit: u32) -> Result<Vec<Game>, RepositoryError> {
        let filter = filter.clone();
        self.database.read("list games", move |connection| list(connection, &filter, limit)).await
    }

    async fn teams(&self, since: DateTime<Utc>, limit: u32) -> Result<Vec<Team>, RepositoryError> {
        self.database
            .read("list teams", move |connection| {
                let plays = games::table
                    .filter(games::home_team.eq(teams::id))
                    .filter(games::starts_at.ge(UtcMicros::from(since)))
                    .filter(games::kind.eq(GameKind::Regular.name()));
                let rows: Vec<TeamRow> = teams::table
                    .filter(exists(plays))
                    .order((teams::name, teams::id))
                    .limit(limit.into())
                    .load(connection)?;
                Ok(rows.into_iter().map(team).collect())
            })
            .await
    }

    async fn begin_refresh(
        &self,
        refresh: Refresh,
        now: DateTime<Utc>,
        due_before: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> Result<Option<Lease>, RepositoryError> {
        let lease = Lease { refresh, until };
        self.database
            .write("begin a refresh", move |connection| {
                let (now, due_before) = (UtcMicros::from(now), UtcMicros::from(due_before));
                let is_free = refreshes::held_until.is_null().or(refreshes::held_until.le(now));
                let is_due =
                    refreshes::refreshed_at.is_null().or(refreshes::refreshed_at.lt(due_before));
                let row = refreshes::table.find(refresh.name()).filter(is_free).filter(is_due);
                let taken = diesel::update(row)
                    .set(refreshes::held_until.eq(UtcMicros::from(until)))
                    .execute(connection)?;
                Ok((taken > 0).then_some(lease))
            })
            .await
    }

    async fn end_refresh(
        &self,
        lease: Lease,
        refreshed_at: Option<DateTime<Utc>>,
    ) -> Result<(), RepositoryError> {
        self.database
            .write("end a refresh", move |connection| {
                let until = UtcMicros::from(lease.until);
                let row = refreshes::table
                    .find(lease.refresh.name())
                    .filter(refreshes::held_until.eq(until));
                let nobody = refreshes::held_until.eq(None::<UtcMicros>);
                match refreshed_at.map(UtcMicros::from) {
                    None => diesel::update(row).set(nobody).execute(connection)?,
                    Some(at) => diesel::update(row)
                        .set((nobody, refreshes::refreshed_at.eq(at)))
                        .execute(connection)?,
                };
                Ok(())
            })
            .await
    }

    async fn note_refresh(
        &self,
        refresh: Refresh,
        at: DateTime<Utc>,
    ) -> Result<(), RepositoryError> {
        self.database
            .write("note a refresh", move |connection| {
                diesel::update(refreshes::table.find(refresh.name()))
                    .set(refreshes::refreshed_at.eq(UtcMicros::from(at)))
                    .execute(connection)?;
                Ok(())
            })
            .await
    }

    async fn refreshed_at(
        &self,
        refresh: Refresh,
    ) -> Result<Option<DateTime<Utc>>, RepositoryError> {
        self.database
            .read("look when games were fetched", move |connection| {
                let at: Option<Option<UtcMicros>> = refreshes::table
                    .find(refresh.name())
                    .select(refreshes::refreshed_at)
                    .first(connection)
                    .optional()?;
                Ok(at.flatten().map(Into::into))
            })
            .await
    }
}

/// Games and their teams as parameters, each of which is one JSON array: a statement is the same
/// text, and one, however many rows there are. Rows are sorted by key, so that several processes
/// lock them in one order.
struct Batch {
    games: String,
    teams: String,
    rows: u64,
}

impl Batch {
    fn of(given: &[Game]) -> Self {
        let games: BTreeMap<i64, Value> =
            given.iter().map(|game| (game.id, game_json(game))).collect();
        let of_both = given.iter().flat_map(|game| [&game.away, &game.home]);
        let teams = of_both.map(|team| {
            let Team { id, abbreviation, name } = team;
            (*id, json!({ "id": id, "abbreviation": abbreviation, "name": name }))
        });
        let rows = u64::try_from(games.len()).unwrap_or(u64::MAX);
        Self { rows, games: as_json(games), teams: as_json(teams.collect()) }
    }

    fn store(&self, connection: &mut AnyConnection) -> Result<StoredGames, Failure> {
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
        Ok(stored)
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
        "starts_at": UtcMicros::from(update.starts_at).to_text(),
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
            "INSERT INTO games (id, season, kind, starts_at, is_time_open, away_team, home_team, \
             venue, venue_zone, state, away_score, home_score, revision) ",
            $given,
            " ON CONFLICT (id) DO UPDATE SET season = excluded.season, kind = excluded.kind, \
             starts_at = excluded.starts_at, is_time_open = excluded.is_time_open, \
             away_team = excluded.away_team, home_team = excluded.home_team, \
             venue = excluded.venue, venue_zone = excluded.venue_zone, state = excluded.state, \
             away_score = excluded.away_score, home_score = excluded.home_score, \
             revision = games.revision + 1 \
             WHERE games.season <> excluded.season OR games.kind <> excluded.kind \
             OR games.starts_at <> excluded.starts_at \
             OR games.is_time_open <> excluded.is_time_open \
             OR games.away_team <> excluded.away_team OR games.home_team <> excluded.home_team \
             OR games.venue <> excluded.venue OR games.state <> excluded.state \
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
            "UPDATE games SET starts_at = given.starts_at, state = given.state, \
             away_score = given.away_score, home_score = given.home_score, \
             revision = games.revision + 1 FROM (",
            $given,
            ") AS given WHERE games.id = given.id AND (games.starts_at <> given.starts_at \
             OR games.state <> given.state \
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
        "SELECT value ->> 'id', value ->> 'season', value ->> 'kind', value ->> 'starts_at', \
         value ->> 'is_time_open', value ->> 'away_team', value ->> 'home_team', \
         value ->> 'venue', value ->> 'venue_zone', value ->> 'state', value ->> 'away_score', \
         value ->> 'home_score', 1 FROM json_each(?) WHERE true"
    );
    pub(super) const UPDATE: &str = update_games!(
        "SELECT value ->> 'id' AS id, value ->> 'starts_at' AS starts_at, \
         value ->> 'state' AS state, value ->> 'away_score' AS away_score, \
         value ->> 'home_score' AS home_score FROM json_each(?)"
    );
}

mod postgres {
    pub(super) const TEAMS: &str = upsert_teams!(
        "SELECT * FROM jsonb_to_recordset($1::jsonb) \
         AS given(id bigint, abbreviation text, name text)"
    );
    pub(super) const GAMES: &str = upsert_games!(
        "SELECT given.*, 1 FROM jsonb_to_recordset($1::jsonb) AS given(id bigint, season integer, \
         kind text, starts_at timestamp, is_time_open boolean, away_team bigint, \
         home_team bigint, venue text, venue_zone text, state text, away_score integer, \
         home_score integer)"
    );
    pub(super) const UPDATE: &str = update_games!(
        "SELECT * FROM jsonb_to_recordset($1::jsonb) AS row(id bigint, starts_at timestamp, \
         state text, away_score integer, home_score integer)"
    );
}

fn list(
    connection: &mut AnyConnection,
    filter: &GameFilter,
    limit: u32,
) -> Result<Vec<Game>, Failure> {
    let (away, home) = diesel::alias!(teams as away, teams as home);
    let mut query = games::table
        .inner_join(away.on(away.field(teams::id).eq(games::away_team)))
        .inner_join(home.on(home.field(teams::id).eq(games::home_team)))
        .select((
            GameRow::as_select(),
            away.fields((teams::id, teams::abbreviation, teams::name)),
            home.fields((teams::id, teams::abbreviation, teams::name)),
        ))
        .filter(games::starts_at.ge(UtcMicros::from(filter.from)))
        .order((games::starts_at, games::id))
        .limit(limit.into())
        .into_boxed();
    if let Some(until) = filter.until {
        query = query.filter(games::starts_at.lt(UtcMicros::from(until)));
    }
    if filter.only_open {
        query = query.filter(games::state.eq_any(GameState::OPEN.map(GameState::name)));
    }
    if let Some(wanted) = &filter.teams {
        let is_away = games::away_team.eq_any(wanted.clone());
        query = query.filter(is_away.or(games::home_team.eq_any(wanted.clone())));
    }
    let rows: Vec<(GameRow, TeamRow, TeamRow)> = query.load(connection)?;
    rows.into_iter().map(|(row, away, home)| row.into_game(team(away), team(home))).collect()
}

type TeamRow = (i64, String, String);

fn team((id, abbreviation, name): TeamRow) -> Team {
    Team { id, abbreviation, name }
}

/// A row of `games`.
#[derive(Queryable, Selectable)]
#[diesel(table_name = games)]
struct GameRow {
    id: i64,
    season: i32,
    kind: String,
    starts_at: UtcMicros,
    is_time_open: bool,
    venue: String,
    venue_zone: Option<String>,
    state: String,
    away_score: Option<i32>,
    home_score: Option<i32>,
}

impl GameRow {
    fn into_game(self, away: Team, home: Team) -> Result<Game, Failure> {
        let corrupt = |column, reason: &str| Failure::Corrupt {
            table: "games",
            column,
            key: self.id.to_string(),
            reason: reason.to_owned(),
        };
        let kind = GameKind::from_name(&self.kind);
        let state = GameState::from_name(&self.state);
        let zone = self.venue_zone.as_deref().map(str::parse).transpose();
        let goals = |column, goals: Option<i32>| {
            let goals = goals.map(u16::try_from).transpose();
            goals.map_err(|_| corrupt(column, "no team has so many goals"))
        };
        let away_score = goals("away_score", self.away_score)?;
        let home_score = goals("home_score", self.home_score)?;
        Ok(Game {
            id: self.id,
            season: self.season,
            kind: kind.ok_or_else(|| corrupt("kind", "no kind has this name"))?,
            starts_at: self.starts_at.into(),
            is_time_open: self.is_time_open,
            away,
            home,
            state: state.ok_or_else(|| corrupt("state", "no state has this name"))?,
            venue_zone: zone.map_err(|_| corrupt("venue_zone", "no time zone has this name"))?,
            score: away_score.zip(home_score).map(|(away, home)| Score { away, home }),
            venue: self.venue,
        })
    }
}
