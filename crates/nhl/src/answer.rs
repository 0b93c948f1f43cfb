//! Reading answers. Only what is used is required, whatever else there is, now or some day.

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use rollcall_domain::{
    Game, GameKind, GameState, GameUpdate, MAX_ABBREVIATION_CHARS, MAX_TEAM_NAME_CHARS, Score, Team,
};
use serde::Deserialize;
use serde_json::value::RawValue;

/// More games than any answer has; the rest of one that claims to have more is left.
const MAX_GAMES: usize = 2000;

/// The games of an answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Games {
    /// Those that could be read.
    pub games: Vec<Game>,
    /// Those that could not.
    pub skipped: Vec<Skipped>,
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

/// Reads the text of an answer with games: that of a week, or a list under `games`.
///
/// # Errors
/// When it is not JSON, or has neither.
pub fn read_games(text: &str) -> Result<Games, Unreadable> {
    let answer: GamesAnswer = parse(text)?;
    let raw: Vec<&RawValue> = match (answer.game_week, answer.games) {
        (Some(days), _) => days.into_iter().flat_map(|day| day.games).collect(),
        (None, Some(games)) => games,
        (None, None) => return Err(Unreadable("it has neither gameWeek nor games".to_owned())),
    };
    let mut read = Games { next: answer.next_start_date.and_then(read_day), ..Games::default() };
    for raw in raw.into_iter().take(MAX_GAMES) {
        match each(raw, RawGame::game) {
            Ok(game) => read.games.push(game),
            Err(skipped) => read.skipped.push(skipped),
        }
    }
    Ok(read)
}

/// Reads the text of an answer that tells how the games of a day stand.
pub(crate) fn read_scores(text: &str) -> Result<Scores, Unreadable> {
    let answer: ScoresAnswer = parse(text)?;
    let mut read = Scores::default();
    for raw in answer.games.into_iter().take(MAX_GAMES) {
        match each(raw, RawGame::update) {
            Ok(update) => read.updates.push(update),
            Err(skipped) => read.skipped.push(skipped),
        }
    }
    Ok(read)
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
fn each<T>(raw: &RawValue, read: fn(RawGame) -> Result<T, String>) -> Result<T, Skipped> {
    let game: RawGame = serde_json::from_str(raw.get()).map_err(|_| Skipped {
        id: serde_json::from_str::<Identity>(raw.get()).ok().map(|identity| identity.id),
        reason: "a field is missing or of another kind".to_owned(),
    })?;
    let id = game.id;
    read(game).map_err(|reason| Skipped { id: Some(id), reason })
}

#[derive(Deserialize)]
struct GamesAnswer<'a> {
    #[serde(borrow, rename = "gameWeek")]
    game_week: Option<Vec<Day<'a>>>,
    #[serde(borrow)]
    games: Option<Vec<&'a RawValue>>,
    #[serde(borrow, rename = "nextStartDate")]
    next_start_date: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Day<'a> {
    #[serde(borrow, default)]
    games: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
struct ScoresAnswer<'a> {
    #[serde(borrow)]
    games: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
struct Identity {
    id: i64,
}

/// A game as both answers have it. What may be missing, or be anything, is read later.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawGame {
    id: i64,
    season: Option<i32>,
    game_type: Option<i64>,
    #[serde(rename = "startTimeUTC")]
    start_time_utc: String,
    venue: Option<Words>,
    venue_timezone: Option<String>,
    game_state: Option<String>,
    game_schedule_state: Option<String>,
    away_team: RawTeam,
    home_team: RawTeam,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawTeam {
    id: i64,
    abbrev: Option<String>,
    name: Option<Words>,
    place_name: Option<Words>,
    common_name: Option<Words>,
    score: Option<i64>,
}

/// Words in several languages, of which there is always a default.
#[derive(Deserialize)]
struct Words {
    default: Option<String>,
}

impl RawGame {
    fn game(self) -> Result<Game, String> {
        let update = self.update_of()?;
        let is_postponed = update.state == GameState::Postponed;
        let is_open = self.game_schedule_state.as_deref() == Some("TBD");
        Ok(Game {
            id: update.id,
            season: self.season.filter(|season| *season > 0).ok_or("it has no season")?,
            kind: match self.game_type {
                Some(1) => GameKind::Preseason,
                Some(2) => GameKind::Regular,
                Some(3) => GameKind::Playoffs,
                _ => GameKind::Other,
            },
            starts_at: update.starts_at,
            is_time_open: is_open && !is_postponed,
            away: self.away_team.team()?,
            home: self.home_team.team()?,
            venue: words(self.venue.as_ref()),
            // A zone that this version does not know is as good as none.
            venue_zone: self.venue_timezone.and_then(|name| name.parse::<Tz>().ok()),
            state: update.state,
            score: update.score,
        })
    }

    fn update(self) -> Result<GameUpdate, String> {
        self.update_of()
    }

    fn update_of(&self) -> Result<GameUpdate, String> {
        if self.id <= 0 {
            return Err("its id is not a positive number".to_owned());
        }
        let state = self.state();
        let has_begun = state.is_live() || state.is_over() || state == GameState::Suspended;
        let score = match (self.away_team.score, self.home_team.score) {
            (Some(away), Some(home)) if has_begun => {
                Some(Score { away: goals(away)?, home: goals(home)? })
            }
            _ => None,
        };
        Ok(GameUpdate { id: self.id, starts_at: self.starts_at()?, state, score })
    }

    fn starts_at(&self) -> Result<DateTime<Utc>, String> {
        let at: DateTime<Utc> =
            self.start_time_utc.parse().map_err(|_| "its startTimeUTC is not a time")?;
        // What a database holds as text in order, and no schedule is about other years.
        let years = 1900..=2200;
        match years.contains(&chrono::Datelike::year(&at)) {
            true => Ok(at),
            false => Err("its startTimeUTC is in another century".to_owned()),
        }
    }

    /// That it does not take place outweighs how it stands.
    fn state(&self) -> GameState {
        match self.game_schedule_state.as_deref() {
            Some("PPD") => GameState::Postponed,
            Some("CNCL") => GameState::Cancelled,
            Some("SUSP") => GameState::Suspended,
            _ => self
                .game_state
                .as_deref()
                .and_then(GameState::from_name)
                .unwrap_or(GameState::Unknown),
        }
    }
}

impl RawTeam {
    fn team(&self) -> Result<Team, String> {
        if self.id <= 0 {
            return Err("a team's id is not a positive number".to_owned());
        }
        let abbreviation = text(self.abbrev.as_deref(), MAX_ABBREVIATION_CHARS);
        let (place, own) = (words(self.place_name.as_ref()), words(self.common_name.as_ref()));
        let whole = match (place.is_empty(), own.is_empty()) {
            (false, false) => text(Some(&format!("{place} {own}")), MAX_TEAM_NAME_CHARS),
            (false, true) => place,
            (true, false) => own,
            (true, true) => words(self.name.as_ref()),
        };
        let name = if whole.is_empty() { abbreviation.clone() } else { whole };
        match name.is_empty() {
            true => Err("a team has no name".to_owned()),
            false => Ok(Team { id: self.id, abbreviation, name }),
        }
    }
}

fn goals(goals: i64) -> Result<u16, String> {
    u16::try_from(goals).map_err(|_| "no team has so many goals".to_owned())
}

fn words(words: Option<&Words>) -> String {
    text(words.and_then(|words| words.default.as_deref()), MAX_TEAM_NAME_CHARS)
}

/// A text on one line, without what steers the direction or a terminal, and not too long.
fn text(text: Option<&str>, max_chars: usize) -> String {
    let is_plain =
        |c: &char| !matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{fffd}');
    let spaced = text.unwrap_or_default().chars().map(|c| if c.is_control() { ' ' } else { c });
    let plain: String = spaced.filter(is_plain).collect();
    let words: Vec<&str> = plain.split_whitespace().collect();
    words.join(" ").chars().take(max_chars).collect()
}

fn read_day(raw: &RawValue) -> Option<NaiveDate> {
    serde_json::from_str::<String>(raw.get()).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn game() -> Value {
        json!({
            "id": 2026020301, "season": 20262027, "gameType": 2, "neutralSite": false,
            "venue": { "default": "Centre Bell", "fr": "Centre Bell" },
            "startTimeUTC": "2026-11-24T00:00:00Z", "easternUTCOffset": "-05:00",
            "venueTimezone": "America/Montreal", "gameState": "FUT", "gameScheduleState": "OK",
            "awayTeam": {
                "id": 6, "commonName": { "default": "Bruins" },
                "placeName": { "default": "Boston" }, "abbrev": "BOS", "radioLink": "…",
            },
            "homeTeam": {
                "id": 8, "commonName": { "default": "Canadiens" },
                "placeName": { "default": "Montréal", "fr": "Montréal" }, "abbrev": "MTL",
            },
            "tvBroadcasts": [],
        })
    }

    fn with(changes: Value) -> Value {
        let mut game = game();
        merge(&mut game, changes);
        game
    }

    fn merge(into: &mut Value, changes: Value) {
        match changes {
            Value::Object(fields) if into.is_object() => {
                for (name, value) in fields {
                    merge(&mut into[name], value);
                }
            }
            value => *into = value,
        }
    }

    fn read(games: &[Value]) -> Games {
        let week = json!({
            "nextStartDate": "2026-11-30", "previousStartDate": "2026-11-16",
            "gameWeek": [
                { "date": "2026-11-23", "dayAbbrev": "MON", "numberOfGames": 1, "games": games },
                { "date": "2026-11-24", "games": [] },
                { "date": "2026-11-25" },
            ],
            "oddsPartners": [],
        });
        read_games(&week.to_string()).unwrap()
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
    fn states_and_scores_are_read_also_such_as_nobody_knows_yet() {
        let scored = |state: &str, schedule: &str| {
            let game = only(with(json!({
                "gameState": state, "gameScheduleState": schedule,
                "awayTeam": { "score": 2 }, "homeTeam": { "score": 0 },
            })));
            (game.state, game.score.map(|score| (score.away, score.home)), game.is_time_open)
        };
        assert_eq!(scored("FUT", "OK"), (GameState::Future, None, false));
        assert_eq!(scored("FUT", "TBD"), (GameState::Future, None, true));
        assert_eq!(scored("PRE", "OK"), (GameState::Pregame, None, false));
        assert_eq!(scored("LIVE", "OK"), (GameState::Live, Some((2, 0)), false));
        assert_eq!(scored("CRIT", "OK"), (GameState::Critical, Some((2, 0)), false));
        assert_eq!(scored("OFF", "OK"), (GameState::Official, Some((2, 0)), false));
        assert_eq!(scored("FUT", "PPD"), (GameState::Postponed, None, false));
        assert_eq!(scored("FUT", "CNCL"), (GameState::Cancelled, None, false));
        assert_eq!(scored("LIVE", "SUSP"), (GameState::Suspended, Some((2, 0)), false));
        assert_eq!(scored("HOVERING", "ADRIFT"), (GameState::Unknown, None, false));
        assert_eq!(only(with(json!({ "gameState": null }))).state, GameState::Unknown);
        assert_eq!(only(with(json!({ "gameType": 19 }))).kind, GameKind::Other);
        assert_eq!(only(with(json!({ "venueTimezone": "Moon/Sea" }))).venue_zone, None);
        assert_eq!(only(with(json!({ "venue": null }))).venue, "");
    }

    #[test]
    fn names_are_put_together_of_what_there_is() {
        let name = |changes: Value| only(with(json!({ "homeTeam": changes }))).home.name;
        assert_eq!(name(json!({ "placeName": null })), "Canadiens");
        assert_eq!(name(json!({ "commonName": null })), "Montréal");
        let nothing = json!({ "placeName": null, "commonName": { "default": null } });
        assert_eq!(name(nothing.clone()), "MTL");
        assert_eq!(
            name(json!({ "commonName": { "default": "a\u{0}\u{1b}[31m\n\u{202e}b" } })),
            "Montréal a [31m b"
        );
        let mut nameless = with(json!({ "homeTeam": nothing }));
        nameless["homeTeam"]["abbrev"] = json!("");
        assert_eq!(read(&[nameless]).skipped[0].reason, "a team has no name");
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
            assert_eq!(read_games(text).unwrap_err().to_string(), reason);
        }
        assert!(read_scores("{}").is_err());
    }

    #[test]
    fn scores_are_read_and_a_list_of_games_too() {
        let live = with(json!({
            "gameState": "LIVE", "period": 2, "clock": { "timeRemaining": "12:00" },
            "awayTeam": { "score": 1, "name": { "default": "Bruins" } }, "homeTeam": { "score": 3 },
        }));
        let answer = json!({ "currentDate": "2026-11-23", "games": [live, 5] }).to_string();
        let scores = read_scores(&answer).unwrap();
        let expected = GameUpdate {
            id: 2_026_020_301,
            starts_at: "2026-11-24T00:00:00Z".parse().unwrap(),
            state: GameState::Live,
            score: Some(Score { away: 1, home: 3 }),
        };
        assert_eq!(scores.updates, [expected]);
        assert_eq!(scores.skipped.len(), 1);
        assert_eq!(read_games(&answer).unwrap().games.len(), 1);
    }
}
