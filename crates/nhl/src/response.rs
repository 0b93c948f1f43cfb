//! Parsing responses. Only the fields in use are required; others are ignored.

use std::collections::BTreeSet;

use chrono::{DateTime, Days, NaiveDate, Utc};
use rollcall_domain::{Game, GameUpdate};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::game::{GameContext, RawGame, parse_day};

/// More games than any response has. Further games of a response are ignored.
const MAX_GAMES: usize = 2000;
/// The number of days that a response about a week covers.
const DAYS_OF_A_WEEK: u64 = 7;

/// The games of a response.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Games {
    /// The valid games.
    pub games: Vec<Game>,
    /// The invalid games.
    pub skipped: Vec<Skipped>,
    /// The days, as the NHL counts them, whose games are complete. Empty if any part of the response
    /// is missing or invalid, because any game could be missing then.
    pub days: BTreeSet<NaiveDate>,
    /// The first day after these games; `None` at the end of the season.
    pub next: Option<NaiveDate>,
}

/// The scores of a day.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scores {
    /// The valid games.
    pub updates: Vec<GameUpdate>,
    /// The invalid games.
    pub skipped: Vec<Skipped>,
}

/// An invalid game.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// The NHL's id of the game, if it is valid.
    pub id: Option<i64>,
    /// The reason, without any text of the response.
    pub reason: String,
}

/// A response that cannot be parsed at all.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unreadable(String);

/// Parses a response with games: those of a week, or a list under `games`. `now` is the time of the
/// response, from which unknown states are inferred.
///
/// # Errors
/// If it is not JSON, or has neither.
pub fn read_games(text: &str, now: DateTime<Utc>) -> Result<Games, Unreadable> {
    let answer: GamesAnswer = parse(text)?;
    let next = answer.next_start_date.and_then(date);
    let read = match (answer.game_week, answer.games) {
        (Some(days), _) => parse_days(&days, now),
        (None, Some(games)) => {
            let mut read = Games::default();
            read.extend(&games, GameContext { day: None, now });
            read
        }
        (None, None) => return Err(Unreadable("it has neither gameWeek nor games".to_owned())),
    };
    Ok(Games { next, ..read })
}

/// Parses the response about the week from `first`. Unlike a saved file, it covers the whole week:
/// days that it does not list have no games.
pub(crate) fn read_week(
    text: &str,
    first: NaiveDate,
    now: DateTime<Utc>,
) -> Result<Games, Unreadable> {
    let mut read = read_games(text, now)?;
    if !read.days.is_empty() {
        read.days.extend((0..DAYS_OF_A_WEEK).filter_map(|n| first.checked_add_days(Days::new(n))));
    }
    Ok(read)
}

/// Parses a response with the scores of a day.
pub(crate) fn read_scores(text: &str, now: DateTime<Utc>) -> Result<Scores, Unreadable> {
    let answer: ScoresAnswer = parse(text)?;
    let context = GameContext { day: answer.current_date.and_then(date), now };
    let mut read = Scores::default();
    for raw in answer.games.into_iter().take(MAX_GAMES) {
        match parse_game(raw, |game| game.update(context)) {
            Ok(update) => read.updates.push(update),
            Err(skipped) => read.skipped.push(skipped),
        }
    }
    Ok(read)
}

/// Parses the days of a week.
fn parse_days(days: &[&RawValue], now: DateTime<Utc>) -> Games {
    let mut read = Games::default();
    let mut is_complete = true;
    for raw in days {
        let Ok(day) = serde_json::from_str::<Day>(raw.get()) else {
            let reason = "a whole day has an unexpected form".to_owned();
            read.skipped.push(Skipped { id: None, reason });
            continue;
        };
        let date = day.date.and_then(date);
        is_complete &= date.is_some() && day.has_all_games();
        read.days.extend(date);
        read.extend(&day.games.unwrap_or_default(), GameContext { day: date, now });
    }
    if !is_complete || !read.skipped.is_empty() || read.games.len() >= MAX_GAMES {
        read.days.clear();
    }
    read
}

impl Games {
    fn extend(&mut self, games: &[&RawValue], context: GameContext) {
        let left = MAX_GAMES.saturating_sub(self.games.len() + self.skipped.len());
        for raw in games.iter().take(left) {
            match parse_game(raw, |game| game.game(context)) {
                Ok(game) => self.games.push(game),
                Err(skipped) => self.skipped.push(skipped),
            }
        }
    }
}

fn parse<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, Unreadable> {
    serde_json::from_str(text).map_err(|error| Unreadable(describe(&error)))
}

/// Where and how the JSON is wrong, without quoting it.
fn describe(error: &serde_json::Error) -> String {
    use serde_json::error::Category;
    let what = match error.classify() {
        Category::Io | Category::Syntax => "not JSON",
        Category::Data => "of an unexpected form",
        Category::Eof => "cut off",
    };
    format!("it is {what} at line {} column {}", error.line(), error.column())
}

/// Parses a single game.
fn parse_game<T>(
    raw: &RawValue,
    read: impl FnOnce(RawGame) -> Result<T, String>,
) -> Result<T, Skipped> {
    let game: RawGame = serde_json::from_str(raw.get()).map_err(|_| Skipped {
        id: serde_json::from_str::<Identity>(raw.get()).ok().map(|identity| identity.id),
        reason: "a field is missing or has the wrong type".to_owned(),
    })?;
    let id = game.id;
    read(game).map_err(|reason| Skipped { id: Some(id), reason })
}

fn date(raw: &RawValue) -> Option<NaiveDate> {
    parse_day(&serde_json::from_str::<String>(raw.get()).ok()?)
}

#[derive(Deserialize)]
struct GamesAnswer<'a> {
    #[serde(borrow, rename = "gameWeek")]
    game_week: Option<Vec<&'a RawValue>>,
    #[serde(borrow)]
    games: Option<Vec<&'a RawValue>>,
    #[serde(borrow, rename = "nextStartDate")]
    next_start_date: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Day<'a> {
    #[serde(borrow)]
    date: Option<&'a RawValue>,
    #[serde(borrow)]
    games: Option<Vec<&'a RawValue>>,
    #[serde(borrow, rename = "numberOfGames")]
    number_of_games: Option<&'a RawValue>,
}

impl Day<'_> {
    /// Whether it lists as many games as it claims to have.
    fn has_all_games(&self) -> bool {
        let claimed =
            self.number_of_games.and_then(|raw| serde_json::from_str::<usize>(raw.get()).ok());
        match &self.games {
            Some(games) => claimed.is_none_or(|claimed| claimed == games.len()),
            None => claimed == Some(0),
        }
    }
}

#[derive(Deserialize)]
struct ScoresAnswer<'a> {
    #[serde(borrow, rename = "currentDate")]
    current_date: Option<&'a RawValue>,
    #[serde(borrow)]
    games: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
struct Identity {
    id: i64,
}

#[cfg(test)]
mod tests {
    use chrono_tz::Tz;
    use rollcall_domain::{GameKind, GameState, Score, Team};
    use serde_json::{Value, json};

    use super::*;
    use crate::fixture::{day, game, noon, with};

    fn read(games: &[Value]) -> Games {
        let week = json!({
            "nextStartDate": "2026-11-30", "previousStartDate": "2026-11-16",
            "gameWeek": [
                { "date": "2026-11-23", "dayAbbrev": "MON", "numberOfGames": games.len(), "games": games },
                { "date": "2026-11-24", "games": [] },
                { "date": "2026-11-25", "numberOfGames": 0 },
            ],
            "oddsPartners": [],
        });
        read_games(&week.to_string(), noon()).unwrap()
    }

    fn only(game: Value) -> Game {
        let read = read(&[game]);
        assert_eq!(read.skipped, []);
        read.games.into_iter().next().unwrap()
    }

    #[test]
    fn a_game_is_parsed() {
        let team = |id, abbreviation: &str, name: &str| Team {
            id,
            abbreviation: abbreviation.to_owned(),
            name: name.to_owned(),
        };
        let expected = Game {
            id: 2_026_020_301,
            season: 20_262_027,
            kind: GameKind::Regular,
            day: day("2026-11-23"),
            starts_at: "2026-11-24T00:00:00Z".parse().unwrap(),
            is_time_open: false,
            away: team(6, "BOS", "Boston Bruins"),
            home: team(8, "MTL", "Montréal Canadiens"),
            venue: "Centre Bell".to_owned(),
            venue_zone: Some(Tz::America__Montreal),
            state: GameState::Future,
            score: None,
        };
        assert_eq!(only(game()), expected);
        assert_eq!(read(&[]).next, "2026-11-30".parse().ok());
    }

    #[test]
    fn complete_days_are_named() {
        let known = |days: Value| {
            let read = read_games(&json!({ "gameWeek": days }).to_string(), noon()).unwrap();
            read.days.iter().map(NaiveDate::to_string).collect::<Vec<_>>()
        };
        let whole = json!({ "date": "2026-11-23", "numberOfGames": 1, "games": [game()] });
        let empty = json!({ "date": "2026-11-24", "games": [] });
        assert_eq!(known(json!([whole, empty])), ["2026-11-23", "2026-11-24"]);
        assert_eq!(known(json!([])), [""; 0]);
        for incomplete in [
            json!({ "date": "2026-11-25", "numberOfGames": 2, "games": [game()] }),
            json!({ "date": "2026-11-25", "numberOfGames": 2 }),
            json!({ "date": "2026-11-25", "games": null }),
            json!({ "date": "2026-11-25" }),
            json!({ "games": [game()] }),
            json!({ "date": "soon", "games": [game()] }),
            json!({ "date": "+99999-11-25", "games": [game()] }),
            json!({ "date": "2026-11-25", "games": [with(json!({ "startTimeUTC": "soon" }))] }),
            json!({ "date": "2026-11-25", "games": [{}] }),
            json!({ "date": "2026-11-25", "games": {} }),
            json!({ "date": "2026-11-25", "games": vec![game(); MAX_GAMES] }),
            json!("2026-11-25"),
        ] {
            assert_eq!(known(json!([whole, incomplete, empty])), [""; 0], "{incomplete}");
        }
    }

    #[test]
    fn each_day_of_a_requested_week_is_complete() {
        let days = |days: Value| {
            let answer = json!({ "gameWeek": days }).to_string();
            read_week(&answer, day("2026-11-22"), noon()).unwrap().days
        };
        let listed = days(json!([{ "date": "2026-11-23", "games": [game()] }]));
        let week: BTreeSet<NaiveDate> = day("2026-11-22").iter_days().take(7).collect();
        assert_eq!(listed, week);
        assert_eq!(days(json!([{ "date": "2026-11-23", "games": [{}] }])), [].into());
        assert_eq!(days(json!([])), [].into());
    }

    #[test]
    fn an_invalid_day_does_not_affect_the_others() {
        let week = json!({ "gameWeek": [
            { "date": "2026-11-22", "games": "none" },
            { "date": "2026-11-23", "games": [game()] },
        ] });
        let read = read_games(&week.to_string(), noon()).unwrap();
        assert_eq!(read.games, [only(game())]);
        assert_eq!(read.skipped[0].reason, "a whole day has an unexpected form");
    }

    #[test]
    fn invalid_games_are_skipped_and_the_others_are_kept() {
        let odd = [
            with(json!({ "id": "x" })),
            with(json!({ "id": -5 })),
            with(json!({ "startTimeUTC": "soon" })),
            with(json!({ "startTimeUTC": "9999-01-01T00:00:00Z" })),
            with(json!({ "homeTeam": null })),
            with(json!({ "season": null })),
            with(
                json!({ "gameState": "LIVE", "awayTeam": { "score": -1 }, "homeTeam": { "score": 0 } }),
            ),
            json!([]),
            json!("game"),
        ];
        let read = read(&[&odd[..], &[game()]].concat());
        assert_eq!(read.games, [only(game())]);
        let skipped = |skipped: &Skipped| (skipped.id, skipped.reason.clone());
        let skipped: Vec<(Option<i64>, String)> = read.skipped.iter().map(skipped).collect();
        let id = Some(2_026_020_301);
        let expected = [
            (None, "a field is missing or has the wrong type"),
            (Some(-5), "its id is not a positive number"),
            (id, "its startTimeUTC is not a time"),
            (id, "its startTimeUTC is out of range"),
            (id, "a field is missing or has the wrong type"),
            (id, "it has no season"),
            (id, "its number of goals is not valid"),
            (None, "a field is missing or has the wrong type"),
            (None, "a field is missing or has the wrong type"),
        ];
        assert_eq!(skipped, expected.map(|(id, reason)| (id, reason.to_owned())));
    }

    #[test]
    fn an_invalid_response_is_located_and_not_quoted() {
        for (text, reason) in [
            ("<html>Ada</html>", "it is not JSON at line 1 column 1"),
            ("{\"gameWeek\":[", "it is cut off at line 1 column 13"),
            ("{}", "it has neither gameWeek nor games"),
            ("{\"gameWeek\":7}", "it is of an unexpected form at line 1 column 13"),
        ] {
            assert_eq!(read_games(text, noon()).unwrap_err().to_string(), reason);
        }
        assert!(read_scores("{}", noon()).is_err());
    }

    #[test]
    fn scores_and_lists_of_games_are_parsed() {
        let live = with(json!({
            "gameState": "LIVE", "period": 2, "clock": { "timeRemaining": "12:00" },
            "awayTeam": { "score": 1, "name": { "default": "Bruins" } }, "homeTeam": { "score": 3 },
        }));
        let answer = json!({ "currentDate": "2026-11-23", "games": [live, 5] }).to_string();
        let scores = read_scores(&answer, noon()).unwrap();
        let expected = GameUpdate {
            id: 2_026_020_301,
            day: day("2026-11-23"),
            starts_at: "2026-11-24T00:00:00Z".parse().unwrap(),
            is_time_open: false,
            state: GameState::Live,
            score: Some(Score { away: 1, home: 3 }),
        };
        assert_eq!(scores.updates, [expected]);
        assert_eq!(scores.skipped.len(), 1);
        assert_eq!(read_games(&answer, noon()).unwrap().games.len(), 1);
    }
}
