//! Messages of broadcasts: when one may be sent, and what became of it.

mod error;
mod share;
mod trouble;
mod turns;

pub use error::BulkError;
pub use turns::BulkPace;
pub(super) use turns::{BulkTurns, Route};
