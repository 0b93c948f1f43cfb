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
        const BEFORE: usize = 40;
        const SHOWN: usize = 70;
        let first = self.at.saturating_sub(BEFORE);
        let shown = |it: char| if it.is_control() { ' ' } else { it };
        let part: String = text.chars().skip(first).take(SHOWN).map(shown).collect();
        let is_cut = text.chars().count() > first + SHOWN;
        let (begin, end) = (if first > 0 { "…" } else { "" }, if is_cut { "…" } else { "" });
        let place = begin.chars().count() + self.at - first;
        format!("{begin}{part}{end}\n{}^", " ".repeat(place))
    }
}
