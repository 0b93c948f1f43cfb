//! Reading answers. Only what is used is required, whatever else there is, now or some day.

use std::collections::BTreeSet;

use chrono::{DateTime, Days, NaiveDate, Utc};
use rollcall_domain::{Game, GameUpdate};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::game::{RawGame, Surroundings, read_day};

/// More games than any answer has; the rest of one that claims to have more is left.
const MAX_GAMES: usize = 2000;
/// How many days an answer to the question for a week covers.
const DAYS_OF_A_WEEK: u64 = 7;

/// The games of an answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Games {
    /// Those that could be read.
    pub games: Vec<Game>,
    /// Those that could not.
    pub skipped: Vec<Skipped>,
    /// The days, as the NHL counts them, of which `games` are all games. None where anything of the
    /// answer is missing or could not be read: a game that is not there may be just that.
    pub days: BTreeSet<NaiveDate>,
    /// The day from which to ask for more; `None` where the season is over.
    pub next: Option<NaiveDate>,
}

/// How the games of a day stand.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scores {
    /// Those that could be read.
    pub updates: Vec<GameUpdate>,
    /// Those that could not.
    pub skipped: Vec<Skipped>,
}

/// A game that could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// The NHL's number of the game, if that could be read.
    pub id: Option<i64>,
    /// Why, in words that quote nothing of it.
    pub reason: String,
}

/// An answer that cannot be read at all.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unreadable(String);

/// Reads the text of an answer with games: that of a week, or a list under `games`. `now` is when the
/// NHL gave it: by that, games in a state that this version does not know are judged.
///
/// # Errors
/// When it is not JSON, or has neither.
pub fn read_games(text: &str, now: DateTime<Utc>) -> Result<Games, Unreadable> {
    let answer: GamesAnswer = parse(text)?;
    let next = answer.next_start_date.and_then(date);
    let read = match (answer.game_week, answer.games) {
        (Some(days), _) => read_days(&days, now),
        (None, Some(games)) => {
            let mut read = Games::default();
            read.extend(&games, Surroundings { day: None, now });
            read
        }
        (None, None) => return Err(Unreadable("it has neither gameWeek nor games".to_owned())),
    };
    Ok(Games { next, ..read })
}

/// Reads the answer to the question for the week from a day on. Unlike a text that comes from
/// anywhere, it covers the whole week: a day that it does not list has no games.
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

/// Reads the text of an answer that tells how the games of a day stand.
pub(crate) fn read_scores(text: &str, now: DateTime<Utc>) -> Result<Scores, Unreadable> {
    let answer: ScoresAnswer = parse(text)?;
    let around = Surroundings { day: answer.current_date.and_then(date), now };
    let mut read = Scores::default();
    for raw in answer.games.into_iter().take(MAX_GAMES) {
        match each(raw, |game| game.update(around)) {
            Ok(update) => read.updates.push(update),
            Err(skipped) => read.skipped.push(skipped),
        }
    }
    Ok(read)
}

/// Reads the days of a week.
fn read_days(days: &[&RawValue], now: DateTime<Utc>) -> Games {
    let mut read = Games::default();
    let mut is_complete = true;
    for raw in days {
        let Ok(day) = serde_json::from_str::<Day>(raw.get()) else {
            let reason = "a whole day is not what is expected".to_owned();
            read.skipped.push(Skipped { id: None, reason });
            continue;
        };
        let date = day.date.and_then(date);
        is_complete &= date.is_some() && day.has_all_games();
        read.days.extend(date);
        read.extend(&day.games.unwrap_or_default(), Surroundings { day: date, now });
    }
    if !is_complete || !read.skipped.is_empty() || read.games.len() >= MAX_GAMES {
        read.days.clear();
    }
    read
}

impl Games {
    fn extend(&mut self, games: &[&RawValue], around: Surroundings) {
        let left = MAX_GAMES.saturating_sub(self.games.len() + self.skipped.len());
        for raw in games.iter().take(left) {
            match each(raw, |game| game.game(around)) {
                Ok(game) => self.games.push(game),
                Err(skipped) => self.skipped.push(skipped),
            }
        }
    }
}

fn parse<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, Unreadable> {
    serde_json::from_str(text).map_err(|error| Unreadable(place(&error)))
}

/// Where and in what way JSON is wrong, without quoting it.
fn place(error: &serde_json::Error) -> String {
    use serde_json::error::Category;
    let what = match error.classify() {
        Category::Io | Category::Syntax => "not JSON",
        Category::Data => "not what is expected",
        Category::Eof => "cut off",
    };
    format!("it is {what} at line {} column {}", error.line(), error.column())
}

/// Reads one game by itself.
fn each<T>(raw: &RawValue, read: impl FnOnce(RawGame) -> Result<T, String>) -> Result<T, Skipped> {
    let game: RawGame = serde_json::from_str(raw.get()).map_err(|_| Skipped {
        id: serde_json::from_str::<Identity>(raw.get()).ok().map(|identity| identity.id),
        reason: "a field is missing or of another kind".to_owned(),
    })?;
    let id = game.id;
    read(game).map_err(|reason| Skipped { id: Some(id), reason })
}

fn date(raw: &RawValue) -> Option<NaiveDate> {
    read_day(&serde_json::from_str::<String>(raw.get()).ok()?)
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
    /// Whether its games are listed, and as many as it says.
    fn has_all_games(&self) -> bool {
        let said =
            self.number_of_games.and_then(|raw| serde_json::from_str::<usize>(raw.get()).ok());
        match &self.games {
            Some(games) => said.is_none_or(|said| said == games.len()),
            None => said == Some(0),
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
    fn a_game_is_read() {
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
    fn the_days_of_which_nothing_is_missing_are_known() {
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
    fn of_a_week_that_was_asked_for_each_day_is_known() {
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
    fn a_day_that_cannot_be_read_leaves_the_others() {
        let week = json!({ "gameWeek": [
            { "date": "2026-11-22", "games": "none" },
            { "date": "2026-11-23", "games": [game()] },
        ] });
        let read = read_games(&week.to_string(), noon()).unwrap();
        assert_eq!(read.games, [only(game())]);
        assert_eq!(read.skipped[0].reason, "a whole day is not what is expected");
    }

    #[test]
    fn one_that_cannot_be_read_is_skipped_and_the_others_are_there() {
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
        let told = |skipped: &Skipped| (skipped.id, skipped.reason.clone());
        let told: Vec<(Option<i64>, String)> = read.skipped.iter().map(told).collect();
        let id = Some(2_026_020_301);
        let expected = [
            (None, "a field is missing or of another kind"),
            (Some(-5), "its id is not a positive number"),
            (id, "its startTimeUTC is not a time"),
            (id, "its startTimeUTC is in another century"),
            (id, "a field is missing or of another kind"),
            (id, "it has no season"),
            (id, "no team has so many goals"),
            (None, "a field is missing or of another kind"),
            (None, "a field is missing or of another kind"),
        ];
        assert_eq!(told, expected.map(|(id, reason)| (id, reason.to_owned())));
    }

    #[test]
    fn an_answer_that_is_none_tells_where_and_quotes_nothing() {
        for (text, reason) in [
            ("<html>Ada</html>", "it is not JSON at line 1 column 1"),
            ("{\"gameWeek\":[", "it is cut off at line 1 column 13"),
            ("{}", "it has neither gameWeek nor games"),
            ("{\"gameWeek\":7}", "it is not what is expected at line 1 column 13"),
        ] {
            assert_eq!(read_games(text, noon()).unwrap_err().to_string(), reason);
        }
        assert!(read_scores("{}", noon()).is_err());
    }

    #[test]
    fn scores_are_read_and_a_list_of_games_too() {
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
