//! What is done with all users of a filter: counting them, and changing their tags and groups.

pub(crate) mod changes;
pub(crate) mod count;
mod counting;
mod selected;
pub(crate) mod start_change;
pub(crate) mod tags;

pub(crate) use counting::Counts;
