//! The accounts of admins, and invitations to create one.

mod account;
pub(super) mod insert;
pub(super) mod invitations;
pub(super) mod role;
