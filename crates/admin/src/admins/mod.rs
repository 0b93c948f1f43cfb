//! The accounts of admins, and invitations to create one.

pub(crate) mod accounts;
pub(crate) mod invitations;
