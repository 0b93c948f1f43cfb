//! A place in a text, for error messages.

/// The part of a line around a place that fits into a terminal, and below it a line that points at
/// the place. `at` is the number of characters before the place.
pub(crate) fn picture(line: &str, at: usize) -> String {
    const BEFORE: usize = 40;
    const SHOWN: usize = 70;
    let first = at.saturating_sub(BEFORE);
    let shown = |it: char| if it.is_control() { ' ' } else { it };
    let part: String = line.chars().skip(first).take(SHOWN).map(shown).collect();
    let is_cut = line.chars().count() > first + SHOWN;
    let (begin, end) = (if first > 0 { "…" } else { "" }, if is_cut { "…" } else { "" });
    let place = begin.chars().count() + at - first;
    format!("{begin}{part}{end}\n{}^", " ".repeat(place))
}
