//! The filter language: one line of text that selects users, the same in lists, URLs, commands,
//! exports and segments.
//!
//! ```text
//! lang:de,ru reachable source:ads_* (tag:vip or days>=5) seen<14d -tag:test
//! ```
//!
//! [`Filter`] is such a text, parsed. It prints itself in its canonical form, which parses to an
//! equal filter. `docs/filters.md` describes the language.

mod condition;
mod error;
mod field;
mod filter;
mod label_name;
mod lexer;
mod of_broadcast;
mod parse;
mod parts;
mod print;
mod segment;
mod selection;
mod share;
mod term;
mod values;

pub use condition::{DayField, DayRange, NumberRange};
pub use error::FilterError;
pub use field::{FIELDS, FilterField};
pub use filter::{Filter, Node as FilterNode};
pub use label_name::{InvalidLabelName, LabelName};
pub use lexer::{MAX_FILTER_BYTES, MAX_FILTER_DEPTH, MAX_FILTER_TERMS};
pub use of_broadcast::OfBroadcast;
pub use print::quoted_in_filter;
pub use segment::{MAX_SEGMENTS, Segment, SegmentChanges, SegmentSize};
pub use selection::{MAX_BESIDE_NAMES, MAX_SELECTION_TERMS, Selection, SelectionError};
pub use share::{Share, ShareNumbers};
pub use term::{Pattern, Term, Use};

#[cfg(test)]
mod tests;
