//! The audit log, whose entries form a chain of hashes.

mod chain;
pub(crate) mod entry;
pub(crate) mod log;
mod verify;
