//! The people who look after the bot: who they are, what they may do, and the log of what they did.

mod account;
mod audit;
mod sign_in;

pub use account::{
    Admin, AdminAccount, AdminName, InvalidAdmin, InvalidAdminName, InvalidRole, Role,
};
pub use audit::{AuditAction, AuditEntry};
pub use sign_in::{SignInFailures, SignInLimit};
