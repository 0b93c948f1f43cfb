//! The team ids that are one club, in the column `club` of `teams`.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use rollcall_domain::{GameKind, TeamRecord, clubs};

use crate::base::{
    connection::AnyConnection,
    error::Failure,
    schema::{games, teams},
    timestamp::UtcMicros,
};

/// Stores the id that represents each club, from the teams and games that are stored now.
pub(super) fn settle(connection: &mut AnyConnection) -> Result<(), Failure> {
    let rows: Vec<TeamRow> = teams::table.select(TeamRow::as_select()).load(connection)?;
    let mut sharing: BTreeMap<&str, Vec<i64>> = BTreeMap::new();
    for TeamRow { id, abbreviation, .. } in &rows {
        sharing.entry(abbreviation).or_default().push(*id);
    }
    let sharing: Vec<i64> = sharing.into_values().filter(|ids| ids.len() > 1).flatten().collect();
    if sharing.is_empty() {
        return Ok(());
    }
    let mut games = games_of(connection, &sharing)?;
    let record = |TeamRow { id, abbreviation, club }| {
        let Played { starts, is_in_league } = games.remove(&id).unwrap_or_default();
        TeamRecord {
            id,
            abbreviation,
            club: club.unwrap_or(id),
            is_guest: !is_in_league && !starts.is_empty(),
            starts,
        }
    };
    let records: Vec<TeamRecord> = rows.into_iter().map(record).collect();
    let clubs = clubs(&records);
    for team in records {
        let club = clubs.get(&team.id).copied().unwrap_or(team.id);
        if club != team.club {
            diesel::update(teams::table.find(team.id))
                .set(teams::club.eq((club != team.id).then_some(club)))
                .execute(connection)?;
        }
    }
    Ok(())
}

/// A row of `teams`.
#[derive(Queryable, Selectable)]
#[diesel(table_name = teams)]
struct TeamRow {
    id: i64,
    abbreviation: String,
    club: Option<i64>,
}

/// A row of `games`.
#[derive(Queryable, Selectable)]
#[diesel(table_name = games)]
struct GameRow {
    away_team: i64,
    home_team: i64,
    starts_at: UtcMicros,
    kind: String,
}

/// The games of a team.
#[derive(Default)]
struct Played {
    starts: BTreeSet<DateTime<Utc>>,
    /// Whether one of them is not an exhibition.
    is_in_league: bool,
}

fn games_of(connection: &mut AnyConnection, ids: &[i64]) -> QueryResult<BTreeMap<i64, Played>> {
    let rows: Vec<GameRow> = games::table
        .filter(games::is_withdrawn.eq(false))
        .filter(games::away_team.eq_any(ids).or(games::home_team.eq_any(ids)))
        .select(GameRow::as_select())
        .load(connection)?;
    let mut played: BTreeMap<i64, Played> = BTreeMap::new();
    for GameRow { away_team, home_team, starts_at, kind } in rows {
        for team in [away_team, home_team] {
            let played = played.entry(team).or_default();
            played.starts.insert(starts_at.into());
            played.is_in_league |= kind != GameKind::Other.name();
        }
    }
    Ok(played)
}
