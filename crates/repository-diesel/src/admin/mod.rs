//! The store of admins, by what it holds.

mod accounts;
mod attempts;
mod chain;
mod entry;
mod factors;
mod invitations;
mod known_devices;
mod log;
mod new_account;
mod passkeys;
mod recovery_codes;
mod role;
mod sessions;
mod store;
mod verify;

pub(crate) use entry::add_entries;
pub(crate) use log::empty_entries;
pub use store::DieselAdminRepository;
