//! Parsing a game.

use std::ops::RangeInclusive;

use chrono::{DateTime, Datelike, NaiveDate, TimeDelta, Utc};
use chrono_tz::Tz;
use rollcall_domain::{
    Game, GameKind, GameState, GameUpdate, MAX_ABBREVIATION_CHARS, NHL_ZONE, Score, Team,
    undecided_start,
};
use serde::Deserialize;
use serde_json::Value;

use crate::{
    names::{LocalizedText, default_text, full_name, line},
    state::{Evidence, infer},
};

/// The accepted years; as text, databases keep them in order.
const YEARS: RangeInclusive<i32> = 1900..=2200;
/// From the placeholder start of a game without a time until the end of its day in New York.
const REST_OF_DAY: TimeDelta = TimeDelta::hours(12);
/// The periods before overtime, if the game does not have their number.
const REGULATION_PERIODS: i64 = 3;

/// Parses a day of an accepted year.
pub(crate) fn parse_day(text: &str) -> Option<NaiveDate> {
    let day: NaiveDate = text.parse().ok()?;
    YEARS.contains(&day.year()).then_some(day)
}

/// What the response around a game says about it.
#[derive(Clone, Copy)]
pub(crate) struct GameContext {
    /// The day under which it is listed.
    pub(crate) day: Option<NaiveDate>,
    /// The time of the response.
    pub(crate) now: DateTime<Utc>,
}

/// A game in the form of all responses. Fields that may be absent or invalid are parsed later.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RawGame {
    pub(crate) id: i64,
    season: Option<i32>,
    game_type: Option<i64>,
    game_date: Option<Value>,
    #[serde(rename = "startTimeUTC")]
    start_time_utc: Option<String>,
    venue: Option<LocalizedText>,
    venue_timezone: Option<String>,
    game_state: Option<String>,
    game_schedule_state: Option<String>,
    period: Option<Value>,
    period_descriptor: Option<Value>,
    clock: Option<Value>,
    game_outcome: Option<Value>,
    away_team: RawTeam,
    home_team: RawTeam,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawTeam {
    id: i64,
    abbrev: Option<String>,
    name: Option<LocalizedText>,
    place_name: Option<LocalizedText>,
    common_name: Option<LocalizedText>,
    score: Option<i64>,
}

impl RawGame {
    pub(crate) fn game(self, context: GameContext) -> Result<Game, String> {
        let update = self.update(context)?;
        Ok(Game {
            id: update.id,
            season: self.season.filter(|season| *season > 0).ok_or("it has no season")?,
            kind: match self.game_type {
                Some(1) => GameKind::Preseason,
                Some(2) => GameKind::Regular,
                Some(3) => GameKind::Playoffs,
                _ => GameKind::Other,
            },
            day: update.day,
            starts_at: update.starts_at,
            is_time_open: update.is_time_open,
            away: self.away_team.team()?,
            home: self.home_team.team()?,
            venue: default_text(self.venue.as_ref()),
            // An unknown zone counts as none.
            venue_zone: self.venue_timezone.and_then(|name| name.parse::<Tz>().ok()),
            state: update.state,
            score: update.score,
        })
    }

    pub(crate) fn update(&self, context: GameContext) -> Result<GameUpdate, String> {
        if self.id <= 0 {
            return Err("its id is not a positive number".to_owned());
        }
        let is_undecided = self.game_schedule_state.as_deref() == Some("TBD");
        let listed = self.own_day().or(context.day);
        let start = match listed {
            // The start is a placeholder.
            Some(_) if is_undecided => None,
            _ => self.start()?,
        };
        let day = listed
            .or_else(|| start.map(|at| at.with_timezone(&NHL_ZONE).date_naive()))
            .ok_or("it has no startTimeUTC")?;
        let (starts_at, is_time_open) = match start.filter(|_| !is_undecided) {
            Some(at) => (at, false),
            None => (undecided_start(day), true),
        };
        // Without a time, it may start as late as the end of its day.
        let latest_start = if is_time_open { starts_at + REST_OF_DAY } else { starts_at };
        let state = self.state(context.now - latest_start);
        let has_begun = state.is_live() || state.is_over() || state == GameState::Suspended;
        let score = match (self.away_team.score, self.home_team.score) {
            (Some(away), Some(home)) if has_begun => {
                Some(Score { away: goals(away)?, home: goals(home)? })
            }
            _ => None,
        };
        Ok(GameUpdate { id: self.id, day, starts_at, is_time_open, state, score })
    }

    /// The start; `None` if it is absent.
    fn start(&self) -> Result<Option<DateTime<Utc>>, String> {
        let Some(text) = &self.start_time_utc else { return Ok(None) };
        let at: DateTime<Utc> = text.parse().map_err(|_| "its startTimeUTC is not a time")?;
        match YEARS.contains(&at.year()) {
            true => Ok(Some(at)),
            false => Err("its startTimeUTC is out of range".to_owned()),
        }
    }

    fn own_day(&self) -> Option<NaiveDate> {
        parse_day(self.game_date.as_ref()?.as_str()?)
    }

    /// The schedule state takes precedence if the game does not take place. An unknown state is
    /// inferred from the other fields.
    fn state(&self, since_start: TimeDelta) -> GameState {
        match self.game_schedule_state.as_deref() {
            Some("PPD") => return GameState::Postponed,
            Some("CNCL" | "DONT_PLAY") => return GameState::Cancelled,
            Some("SUSP") => return GameState::Suspended,
            _ => {}
        }
        let known = match self.game_state.as_deref() {
            // The state between the end of a game and FINAL.
            Some("OVER") => Some(GameState::Final),
            Some(name) => GameState::from_name(name),
            None => None,
        };
        let known = known.filter(|state| *state != GameState::Unknown);
        known.unwrap_or_else(|| infer(&self.evidence(since_start)))
    }

    fn evidence(&self, since_start: TimeDelta) -> Evidence {
        let number = |of: &Option<Value>, place: &str| of.as_ref()?.pointer(place)?.as_i64();
        let text = |of: &Option<Value>, place: &str| {
            Some(of.as_ref()?.pointer(place)?.as_str()?.to_owned())
        };
        let regulation =
            number(&self.period_descriptor, "/maxRegulationPeriods").unwrap_or(REGULATION_PERIODS);
        let period =
            number(&self.period, "").or_else(|| number(&self.period_descriptor, "/number"));
        Evidence {
            has_outcome: text(&self.game_outcome, "/lastPeriodType").is_some()
                || self.game_schedule_state.as_deref() == Some("COMPLETED"),
            periods_left: period.map(|period| regulation.saturating_sub(period)),
            is_clock_at_zero: number(&self.clock, "/secondsRemaining") == Some(0)
                || text(&self.clock, "/timeRemaining").as_deref() == Some("00:00"),
            goals: self.away_team.score.zip(self.home_team.score),
            since_start,
        }
    }
}

impl RawTeam {
    fn team(&self) -> Result<Team, String> {
        if self.id <= 0 {
            return Err("a team's id is not a positive number".to_owned());
        }
        let abbreviation = line(self.abbrev.as_deref(), MAX_ABBREVIATION_CHARS);
        let (place, own) =
            (default_text(self.place_name.as_ref()), default_text(self.common_name.as_ref()));
        let whole = match (place.is_empty(), own.is_empty()) {
            (true, true) => default_text(self.name.as_ref()),
            _ => full_name(&place, &own),
        };
        let name = if whole.is_empty() { abbreviation.clone() } else { whole };
        match name.is_empty() {
            true => Err("a team has no name".to_owned()),
            false => Ok(Team { id: self.id, abbreviation, name }),
        }
    }
}

fn goals(goals: i64) -> Result<u16, String> {
    u16::try_from(goals).map_err(|_| "its number of goals is not valid".to_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::fixture::{day, merge, noon, with};

    /// Parses a game that is listed under its day.
    fn read(game: Value, now: DateTime<Utc>) -> Result<Game, String> {
        let game: RawGame = serde_json::from_value(game).unwrap();
        game.game(GameContext { day: Some(day("2026-11-23")), now })
    }

    fn only(game: Value) -> Game {
        read(game, noon()).unwrap()
    }

    #[test]
    fn known_and_unknown_states_are_parsed_with_their_scores() {
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
        assert_eq!(scored("OVER", "OK"), (GameState::Final, Some((2, 0)), false));
        assert_eq!(scored("FINAL", "OK"), (GameState::Final, Some((2, 0)), false));
        assert_eq!(scored("OFF", "OK"), (GameState::Official, Some((2, 0)), false));
        assert_eq!(scored("FUT", "PPD"), (GameState::Postponed, None, false));
        assert_eq!(scored("FUT", "CNCL"), (GameState::Cancelled, None, false));
        assert_eq!(scored("LIVE", "SUSP"), (GameState::Suspended, Some((2, 0)), false));
        assert_eq!(scored("FUT", "DONT_PLAY"), (GameState::Cancelled, None, false));
        assert_eq!(scored("FUT", "ADRIFT"), (GameState::Future, None, false));
        assert_eq!(only(with(json!({ "gameState": null }))).state, GameState::Unknown);
        assert_eq!(only(with(json!({ "gameType": 19 }))).kind, GameKind::Other);
        assert_eq!(only(with(json!({ "venueTimezone": "Moon/Sea" }))).venue_zone, None);
        assert_eq!(only(with(json!({ "venue": null }))).venue, "");
    }

    #[test]
    fn an_unknown_state_is_inferred_from_the_other_fields() {
        let inferred = |changes: Value, now: &str| {
            let mut game = with(json!({ "gameState": "HOVERING" }));
            merge(&mut game, changes);
            let game = read(game, now.parse().unwrap()).unwrap();
            (game.state, game.score.map(|score| (score.away, score.home)))
        };
        let before = "2026-11-23T17:00:00Z";
        let (early, late) = ("2026-11-24T01:00:00Z", "2026-11-24T09:00:00Z");
        let goals = json!({ "awayTeam": { "score": 2 }, "homeTeam": { "score": 0 } });
        let scored = |mut changes: Value| {
            merge(&mut changes, goals.clone());
            changes
        };
        let nil = json!({ "awayTeam": { "score": 0 }, "homeTeam": { "score": 0 } });
        let over = (GameState::Final, Some((2, 0)));
        assert_eq!(inferred(json!({}), before), (GameState::Unknown, None));
        assert_eq!(inferred(nil.clone(), before), (GameState::Unknown, None));
        assert_eq!(inferred(nil, early), (GameState::Live, Some((0, 0))));
        assert_eq!(inferred(goals.clone(), early), (GameState::Live, Some((2, 0))));
        assert_eq!(inferred(goals.clone(), late), over);
        assert_eq!(inferred(json!({}), late), (GameState::Final, None));
        let outcome = json!({ "gameOutcome": { "lastPeriodType": "REG" } });
        assert_eq!(inferred(scored(outcome), early), over);
        assert_eq!(inferred(scored(json!({ "gameScheduleState": "COMPLETED" })), early), over);
        for clock in [json!({ "timeRemaining": "00:00" }), json!({ "secondsRemaining": 0 })] {
            let third = json!({ "period": 3, "clock": clock });
            assert_eq!(inferred(scored(third), early), over);
            let second = json!({ "periodDescriptor": { "number": 2 }, "clock": clock });
            assert_eq!(inferred(scored(second), early), (GameState::Live, Some((2, 0))));
        }
        let huge = json!({ "period": i64::MIN, "periodDescriptor": { "maxRegulationPeriods": 3 } });
        assert_eq!(inferred(scored(huge), early), (GameState::Live, Some((2, 0))));
        // Fields of an unexpected form are ignored.
        let odd = json!({ "gameOutcome": 5, "period": "3", "clock": [0], "periodDescriptor": {} });
        assert_eq!(inferred(scored(odd), early), (GameState::Live, Some((2, 0))));
        assert_eq!(inferred(json!({ "gameState": null }), late), (GameState::Final, None));
        assert_eq!(inferred(json!({ "gameState": "UNKNOWN" }), late), (GameState::Final, None));
        // The schedule state still takes precedence.
        let postponed = scored(json!({ "gameScheduleState": "PPD" }));
        assert_eq!(inferred(postponed, late), (GameState::Postponed, None));
    }

    #[test]
    fn a_game_without_a_time_has_the_day_under_which_it_is_listed() {
        let open = |changes: Value| {
            let game = only(with(changes));
            assert!(game.is_time_open);
            (game.day.to_string(), game.starts_at.to_string())
        };
        let of_the_day = ("2026-11-23".to_owned(), "2026-11-23 17:00:00 UTC".to_owned());
        for placeholder in ["2026-11-23T05:00:00Z", "2026-11-23T00:00:00Z", "2026-11-24T04:59:00Z"]
        {
            let undecided = json!({ "gameScheduleState": "TBD", "startTimeUTC": placeholder });
            assert_eq!(open(undecided), of_the_day);
        }
        // The start is absent or not a time.
        assert_eq!(open(json!({ "startTimeUTC": null })), of_the_day);
        assert_eq!(open(json!({ "gameScheduleState": "TBD", "startTimeUTC": "?" })), of_the_day);
        assert_eq!(open(json!({ "gameScheduleState": "PPD", "startTimeUTC": null })), of_the_day);
        let moved = json!({ "gameScheduleState": "TBD", "gameDate": "2026-11-29" });
        assert_eq!(open(moved).0, "2026-11-29");
    }

    #[test]
    fn a_game_in_a_list_has_its_own_day_or_the_day_of_its_start() {
        let read = |changes: Value| {
            let game: RawGame = serde_json::from_value(with(changes)).unwrap();
            game.game(GameContext { day: None, now: noon() })
        };
        let of = |changes: Value| read(changes).unwrap().day.to_string();
        assert_eq!(of(json!({})), "2026-11-23", "midnight in UTC is evening in New York");
        assert_eq!(of(json!({ "gameDate": "2026-11-22" })), "2026-11-22");
        assert_eq!(of(json!({ "gameDate": "99999-01-01" })), "2026-11-23");
        assert_eq!(of(json!({ "gameDate": 5 })), "2026-11-23");
        let midnight =
            json!({ "gameScheduleState": "TBD", "startTimeUTC": "2026-04-20T04:00:00Z" });
        assert_eq!(of(midnight), "2026-04-20");
        let nothing = read(json!({ "startTimeUTC": null }));
        assert_eq!(nothing.unwrap_err(), "it has no startTimeUTC");
    }

    #[test]
    fn names_are_composed_of_the_fields_that_exist() {
        let name = |changes: Value| only(with(json!({ "homeTeam": changes }))).home.name;
        assert_eq!(name(json!({ "placeName": null })), "Canadiens");
        assert_eq!(name(json!({ "commonName": null })), "Montréal");
        let whole = json!({ "commonName": { "default": "Montréal Canadiens" } });
        assert_eq!(name(whole), "Montréal Canadiens");
        let nothing = json!({ "placeName": null, "commonName": { "default": null } });
        assert_eq!(name(nothing.clone()), "MTL");
        assert_eq!(
            name(json!({ "commonName": { "default": "a\u{0}\u{1b}[31m\n\u{202e}b" } })),
            "Montréal a [31m b"
        );
        let mut nameless = with(json!({ "homeTeam": nothing }));
        nameless["homeTeam"]["abbrev"] = json!("");
        assert_eq!(read(nameless, noon()).unwrap_err(), "a team has no name");
    }

    /// Any value of a field, valid or not.
    fn anything() -> impl Strategy<Value = Value> {
        let words = ["OK", "TBD", "PPD", "SUSP", "CNCL", "FUT", "LIVE", "OVER", "OFF", "HOVERING"];
        let days = ["2026-11-23", "2026-11-24T00:00:00Z", "+99999-01-01", "-0001-01-01", "00:00"];
        prop_oneof![
            Just(Value::Null),
            any::<i64>().prop_map(Value::from),
            (0_i64..6).prop_map(Value::from),
            prop::sample::select([words.as_slice(), days.as_slice()].concat())
                .prop_map(Value::from),
            ".{0,9}".prop_map(Value::from),
        ]
    }

    proptest! {
        #[test]
        fn any_game_is_refused_or_consistent(
            (state, schedule, start, day) in (anything(), anything(), anything(), anything()),
            (period, number, regulation, clock) in (anything(), anything(), anything(), anything()),
            (outcome, away, home) in (anything(), anything(), anything()),
            hours in -99_i64..99,
        ) {
            let game = with(json!({
                "gameState": state, "gameScheduleState": schedule, "startTimeUTC": start,
                "gameDate": day, "period": period, "clock": { "secondsRemaining": clock },
                "periodDescriptor": { "number": number, "maxRegulationPeriods": regulation },
                "gameOutcome": { "lastPeriodType": outcome },
                "awayTeam": { "score": away }, "homeTeam": { "score": home },
            }));
            let now = noon() + TimeDelta::hours(hours);
            let context = GameContext { day: None, now };
            let game = serde_json::from_value::<RawGame>(game).ok().and_then(|it| it.game(context).ok());
            if let Some(game) = game {
                prop_assert!(YEARS.contains(&game.day.year()) && YEARS.contains(&game.starts_at.year()));
                prop_assert!(!game.is_time_open || game.starts_at == undecided_start(game.day));
                let is_to_come = [GameState::Future, GameState::Pregame, GameState::Unknown];
                prop_assert!(game.score.is_none() || !is_to_come.contains(&game.state));
            }
        }
    }
}
