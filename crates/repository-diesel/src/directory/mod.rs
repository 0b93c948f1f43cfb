//! The directory of users; see [`DirectoryRepository`](rollcall_repository::DirectoryRepository).

mod audience;
mod conditions;
pub(crate) mod erase;
mod filter;
mod list;
mod notes;
mod order;
pub(crate) mod search;
mod sql;
mod store;
mod user;
