//! The directory of users; see [`DirectoryRepository`](rollcall_repository::DirectoryRepository).

mod audience;
mod conditions;
pub(crate) mod erase;
mod filter;
mod list;
pub(crate) mod members;
mod notes;
mod order;
mod ranges;
pub(crate) mod search;
mod sql;
mod stoppable;
mod store;
mod user;
