//! The labels of deep links, under which the figures of each link are counted.

pub(crate) mod change;
pub(crate) mod labels;
pub(crate) mod list;
mod store;
