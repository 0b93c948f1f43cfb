//! A replica of PostgreSQL that lists, figures and exports are read on.
//!
//! [`Database::view`](crate::Database) is the only place that decides where something is read. A task
//! looks at the replica once a second and keeps its [`State`]; what is read waits for no server that has
//! not answered lately. A reader never gets an error of the replica: what fails there is read again on the
//! primary.

mod database;
mod identity;
mod lag;
mod look;
mod server;
mod state;
mod status;

pub(crate) use server::Replica;
pub use status::{ReplicaStatus, WalPosition};
