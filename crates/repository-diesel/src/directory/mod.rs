//! The directory of users; see [`DirectoryRepository`](rollcall_repository::DirectoryRepository).

mod conditions;
pub(crate) mod erase;
mod list;
mod notes;
pub(crate) mod search;
mod store;
mod user;
