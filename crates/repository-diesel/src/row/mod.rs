//! Rows of the tables about users: how they are written and read.

pub(crate) mod columns;
pub(crate) mod command_use;
pub(crate) mod history;
pub(crate) mod hour;
pub(crate) mod user;
