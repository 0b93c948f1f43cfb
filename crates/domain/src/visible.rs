//! Visible characters, and characters that act on the text around them.

use std::borrow::Cow;

use unicode_properties::{GeneralCategoryGroup, UnicodeGeneralCategory};

/// Letters and symbols that look blank: those with the property Default_Ignorable_Code_Point
/// (Unicode's `DerivedCoreProperties.txt`), which are Hangul fillers, and those that Unicode's code
/// charts show as blank.
const BLANK: [char; 8] = [
    '\u{115f}',  // HANGUL CHOSEONG FILLER
    '\u{1160}',  // HANGUL JUNGSEONG FILLER
    '\u{2800}',  // BRAILLE PATTERN BLANK
    '\u{3164}',  // HANGUL FILLER
    '\u{ffa0}',  // HALFWIDTH HANGUL FILLER
    '\u{13441}', // EGYPTIAN HIEROGLYPH FULL BLANK
    '\u{13442}', // EGYPTIAN HIEROGLYPH HALF BLANK
    '\u{1d159}', // MUSICAL SYMBOL NULL NOTEHEAD
];

/// Whether a text has at least one visible character: a letter, digit, punctuation mark or symbol.
///
/// White space, control and format characters (zero width, directions, tags), unassigned and
/// private-use characters, and marks without a base letter are invisible. The rule uses the general
/// category (Unicode Annex 44, table 12).
pub fn is_visible(text: &str) -> bool {
    text.chars().any(has_ink)
}

fn has_ink(c: char) -> bool {
    use GeneralCategoryGroup::{Letter, Mark, Number, Other, Punctuation, Separator, Symbol};
    match c.general_category_group() {
        Letter | Number | Punctuation | Symbol => !BLANK.contains(&c),
        Mark | Other | Separator => false,
    }
}

/// Whether a character breaks the line or acts on the text around it: a control character (terminal
/// escape sequences begin with one), a line separator, or one that changes or isolates the
/// direction (Unicode Annex 9, sections 2.1 to 2.4).
pub fn is_steering(c: char) -> bool {
    let is_separator = matches!(c, '\u{2028}' | '\u{2029}');
    let is_direction = matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    c.is_control() || is_separator || is_direction
}

/// Makes user text safe to embed in other text: replaces each [steering](is_steering) character by
/// U+FFFD.
pub fn harmless(text: &str) -> Cow<'_, str> {
    if !text.contains(is_steering) {
        return text.into();
    }
    text.chars().map(|c| if is_steering(c) { '\u{fffd}' } else { c }).collect()
}

/// Removes invisible characters from the beginning and blanks from the end. Marks and format
/// characters at the end stay, because they belong to the letter or emoji before them.
pub(crate) fn trimmed(text: &str) -> &str {
    let is_blank = |c: char| c.is_whitespace() || BLANK.contains(&c);
    text.trim_start_matches(|c| !has_ink(c)).trim_end_matches(is_blank)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_digits_and_symbols_are_visible() {
        for text in ["Ada", "ж", "7", ".", "👩‍🚀", "❤\u{fe0f}", "한", "日本", "مرحبا", "\u{fffd}"]
        {
            assert!(is_visible(text), "{text:?}");
        }
        assert!(is_visible("\u{3164}\u{200b}a\u{200b}"));
    }

    #[test]
    fn blank_characters_are_invisible() {
        for (name, text) in [
            ("nothing", ""),
            ("white space", " \t\n\u{85}\u{a0}\u{1680}\u{2003}\u{2028}\u{202f}\u{3000}"),
            ("zero width", "\u{200b}\u{200c}\u{200d}\u{2060}\u{feff}\u{ad}"),
            ("directions", "\u{61c}\u{200e}\u{200f}\u{202e}\u{2066}\u{2069}"),
            ("Hangul fillers", "\u{115f}\u{1160}\u{3164}\u{ffa0}"),
            ("blank symbols", "\u{2800}\u{1d159}\u{13441}\u{13442}"),
            ("tags", "\u{e0001}\u{e0067}\u{e007f}"),
            ("variation selectors", "\u{fe0f}\u{180b}\u{e0100}"),
            ("marks without a letter", "\u{301}\u{34f}\u{20dd}\u{17b4}"),
            ("control characters", "\u{1}\u{1b}\u{7f}"),
            ("private use", "\u{e000}\u{f8ff}\u{100000}"),
            ("not assigned", "\u{378}\u{2065}\u{fff0}\u{e0fff}\u{ffff}"),
        ] {
            assert!(!is_visible(text), "{name}");
            // Check each character by itself too.
            assert!(text.chars().all(|c| !is_visible(&c.to_string())), "{name}");
        }
    }

    #[test]
    fn characters_that_steer_a_terminal_or_a_line_are_replaced() {
        assert_eq!(harmless("a\u{1b}[31mb\nc\u{202e}d\u{2029}"), "a�[31mb�c�d�");
        assert!(matches!(harmless("Жук 👩‍🚀 \u{200f}א"), Cow::Borrowed(_)));
    }

    #[test]
    fn a_letter_keeps_its_marks() {
        assert_eq!(trimmed("\u{3164} Ada \u{2800}"), "Ada");
        assert_eq!(trimmed("\u{200f}❤\u{fe0f} "), "❤\u{fe0f}");
        assert_eq!(trimmed("e\u{301}"), "e\u{301}");
        assert_eq!(trimmed("\u{200b}\u{3164}"), "");
    }
}
