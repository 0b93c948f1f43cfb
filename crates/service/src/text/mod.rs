//! Reads text files as spreadsheets, editors and Windows write them, in three layers. [`Decoded`]
//! converts UTF-16 to UTF-8 and removes the byte order mark, [`Lines`] numbers and bounds the
//! lines, and [`Records`] splits them at separators. Each holds a bounded part of the file in
//! memory.

mod decoded;
mod lines;
mod records;

pub use decoded::Decoded;
pub use lines::{Line, Lines, Refused, Unreadable};
pub(crate) use records::{Record, Records};

/// Quotes a part of a file for a message: short, and with control characters escaped.
pub(crate) fn quoted(text: &str) -> String {
    const LONGEST: usize = 60;
    match text.char_indices().nth(LONGEST).and_then(|(end, _)| text.get(..end)) {
        Some(beginning) => format!("{beginning:?}…"),
        None => format!("{text:?}"),
    }
}
