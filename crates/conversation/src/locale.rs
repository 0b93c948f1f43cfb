//! The bot's texts in its languages: Fluent files (<https://projectfluent.org>), one folder a
//! language, that are part of the program. `docs/languages.md` describes how to add one.

use std::sync::OnceLock;

use chrono::{DateTime, Datelike, NaiveDate};
use chrono_tz::Tz;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue, concurrent::FluentBundle};
use rollcall_domain::{Language, group_digits};

const ENGLISH: &str = include_str!("../locales/en/bot.ftl");
const GERMAN: &str = include_str!("../locales/de/bot.ftl");
const RUSSIAN: &str = include_str!("../locales/ru/bot.ftl");

/// The texts of a language.
pub(crate) struct Locale {
    bundle: FluentBundle<FluentResource>,
}

impl Locale {
    /// The texts of a language.
    pub(crate) fn of(language: Language) -> &'static Self {
        static LOCALES: [OnceLock<Locale>; 3] = [const { OnceLock::new() }; 3];
        let [english, russian, german] = &LOCALES;
        let locale = match language {
            Language::English => english,
            Language::Russian => russian,
            Language::German => german,
        };
        locale.get_or_init(|| Self::new(language))
    }

    fn new(language: Language) -> Self {
        let id = language.code().parse().unwrap_or_default();
        let mut bundle = FluentBundle::new_concurrent(vec![id]);
        // Users' words are isolated where they are escaped; the rest reads from left to right.
        bundle.set_use_isolating(false);
        bundle.set_formatter(Some(match language {
            Language::English => |value, _| number_of(value, ','),
            Language::Russian => |value, _| number_of(value, '\u{a0}'),
            Language::German => |value, _| number_of(value, '.'),
        }));
        // Unreadable entries are left out; a test ensures that there are none.
        let resource = FluentResource::try_new(source(language).to_owned())
            .unwrap_or_else(|(resource, _)| resource);
        bundle.add_resource_overriding(resource);
        Self { bundle }
    }

    /// A text without arguments.
    pub(crate) fn text(&self, key: &str) -> String {
        self.format(key, &[])
    }

    /// A text with its arguments. Numbers choose plural forms and are grouped. Strings must be escaped
    /// already.
    pub(crate) fn format(&self, key: &str, arguments: &[(&str, Argument)]) -> String {
        let arguments: FluentArgs =
            arguments.iter().map(|(name, argument)| (*name, argument.value())).collect();
        let mut errors = Vec::new();
        let pattern = self.bundle.get_message(key).and_then(|message| message.value());
        let text = pattern
            .map(|pattern| self.bundle.format_pattern(pattern, Some(&arguments), &mut errors));
        debug_assert!(errors.is_empty(), "{key}: {errors:?}");
        debug_assert!(text.is_some(), "there is no text {key}");
        text.map_or_else(|| key.to_owned(), |text| text.into_owned())
    }

    /// A day without its year, such as `Monday, November 23`.
    pub(crate) fn day(&self, day: NaiveDate) -> String {
        let weekday = self.text(&format!("weekday-{}", day.weekday().number_from_monday()));
        let month = self.text(&format!("month-{}", day.month()));
        let number = day.day().to_string();
        self.format(
            "day",
            &[("weekday", weekday.into()), ("month", month.into()), ("day", number.into())],
        )
    }

    /// A time of day, such as `7:30 PM`.
    pub(crate) fn time(&self, at: DateTime<Tz>) -> String {
        at.format(&self.text("time-format")).to_string()
    }
}

/// An argument of a text.
pub(crate) enum Argument {
    /// A count.
    Count(u64),
    /// An escaped text.
    Text(String),
}

impl Argument {
    fn value(&self) -> FluentValue<'_> {
        match self {
            Self::Count(count) => FluentValue::from(*count),
            Self::Text(text) => FluentValue::from(text.as_str()),
        }
    }
}

impl From<u64> for Argument {
    fn from(count: u64) -> Self {
        Self::Count(count)
    }
}

impl From<String> for Argument {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&str> for Argument {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

fn source(language: Language) -> &'static str {
    match language {
        Language::English => ENGLISH,
        Language::Russian => RUSSIAN,
        Language::German => GERMAN,
    }
}

/// A whole number with grouped thousands; `None` if the value is not a number.
fn number_of(value: &FluentValue, separator: char) -> Option<String> {
    let FluentValue::Number(number) = value else { return None };
    Some(group_digits(&format!("{:.0}", number.value), separator))
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use fluent_syntax::{ast, parser};

    use super::*;

    /// Each text of a language with its arguments, including those of nested texts.
    fn keys(language: Language) -> BTreeMap<&'static str, BTreeSet<&'static str>> {
        let resource = parser::parse(source(language)).expect("a readable file");
        let mut keys = BTreeMap::new();
        for entry in resource.body {
            match entry {
                ast::Entry::Message(message) => {
                    let mut arguments = BTreeSet::new();
                    collect(&message.value.expect("a value"), &mut arguments);
                    assert!(message.attributes.is_empty());
                    let before = keys.insert(message.id.name, arguments);
                    assert_eq!(before, None, "{} is defined twice", message.id.name);
                }
                ast::Entry::Term(_) | ast::Entry::Junk { .. } => panic!("not a text: {entry:?}"),
                _ => {}
            }
        }
        keys
    }

    fn collect<'a>(pattern: &ast::Pattern<&'a str>, arguments: &mut BTreeSet<&'a str>) {
        for element in &pattern.elements {
            match element {
                ast::PatternElement::TextElement { .. } => {}
                ast::PatternElement::Placeable { expression } => match expression {
                    ast::Expression::Inline(inline) => collect_inline(inline, arguments),
                    ast::Expression::Select { selector, variants } => {
                        collect_inline(selector, arguments);
                        variants.iter().for_each(|variant| collect(&variant.value, arguments));
                    }
                },
            }
        }
    }

    fn collect_inline<'a>(
        inline: &ast::InlineExpression<&'a str>,
        arguments: &mut BTreeSet<&'a str>,
    ) {
        match inline {
            ast::InlineExpression::VariableReference { id } => {
                arguments.insert(id.name);
            }
            ast::InlineExpression::StringLiteral { .. } => {}
            other => panic!("more than this test understands: {other:?}"),
        }
    }

    #[test]
    fn every_language_has_every_text_with_the_same_arguments() {
        let english = keys(Language::English);
        assert!(english.len() > 100);
        for language in Language::ALL {
            assert_eq!(keys(language), english, "{language:?}");
        }
    }

    /// Texts with a count appear in each plural form, and with a number that is grouped.
    #[test]
    fn every_text_of_every_language_matches_its_snapshot() {
        const COUNTS: [u64; 6] = [0, 1, 2, 5, 21, 12_345];
        const NUMBERS: [&str; 4] = ["users", "count", "reachable", "total"];
        for language in Language::ALL {
            let locale = Locale::of(language);
            let mut all = String::new();
            for (key, arguments) in keys(language) {
                let counts = arguments.iter().any(|name| NUMBERS.contains(name));
                let mut variants: Vec<String> = COUNTS
                    .into_iter()
                    .take(if counts { COUNTS.len() } else { 1 })
                    .map(|count| {
                        let argument = |name: &&'static str| match NUMBERS.contains(name) {
                            true => (*name, Argument::Count(count)),
                            false => (*name, Argument::Text(format!("‹{name}›"))),
                        };
                        let arguments: Vec<_> = arguments.iter().map(argument).collect();
                        locale.format(key, &arguments)
                    })
                    .collect();
                variants.dedup();
                all.push_str(&format!("# {key}\n{}\n", variants.join("\n")));
            }
            insta::assert_snapshot!(format!("texts_{}", language.code()), all);
        }
    }

    #[test]
    fn no_text_is_unused_or_missing() {
        let sources = [
            include_str!("alerts.rs"),
            include_str!("broadcasts/audience.rs"),
            include_str!("broadcasts/compose.rs"),
            include_str!("broadcasts/draft.rs"),
            include_str!("broadcasts/outlook.rs"),
            include_str!("broadcasts/press.rs"),
            include_str!("broadcasts/progress.rs"),
            include_str!("broadcasts/speed.rs"),
            include_str!("broadcasts/times.rs"),
            include_str!("broadcasts/words.rs"),
            include_str!("claim.rs"),
            include_str!("consent.rs"),
            include_str!("conversation.rs"),
            include_str!("menu.rs"),
            include_str!("messages.rs"),
            include_str!("press.rs"),
            include_str!("privacy.rs"),
            include_str!("privacy_notice.rs"),
            include_str!("schedule.rs"),
            include_str!("segment_list.rs"),
            include_str!("selected_users.rs"),
            include_str!("settings_menu.rs"),
            include_str!("text.rs"),
            include_str!("user_list.rs"),
            include_str!("locale.rs"),
        ];
        for key in keys(Language::English).into_keys() {
            let numbered = key.trim_end_matches(|c: char| c.is_ascii_digit());
            let by_place = key.starts_with("region-");
            let is_used = sources.iter().any(|source| {
                source.contains(&format!("\"{key}\""))
                    || (numbered != key && source.contains(&format!("\"{numbered}{{}}\"")))
                    || (by_place && source.contains("\"region-{"))
            });
            assert!(is_used, "{key} is not used");
        }
    }

    #[test]
    fn times_and_days_are_in_the_form_of_the_language() {
        let at: DateTime<Tz> = "2026-11-23T18:05:00Z"
            .parse::<DateTime<chrono::Utc>>()
            .unwrap()
            .with_timezone(&Tz::America__New_York);
        let written = |language| {
            let locale = Locale::of(language);
            format!("{} | {}", locale.day(at.date_naive()), locale.time(at))
        };
        assert_eq!(written(Language::English), "Monday, November 23 | 1:05 PM");
        assert_eq!(written(Language::German), "Montag, 23. November | 13:05");
        assert_eq!(written(Language::Russian), "понедельник, 23 ноября | 13:05");
    }
}
