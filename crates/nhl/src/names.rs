//! Names as the NHL spells them, and as people read them.

use rollcall_domain::{MAX_TEAM_NAME_CHARS, fold};
use serde::Deserialize;

/// Words in several languages, of which there is always a default.
#[derive(Deserialize)]
pub(crate) struct Words {
    default: Option<String>,
}

pub(crate) fn words(words: Option<&Words>) -> String {
    line(words.and_then(|words| words.default.as_deref()), MAX_TEAM_NAME_CHARS)
}

/// A text on one line, without what steers the direction or a terminal, and not too long.
pub(crate) fn line(text: Option<&str>, max_chars: usize) -> String {
    let is_plain =
        |c: &char| !matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{fffd}');
    let spaced = text.unwrap_or_default().chars().map(|c| if c.is_control() { ' ' } else { c });
    let plain: String = spaced.filter(is_plain).collect();
    let words: Vec<&str> = plain.split_whitespace().collect();
    words.join(" ").chars().take(max_chars).collect()
}

/// The whole name of a club: its place and its own name. Where one of them contains the other, or is
/// not known, that is the whole name.
pub(crate) fn name_of(place: &str, own: &str) -> String {
    if contains(own, place) {
        return own.to_owned();
    }
    if contains(place, own) {
        return place.to_owned();
    }
    line(Some(&format!("{place} {own}")), MAX_TEAM_NAME_CHARS)
}

/// Whether the words of `part` stand in `whole` one after the other, whatever their case, their
/// accents and what is between them.
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
    fn the_place_is_in_a_name_once() {
        for (place, own, expected) in [
            ("Boston", "Bruins", "Boston Bruins"),
            ("Utah", "Utah Mammoth", "Utah Mammoth"),
            ("Utah", "UTAH Hockey Club", "UTAH Hockey Club"),
            ("Montréal", "Canadiens de Montréal", "Canadiens de Montréal"),
            ("Montréal", "Montreal Canadiens", "Montreal Canadiens"),
            ("St. Louis", "St Louis Blues", "St Louis Blues"),
            ("Canada", "Canada", "Canada"),
            ("Team Canada", "Canada", "Team Canada"),
            // Only whole words, in their order.
            ("Utah", "Utahns", "Utah Utahns"),
            ("New York", "York New Rangers", "New York York New Rangers"),
            ("", "Canadiens", "Canadiens"),
            ("Montréal", "", "Montréal"),
            ("", "", ""),
        ] {
            assert_eq!(name_of(place, own), expected);
        }
        let long = "x".repeat(MAX_TEAM_NAME_CHARS);
        assert_eq!(name_of("Utah", &long).chars().count(), MAX_TEAM_NAME_CHARS);
    }
}
