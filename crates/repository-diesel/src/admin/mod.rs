//! The store of admins, by what it holds.

mod accounts;
mod attempts;
mod entry;
mod factors;
mod log;
mod role;
mod sessions;
mod store;

pub(crate) use log::empty_entries;
pub use store::DieselAdminRepository;
