//! Texts for numbers, states and actions.

use std::time::Duration;

use chrono::TimeDelta;
pub(crate) use rollcall_domain::grouped;
use rollcall_domain::{
    AuditAction, Counted, Language, TelegramUser, UnreachableReason, harmless, is_visible,
};

/// A number of users, as precise as it is known.
pub(crate) fn users(count: Counted) -> String {
    match count {
        Counted::Exactly(0) => "no users".to_owned(),
        Counted::Exactly(1) => "1 user".to_owned(),
        Counted::Exactly(number) => format!("{} users", grouped(number)),
        Counted::MoreThan(number) => format!("more than {} users", grouped(number)),
        Counted::About(number) => format!("about {} users", rounded(number)),
    }
}

/// A number of bots.
pub(crate) fn bots(count: Counted) -> String {
    let plural = if count == Counted::Exactly(1) { "" } else { "s" };
    format!("{} bot{plural}", number(count))
}

/// A number, with a mark where it is not exact.
pub(crate) fn number(count: Counted) -> String {
    match count {
        Counted::Exactly(number) => grouped(number),
        Counted::MoreThan(number) => format!("{}+", grouped(number)),
        Counted::About(number) => format!("≈ {}", rounded(number)),
    }
}

/// A number with its sign.
pub(crate) fn signed(number: i64) -> String {
    let sign = match number {
        0 => "",
        _ if number < 0 => "−",
        _ => "+",
    };
    format!("{sign}{}", grouped(number.unsigned_abs()))
}

/// A part of a whole as a percentage with one decimal.
pub(crate) fn percent(part: u64, whole: u64) -> String {
    let tenths = (part * 1000 + whole / 2).checked_div(whole).unwrap_or_default();
    format!("{}.{}%", tenths / 10, tenths % 10)
}

/// All users of a list, to select or export.
pub(crate) fn all(count: Counted, is_everybody: bool) -> String {
    let number = match count {
        Counted::Exactly(number) => Some(grouped(number)),
        Counted::MoreThan(_) | Counted::About(_) => None,
    };
    match (number, is_everybody) {
        (Some(number), true) if number == "1" => "the only user".to_owned(),
        (Some(number), false) if number == "1" => "the only matching user".to_owned(),
        (Some(number), true) => format!("all {number} users"),
        (Some(number), false) => format!("all {number} matching users"),
        (None, true) => "all users".to_owned(),
        (None, false) => "all matching users".to_owned(),
    }
}

/// Describes an invisible text by the Unicode numbers of its characters.
/// `None` if something is visible.
pub(crate) fn invisible(text: &str) -> Option<String> {
    if is_visible(text) {
        return None;
    }
    let mut characters: Vec<_> = text.chars().take(MAX_NUMBERED).map(numbered).collect();
    if text.chars().nth(MAX_NUMBERED).is_some() {
        characters.push("…".to_owned());
    }
    Some(format!("no visible characters: {}", characters.join(" ")))
}

/// How many characters of an invisible text are shown.
const MAX_NUMBERED: usize = 5;

fn numbered(c: char) -> String {
    format!("U+{:04X}", u32::from(c))
}

/// An approximate number.
fn rounded(number: u64) -> String {
    let tenths = |unit: u64| {
        let tenths = (number + unit / 20) / (unit / 10);
        match (tenths / 10, tenths % 10) {
            (whole, 0) => grouped(whole),
            (whole, tenth) => format!("{}.{tenth}", grouped(whole)),
        }
    };
    match number {
        0..10_000 => grouped((number + 50) / 100 * 100),
        10_000..999_500 => grouped((number + 500) / 1000 * 1000),
        999_500..999_950_000 => format!("{} million", tenths(1_000_000)),
        _ => format!("{} billion", tenths(1_000_000_000)),
    }
}

/// How long ago something was, in its largest unit.
pub(crate) fn ago(since: TimeDelta) -> String {
    let [minutes, hours, days] = [since.num_minutes(), since.num_hours(), since.num_days()];
    let (number, unit) = match () {
        () if minutes < 1 => return "just now".to_owned(),
        () if hours < 1 => (minutes, "minute"),
        () if days < 1 => (hours, "hour"),
        () if days < 30 => (days, "day"),
        () if days < 365 => (days / 30, "month"),
        () => (days / 365, "year"),
    };
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {unit}{plural} ago")
}

/// A span of time, in its largest unit.
pub(crate) fn span(span: Duration) -> String {
    let (seconds, minutes, hours) = (span.as_secs(), span.as_secs() / 60, span.as_secs() / 3_600);
    let (number, unit) = match () {
        () if minutes < 2 => (seconds, "second"),
        () if hours < 2 => (minutes, "minute"),
        () => (hours, "hour"),
    };
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {unit}{plural}")
}

/// Whether a user can be reached: the CSS class, and the text.
pub(crate) fn state(user: &TelegramUser) -> (&'static str, &'static str) {
    match user.reachability.obstacle {
        Some(UnreachableReason::Blocked) => ("bad", "Blocked the bot"),
        Some(UnreachableReason::Deactivated) => ("warn", "Account deleted"),
        Some(UnreachableReason::ChatNotFound) => ("warn", "Chat not found"),
        Some(UnreachableReason::NeverStarted) => ("warn", "Never started"),
        None if user.reachability.has_private_chat => ("good", "Reachable"),
        None => ("", "No private chat"),
    }
}

/// The title of a change of reachability.
pub(crate) fn reach(obstacle: Option<UnreachableReason>) -> &'static str {
    match obstacle {
        None => "Reachable again",
        Some(UnreachableReason::Blocked) => "Blocked the bot",
        Some(UnreachableReason::Deactivated) => "Account deleted",
        Some(UnreachableReason::ChatNotFound) => "Chat not found",
        Some(UnreachableReason::NeverStarted) => "Never started the bot",
    }
}

/// The title of an action in the audit log.
pub(crate) fn action(action: AuditAction) -> &'static str {
    match action {
        AuditAction::SignedIn => "Signed in",
        AuditAction::SignInFailed => "Failed to sign in",
        AuditAction::PassedFirstFactor => "Was asked for the second factor",
        AuditAction::SecondFactorFailed => "Entered a wrong second factor",
        AuditAction::Confirmed => "Confirmed their identity",
        AuditAction::ConfirmationFailed => "Failed to confirm their identity",
        AuditAction::EnabledSecondFactor => "Turned the second factor on",
        AuditAction::DisabledSecondFactor => "Turned the second factor off",
        AuditAction::ResetSecondFactor => "Reset a second factor",
        AuditAction::UsedRecoveryCode => "Used a recovery code",
        AuditAction::RenewedRecoveryCodes => "Renewed their recovery codes",
        AuditAction::AddedPasskey => "Added a passkey",
        AuditAction::RemovedPasskey => "Removed a passkey",
        AuditAction::UsedPasskey => "Used a passkey",
        AuditAction::SignedOut => "Signed out",
        AuditAction::SignedOutEverywhere => "Signed out everywhere",
        AuditAction::EndedSession => "Ended a session",
        AuditAction::EndedOtherSessions => "Ended their other sessions",
        AuditAction::CreatedAdmin => "Created an account",
        AuditAction::InvitedAdmin => "Invited an admin",
        AuditAction::WithdrewInvitation => "Withdrew an invitation",
        AuditAction::AcceptedInvitation => "Accepted an invitation",
        AuditAction::ClaimedBot => "Became the owner with a claim code",
        AuditAction::ChangedPassword => "Changed a password",
        AuditAction::DisabledAdmin => "Disabled an account",
        AuditAction::EnabledAdmin => "Enabled an account",
        AuditAction::ChangedRole => "Changed a role",
        AuditAction::RemovedAdmin => "Removed an account",
        AuditAction::ViewedUser => "Viewed a user",
        AuditAction::ChangedNote => "Changed a note",
        AuditAction::ChangedPreferences => "Changed preferences",
        AuditAction::AddedPrivacyRequest => "Added a privacy request",
        AuditAction::FinishedPrivacyRequest => "Finished a privacy request",
        AuditAction::CopiedUserData => "Downloaded a copy of a user’s data",
        AuditAction::DeletedUser => "Deleted a user",
        AuditAction::DeletedUsers => "Deleted users",
        AuditAction::SavedSegment => "Saved a segment",
        AuditAction::DeletedSegment => "Deleted a segment",
        AuditAction::ExportedUsers => "Exported users",
        AuditAction::ImportedUsers => "Imported users",
        AuditAction::AllowedSource => "Allowed a source",
        AuditAction::DroppedSource => "Dropped a source",
        AuditAction::CreatedLabel => "Created a tag or group",
        AuditAction::DescribedLabel => "Described a tag or group",
        AuditAction::DeletedLabel => "Deleted a tag or group",
        AuditAction::AddedLabel => "Added a tag or group",
        AuditAction::RemovedLabel => "Removed a tag or group",
        AuditAction::UndidLabelChange => "Undid a change of tags or groups",
        AuditAction::CreatedBroadcast => "Created a broadcast",
        AuditAction::ChangedBroadcast => "Changed a draft",
        AuditAction::StartedBroadcast => "Started a broadcast",
        AuditAction::ScheduledBroadcast => "Scheduled a broadcast",
        AuditAction::PausedBroadcast => "Paused a broadcast",
        AuditAction::ResumedBroadcast => "Resumed a broadcast",
        AuditAction::CancelledBroadcast => "Cancelled a broadcast",
        AuditAction::SetBroadcastCategory => "Set a category of broadcasts",
        AuditAction::CreatedApiKey => "Created an API key",
        AuditAction::RevokedApiKey => "Revoked an API key",
    }
}

/// The English name of a language.
pub(crate) fn language(language: Language) -> &'static str {
    match language {
        Language::English => "English",
        Language::Russian => "Russian",
        Language::German => "German",
    }
}

/// How much of a typed text is quoted.
const MAX_QUOTED_CHARS: usize = 40;

/// A typed text, shortened and without control characters, to quote in a sentence.
pub(crate) fn quoted(typed: &str) -> String {
    let short: String = typed.chars().take(MAX_QUOTED_CHARS).collect();
    let rest = if short.len() < typed.len() { "…" } else { "" };
    format!("{}{rest}", harmless(&short))
}

/// An error as a sentence.
pub(crate) fn sentence(error: &str) -> String {
    let mut characters = error.chars();
    let first: String = characters.next().map(|c| c.to_uppercase().collect()).unwrap_or_default();
    let end = if error.ends_with('?') { "" } else { "." };
    format!("{first}{}{end}", characters.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_has_one_unit() {
        for (seconds, expected) in [
            (1, "1 second"),
            (119, "119 seconds"),
            (120, "2 minutes"),
            (7_199, "119 minutes"),
            (7_200, "2 hours"),
        ] {
            assert_eq!(span(Duration::from_secs(seconds)), expected);
        }
    }

    #[test]
    fn invisible_characters_are_shown_by_their_numbers() {
        assert_eq!(invisible("Ada"), None);
        assert_eq!(invisible("\u{3164}").as_deref(), Some("no visible characters: U+3164"));
        let long = "\u{200b}".repeat(255);
        let expected = "no visible characters: U+200B U+200B U+200B U+200B U+200B …";
        assert_eq!(invisible(&long).as_deref(), Some(expected));
    }

    #[test]
    fn a_number_shows_whether_it_is_exact() {
        let numbers = [Counted::Exactly(2_345), Counted::MoreThan(10_000), Counted::About(7_000)];
        assert_eq!(numbers.map(number), ["2,345", "10,000+", "≈ 7,000"]);
    }

    #[test]
    fn a_time_is_as_long_ago_as_its_largest_unit() {
        for (since, text) in [
            (TimeDelta::seconds(-5), "just now"),
            (TimeDelta::seconds(59), "just now"),
            (TimeDelta::seconds(60), "1 minute ago"),
            (TimeDelta::minutes(59), "59 minutes ago"),
            (TimeDelta::minutes(60), "1 hour ago"),
            (TimeDelta::hours(47), "1 day ago"),
            (TimeDelta::days(29), "29 days ago"),
            (TimeDelta::days(30), "1 month ago"),
            (TimeDelta::days(364), "12 months ago"),
            (TimeDelta::days(800), "2 years ago"),
        ] {
            assert_eq!(ago(since), text);
        }
    }

    #[test]
    fn counts_are_as_precise_as_they_are_known() {
        for (count, text) in [
            (Counted::Exactly(0), "no users"),
            (Counted::Exactly(1), "1 user"),
            (Counted::Exactly(1_234), "1,234 users"),
            (Counted::MoreThan(1_000), "more than 1,000 users"),
            (Counted::About(3_449), "about 3,400 users"),
            (Counted::About(456_789), "about 457,000 users"),
            (Counted::About(999_499), "about 999,000 users"),
            (Counted::About(999_500), "about 1 million users"),
            (Counted::About(2_345_678), "about 2.3 million users"),
            (Counted::About(12_960_000), "about 13 million users"),
            (Counted::About(1_250_000_000), "about 1.3 billion users"),
        ] {
            assert_eq!(users(count), text);
        }
    }
}
