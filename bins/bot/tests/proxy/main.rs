//! Rollcall as the Bot API server of another bot: that bot gets its updates and calls methods here, and
//! each update is stored first.
//!
//! `ROLLCALL_KILLS=50 cargo test -p bot --test proxy -- crash --nocapture` kills either side as often as
//! you like, and prints what it counted.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

#[macro_use]
#[path = "../running/mod.rs"]
mod running;
#[path = "../behind/mod.rs"]
mod behind;

mod api;
mod calls;
mod crash;
mod polling;
mod sending;
mod webhook;
