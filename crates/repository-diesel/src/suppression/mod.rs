//! Erased users, who are not stored again until they agree. Only a keyed hash of their id is kept.

mod database;
pub(crate) mod hashes;
pub(crate) mod key;
