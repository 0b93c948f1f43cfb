//! Shared parts of tests: temporary databases, a clock that a test sets, and the contract suites that
//! every implementation of a repository must pass.
//!
//! A dev-dependency only. To add a contract: an `async fn` in `contract/`, and its name in the list of
//! the macro in the same module. It then runs on every database.

#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "helpers of tests fail by panicking"
)]

mod authenticator;
mod citus;
mod clock;
mod cluster;
pub mod contract;
mod database;
mod mini_app;
mod network;
mod optional;
mod peers;
mod picture;
mod pooler;
mod soft_passkey;

pub use authenticator::Authenticator;
pub use clock::TestClock;
pub use database::{PooledDatabase, ThrowAwayDatabase, ThrowAwayServer};
pub use mini_app::MiniAppData;
pub use network::{Machine, Network};
pub use peers::PeerLanguage;
pub use picture::png;
pub use soft_passkey::SoftPasskey;
