//! The store of admins, by what it holds: accounts, sessions, attempts to sign in, and the audit log.

mod account;
mod attempt;
mod digest;
mod log;
mod session;

pub use account::{AdminAccountRepository, Disabling, StoredAccount};
pub use attempt::SignInAttemptRepository;
pub use digest::Digest;
pub use log::{AuditFilter, AuditLogRepository, NewAuditEntry};
pub use session::{AdminSessionRepository, Expiry, StoredSession};

/// The whole store of admins.
pub trait AdminRepository:
    AdminAccountRepository + AdminSessionRepository + SignInAttemptRepository + AuditLogRepository
{
}

impl<S> AdminRepository for S where
    S: AdminAccountRepository
        + AdminSessionRepository
        + SignInAttemptRepository
        + AuditLogRepository
{
}
