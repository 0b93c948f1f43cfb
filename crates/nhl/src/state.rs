//! Infers the state of a game from its other fields, if the NHL's word for it is unknown.

use chrono::TimeDelta;
use rollcall_domain::GameState;

/// The longest duration of regulation, with pauses and delays. After it, the leading team has won.
const REGULATION: TimeDelta = TimeDelta::minutes(195);
/// The longest duration of a game, with overtimes.
const LONGEST_GAME: TimeDelta = TimeDelta::hours(8);

/// The fields of a game from which its state is inferred.
pub(crate) struct Evidence {
    /// Whether there is an outcome.
    pub(crate) has_outcome: bool,
    /// The periods left of regulation; negative in overtime.
    pub(crate) periods_left: Option<i64>,
    /// Whether the period's clock is at zero.
    pub(crate) is_clock_at_zero: bool,
    /// The goals of both teams.
    pub(crate) goals: Option<(i64, i64)>,
    /// The time since the scheduled start; negative before it.
    pub(crate) since_start: TimeDelta,
}

/// Infers the state.
pub(crate) fn infer(evidence: &Evidence) -> GameState {
    let Evidence { has_outcome, periods_left, is_clock_at_zero, goals, since_start } = *evidence;
    if has_outcome || since_start > LONGEST_GAME {
        return GameState::Final;
    }
    let Some((away, home)) = goals else { return GameState::Unknown };
    let is_decided = match periods_left {
        // The first goal of overtime ends the game.
        Some(..0) => true,
        Some(0) => is_clock_at_zero,
        Some(_) => false,
        None => since_start > REGULATION,
    };
    if is_decided && away != home {
        return GameState::Final;
    }
    match since_start >= TimeDelta::zero() || away > 0 || home > 0 {
        true => GameState::Live,
        false => GameState::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn evidence(minutes: i64, goals: Option<(i64, i64)>) -> Evidence {
        Evidence {
            has_outcome: false,
            periods_left: None,
            is_clock_at_zero: false,
            goals,
            since_start: TimeDelta::minutes(minutes),
        }
    }

    #[test]
    fn a_game_before_its_start_is_not_live() {
        for goals in [None, Some((0, 0))] {
            assert_eq!(infer(&evidence(-60, goals)), GameState::Unknown);
        }
        assert_eq!(
            infer(&evidence(60, None)),
            GameState::Unknown,
            "without goals it is not known to be live"
        );
    }

    #[test]
    fn a_game_with_a_score_is_live_from_its_start() {
        assert_eq!(infer(&evidence(6, Some((0, 0)))), GameState::Live);
        assert_eq!(infer(&evidence(156, Some((3, 2)))), GameState::Live);
        assert_eq!(infer(&evidence(-6, Some((1, 0)))), GameState::Live, "it began early");
    }

    #[test]
    fn a_game_with_an_outcome_is_over() {
        let ended = Evidence { has_outcome: true, ..evidence(120, Some((3, 2))) };
        assert_eq!(infer(&ended), GameState::Final);
    }

    #[test]
    fn a_game_whose_clock_has_run_out_is_over_unless_it_is_tied() {
        let clock = |periods_left, is_clock_at_zero, goals| {
            let periods_left = Some(periods_left);
            infer(&Evidence { periods_left, is_clock_at_zero, ..evidence(150, Some(goals)) })
        };
        assert_eq!(clock(0, true, (3, 2)), GameState::Final);
        assert_eq!(clock(0, true, (2, 2)), GameState::Live);
        assert_eq!(clock(0, false, (3, 2)), GameState::Live);
        assert_eq!(clock(1, true, (3, 2)), GameState::Live, "it is an intermission");
        assert_eq!(clock(-1, false, (3, 2)), GameState::Final, "it was decided in overtime");
        assert_eq!(clock(-1, true, (2, 2)), GameState::Live);
    }

    #[test]
    fn a_game_that_began_long_ago_is_over() {
        assert_eq!(infer(&evidence(210, Some((3, 2)))), GameState::Final);
        assert_eq!(infer(&evidence(210, Some((2, 2)))), GameState::Live, "it is in overtime");
        let late = Evidence { periods_left: Some(1), ..evidence(210, Some((3, 2))) };
        assert_eq!(infer(&late), GameState::Live, "it began late");
        for goals in [None, Some((0, 0)), Some((2, 2)), Some((3, 2))] {
            assert_eq!(infer(&evidence(486, goals)), GameState::Final);
        }
    }
}
