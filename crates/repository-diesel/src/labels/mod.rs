//! Tags and groups; see [`LabelRepository`](rollcall_repository::LabelRepository).

mod change;
pub(crate) mod label;
mod progress;
pub(crate) mod row;
mod store;
mod undo;
pub(crate) mod users;
