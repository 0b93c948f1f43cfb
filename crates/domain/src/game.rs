//! Games of the NHL: who plays whom, when, and how it stands.

use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};
use chrono_tz::Tz;

/// Where the NHL counts its days.
pub const NHL_ZONE: Tz = Tz::America__New_York;
/// When a game without a decided time stands on its day, in UTC: about noon in New York.
const UNDECIDED: TimeDelta = TimeDelta::hours(17);

/// The longest that a team's abbreviation may be, in characters.
pub const MAX_ABBREVIATION_CHARS: usize = 8;
/// The longest that the name of a team or a venue may be, in characters.
pub const MAX_TEAM_NAME_CHARS: usize = 100;

/// A team as the NHL numbers it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Team {
    /// The NHL's number of the team. A stored team has the one that its [club](crate::clubs) goes
    /// by now.
    pub id: i64,
    /// What scoreboards show, such as `NYR`.
    pub abbreviation: String,
    /// The whole name, such as `New York Rangers`.
    pub name: String,
}

/// What a game counts for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GameKind {
    /// Before the season.
    Preseason,
    /// In the regular season.
    Regular,
    /// In the playoffs.
    Playoffs,
    /// Something else, such as an all-star game.
    Other,
}

/// How a game stands, in the NHL's words; see [`GameState::name`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GameState {
    /// It is to come.
    Future,
    /// It is about to begin.
    Pregame,
    /// It is on.
    Live,
    /// It is on, and nearly over or close.
    Critical,
    /// It is over.
    Final,
    /// It is over, and its score is official.
    Official,
    /// It takes place on another day, which may not be known yet.
    Postponed,
    /// It does not take place.
    Cancelled,
    /// It was broken off.
    Suspended,
    /// The NHL says something that this version does not know.
    Unknown,
}

/// What is stored under which name, both ways.
const KINDS: [(GameKind, &str); 4] = [
    (GameKind::Preseason, "preseason"),
    (GameKind::Regular, "regular"),
    (GameKind::Playoffs, "playoffs"),
    (GameKind::Other, "other"),
];
const STATES: [(GameState, &str); 10] = [
    (GameState::Future, "FUT"),
    (GameState::Pregame, "PRE"),
    (GameState::Live, "LIVE"),
    (GameState::Critical, "CRIT"),
    (GameState::Final, "FINAL"),
    (GameState::Official, "OFF"),
    (GameState::Postponed, "PPD"),
    (GameState::Cancelled, "CNCL"),
    (GameState::Suspended, "SUSP"),
    (GameState::Unknown, "UNKNOWN"),
];

impl GameKind {
    /// The name that it is stored under.
    pub fn name(self) -> &'static str {
        KINDS.iter().find(|(kind, _)| *kind == self).map_or("other", |(_, name)| name)
    }

    /// The kind of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        KINDS.iter().find(|(_, known)| *known == name).map(|(kind, _)| *kind)
    }
}

impl GameState {
    /// The NHL's name of the state, as it is stored.
    pub fn name(self) -> &'static str {
        STATES.iter().find(|(state, _)| *state == self).map_or("UNKNOWN", |(_, name)| name)
    }

    /// The state of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        STATES.iter().find(|(_, known)| *known == name).map(|(state, _)| *state)
    }

    /// Whether the game is being played.
    pub fn is_live(self) -> bool {
        matches!(self, Self::Live | Self::Critical)
    }

    /// Whether the game has been played.
    pub fn is_over(self) -> bool {
        matches!(self, Self::Final | Self::Official)
    }

    /// The states of games that are still played when their time comes, or are being played.
    pub const OPEN: [Self; 5] =
        [Self::Future, Self::Pregame, Self::Live, Self::Critical, Self::Unknown];
}

/// Goals of both teams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Score {
    /// Of the team that plays away.
    pub away: u16,
    /// Of the team that plays at home.
    pub home: u16,
}

/// A game.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Game {
    /// The NHL's number of the game, such as 2026020301.
    pub id: i64,
    /// The years of its season, such as 20262027.
    pub season: i32,
    /// What it counts for.
    pub kind: GameKind,
    /// The day that it is played on by the NHL's own calendar.
    pub day: NaiveDate,
    /// When it begins; [`undecided_start`] where its time is yet to be decided.
    pub starts_at: DateTime<Utc>,
    /// Whether its time is yet to be decided.
    pub is_time_open: bool,
    /// Who plays away.
    pub away: Team,
    /// Who plays at home.
    pub home: Team,
    /// Where it takes place; "" where that is not known.
    pub venue: String,
    /// The time zone of that place.
    pub venue_zone: Option<Tz>,
    /// How it stands.
    pub state: GameState,
    /// The goals so far; `None` before it has begun.
    pub score: Option<Score>,
}

/// How a game stands, told without the rest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GameUpdate {
    /// The NHL's number of the game.
    pub id: i64,
    /// The day that it is played on by the NHL's own calendar.
    pub day: NaiveDate,
    /// When it begins; [`undecided_start`] where its time is yet to be decided.
    pub starts_at: DateTime<Utc>,
    /// Whether its time is yet to be decided.
    pub is_time_open: bool,
    /// How it stands.
    pub state: GameState,
    /// The goals so far.
    pub score: Option<Score>,
}

/// The start of a game whose time is yet to be decided. It only puts the game in order with others:
/// of such a game, no more than the day is known.
pub fn undecided_start(day: NaiveDate) -> DateTime<Utc> {
    day.and_time(NaiveTime::MIN).and_utc() + UNDECIDED
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_undecided_start_is_on_its_day_in_new_york() {
        for day in ["2026-01-15", "2026-03-08", "2026-07-01", "2026-11-01"] {
            let day: NaiveDate = day.parse().unwrap();
            assert_eq!(undecided_start(day).with_timezone(&NHL_ZONE).date_naive(), day);
        }
    }

    #[test]
    fn names_are_read_as_they_are_written() {
        for (state, name) in STATES {
            assert_eq!((state.name(), GameState::from_name(name)), (name, Some(state)));
        }
        for (kind, name) in KINDS {
            assert_eq!((kind.name(), GameKind::from_name(name)), (name, Some(kind)));
        }
        assert_eq!(GameState::from_name("live"), None);
        assert_eq!(GameKind::from_name(""), None);
    }

    #[test]
    fn a_game_is_open_unless_it_is_over_or_does_not_take_place() {
        for (state, _) in STATES {
            let closed = matches!(
                state,
                GameState::Final
                    | GameState::Official
                    | GameState::Postponed
                    | GameState::Cancelled
                    | GameState::Suspended
            );
            assert_eq!(GameState::OPEN.contains(&state), !closed, "{state:?}");
        }
    }
}
