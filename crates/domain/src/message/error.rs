use crate::{grouped, place::picture};

/// The most bytes of the source of a text, or of buttons.
const MAX_SOURCE_BYTES: u16 = u16::MAX;

/// Why a text is not a message, and where. The message says what is expected.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {message}")]
pub struct TextError {
    /// The number of characters before the one that is wrong, in the whole text.
    pub at: usize,
    /// The line of the place; the first is 1.
    pub line: usize,
    /// The character in that line; the first is 1.
    pub column: usize,
    /// What is wrong there, and what is expected.
    pub message: String,
}

impl TextError {
    /// An error after the first `bytes` bytes of a text.
    pub(super) fn new(text: &str, bytes: usize, message: impl Into<String>) -> Self {
        let before = text.get(..bytes).unwrap_or(text);
        let line = before.rsplit('\n').next().unwrap_or_default();
        Self {
            at: before.chars().count(),
            line: before.matches('\n').count() + 1,
            column: line.chars().count() + 1,
            message: message.into(),
        }
    }

    /// Refuses a source that is too long to be stored and parsed.
    pub(super) fn if_too_long(source: &str) -> Result<(), Self> {
        if source.len() <= usize::from(MAX_SOURCE_BYTES) {
            return Ok(());
        }
        let message = format!("expected at most {} bytes", grouped(MAX_SOURCE_BYTES.into()));
        Err(Self::new(source, 0, message))
    }

    /// The part of the line around the place, and below it a line that points at the place. `text`
    /// is the text that was parsed.
    pub fn picture(&self, text: &str) -> String {
        picture(text.split('\n').nth(self.line - 1).unwrap_or_default(), self.column - 1)
    }
}
