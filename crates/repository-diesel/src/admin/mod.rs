//! Admins: their accounts, sessions and failed sign-ins, the audit log, and the keys of the API.

mod accounts;
mod api_keys;
pub(crate) mod audit;
mod owners;
mod sessions;
mod sign_in;
mod store;

pub use store::DieselAdminRepository;
