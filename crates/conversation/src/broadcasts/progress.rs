//! How far a broadcast is, as a message that is edited.

use std::time::Duration;

use chrono_tz::Tz;
use rollcall_domain::{Broadcast, BroadcastState, PauseReason, RecipientState, RecipientSums};

use super::{action::BroadcastAction, words};
use crate::{
    locale::Locale,
    reply::{Button, Screen},
};

/// How many characters a bar has.
const WIDTH: u64 = 12;

/// How far a broadcast is.
pub(super) struct Standing<'a> {
    pub(super) broadcast: &'a Broadcast,
    pub(super) sums: &'a RecipientSums,
    /// How many recipients get an outcome each second, if that is known.
    pub(super) pace: Option<f64>,
    /// The time zone of the owner who sees it.
    pub(super) zone: Tz,
}

/// Shows how far a broadcast is, with buttons for what can be done.
pub(super) fn progress(locale: &Locale, standing: &Standing<'_>) -> Screen {
    let Standing { broadcast, sums, .. } = standing;
    let head = [("name", words::name(&broadcast.plan).into())];
    let mut lines = vec![locale.format("broadcast-head", &head), state(locale, standing)];
    if broadcast.prepared_at.is_some() && sums.all() > 0 {
        let percent = locale.format("percent", &[("number", percent(sums).to_string().into())]);
        let numbers = [
            ("done", words::exact(locale, sums.settled()).into()),
            ("all", words::exact(locale, sums.all()).into()),
            ("percent", percent.into()),
        ];
        if !broadcast.state.has_ended() {
            lines.push(bar(sums));
        }
        lines.push(locale.format("broadcast-done", &numbers));
    } else if sums.all() > 0 {
        lines.push(locale.format("broadcast-prepared", &[("count", sums.all().into())]));
    }
    lines.extend(pace(locale, standing));
    lines.push(String::new());
    lines.extend(outcomes(locale, standing));
    while lines.last().is_some_and(String::is_empty) {
        lines.pop();
    }
    Screen { text: lines.join("\n"), buttons: buttons(locale, broadcast), ..Screen::default() }
}

/// Asks whether to cancel a broadcast.
pub(super) fn cancel_question(
    locale: &Locale,
    broadcast: &Broadcast,
    sums: &RecipientSums,
) -> Screen {
    let left = sums.of(RecipientState::Queued);
    let arguments = [("name", words::name(&broadcast.plan).into()), ("count", left.into())];
    let key = match broadcast.prepared_at {
        Some(_) => "broadcast-cancel-question",
        None => "broadcast-cancel-question-early",
    };
    let arguments = match broadcast.prepared_at {
        Some(_) => &arguments[..],
        None => &arguments[..1],
    };
    let cancel =
        words::button(locale, "button-cancel-broadcast", BroadcastAction::Cancel(broadcast.id));
    let buttons = vec![vec![cancel], vec![words::back_to(locale, broadcast.id)]];
    Screen { text: locale.format(key, arguments), buttons, ..Screen::default() }
}

fn state(locale: &Locale, standing: &Standing<'_>) -> String {
    let Standing { broadcast, zone, .. } = standing;
    if broadcast.state == BroadcastState::Scheduled
        && let Some(at) = broadcast.plan.starts_at
    {
        let at = words::moment(locale, at.with_timezone(zone)).into();
        return locale.format("broadcast-scheduled-for", &[("at", at)]);
    }
    let key = match broadcast.state {
        BroadcastState::Draft => "broadcast-state-draft",
        BroadcastState::Scheduled => "broadcast-state-scheduled",
        BroadcastState::Preparing => "broadcast-state-preparing",
        BroadcastState::Sending => "broadcast-state-sending",
        BroadcastState::Finished => "broadcast-state-finished",
        BroadcastState::Cancelled => "broadcast-state-cancelled",
        BroadcastState::Paused(reason) => match reason {
            PauseReason::Owner => "broadcast-paused",
            PauseReason::Content => "broadcast-paused-content",
            PauseReason::Safety => "broadcast-paused-safety",
            PauseReason::Restored => "broadcast-paused-restored",
            PauseReason::Audience => "broadcast-paused-audience",
        },
    };
    locale.text(key)
}

/// How many of a hundred recipients have an outcome, rounded down.
fn percent(sums: &RecipientSums) -> u128 {
    u128::from(sums.settled()) * 100 / u128::from(sums.all().max(1))
}

fn bar(sums: &RecipientSums) -> String {
    let full = u128::from(sums.settled()) * u128::from(WIDTH) / u128::from(sums.all().max(1));
    (0..u128::from(WIDTH)).map(|at| if at < full { '▓' } else { '░' }).collect()
}

/// How many messages go out each second, and how long the rest takes at that pace.
fn pace(locale: &Locale, standing: &Standing<'_>) -> Option<String> {
    if standing.broadcast.state != BroadcastState::Sending {
        return None;
    }
    let pace = standing.pace.filter(|pace| *pace >= 0.05)?;
    let rate = ("rate", rate(locale, pace).into());
    let left = standing.sums.all() - standing.sums.settled();
    match seconds(left, pace) {
        Some(seconds) => {
            let span = words::span(locale, Duration::from_secs(seconds)).into();
            Some(locale.format("broadcast-pace", &[rate, ("span", span)]))
        }
        None => Some(locale.format("broadcast-pace-only", &[rate])),
    }
}

/// A pace, with a decimal only if it is small.
fn rate(locale: &Locale, pace: f64) -> String {
    match format!("{pace:.1}").split_once('.') {
        Some((whole, tenth)) if pace < 9.95 => {
            let parts = [("whole", whole.into()), ("tenth", tenth.into())];
            locale.format("number-decimal", &parts)
        }
        _ => format!("{pace:.0}"),
    }
}

/// How many seconds so many recipients take at a pace; `None` if it is not known.
fn seconds(left: u64, pace: f64) -> Option<u64> {
    let left = Duration::from_secs(left).as_secs_f64();
    let seconds = Duration::try_from_secs_f64(left / pace).ok()?;
    Some(seconds.as_secs() + u64::from(seconds.subsec_nanos() > 0))
}

/// How many recipients have each outcome.
fn outcomes(locale: &Locale, standing: &Standing<'_>) -> Vec<String> {
    let Standing { broadcast, sums, .. } = standing;
    let mut lines = Vec::new();
    for (state, key) in [
        (RecipientState::Sent, "broadcast-sent"),
        (RecipientState::Unreachable, "broadcast-unreachable"),
        (RecipientState::Failed, "broadcast-failed"),
        (RecipientState::Skipped, "broadcast-skipped"),
        (RecipientState::Unknown, "broadcast-unknown"),
        (
            RecipientState::Queued,
            if broadcast.state.has_ended() { "broadcast-not-sent" } else { "broadcast-queued" },
        ),
    ] {
        let count = sums.of(state);
        let is_shown =
            count > 0 || (state == RecipientState::Sent && broadcast.prepared_at.is_some());
        let has_place = state != RecipientState::Queued || broadcast.prepared_at.is_some();
        if is_shown && has_place {
            lines.push(locale.format(key, &[("count", count.into())]));
        }
    }
    if broadcast.opt_outs > 0 {
        lines.push(locale.format("broadcast-opt-outs", &[("count", broadcast.opt_outs.into())]));
    }
    lines
}

fn buttons(locale: &Locale, broadcast: &Broadcast) -> Vec<Vec<Button>> {
    let id = broadcast.id;
    let pause = || words::button(locale, "button-pause", BroadcastAction::Pause(id));
    let resume = || words::button(locale, "button-resume", BroadcastAction::Resume(id));
    let cancel =
        || words::button(locale, "button-cancel-broadcast-ask", BroadcastAction::AskCancel(id));
    match broadcast.state {
        BroadcastState::Preparing | BroadcastState::Sending => vec![vec![pause(), cancel()]],
        BroadcastState::Paused(_) => vec![vec![resume(), cancel()]],
        BroadcastState::Scheduled => vec![vec![cancel()]],
        BroadcastState::Draft | BroadcastState::Finished | BroadcastState::Cancelled => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use rollcall_domain::Language;

    use super::*;
    use crate::{
        broadcasts::example::{broadcast, shown},
        html,
    };

    fn sums(of: &[(RecipientState, u64)]) -> RecipientSums {
        RecipientSums(of.iter().map(|(state, users)| ((*state, String::new()), *users)).collect())
    }

    #[test]
    fn progress_is_shown_in_every_language() {
        use RecipientState::{Claimed, Failed, Queued, Sent, Skipped, Unknown, Unreachable};
        let going = sums(&[(Queued, 800), (Claimed, 3), (Sent, 430), (Unreachable, 1)]);
        let mixed = sums(&[
            (Sent, 12_000),
            (Unreachable, 300),
            (Failed, 20),
            (Skipped, 5),
            (Unknown, 3),
            (Queued, 17),
        ]);
        let all = sums(&[(Sent, 1_234)]);
        let none = RecipientSums::default();
        for language in Language::ALL {
            let locale = Locale::of(language);
            let mut texts = Vec::new();
            let mut add = |state, sums: &RecipientSums, pace| {
                let mut broadcast = broadcast(state);
                if state == BroadcastState::Scheduled {
                    broadcast.plan.starts_at = Some("2026-11-28T17:00:00Z".parse().unwrap());
                }
                let zone = Tz::Europe__Berlin;
                let standing = Standing { broadcast: &broadcast, sums, pace, zone };
                let screen = progress(locale, &standing);
                assert_eq!(html::check(&screen.text), Ok(()), "{}", screen.text);
                texts.push(shown(&screen));
            };
            add(BroadcastState::Scheduled, &none, None);
            add(BroadcastState::Preparing, &none, None);
            add(BroadcastState::Preparing, &sums(&[(Queued, 2_000)]), None);
            add(BroadcastState::Sending, &none, None);
            add(BroadcastState::Sending, &going, None);
            add(BroadcastState::Sending, &going, Some(0.0));
            add(BroadcastState::Sending, &going, Some(4.25));
            add(BroadcastState::Sending, &going, Some(24.96));
            for reason in PauseReason::ALL {
                add(BroadcastState::Paused(reason), &mixed, Some(24.96));
            }
            add(BroadcastState::Finished, &all, None);
            add(BroadcastState::Finished, &mixed, None);
            add(BroadcastState::Cancelled, &going, None);
            add(BroadcastState::Cancelled, &none, None);
            for (state, sums) in [
                (BroadcastState::Preparing, &none),
                (BroadcastState::Sending, &going),
                (BroadcastState::Sending, &sums(&[(Queued, 1)])),
            ] {
                let question = cancel_question(locale, &broadcast(state), sums);
                assert_eq!(html::check(&question.text), Ok(()), "{}", question.text);
                texts.push(shown(&question));
            }
            let code = language.code();
            insta::assert_snapshot!(format!("progress_{code}"), texts.join("\n\n———\n\n"));
        }
    }

    #[test]
    fn the_bar_is_full_only_at_the_end() {
        for (settled, left, expected) in [
            (0, 0, "░░░░░░░░░░░░ 0"),
            (0, 5, "░░░░░░░░░░░░ 0"),
            (999_999, 1, "▓▓▓▓▓▓▓▓▓▓▓░ 99"),
            (1, 1, "▓▓▓▓▓▓░░░░░░ 50"),
            (7, 0, "▓▓▓▓▓▓▓▓▓▓▓▓ 100"),
            (u64::MAX / 2, u64::MAX / 2, "▓▓▓▓▓▓░░░░░░ 50"),
        ] {
            let sums = sums(&[(RecipientState::Sent, settled), (RecipientState::Queued, left)]);
            assert_eq!(format!("{} {}", bar(&sums), percent(&sums)), expected);
        }
    }

    #[test]
    fn the_remaining_time_is_known_only_at_a_pace() {
        for (left, pace, expected) in [
            (0, 25.0, Some(0)),
            (26, 25.0, Some(2)),
            (1_000, 25.0, Some(40)),
            (5, 0.0, None),
            (0, 0.0, None),
        ] {
            assert_eq!(seconds(left, pace), expected, "{left} at {pace}");
        }
        let german = Locale::of(Language::German);
        assert_eq!(
            [0.05, 9.94, 9.96, 999.5].map(|it| rate(german, it)),
            ["0,1", "9,9", "10", "1000"]
        );
    }
}
