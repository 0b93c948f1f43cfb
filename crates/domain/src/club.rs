//! Finds the team ids of the NHL that belong to the same club.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};

/// A club never begins two games within this time. Even an evening game and one at the next noon
/// are further apart.
const REST: TimeDelta = TimeDelta::hours(12);

/// What is stored about a team id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TeamRecord {
    /// The NHL's number of the team.
    pub id: i64,
    /// The abbreviation on scoreboards; "" if unknown.
    pub abbreviation: String,
    /// The id of its club so far: its own id, or that of another team.
    pub club: i64,
    /// Whether it plays only exhibition games, such as an all-star team.
    pub is_guest: bool,
    /// The start times of its games.
    pub starts: BTreeSet<DateTime<Utc>>,
}

/// Returns the club of each team, as an id.
///
/// A club that moves or changes its name may get a new id, but it keeps its abbreviation. So ids
/// with the same abbreviation are one club, and its id is that of the team with the latest game.
/// Two ids that play at the same time are two clubs, whether they play each other or not. All-star
/// teams belong to no club.
///
/// A club that changes its abbreviation later stays the same club, and keeps its earlier ids.
pub fn clubs(teams: &[TeamRecord]) -> BTreeMap<i64, i64> {
    let mut sharing: BTreeMap<&str, Vec<&TeamRecord>> = BTreeMap::new();
    for team in teams.iter().filter(|team| !team.abbreviation.is_empty() && !team.is_guest) {
        sharing.entry(&team.abbreviation).or_default().push(team);
    }
    sharing.retain(|_, teams| teams.len() > 1);
    let mut found = BTreeMap::new();
    for mut teams in sharing.into_values() {
        teams.sort_by_key(|team| (team.starts.last(), team.id));
        let mut clubs: Vec<(i64, BTreeSet<DateTime<Utc>>)> = Vec::new();
        for team in teams.into_iter().rev() {
            match clubs.iter_mut().find(|(_, starts)| are_apart(starts, &team.starts)) {
                Some((club, starts)) => {
                    found.insert(team.id, *club);
                    starts.extend(&team.starts);
                }
                None => {
                    found.insert(team.id, team.id);
                    clubs.push((team.id, team.starts.clone()));
                }
            }
        }
    }
    let club = |team: &TeamRecord| match found.get(&team.id) {
        Some(club) => *club,
        None => found.get(&team.club).copied().unwrap_or(team.club),
    };
    teams.iter().map(|team| (team.id, club(team))).collect()
}

/// Whether one club can play all of these games.
fn are_apart(some: &BTreeSet<DateTime<Utc>>, others: &BTreeSet<DateTime<Utc>>) -> bool {
    others.iter().all(|at| some.range(*at - REST..=*at + REST).next().is_none())
}

#[cfg(test)]
mod tests {
    use chrono::NaiveDate;
    use proptest::prelude::*;

    use super::*;

    /// A team that plays on the evenings of these days.
    fn team(id: i64, abbreviation: &str, days: &[u32]) -> TeamRecord {
        let start = |day: &u32| {
            NaiveDate::from_ymd_opt(2026, 11, *day)
                .unwrap()
                .and_hms_opt(23, 30, 0)
                .unwrap()
                .and_utc()
        };
        TeamRecord {
            id,
            abbreviation: abbreviation.to_owned(),
            club: id,
            is_guest: false,
            starts: days.iter().map(start).collect(),
        }
    }

    fn check(teams: &[TeamRecord], expected: &[(i64, i64)]) {
        assert_eq!(clubs(teams), expected.iter().copied().collect());
        let reversed: Vec<TeamRecord> = teams.iter().rev().cloned().collect();
        assert_eq!(
            clubs(&reversed),
            expected.iter().copied().collect(),
            "the order does not matter"
        );
    }

    #[test]
    fn a_club_has_the_id_of_its_latest_game() {
        let [old, new] = [team(59, "UTA", &[1, 3]), team(68, "UTA", &[5])];
        check(&[old, new, team(6, "BOS", &[1, 5])], &[(59, 68), (68, 68), (6, 6)]);
        // The larger id is not always the newer one.
        check(&[team(59, "UTA", &[9]), team(68, "UTA", &[5])], &[(59, 59), (68, 59)]);
        // A team without games is the older one.
        check(&[team(59, "UTA", &[9]), team(68, "UTA", &[])], &[(59, 59), (68, 59)]);
        check(&[team(59, "UTA", &[]), team(68, "UTA", &[])], &[(59, 68), (68, 68)]);
    }

    #[test]
    fn three_ids_can_be_one_club() {
        let three = [team(1, "X", &[1]), team(2, "X", &[2]), team(3, "X", &[3])];
        check(&three, &[(1, 3), (2, 3), (3, 3)]);
    }

    #[test]
    fn teams_that_play_at_the_same_time_are_two_clubs() {
        check(&[team(1, "X", &[1, 5]), team(2, "X", &[2, 5])], &[(1, 1), (2, 2)]);
        let later = |hours| {
            let late = team(2, "X", &[5]);
            let starts = late.starts.iter().map(|at| *at + TimeDelta::hours(hours)).collect();
            TeamRecord { starts, ..late }
        };
        check(&[team(1, "X", &[5]), later(3)], &[(1, 1), (2, 2)]);
        check(&[team(1, "X", &[5]), later(18)], &[(1, 2), (2, 2)]);
        // An older id belongs to the newest club whose games do not overlap with its own.
        let [old, one, other] = [team(1, "X", &[1]), team(2, "X", &[2, 4]), team(3, "X", &[2, 5])];
        check(&[old, one, other], &[(1, 3), (2, 2), (3, 3)]);
        let [old, one, other] = [team(1, "X", &[3]), team(2, "X", &[2, 4]), team(3, "X", &[3, 4])];
        check(&[old, one, other], &[(1, 2), (2, 2), (3, 3)]);
    }

    #[test]
    fn teams_without_an_abbreviation_and_all_stars_are_not_joined() {
        check(&[team(1, "", &[1]), team(2, "", &[2])], &[(1, 1), (2, 2)]);
        let stars = TeamRecord { is_guest: true, ..team(2, "ATL", &[2]) };
        check(&[team(1, "ATL", &[1]), stars], &[(1, 1), (2, 2)]);
    }

    #[test]
    fn a_club_that_changes_its_abbreviation_stays_one_club() {
        let old = TeamRecord { club: 68, ..team(59, "UTA", &[1]) };
        check(&[old.clone(), team(68, "UTM", &[2])], &[(59, 68), (68, 68)]);
        // The same, if the club then also gets a new id.
        check(
            &[old, team(68, "UTM", &[2]), team(70, "UTM", &[3])],
            &[(59, 70), (68, 70), (70, 70)],
        );
    }

    #[test]
    fn clubs_that_turn_out_to_be_two_are_separated() {
        let joined = TeamRecord { club: 2, ..team(1, "X", &[1, 5]) };
        check(&[joined, team(2, "X", &[2, 5])], &[(1, 1), (2, 2)]);
    }

    proptest! {
        /// This also holds when the result is computed again from its own output.
        #[test]
        fn every_club_has_the_id_of_one_of_its_teams(
            teams in prop::collection::vec(("[XY]?", prop::collection::vec(1_u32..9, 0..4)), 0..7),
            renamed in prop::collection::vec("[XYZ]", 7),
        ) {
            let mut teams: Vec<TeamRecord> = (1..)
                .zip(&teams)
                .map(|(id, (abbreviation, days))| team(id, abbreviation, days))
                .collect();
            for _ in 0..2 {
                let found = clubs(&teams);
                prop_assert!(found.values().all(|club| found.get(club) == Some(club)), "{found:?}");
                for team in &mut teams {
                    team.club = found[&team.id];
                }
                prop_assert_eq!(&clubs(&teams), &found);
                for (team, name) in teams.iter_mut().zip(&renamed) {
                    team.abbreviation.clone_from(name);
                }
            }
        }
    }
}
