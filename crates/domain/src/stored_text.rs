//! The form in which text from Telegram is stored.

/// Names longer than this many characters are cut.
pub const MAX_NAME_CHARS: usize = 255;

/// The stored form of a text: without U+0000, which PostgreSQL cannot store, and at most
/// `max_chars` characters long.
pub(crate) fn stored(text: &str, max_chars: usize) -> String {
    text.chars().filter(|&c| c != '\0').take(max_chars).collect()
}
