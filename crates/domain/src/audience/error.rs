use crate::place::picture;

/// Why a text is not a filter, and where. The message says what is expected.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("character {}: {message}", .at + 1)]
pub struct FilterError {
    /// The number of characters before the one that is wrong.
    pub at: usize,
    /// What is wrong there, and what is expected.
    pub message: String,
}

impl FilterError {
    /// The part of the filter's text around the place that fits into a line, and below it a line that
    /// points at the place.
    pub fn picture(&self, text: &str) -> String {
        picture(text, self.at)
    }
}
