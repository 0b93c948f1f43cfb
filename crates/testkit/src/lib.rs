//! What tests share: throw-away databases, a clock that a test holds, and the contract suites that
//! every implementation of a repository keeps.
//!
//! A dev-dependency only. To add a contract: an `async fn` in `contract/`, and its name in the
//! list of the macro beside it; it then runs on every database.

// A test's helper fails its test by panicking: that is what it is for.
#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "helpers of tests fail by panicking"
)]

mod authenticator;
mod clock;
mod cluster;
pub mod contract;
mod database;
mod pooler;
mod soft_passkey;

pub use authenticator::Authenticator;
pub use clock::TestClock;
pub use database::{PooledDatabase, ThrowAwayDatabase, ThrowAwayServer};
pub use soft_passkey::SoftPasskey;
