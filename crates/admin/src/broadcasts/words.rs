//! The states of broadcasts and of recipients in words.

use chrono::TimeDelta;
use rollcall_domain::{
    Broadcast, BroadcastPlan, BroadcastState, OnUnknown, PauseReason, RecipientState, SkipReason,
    UnreachableReason, WinnerBy,
};

use crate::page::text;

/// A state as a word, and its class.
pub(super) fn state(state: BroadcastState) -> (&'static str, &'static str) {
    match state {
        BroadcastState::Draft => ("", "Draft"),
        BroadcastState::Scheduled => ("warn", "Scheduled"),
        BroadcastState::Preparing => ("warn", "Preparing"),
        BroadcastState::Sending => ("warn", "Sending"),
        BroadcastState::Paused(PauseReason::Owner) => ("", "Paused"),
        BroadcastState::Paused(_) => ("bad", "Paused"),
        BroadcastState::Finished => ("good", "Finished"),
        BroadcastState::Cancelled => ("", "Cancelled"),
    }
}

/// Why a broadcast is paused, for a list.
pub(super) fn why(state: BroadcastState) -> Option<&'static str> {
    Some(match state.reason()? {
        PauseReason::Owner => "by an owner",
        PauseReason::Content => "Telegram refuses the message",
        PauseReason::Safety => "too many recipients did not get it",
        PauseReason::Restored => "the database was restored",
        PauseReason::Audience => "its filter no longer works",
    })
}

/// What a state means, and what an owner can do about it.
pub(super) fn meaning(broadcast: &Broadcast) -> &'static str {
    match broadcast.state {
        BroadcastState::Draft => {
            "Nothing has been sent. The recipients are those that the filter selects when it starts."
        }
        BroadcastState::Scheduled => {
            "It starts by itself at its time, if the bot is running then. The recipients are those \
             that the filter selects at that moment."
        }
        BroadcastState::Preparing => {
            "The recipients are being stored. Messages go out as soon as that is complete."
        }
        BroadcastState::Sending => {
            "Messages are going out. You can close this page; the bot continues without it."
        }
        BroadcastState::Paused(PauseReason::Owner) => {
            "An owner paused it. Resume continues with the recipients that are still queued. The \
             others do not get it again."
        }
        BroadcastState::Paused(PauseReason::Content) => {
            "Telegram refuses the message for every user, so it was paused at the first refusal. The \
             bot's log has Telegram's reason. If the cause is in the message, cancel this broadcast \
             and write a new one. If you removed the cause, resume."
        }
        BroadcastState::Paused(PauseReason::Safety) => {
            "More than 10% of the last 500 recipients blocked the bot or could not get the message. \
             Look at the reasons below. Resume if they are harmless; it pauses again if as many fail."
        }
        BroadcastState::Paused(PauseReason::Restored) => {
            "The database was restored from a backup, so messages that were sent after the backup are \
             not recorded here. If you resume, their recipients get the message a second time. Cancel \
             to avoid that."
        }
        BroadcastState::Paused(PauseReason::Audience) => {
            "Its filter names a segment, tag or group that was deleted. Create it again and resume, or \
             cancel this broadcast."
        }
        BroadcastState::Finished => "Every recipient has an outcome.",
        BroadcastState::Cancelled => {
            "An owner ended it. Recipients that were still queued did not get the message."
        }
    }
}

/// The time at which each user gets a broadcast by their own clock.
pub(super) fn local_time(plan: &BroadcastPlan) -> Option<String> {
    Some(plan.times.local_time?.format("%Y-%m-%d %H:%M").to_string())
}

/// What decides which variant is the best.
pub(super) fn wins(by: WinnerBy) -> &'static str {
    match by {
        WinnerBy::Presses => "the most presses",
        WinnerBy::Blocks => "the fewest blocks",
    }
}

/// How the best variant of a plan is found, in a sentence.
pub(super) fn test(plan: &BroadcastPlan) -> Option<String> {
    let test = plan.experiment.test?;
    Some(format!(
        "{} of the recipients test the variants. The one with {} wins {} after the last of their \
         messages, and goes out to the others.",
        test.part,
        wins(test.by),
        duration(test.after)
    ))
}

/// A state of recipients as a word.
pub(super) fn outcome(state: RecipientState) -> &'static str {
    match state {
        RecipientState::Queued => "Queued",
        RecipientState::Claimed => "Going out",
        RecipientState::Sent => "Sent",
        RecipientState::Failed => "Failed",
        RecipientState::Unreachable => "Unreachable",
        RecipientState::Skipped => "Skipped",
        RecipientState::Unknown => "Unknown",
    }
}

/// What a state of recipients means.
pub(super) fn outcome_meaning(state: RecipientState, broadcast: &Broadcast) -> &'static str {
    match (state, broadcast.state, broadcast.plan.on_unknown) {
        (RecipientState::Queued, BroadcastState::Cancelled, _) => "They did not get the message.",
        (RecipientState::Queued, ..) => "Their message is still to be sent.",
        (RecipientState::Claimed, ..) => "Their message is being sent at this moment.",
        (RecipientState::Sent, ..) => "Telegram accepted the message.",
        (RecipientState::Failed, ..) => "Telegram refused the message for these users.",
        (RecipientState::Unreachable, ..) => {
            "They blocked the bot, deleted their account or never started the bot."
        }
        (RecipientState::Skipped, ..) => "The message was not to be sent to them; see the reasons.",
        (RecipientState::Unknown, ..) => {
            "The bot stopped, or Telegram's answer was lost, while their message went out. They may or \
             may not have it, and do not get it again."
        }
    }
}

/// What becomes of recipients whose outcome is unknown after a crash.
pub(super) fn on_unknown(on_unknown: OnUnknown) -> &'static str {
    match on_unknown {
        OnUnknown::Skip => "Leave them out: every user gets the message at most once",
        OnUnknown::Resend => "Send again: a few users may get the message twice",
    }
}

/// Why recipients did not get the message.
pub(super) fn reason(state: RecipientState, name: &str) -> String {
    match state {
        RecipientState::Unreachable => match UnreachableReason::from_name(name) {
            Some(reason) => text::reach(Some(reason)).to_owned(),
            None if name == "no_private_chat" => "No private chat".to_owned(),
            None => name.to_owned(),
        },
        RecipientState::Skipped => skipped(name).map_or_else(|| name.to_owned(), str::to_owned),
        _ => name.to_owned(),
    }
}

fn skipped(name: &str) -> Option<&'static str> {
    let known = |reason: SkipReason, text| (reason.name() == name).then_some(text);
    known(SkipReason::OptedOut, "Opted out of the category")
        .or_else(|| known(SkipReason::Erased, "Was deleted from the database"))
        .or_else(|| known(SkipReason::Expired, "The time for this broadcast was over"))
        .or_else(|| known(SkipReason::Capped, "Got enough messages of the category this week"))
        .or_else(|| known(SkipReason::HeldOut, "Held out, to compare the others with"))
}

/// Why users are left out before a start, after their number.
pub(super) fn left_out(reason: &str) -> &'static str {
    match reason {
        "opted_out" => "opted out of the category",
        "capped" => "had enough messages of the category this week",
        "unreachable" => "cannot be reached",
        "bots" => "are bots",
        _ => "held out at random",
    }
}

/// A length of time in its two largest units.
pub(super) fn duration(time: TimeDelta) -> String {
    let seconds = time.num_seconds().max(0);
    let units = [("day", 86_400), ("h", 3_600), ("min", 60), ("s", 1)];
    let first = units.iter().position(|(_, size)| seconds >= *size).unwrap_or(units.len() - 1);
    let mut rest = seconds;
    let mut parts = Vec::new();
    for (name, size) in units.iter().skip(first).take(2) {
        let number = rest / size;
        rest %= size;
        if number > 0 || parts.is_empty() {
            let plural = if *name == "day" && number != 1 { "s" } else { "" };
            parts.push(format!("{} {name}{plural}", text::grouped(number.unsigned_abs())));
        }
    }
    parts.join(" ")
}

/// A number of recipients.
pub(super) fn recipients(number: u64) -> String {
    match number {
        0 => "no recipients".to_owned(),
        1 => "1 recipient".to_owned(),
        _ => format!("{} recipients", text::grouped(number)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_has_its_two_largest_units() {
        for (seconds, text) in [
            (-5, "0 s"),
            (0, "0 s"),
            (59, "59 s"),
            (60, "1 min"),
            (61, "1 min 1 s"),
            (3_600, "1 h"),
            (3_661, "1 h 1 min"),
            (86_400, "1 day"),
            (180_000, "2 days 2 h"),
        ] {
            assert_eq!(duration(TimeDelta::seconds(seconds)), text);
        }
    }

    #[test]
    fn each_reason_for_skipping_has_its_words() {
        let reasons = [
            SkipReason::OptedOut,
            SkipReason::Erased,
            SkipReason::Expired,
            SkipReason::Capped,
            SkipReason::HeldOut,
        ];
        for it in reasons {
            assert_ne!(reason(RecipientState::Skipped, it.name()), it.name());
        }
        assert_eq!(reason(RecipientState::Skipped, "other"), "other");
        assert_eq!(reason(RecipientState::Unreachable, "blocked"), "Blocked the bot");
        assert_eq!(reason(RecipientState::Failed, "Bad Request: <b>"), "Bad Request: <b>");
    }
}
