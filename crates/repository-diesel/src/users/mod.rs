//! Users: finding, locking and deleting them, and their reachability.

pub(crate) mod delete;
mod find;
mod forget;
pub(crate) mod lock;
pub(crate) mod reach;
pub(crate) mod store;
