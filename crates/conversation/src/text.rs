//! The texts that the bot sends, in Telegram's HTML (Bot API, "HTML style"). Users' words are escaped
//! and isolated, so that a name written from right to left does not reverse the text around it.

use chrono::{DateTime, Utc};
use rollcall_domain::{
    Change, Comparison, DayStats, SameHours, TelegramId, TelegramUser, UserStats, harmless,
};

use crate::locale::Locale;

/// Names are cut at this length in UTF-16 units, so that a page of users fits into one message:
/// Telegram's limit is 4096 units, and an emoji is two.
pub(crate) const SHOWN_NAME_UNITS: usize = 52;

/// Greets by the first name, if there is one, and says what the bot does.
pub(crate) fn greeting(locale: &Locale, user: &TelegramUser, has_schedule: bool) -> String {
    let hello = match user.visible_first_name() {
        Some(name) => locale.format("hello", &[("name", shown(name, SHOWN_NAME_UNITS).into())]),
        None => locale.text("hello-nameless"),
    };
    let about = if has_schedule { "about-schedule" } else { "about-plain" };
    format!("{hello} {}", locale.text(about))
}

/// The list of commands.
pub(crate) fn help(locale: &Locale, for_admin: bool, has_schedule: bool) -> String {
    let lines: &[&str] = match has_schedule {
        true => &[
            "help-start",
            "help-schedule",
            "help-settings",
            "help-id",
            "help-help",
            "help-privacy",
        ],
        false => &["help-start", "help-settings-plain", "help-id", "help-help", "help-privacy"],
    };
    let lines: Vec<String> = lines.iter().map(|key| locale.text(key)).collect();
    let mut help = lines.join("\n");
    if for_admin {
        help.push_str("\n\n");
        help.push_str(&locale.text("help-admin"));
    }
    help
}

/// The Telegram id of a user.
pub(crate) fn id(locale: &Locale, id: TelegramId) -> String {
    locale.format("id", &[("id", id.to_string().into())])
}

/// A sign-in link for an admin.
pub(crate) fn link(locale: &Locale, url: &str) -> String {
    locale.format("admin-link", &[("url", escaped(url).into())])
}

/// The figures for admins. The address of the dashboard is shown as text, because Telegram refuses
/// buttons and links with the address of the local machine.
pub(crate) fn stats(locale: &Locale, stats: &UserStats, dashboard: Option<&str>) -> String {
    let so_far = &stats.so_far;
    let part = |count, comparison: Option<Comparison>, key| {
        let change = match comparison {
            Some(Comparison::Change(change)) => format!(" ({})", shown_change(locale, change)),
            Some(Comparison::New) => format!(" ({})", locale.text("stats-no-users-before")),
            None => String::new(),
        };
        locale.format(key, &[("count", u64::into(count)), ("change", change.into())])
    };
    let today = |count, same_hours: SameHours, key| part(count, same_hours.week_before, key);
    let window =
        |count, ago: fn(&DayStats) -> u64, key| part(count, stats.since_week(count, ago), key);
    let users = [("users", stats.total_users.into()), ("reachable", stats.reachable_users.into())];
    let hour = format!("{:02}:00", so_far.full_hours);
    let mut text = format!(
        "{}\n\n<b>{}</b>: {}, {}\n{}, {}, {}\n<b>{}</b>: {}, {}\n<b>{}</b>: {}, {}\n\n{}",
        locale.format("stats-users", &users),
        locale.text("stats-today"),
        today(stats.active_today, so_far.active, "stats-active"),
        today(stats.new_today, so_far.new, "stats-new"),
        today(stats.interactions_today, so_far.interactions, "stats-interactions"),
        today(stats.blocked_today, so_far.blocked, "stats-blocked"),
        today(stats.unblocked_today, so_far.unblocked, "stats-unblocked"),
        locale.text("stats-7-days"),
        window(stats.active_7_days, |ago| ago.active_7_days, "stats-active"),
        window(stats.new_7_days, |ago| ago.new_7_days, "stats-new"),
        locale.text("stats-30-days"),
        window(stats.active_30_days, |ago| ago.active_30_days, "stats-active"),
        window(stats.new_30_days, |ago| ago.new_30_days, "stats-new"),
        match so_far.full_hours {
            0 => locale.text("stats-note-early"),
            _ => locale.format("stats-note", &[("hour", hour.into())]),
        },
    );
    if let Some(url) = dashboard {
        text.push_str("\n\n");
        text.push_str(&locale.format("stats-dashboard", &[("url", escaped(url).into())]));
    }
    text
}

/// A change with its percent sign as the language writes it.
fn shown_change(locale: &Locale, change: Change) -> String {
    let change = change.to_string();
    match change.strip_suffix('%') {
        Some(number) => locale.format("percent", &[("number", number.into())]),
        None => change,
    }
}

pub(crate) fn minute(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d %H:%M").to_string()
}

/// A user's words: shortened, escaped, and isolated from the direction of the text around them
/// (Unicode Annex 9, FSI and PDI). Characters that would break the line or the isolation become U+FFFD.
pub(crate) fn shown(text: &str, max_units: usize) -> String {
    let mut short = String::new();
    let mut units = 0;
    for c in text.chars() {
        units += c.len_utf16();
        if units > max_units {
            short.pop();
            short.push('…');
            break;
        }
        short.push(c);
    }
    format!("\u{2068}{}\u{2069}", escaped(&harmless(&short)))
}

pub(crate) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use chrono::NaiveDate;
    use proptest::prelude::*;
    use rollcall_domain::{Change, Interaction, InteractionKind, Language, Profile, TodaySoFar};

    use super::*;

    fn english() -> &'static Locale {
        Locale::of(Language::English)
    }

    fn user(n: i64, profile: impl Fn(Profile) -> Profile) -> TelegramUser {
        let at: DateTime<Utc> = "2026-11-20T12:34:56Z".parse().unwrap();
        let profile = profile(Profile::new(n.try_into().unwrap(), "Ada"));
        let mut user = TelegramUser::new(profile.telegram_id(), at);
        user.observe(&Interaction::new(at, profile, InteractionKind::Text), at);
        user
    }

    #[test]
    fn greets_by_name_and_escapes_it() {
        insta::assert_snapshot!(greeting(english(), &user(1, |ada| ada), true), @"Hello, \u{2068}Ada\u{2069}! I show you upcoming NHL games and live scores, in your language and time zone.");
        let nameless = TelegramUser::new(1.try_into().unwrap(), DateTime::UNIX_EPOCH);
        insta::assert_snapshot!(greeting(english(), &nameless, false), @"Hello! I keep a list of this bot's users for its owner.");
        let angular = Profile::new(1.try_into().unwrap(), "<b>&\u{0}</b>");
        assert!(
            greeting(english(), &user(1, |_| angular.clone()), true)
                .contains("\u{2068}&lt;b&gt;&amp;&lt;/b&gt;\u{2069}")
        );
    }

    #[test]
    fn a_user_without_a_visible_name_is_greeted_without_one() {
        for (first, last) in [("\u{3164}", ""), ("\u{200b}\u{2800}", "\u{202e}"), ("", "")] {
            let invisible =
                user(1815, |_| Profile::new(1815.try_into().unwrap(), first).last_name(last));
            for language in Language::ALL {
                let locale = Locale::of(language);
                let text = greeting(locale, &invisible, true);
                assert!(text.starts_with(&locale.text("hello-nameless")), "{text}");
            }
        }
    }

    #[test]
    fn shows_the_figures() {
        let change = |from, to| Some(Comparison::Change(Change { from, to }));
        let figures = UserStats {
            total_users: 1_234_567,
            reachable_users: 1_000_000,
            active_today: 999,
            active_7_days: 1000,
            active_30_days: 100_000,
            new_today: 0,
            new_7_days: 1,
            new_30_days: 12,
            interactions_today: 12_345,
            blocked_today: 3,
            unblocked_today: 0,
            first_day: NaiveDate::from_ymd_opt(2025, 1, 1),
            so_far: TodaySoFar {
                full_hours: 9,
                active: SameHours { week_before: change(892, 999), day_before: None },
                new: SameHours { week_before: change(2, 0), day_before: None },
                interactions: SameHours { week_before: change(11_757, 12_345), day_before: None },
                blocked: SameHours { week_before: Some(Comparison::New), day_before: None },
                unblocked: SameHours::default(),
            },
            week_before: Some(DayStats {
                active: 892,
                active_7_days: 1031,
                active_30_days: 99_100,
                new: 2,
                new_7_days: 0,
                new_30_days: 12,
                interactions: 11_757,
                blocked: 2,
                unblocked: 0,
            }),
        };
        let early = TodaySoFar::default();
        let early =
            stats(english(), &UserStats { so_far: early, week_before: None, ..figures }, None);
        assert!(early.contains("999 active, 0 new\n"), "{early}");
        assert!(early.contains("1,000 active (new), 1 new (new)\n"), "{early}");
        assert!(early.ends_with("once its first hour is over."), "{early}");
        insta::assert_snapshot!(stats(english(), &figures, None));
        for language in [Language::German, Language::Russian] {
            let locale = Locale::of(language);
            let texts = [
                stats(locale, &figures, Some("http://127.0.0.1:8080/admin")),
                help(locale, true, true),
                help(locale, false, false),
                greeting(locale, &user(1, |ada| ada), true),
                greeting(locale, &user(1, |ada| ada), false),
                id(locale, 1_234_567.try_into().unwrap()),
                link(locale, "https://example.org/admin/link/x?a&b"),
            ];
            insta::assert_snapshot!(
                format!("texts_of_{}", language.code()),
                texts.join("\n\n———\n\n")
            );
        }
    }

    proptest! {
        #[test]
        fn users_words_are_never_markup(name in any::<String>()) {
            let shown = shown(&name, 99);
            let has_unsafe = shown.contains(['<', '>', '\n', '\u{202e}', '\u{2066}']);
            prop_assert!(!has_unsafe);
            prop_assert_eq!(shown.matches(['\u{2068}', '\u{2069}']).count(), 2);
            let is_entity =
                |rest: &str| ["amp;", "lt;", "gt;"].iter().any(|it| rest.starts_with(it));
            prop_assert!(shown.split('&').skip(1).all(is_entity));
        }
    }
}
