/// Why a text is not a filter, and where. The message says what is expected.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("character {}: {message}", .at + 1)]
pub struct FilterError {
    /// The number of characters before the one that is wrong.
    pub at: usize,
    /// What is wrong there, and what is expected.
    pub message: String,
}
