//! Reading games and teams.

use std::collections::BTreeSet;

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use diesel::{dsl::exists, prelude::*};
use rollcall_domain::{Game, GameKind, GameState, NHL_ZONE, Score, Team};
use rollcall_repository::GameFilter;

use crate::base::{
    connection::AnyConnection,
    error::Failure,
    schema::{games, teams},
    timestamp::UtcMicros,
};

/// The games that a filter keeps, sorted by their start.
pub(super) fn games(
    connection: &mut AnyConnection,
    filter: &GameFilter,
    limit: u32,
) -> Result<Vec<Game>, Failure> {
    let (away, home) = diesel::alias!(teams as away, teams as home);
    let timed =
        games::is_time_open.eq(false).and(games::starts_at.ge(UtcMicros::from(filter.from)));
    let untimed = games::is_time_open.eq(true).and(games::day.ge(filter.from_day));
    let mut query = games::table
        .inner_join(away.on(away.field(teams::id).eq(games::away_team)))
        .inner_join(home.on(home.field(teams::id).eq(games::home_team)))
        .select((
            GameRow::as_select(),
            away.fields((teams::id, teams::club, teams::abbreviation, teams::name)),
            home.fields((teams::id, teams::club, teams::abbreviation, teams::name)),
        ))
        .filter(games::is_withdrawn.eq(false))
        // Follows from the other conditions, but bounds the scan of the index over starts.
        .filter(games::starts_at.ge(UtcMicros::from(filter.from.min(midnight(filter.from_day)))))
        .filter(timed.or(untimed))
        .order((games::starts_at, games::id))
        .limit(limit.into())
        .into_boxed();
    if let (Some(until), Some(until_day)) = (filter.until, filter.until_day) {
        let timed = games::is_time_open.eq(false).and(games::starts_at.lt(UtcMicros::from(until)));
        let untimed = games::is_time_open.eq(true).and(games::day.lt(until_day));
        query = query
            .filter(games::starts_at.lt(UtcMicros::from(until.max(midnight(until_day)))))
            .filter(timed.or(untimed));
    }
    if filter.only_open {
        query = query.filter(games::state.eq_any(GameState::OPEN.map(GameState::name)));
    }
    if let Some(wanted) = &filter.teams {
        let ids = ids_of_clubs(connection, wanted)?;
        query = query.filter(games::away_team.eq_any(ids.clone()).or(games::home_team.eq_any(ids)));
    }
    let rows: Vec<(GameRow, TeamRow, TeamRow)> = query.load(connection)?;
    rows.into_iter()
        .map(|(row, away, home)| row.into_game(away.into_team(), home.into_team()))
        .collect()
}

/// A game without a decided time is stored at a later time of its day, in UTC.
fn midnight(day: NaiveDate) -> DateTime<Utc> {
    day.and_time(NaiveTime::MIN).and_utc()
}

/// The teams that play at home in a game of a regular season that starts at `since` or later.
pub(super) fn teams(
    connection: &mut AnyConnection,
    since: DateTime<Utc>,
    limit: u32,
) -> Result<Vec<Team>, Failure> {
    let member = diesel::alias!(teams as member);
    let plays = games::table
        .filter(games::home_team.eq(member.field(teams::id)))
        .filter(games::starts_at.ge(UtcMicros::from(since)))
        .filter(games::kind.eq(GameKind::Regular.name()))
        .filter(games::is_withdrawn.eq(false));
    let of_club = member
        .field(teams::id)
        .eq(teams::id)
        .or(member.field(teams::club).eq(teams::id.nullable()));
    let rows: Vec<TeamRow> = teams::table
        .filter(teams::club.is_null())
        .filter(exists(member.filter(of_club).filter(exists(plays))))
        .select((teams::id, teams::club, teams::abbreviation, teams::name))
        .order((teams::name, teams::id))
        .limit(limit.into())
        .load(connection)?;
    Ok(rows.into_iter().map(TeamRow::into_team).collect())
}

/// The team that represents the club of an id.
pub(super) fn team(connection: &mut AnyConnection, id: i64) -> Result<Option<Team>, Failure> {
    let mut find = |id: i64| -> QueryResult<Option<TeamRow>> {
        let columns = (teams::id, teams::club, teams::abbreviation, teams::name);
        teams::table.find(id).select(columns).first(connection).optional()
    };
    let row = match find(id)? {
        Some(TeamRow { club: Some(club), .. }) => find(club)?,
        row => row,
    };
    Ok(row.map(TeamRow::into_team))
}

/// All ids of the clubs that these ids belong to. There are only a few dozen teams.
fn ids_of_clubs(connection: &mut AnyConnection, wanted: &[i64]) -> QueryResult<Vec<i64>> {
    let rows: Vec<(i64, Option<i64>)> =
        teams::table.select((teams::id, teams::club)).load(connection)?;
    let club = |(id, club): &(i64, Option<i64>)| club.unwrap_or(*id);
    let clubs: BTreeSet<i64> =
        rows.iter().filter(|(id, _)| wanted.contains(id)).map(club).collect();
    Ok(rows.iter().filter(|row| clubs.contains(&club(row))).map(|(id, _)| *id).collect())
}

/// A row of `teams`.
#[derive(Queryable)]
struct TeamRow {
    id: i64,
    /// The id that represents the club, if it is another one.
    club: Option<i64>,
    abbreviation: String,
    name: String,
}

impl TeamRow {
    fn into_team(self) -> Team {
        let Self { id, club, abbreviation, name } = self;
        Team { id: club.unwrap_or(id), abbreviation, name }
    }
}

/// A row of `games`.
#[derive(Queryable, Selectable)]
#[diesel(table_name = games)]
struct GameRow {
    id: i64,
    season: i32,
    kind: String,
    day: Option<NaiveDate>,
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
        let starts_at: DateTime<Utc> = self.starts_at.into();
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
            day: self.day.unwrap_or_else(|| starts_at.with_timezone(&NHL_ZONE).date_naive()),
            starts_at,
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
