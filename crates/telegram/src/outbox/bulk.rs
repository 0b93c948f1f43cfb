//! Messages of broadcasts: when one may be sent, and what became of it.

mod error;
mod pace;
mod trouble;
mod turns;
mod window;

pub use error::BulkError;
pub(crate) use error::is_of_lost_file;
pub use pace::BulkPace;
pub use turns::bulk_rate;
pub(super) use turns::{BulkTurns, Route};
