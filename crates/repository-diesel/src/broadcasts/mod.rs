//! Broadcasts; see [`BroadcastRepository`](rollcall_repository::BroadcastRepository).

mod activity;
mod categories;
mod claim;
mod composing;
mod content;
mod decide;
mod draft;
pub(crate) mod erase;
mod origin;
mod outcome;
mod pictures;
mod plan;
mod prepare;
pub(crate) mod presses;
pub(crate) mod responses;
mod row;
mod sender;
mod state;
mod store;
mod sums;
mod waiting;
pub(crate) mod week;
