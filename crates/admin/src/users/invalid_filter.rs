//! Why a filter selects no users, and where it is wrong.

use rollcall_domain::{FilterError, harmless};

use crate::page::{Failure, text::quoted};

/// Why a filter selects no users.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct InvalidFilter {
    /// The number of characters before the one that is wrong, if it is one.
    at: Option<usize>,
    /// What is wrong, and what is expected.
    message: String,
}

/// A text around a place that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Marked {
    pub(crate) before: String,
    pub(crate) wrong: String,
    pub(crate) after: String,
}

impl InvalidFilter {
    /// The filter as a whole is wrong.
    pub(super) fn whole(message: String) -> Self {
        Self { at: None, message }
    }

    /// There is no tag, group or segment of this name. It is marked where the text has it; it may be
    /// in the filter of a segment instead.
    pub(super) fn unknown_name(text: &str, field: &str, name: &str, message: String) -> Self {
        let letters: Vec<char> = text.to_ascii_lowercase().chars().collect();
        let [field, name]: [Vec<char>; 2] =
            [format!("{field}:").chars().collect(), name.chars().collect()];
        let begins = |at: usize, wanted: &[char]| {
            letters.get(at..).is_some_and(|rest| rest.starts_with(wanted))
        };
        let is_end = |at: usize| letters.get(at).is_none_or(|it| !is_of_name(*it));
        let values = (0..letters.len()).filter(|at| begins(*at, &field)).map(|at| at + field.len());
        let at = values.flat_map(|value| value..letters.len()).find(|at| {
            let is_start = letters.get(at - 1).is_some_and(|it| !is_of_name(*it));
            is_start && begins(*at, &name) && is_end(at + name.len())
        });
        Self { at, message }
    }

    /// A broadcast that does not exist.
    pub(super) fn unknown_broadcast(text: &str, id: i64, message: String) -> Self {
        let place = |field| Self::unknown_name(text, field, &id.to_string(), String::new()).at;
        Self { at: place("broadcast").or_else(|| place("pressed")), message }
    }

    pub(super) fn zone(name: &str) -> Self {
        let name = quoted(name);
        Self::whole(format!("there is no time zone “{name}”; expected one such as Europe/Berlin"))
    }

    pub(super) fn repeated(name: &str) -> Self {
        Self::whole(format!("expected the field “{name}” only once"))
    }

    /// What is wrong, as a sentence.
    pub(crate) fn message(&self) -> String {
        let mut letters = self.message.chars();
        let first = letters.next().map(|it| it.to_uppercase().to_string()).unwrap_or_default();
        let end = if self.message.ends_with(['.', '?']) { "" } else { "." };
        harmless(&format!("{first}{}{end}", letters.as_str())).into_owned()
    }

    /// The place in the text that was typed.
    pub(crate) fn marked(&self, typed: &str) -> Option<Marked> {
        let at = self.at?;
        let letters: Vec<char> = typed.chars().collect();
        let (before, rest) = letters.split_at_checked(at)?;
        let length = rest.iter().position(|it| it.is_whitespace()).unwrap_or(rest.len());
        let (wrong, after) = rest.split_at_checked(length.max(1)).unwrap_or((rest, &[]));
        let text = |letters: &[char]| harmless(&letters.iter().collect::<String>()).into_owned();
        let skipped = before.len().saturating_sub(SHOWN);
        let start = if skipped > 0 { "…" } else { "" };
        let end = if after.len() > SHOWN { "…" } else { "" };
        let wrong = match wrong.get(..SHOWN) {
            _ if wrong.is_empty() => "…".to_owned(),
            Some(wrong) => text(wrong),
            None => text(wrong),
        };
        Some(Marked {
            before: format!("{start}{}", text(before.get(skipped..).unwrap_or_default())),
            wrong,
            after: format!("{}{end}", text(after.get(..SHOWN).unwrap_or(after))),
        })
    }
}

/// Whether a tag, a group or a segment can have it in its name.
fn is_of_name(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || "_-".contains(letter)
}

/// How many characters are shown on each side of the place.
const SHOWN: usize = 60;

impl From<FilterError> for InvalidFilter {
    fn from(FilterError { at, message }: FilterError) -> Self {
        Self { at: Some(at), message }
    }
}

impl From<InvalidFilter> for Failure {
    fn from(invalid: InvalidFilter) -> Self {
        let place = invalid.at.map(|at| format!(" (character {} of the filter)", at + 1));
        let (message, place) = (invalid.message(), place.unwrap_or_default());
        Self::invalid(format!("{}{place}.", message.trim_end_matches('.')))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(text: &str) -> (String, Option<Marked>) {
        let invalid = InvalidFilter::from(text.parse::<rollcall_domain::Filter>().unwrap_err());
        (invalid.message(), invalid.marked(text))
    }

    fn marked(before: &str, wrong: &str, after: &str) -> Option<Marked> {
        let [before, wrong, after] = [before, wrong, after].map(str::to_owned);
        Some(Marked { before, wrong, after })
    }

    #[test]
    fn the_place_is_marked_in_the_text() {
        let (message, place) = wrong("lang:de langg:x bot");
        assert_eq!(message, "Unknown field 'langg'; did you mean 'lang'?");
        assert_eq!(place, marked("lang:de ", "langg:x", " bot"));
        assert_eq!(wrong("lang:de or").1, marked("lang:de or", "…", ""));
        assert_eq!(wrong("(a").0, "There is no ')' for this '('.");
        let long = format!("{} langg:{} {}", "a ".repeat(99), "x".repeat(99), "b ".repeat(99));
        let place = wrong(&long).1.unwrap();
        assert_eq!(place.before.chars().count(), SHOWN + 1);
        assert_eq!(place.wrong.chars().count(), SHOWN);
        assert_eq!(place.after.chars().count(), SHOWN + 1);
        assert!(place.before.starts_with("…a") || place.before.starts_with("… "));
    }

    #[test]
    fn an_unknown_name_is_marked_where_it_stands() {
        let place = |text: &str| {
            let invalid = InvalidFilter::unknown_name(text, "tag", "vip", String::new());
            invalid.marked(text)
        };
        assert_eq!(place("vip tag:vip"), marked("vip tag:", "vip", ""));
        assert_eq!(place("tag:vips -tag:a,\"vip\" x"), marked("tag:vips -tag:a,\"", "vip\"", " x"));
        assert_eq!(place("segment:x"), None);
    }

    #[test]
    fn characters_that_steer_the_line_are_not_shown() {
        assert_eq!(wrong("\u{202e}a:x").1, marked("", "\u{fffd}a:x", ""));
    }
}
