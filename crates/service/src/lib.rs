//! Rollcall's use cases, for bots in Rust.
//!
//! [`UserService`] is what the `bot` binary itself is made of, and what another bot can be given:
//! see `examples/register.rs`. It does no I/O of its own, and reads no clock but the one it is
//! given: storage is whatever implements [`UserRepository`](rollcall_repository::UserRepository).
//!
//! To add a use case: a method of the service that speaks in the domain's types, over a method of
//! a repository trait.

mod error;
mod queue;
mod users;

pub use error::ServiceError;
pub use rollcall_repository::{Page, PageRequest};
pub use users::UserService;
