//! Admins: their accounts, sessions and failed sign-ins, and the audit log.

mod accounts;
pub(crate) mod audit;
mod owners;
mod sessions;
mod sign_in;
mod store;

pub use store::DieselAdminRepository;
