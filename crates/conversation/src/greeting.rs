//! Greetings of the bot's owner, in place of ours: a Fluent file (<https://projectfluent.org>) with a
//! message per language, such as `greeting-de = Hallo, { $name }!`.

use std::{collections::BTreeMap, fmt};

use fluent_syntax::{
    ast::{Entry, Expression, InlineExpression, Pattern, PatternElement},
    parser::{ParserError, parse},
    unicode::unescape_unicode_to_string,
};
use rollcall_domain::{Language, TelegramUser};

use crate::{
    html,
    text::{SHOWN_NAME_UNITS, shown},
};

/// The longest message that Telegram accepts, in UTF-16 units, with room for the name.
const MAX_UNITS: usize = 4096 - SHOWN_NAME_UNITS - 2;
const EXAMPLE: &str = "greeting-en = Hello, { $name }!";

/// The greetings by the names of their messages. Languages that are not among them keep ours.
#[derive(Clone, Debug, Default)]
pub struct Greetings(BTreeMap<String, Greeting>);

/// A greeting in pieces; `None` stands for the user's name.
type Greeting = Vec<Option<String>>;

/// A file of greetings that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct InvalidGreetings {
    /// The line, counted from 1; `None` if the whole file is meant.
    pub line: Option<usize>,
    /// What is wrong, and what is expected instead.
    pub reason: String,
}

impl fmt::Display for InvalidGreetings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "line {line}: {}", self.reason),
            None => f.write_str(&self.reason),
        }
    }
}

impl Greetings {
    /// Reads the text of a file.
    ///
    /// # Errors
    /// If it is not Fluent, contains anything but greetings, or Telegram would refuse one of them.
    pub fn read(text: &str) -> Result<Self, InvalidGreetings> {
        let text = text.trim_start_matches('\u{feff}').replace("\r\n", "\n");
        let file = parse(text.as_str()).map_err(|(_, errors)| not_fluent(&text, &errors))?;
        let mut greetings = BTreeMap::new();
        for entry in &file.body {
            let (name, value, is_plain) = match entry {
                Entry::Message(it) => (it.id.name, it.value.as_ref(), it.attributes.is_empty()),
                Entry::Term(term) => (term.id.name, None, false),
                _ => continue,
            };
            let line = Some(line_of(&text, name));
            let invalid = |reason| InvalidGreetings { line, reason };
            if !names().any(|known| known == name) {
                let known: Vec<String> =
                    Language::ALL.map(|it| format!("greeting-{}", it.code())).into();
                let reason = format!("{name} is not a greeting; expected {}", known.join(", "));
                return Err(invalid(reason));
            }
            let value = value.filter(|_| is_plain);
            let value = value.ok_or_else(|| invalid(format!("expected only a text: {EXAMPLE}")))?;
            let greeting = pieces(value).map_err(invalid)?;
            // The name must stand between tags, not in one.
            let sample = with_name(&greeting, "<i>N</i>");
            html::check(&sample).map_err(invalid)?;
            if sample.encode_utf16().count() > MAX_UNITS {
                let reason = format!("it is too long; expected at most {MAX_UNITS} characters");
                return Err(invalid(reason));
            }
            if greetings.insert(name.to_owned(), greeting).is_some() {
                return Err(invalid(format!("{name} is there twice; expected it once")));
            }
        }
        match greetings.is_empty() {
            true => Err(InvalidGreetings {
                line: None,
                reason: format!("it has no greeting; expected lines such as {EXAMPLE}"),
            }),
            false => Ok(Self(greetings)),
        }
    }

    /// The greeting of a user in a language, if there is one. Users without a visible name get the one
    /// without a name, or are called by their id.
    pub(crate) fn greeting(&self, language: Language, user: &TelegramUser) -> Option<String> {
        let own = |group: &str| self.0.get(&format!("{group}{}", language.code()));
        let (name, nameless) = match user.visible_first_name() {
            Some(name) => (name.to_owned(), None),
            None => (user.shown_name(), own(NAMELESS)),
        };
        let greeting = nameless.or_else(|| own(NAMED))?;
        Some(with_name(greeting, &shown(&name, SHOWN_NAME_UNITS)))
    }
}

const NAMED: &str = "greeting-";
const NAMELESS: &str = "greeting-nameless-";

/// The names of all messages that a file may have.
fn names() -> impl Iterator<Item = String> {
    let of = |group: &'static str| Language::ALL.map(|it| format!("{group}{}", it.code()));
    of(NAMED).into_iter().chain(of(NAMELESS))
}

fn with_name(greeting: &Greeting, name: &str) -> String {
    greeting.iter().map(|piece| piece.as_deref().unwrap_or(name)).collect()
}

fn pieces(pattern: &Pattern<&str>) -> Result<Greeting, String> {
    let piece = |element: &PatternElement<&str>| match element {
        PatternElement::TextElement { value } => Ok(Some((*value).to_owned())),
        PatternElement::Placeable { expression: Expression::Inline(inline) } => match inline {
            InlineExpression::VariableReference { id } if id.name == "name" => Ok(None),
            InlineExpression::VariableReference { id } => {
                Err(format!("{{ ${} }} is unknown; expected {{ $name }}", id.name))
            }
            InlineExpression::StringLiteral { value } => {
                Ok(Some(unescape_unicode_to_string(value).into_owned()))
            }
            _ => Err("only text and names can be used; expected { $name }".to_owned()),
        },
        PatternElement::Placeable { .. } => {
            Err("there can be no choice between texts; expected { $name }".to_owned())
        }
    };
    pattern.elements.iter().map(piece).collect()
}

fn not_fluent(text: &str, errors: &[ParserError]) -> InvalidGreetings {
    let line = errors.first().map(|error| {
        let before = text.get(..error.pos.start).unwrap_or(text);
        // An unclosed brace is noticed at the beginning of a later line.
        let begun = error.slice.as_ref().is_some_and(|slice| slice.start < error.pos.start);
        let before = if begun && before.ends_with('\n') { before.trim_end() } else { before };
        before.matches('\n').count() + 1
    });
    let kind = errors.first().map(|error| format!(" ({error})")).unwrap_or_default();
    InvalidGreetings { line, reason: format!("it is not Fluent{kind}; expected {EXAMPLE}") }
}

/// The line of a message; the last one of several with the same name.
fn line_of(text: &str, name: &str) -> usize {
    let starts = |line: &str| {
        let line = line.trim_start_matches('-');
        line.strip_prefix(name).is_some_and(|rest| rest.trim_start().starts_with('='))
    };
    let line = text.lines().enumerate().filter(|(_, line)| starts(line)).last();
    line.map_or(1, |(index, _)| index + 1)
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Utc};
    use proptest::prelude::*;
    use rollcall_domain::{Interaction, InteractionKind, Profile};

    use super::*;

    fn user(name: &str) -> TelegramUser {
        let at: DateTime<Utc> = "2026-11-20T12:34:56Z".parse().unwrap();
        let profile = Profile::new(7.try_into().unwrap(), name);
        let mut user = TelegramUser::new(profile.telegram_id(), at);
        user.observe(&Interaction::new(at, profile, InteractionKind::Text), at);
        user
    }

    fn greeting(file: &str, language: Language, name: &str) -> Option<String> {
        Greetings::read(file).unwrap().greeting(language, &user(name))
    }

    #[test]
    fn each_language_has_its_greeting_and_others_have_none() {
        let file = "\u{feff}# Ours\r\ngreeting-en = Welcome, { $name }!\r\n\
                    greeting-de =\r\n    Moin, <b>{ $name }</b>!\r\n\r\n      Schön{ \" &amp; \" }gut.\r\n";
        let english = greeting(file, Language::English, "<Ada>");
        assert_eq!(english.as_deref(), Some("Welcome, \u{2068}&lt;Ada&gt;\u{2069}!"));
        let german = greeting(file, Language::German, "Ada");
        let expected = "Moin, <b>\u{2068}Ada\u{2069}</b>!\n\n  Schön &amp; gut.";
        assert_eq!(german.as_deref(), Some(expected));
        assert_eq!(greeting(file, Language::Russian, "Ada"), None);
        assert!(Greetings::default().greeting(Language::English, &user("Ada")).is_none());
    }

    #[test]
    fn users_without_a_visible_name_have_a_greeting_too() {
        let named = "greeting-en = Hi { $name }\n";
        let called = greeting(named, Language::English, "\u{3164}");
        assert_eq!(called.as_deref(), Some("Hi \u{2068}User 7\u{2069}"));
        let both = format!("{named}greeting-nameless-en = Hi there\n");
        assert_eq!(greeting(&both, Language::English, "\u{3164}").as_deref(), Some("Hi there"));
        let ada = greeting(&both, Language::English, "Ada");
        assert_eq!(ada.as_deref(), Some("Hi \u{2068}Ada\u{2069}"));
    }

    #[test]
    fn a_wrong_file_is_named_with_its_line_and_what_is_expected() {
        let long = format!("greeting-en = {}", "x".repeat(MAX_UNITS + 1));
        for (file, line, named) in [
            ("", None, "it has no greeting"),
            ("# greeting-en = Hi\n", None, "it has no greeting"),
            ("Hello, everybody!\n", Some(1), "it is not Fluent"),
            ("greeting-en = Hi\n\nhello world\n", Some(3), "it is not Fluent"),
            ("greeting-en = Hi { $name\ngreeting-de = Hallo\n", Some(1), "it is not Fluent"),
            ("# x\ngreeting-en = Hi\n    } there\n", Some(3), "it is not Fluent"),
            ("greeting-de = Hallo\ngreeting-en =\n", Some(2), "it is not Fluent"),
            ("greeting-en = Hi { $nmae }\n", Some(1), "{ $nmae } is unknown; expected { $name }"),
            (
                "greeting-de = Hallo\ngreeting-fr = Salut\n",
                Some(2),
                "greeting-fr is not a greeting",
            ),
            ("greeting = Hi\n", Some(1), "expected greeting-en, greeting-ru, greeting-de"),
            ("-brand = X\ngreeting-en = Hi\n", Some(1), "brand is not a greeting"),
            ("greeting-en = Hi { -brand }\n", Some(1), "only text and names"),
            ("greeting-en = Hi { greeting-de }\n", Some(1), "only text and names"),
            ("greeting-en = Hi { NUMBER(1) }\n", Some(1), "only text and names"),
            ("greeting-en =\n    { $name ->\n       *[x] Hi\n    }\n", Some(1), "no choice"),
            ("greeting-en = Hi\n    .nameless = Hi\n", Some(1), "expected only a text"),
            ("greeting-en = Hi\n\ngreeting-en = Ho\n", Some(3), "is there twice"),
            ("greeting-en = <b>Hi\n", Some(1), "<b> has no end"),
            ("greeting-en = <a href=\"{ $name }\">Hi</a>\n", Some(1), "a tag is not closed"),
            ("greeting-en = { \"\" }\n", Some(1), "it shows nothing"),
            (long.as_str(), Some(1), "it is too long"),
        ] {
            let error = Greetings::read(file).unwrap_err();
            assert_eq!(error.line, line, "{file:?}: {error}");
            assert!(error.reason.contains(named), "{file:?}: {error}");
            assert!(error.reason.contains("expected"), "{file:?}: {error}");
            assert!(!error.to_string().contains('\n'), "{file:?}: {error}");
        }
    }

    proptest! {
        #[test]
        fn any_file_is_read_without_a_panic(text in any::<String>(), half in "(greeting-(en|de|x) = [a<>&{}$ \"\\\\\n]{0,20}\n){0,4}") {
            for text in [text, half] {
                if let Err(error) = Greetings::read(&text) {
                    let lines = text.lines().count().max(1);
                    prop_assert!(error.line.is_none_or(|line| (1..=lines + 1).contains(&line)));
                }
            }
        }
    }
}
