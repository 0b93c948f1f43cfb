//! Parses the conditions of a user list as people type them, in a URL, a form or a command.

use chrono::{Datelike, NaiveDate};

use crate::{
    Days, MAX_LANGUAGE_CODE_CHARS, ReachabilityFilter, SearchTerm, StartPayload, UserFilter,
};

/// Why a text cannot be used as a condition. The message says what is expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidFilter {
    /// It contains U+0000, which PostgreSQL cannot store, or U+FFFD, which stands for invalid
    /// UTF-8.
    #[error("expected text; it has a U+0000 or bytes that are not UTF-8")]
    NotText,
    /// It contains nothing to search for.
    #[error("expected a name, a @username or an id; there is nothing in it to search for")]
    NothingToFind,
    /// It is longer than a search term may be.
    #[error(
        "expected at most {} characters and {} words",
        SearchTerm::MAX_CHARS,
        SearchTerm::MAX_WORDS
    )]
    TooMuchToFind,
    /// It is longer than any stored language tag.
    #[error("expected a language such as en or pt-br")]
    Language,
    /// It cannot be the payload of a deep link.
    #[error("expected the payload of a deep link: up to 64 of A-Z, a-z, 0-9, _ and -")]
    Source,
    /// It is not a day, or one that not every database can compare.
    #[error("expected a day such as 2026-11-23, in a year from 0001 to 9999")]
    Day,
    /// It is not a number, or it is too large.
    #[error("expected a whole number from 0 to {}", u32::MAX)]
    Number,
}

/// Parses a search term for names or an id. It never cuts the term.
///
/// # Errors
/// If there is nothing to search for, or the term is too long.
pub fn read_search(text: &str) -> Result<SearchTerm, InvalidFilter> {
    let text = storable(text)?;
    if !SearchTerm::is_whole(text) {
        return Err(InvalidFilter::TooMuchToFind);
    }
    SearchTerm::new(text).ok_or(InvalidFilter::NothingToFind)
}

/// Parses the language of a user's client.
///
/// # Errors
/// If no user can have this language.
pub fn read_language(text: &str) -> Result<String, InvalidFilter> {
    let text = storable(text)?;
    if text.chars().count() > MAX_LANGUAGE_CODE_CHARS {
        return Err(InvalidFilter::Language);
    }
    Ok(text.to_owned())
}

/// Parses the payload of the deep link by which users joined.
///
/// # Errors
/// If it cannot be a payload.
pub fn read_source(text: &str) -> Result<String, InvalidFilter> {
    let payload = text.parse::<StartPayload>().map_err(|_| InvalidFilter::Source)?;
    Ok(payload.as_str().to_owned())
}

/// Parses a day in the format of date fields: `2026-11-23`.
///
/// # Errors
/// If it is not a day, or its year does not have four digits.
pub fn read_day(text: &str) -> Result<NaiveDate, InvalidFilter> {
    let is_plain = text.len() == 10 && text.starts_with(|c: char| c.is_ascii_digit());
    let day = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok();
    let day = day.filter(|day| is_plain && (1..=9999).contains(&day.year()));
    day.ok_or(InvalidFilter::Day)
}

/// Parses a number of days.
///
/// # Errors
/// If it is not a number, or too large.
pub fn read_number(text: &str) -> Result<u32, InvalidFilter> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| is_plain).ok_or(InvalidFilter::Number)
}

fn storable(text: &str) -> Result<&str, InvalidFilter> {
    if text.contains(['\0', '\u{fffd}']) { Err(InvalidFilter::NotText) } else { Ok(text) }
}

impl UserFilter {
    /// Describes the filter in one line for the audit log: `language:de days>=5`, or `all users`.
    /// The search term is left out, because it may be a user's name.
    pub fn summary(&self) -> String {
        let or_none =
            |text: &str| if text.is_empty() { "none".to_owned() } else { text.to_owned() };
        let range = |name: &str, days: Days| {
            let day = |day: Option<NaiveDate>| day.map(|it| it.to_string()).unwrap_or_default();
            let is_set = days.first.or(days.last).is_some();
            is_set.then(|| format!("{name}:{}..{}", day(days.first), day(days.last)))
        };
        let terms = [
            self.language.as_deref().map(|code| format!("language:{}", or_none(code))),
            self.source.as_deref().map(|payload| format!("source:{}", or_none(payload))),
            self.reachability.map(|reach| match reach {
                ReachabilityFilter::Reachable => "reachable".to_owned(),
                ReachabilityFilter::Unreachable => "unreachable".to_owned(),
                ReachabilityFilter::Blocked => "blocked".to_owned(),
            }),
            range("joined", self.first_seen),
            range("seen", self.last_seen),
            self.min_active_days.map(|days| format!("days>={days}")),
            self.max_active_days.map(|days| format!("days<={days}")),
            self.is_bot.map(|is_bot| if is_bot { "bot" } else { "-bot" }.to_owned()),
            self.search.as_ref().map(|_| "a search".to_owned()),
        ];
        let terms: Vec<String> = terms.into_iter().flatten().collect();
        if terms.is_empty() { "all users".to_owned() } else { terms.join(" ") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_need_years_of_four_digits() {
        for text in ["0001-01-01", "1970-01-01", "2026-11-23", "2024-02-29", "9999-12-31"] {
            assert_eq!(read_day(text).map(|day| day.to_string()).as_deref(), Ok(text));
        }
        for text in [
            "",
            "0000-01-01",
            "10000-01-01",
            "+2026-11-2",
            "-262143-01-01",
            "+262142-12-31",
            "2026-2-30",
            "2026-02-30",
            "2026-11-23T",
            "23.11.2026",
            "\u{0}",
            "２０２６-11",
        ] {
            assert_eq!(read_day(text), Err(InvalidFilter::Day), "{text:?}");
        }
    }

    #[test]
    fn a_search_term_is_used_in_full_or_rejected() {
        assert_eq!(read_search(" Ada  L ").unwrap().words(), ["ada", "l"]);
        assert!(read_search(&"a".repeat(100)).is_ok());
        assert!(read_search(&"a ".repeat(16)).is_ok());
        for (text, reason) in [
            ("", InvalidFilter::NothingToFind),
            ("@", InvalidFilter::NothingToFind),
            ("a\0", InvalidFilter::NotText),
            ("\u{fffd}", InvalidFilter::NotText),
            (&"a".repeat(101), InvalidFilter::TooMuchToFind),
            (&"a ".repeat(17), InvalidFilter::TooMuchToFind),
        ] {
            assert_eq!(read_search(text), Err(reason), "{text:?}");
        }
    }

    #[test]
    fn only_possible_languages_deep_links_and_numbers_are_accepted() {
        assert_eq!(read_language("zh-hant-beta").as_deref(), Ok("zh-hant-beta"));
        assert_eq!(read_language("\0"), Err(InvalidFilter::NotText));
        assert_eq!(read_language(&"x".repeat(36)), Err(InvalidFilter::Language));
        assert_eq!(read_source("spring_sale").as_deref(), Ok("spring_sale"));
        for odd in ["", "\0", "a b", "ü", &"x".repeat(65)] {
            assert_eq!(read_source(odd), Err(InvalidFilter::Source), "{odd:?}");
        }
        assert_eq!((read_number("0"), read_number("4294967295")), (Ok(0), Ok(u32::MAX)));
        for odd in ["", "-1", "+1", "1.5", "4294967296", "99999999999999999999", "x"] {
            assert_eq!(read_number(odd), Err(InvalidFilter::Number), "{odd:?}");
        }
    }

    #[test]
    fn an_error_says_what_is_expected() {
        assert_eq!(
            InvalidFilter::TooMuchToFind.to_string(),
            "expected at most 100 characters and 16 words"
        );
        assert_eq!(
            InvalidFilter::Day.to_string(),
            "expected a day such as 2026-11-23, in a year from 0001 to 9999"
        );
    }

    #[test]
    fn a_summary_lists_each_condition_but_not_the_search_term() {
        assert_eq!(UserFilter::default().summary(), "all users");
        let day = |text: &str| text.parse::<NaiveDate>().ok();
        let filter = UserFilter {
            language: Some("de".to_owned()),
            source: Some(String::new()),
            reachability: Some(ReachabilityFilter::Blocked),
            first_seen: Days { first: day("2026-01-01"), last: day("2026-02-01") },
            last_seen: Days { first: day("2026-03-01"), last: None },
            min_active_days: Some(5),
            max_active_days: Some(9),
            is_bot: Some(false),
            search: SearchTerm::new("lovelace"),
        };
        assert_eq!(
            filter.summary(),
            "language:de source:none blocked joined:2026-01-01..2026-02-01 seen:2026-03-01.. \
             days>=5 days<=9 -bot a search"
        );
    }
}
