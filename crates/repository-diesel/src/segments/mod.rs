//! Saved segments; see [`SegmentRepository`](rollcall_repository::SegmentRepository), and the daily
//! passes over all users that count them.

mod begin;
mod encoding;
mod forget;
pub(crate) mod past;
mod row;
pub(crate) mod segment;
mod step;
mod store;
mod view;
