//! Games of the NHL: the teams, the time, the state and the score.

use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};
use chrono_tz::Tz;

/// The time zone of the NHL's calendar.
pub const NHL_ZONE: Tz = Tz::America__New_York;
/// The stored start of a game without a decided time, in UTC. It is about noon in New York.
const UNDECIDED: TimeDelta = TimeDelta::hours(17);

/// The most characters of a team's abbreviation.
pub const MAX_ABBREVIATION_CHARS: usize = 8;
/// The most characters of the name of a team or a venue.
pub const MAX_TEAM_NAME_CHARS: usize = 100;

/// A team of the NHL.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Team {
    /// The NHL's number of the team. A stored team has the current id of its [club](crate::clubs).
    pub id: i64,
    /// The abbreviation on scoreboards, such as `NYR`.
    pub abbreviation: String,
    /// The full name, such as `New York Rangers`.
    pub name: String,
}

/// The part of the season that a game belongs to.
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

/// The state of a game, in the NHL's terms; see [`GameState::name`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GameState {
    /// It has not begun.
    Future,
    /// It begins soon.
    Pregame,
    /// It is being played.
    Live,
    /// It is being played, and is close or nearly over.
    Critical,
    /// It is over.
    Final,
    /// It is over, and its score is official.
    Official,
    /// It was moved to another day, which may not be known yet.
    Postponed,
    /// It will not be played.
    Cancelled,
    /// It was interrupted and not finished.
    Suspended,
    /// A state that this version does not know.
    Unknown,
}

/// The stored name of each value.
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
    /// The kind's name, as it is stored.
    pub fn name(self) -> &'static str {
        KINDS.iter().find(|(kind, _)| *kind == self).map_or("other", |(_, name)| name)
    }

    /// The kind with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        KINDS.iter().find(|(_, known)| *known == name).map(|(kind, _)| *kind)
    }
}

impl GameState {
    /// The NHL's name of the state, as it is stored.
    pub fn name(self) -> &'static str {
        STATES.iter().find(|(state, _)| *state == self).map_or("UNKNOWN", |(_, name)| name)
    }

    /// The state with this name.
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

    /// The states of games that will be played or are being played.
    pub const OPEN: [Self; 5] =
        [Self::Future, Self::Pregame, Self::Live, Self::Critical, Self::Unknown];
}

/// The goals of both teams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Score {
    /// The goals of the away team.
    pub away: u16,
    /// The goals of the home team.
    pub home: u16,
}

/// A game.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Game {
    /// The NHL's number of the game, such as 2026020301.
    pub id: i64,
    /// The years of the season, such as 20262027.
    pub season: i32,
    /// The part of the season.
    pub kind: GameKind,
    /// The day of the game in the NHL's calendar.
    pub day: NaiveDate,
    /// The start time; [`undecided_start`] if the time is not decided yet.
    pub starts_at: DateTime<Utc>,
    /// Whether the time is not decided yet.
    pub is_time_open: bool,
    /// The away team.
    pub away: Team,
    /// The home team.
    pub home: Team,
    /// The name of the venue; "" if unknown.
    pub venue: String,
    /// The time zone of the venue.
    pub venue_zone: Option<Tz>,
    /// The state.
    pub state: GameState,
    /// The goals so far; `None` before the game begins.
    pub score: Option<Score>,
}

/// A change of a game's time, state or score, without the rest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GameUpdate {
    /// The NHL's number of the game.
    pub id: i64,
    /// The day of the game in the NHL's calendar.
    pub day: NaiveDate,
    /// The start time; [`undecided_start`] if the time is not decided yet.
    pub starts_at: DateTime<Utc>,
    /// Whether the time is not decided yet.
    pub is_time_open: bool,
    /// The state.
    pub state: GameState,
    /// The goals so far; `None` before the game begins.
    pub score: Option<Score>,
}

/// The stored start of a game whose time is not decided yet. It only sorts the game among others of
/// its day: do not show it as a time.
pub fn undecided_start(day: NaiveDate) -> DateTime<Utc> {
    day.and_time(NaiveTime::MIN).and_utc() + UNDECIDED
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_undecided_start_falls_on_its_day_in_new_york() {
        for day in ["2026-01-15", "2026-03-08", "2026-07-01", "2026-11-01"] {
            let day: NaiveDate = day.parse().unwrap();
            assert_eq!(undecided_start(day).with_timezone(&NHL_ZONE).date_naive(), day);
        }
    }

    #[test]
    fn stored_names_are_parsed_back() {
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
    fn a_game_is_open_unless_it_is_over_or_not_played() {
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
