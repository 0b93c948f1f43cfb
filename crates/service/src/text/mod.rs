//! Text files as spreadsheets, editors and Windows leave them, in three layers: [`Decoded`] turns
//! UTF-16 into UTF-8 and takes the byte order mark away, [`Lines`] counts and bounds the lines, and
//! [`Records`] splits them at their separators. Each holds a bounded part of the file in memory.

mod decoded;
mod lines;
mod records;

pub use decoded::Decoded;
pub use lines::{Line, Lines, Refused, Unreadable};
pub(crate) use records::{Record, Records};

/// A part of a file in a message: short, and without what would steer a terminal.
pub(crate) fn quoted(text: &str) -> String {
    const LONGEST: usize = 60;
    match text.char_indices().nth(LONGEST).and_then(|(end, _)| text.get(..end)) {
        Some(beginning) => format!("{beginning:?}…"),
        None => format!("{text:?}"),
    }
}
