//! Names of teams and venues.

use rollcall_domain::{MAX_TEAM_NAME_CHARS, fold};
use serde::Deserialize;

/// A text in several languages, of which one is the default.
#[derive(Deserialize)]
pub(crate) struct LocalizedText {
    default: Option<String>,
}

pub(crate) fn default_text(text: Option<&LocalizedText>) -> String {
    line(text.and_then(|text| text.default.as_deref()), MAX_TEAM_NAME_CHARS)
}

/// A text on one line and of limited length, without characters that control direction or a
/// terminal.
pub(crate) fn line(text: Option<&str>, max_chars: usize) -> String {
    let is_plain =
        |c: &char| !matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{fffd}');
    let spaced = text.unwrap_or_default().chars().map(|c| if c.is_control() { ' ' } else { c });
    let plain: String = spaced.filter(is_plain).collect();
    let words: Vec<&str> = plain.split_whitespace().collect();
    words.join(" ").chars().take(max_chars).collect()
}

/// The full name of a club: its place and its common name. If one of them contains the other, or the
/// other is unknown, it is the full name.
pub(crate) fn full_name(place: &str, own: &str) -> String {
    if contains(own, place) {
        return own.to_owned();
    }
    if contains(place, own) {
        return place.to_owned();
    }
    line(Some(&format!("{place} {own}")), MAX_TEAM_NAME_CHARS)
}

/// Whether `whole` contains the words of `part` in sequence, ignoring case, accents and punctuation.
fn contains(whole: &str, part: &str) -> bool {
    let words = |text: &str| -> Vec<String> {
        let folded = fold(text);
        let words = folded.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
        words.map(str::to_owned).collect()
    };
    let (whole, part) = (words(whole), words(part));
    part.is_empty() || whole.windows(part.len()).any(|some| some == part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_occurs_once_in_a_name() {
        for (place, own, expected) in [
            ("Boston", "Bruins", "Boston Bruins"),
            ("Utah", "Utah Mammoth", "Utah Mammoth"),
            ("Utah", "UTAH Hockey Club", "UTAH Hockey Club"),
            ("Montréal", "Canadiens de Montréal", "Canadiens de Montréal"),
            ("Montréal", "Montreal Canadiens", "Montreal Canadiens"),
            ("St. Louis", "St Louis Blues", "St Louis Blues"),
            ("Canada", "Canada", "Canada"),
            ("Team Canada", "Canada", "Team Canada"),
            // Only whole words in sequence count.
            ("Utah", "Utahns", "Utah Utahns"),
            ("New York", "York New Rangers", "New York York New Rangers"),
            ("", "Canadiens", "Canadiens"),
            ("Montréal", "", "Montréal"),
            ("", "", ""),
        ] {
            assert_eq!(full_name(place, own), expected);
        }
        let long = "x".repeat(MAX_TEAM_NAME_CHARS);
        assert_eq!(full_name("Utah", &long).chars().count(), MAX_TEAM_NAME_CHARS);
    }
}
