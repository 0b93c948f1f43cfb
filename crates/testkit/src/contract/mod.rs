//! The contracts of the repositories: what must hold on every database.

pub mod users;
