//! Admins: their accounts, their roles, limits on sign-in attempts, the audit log, and the keys of programs.

mod account;
mod api_key;
mod audit;
mod sign_in;

pub use account::{
    Admin, AdminAccount, AdminName, InvalidAdmin, InvalidAdminName, InvalidRole, Role,
};
pub use api_key::{ApiKey, ApiScope, ApiScopes, InvalidApiScopes};
pub use audit::{AuditAction, AuditEntry};
pub use sign_in::{SignInFailures, SignInLimit};
