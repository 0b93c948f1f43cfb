//! The figures of `docs/statistics.md`: sums that registration adds to, and the facts about users
//! that they can be counted from again.

pub(crate) mod add;
pub(crate) mod erase;
pub(crate) mod facts;
mod migrate;
pub(crate) mod minutes;
pub(crate) mod recount;
pub(crate) mod source_sums;
mod store;
pub(crate) mod sums;
pub(crate) mod uncounted;
