//! Admins: their accounts, their roles, limits on sign-in attempts, and the audit log.

mod account;
mod audit;
mod sign_in;

pub use account::{
    Admin, AdminAccount, AdminName, InvalidAdmin, InvalidAdminName, InvalidRole, Role,
};
pub use audit::{AuditAction, AuditEntry};
pub use sign_in::{SignInFailures, SignInLimit};
