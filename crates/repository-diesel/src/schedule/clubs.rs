//! Which team ids are one club, in the column `club` of `teams`.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use rollcall_domain::{GameKind, TeamRecord, clubs};

use crate::{
    connection::AnyConnection,
    error::Failure,
    schema::{games, teams},
    timestamp::UtcMicros,
};

/// Notes by which id each club goes, by the teams and the games that are stored now.
pub(super) fn settle(connection: &mut AnyConnection) -> Result<(), Failure> {
    let rows: Vec<(i64, String, Option<i64>)> =
        teams::table.select((teams::id, teams::abbreviation, teams::club)).load(connection)?;
    let mut sharing: BTreeMap<&str, Vec<i64>> = BTreeMap::new();
    for (id, abbreviation, _) in &rows {
        sharing.entry(abbreviation).or_default().push(*id);
    }
    let sharing: Vec<i64> = sharing.into_values().filter(|ids| ids.len() > 1).flatten().collect();
    if sharing.is_empty() {
        return Ok(());
    }
    let mut games = games_of(connection, &sharing)?;
    let record = |(id, abbreviation, club): (i64, String, Option<i64>)| {
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

/// The games of a team.
#[derive(Default)]
struct Played {
    starts: BTreeSet<DateTime<Utc>>,
    /// Whether one of them is more than an exhibition.
    is_in_league: bool,
}

fn games_of(connection: &mut AnyConnection, ids: &[i64]) -> QueryResult<BTreeMap<i64, Played>> {
    let rows: Vec<(i64, i64, UtcMicros, String)> = games::table
        .filter(games::is_withdrawn.eq(false))
        .filter(games::away_team.eq_any(ids).or(games::home_team.eq_any(ids)))
        .select((games::away_team, games::home_team, games::starts_at, games::kind))
        .load(connection)?;
    let mut played: BTreeMap<i64, Played> = BTreeMap::new();
    for (away, home, starts_at, kind) in rows {
        for team in [away, home] {
            let played = played.entry(team).or_default();
            played.starts.insert(starts_at.into());
            played.is_in_league |= kind != GameKind::Other.name();
        }
    }
    Ok(played)
}
