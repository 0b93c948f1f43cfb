//! The sessions of admins, and the second factors that confirm them.

pub(super) mod factors;
pub(super) mod passkeys;
pub(super) mod recovery_codes;
pub(super) mod session;
