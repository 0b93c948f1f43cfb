//! The store of admins, by what it holds: accounts, sessions, second factors, attempts to sign in,
//! and the audit log.

mod account;
mod attempt;
mod digest;
mod factor;
mod log;
mod session;

pub use account::{AdminAccountRepository, Disabling, StoredAccount};
pub use attempt::SignInAttemptRepository;
pub use digest::Digest;
pub use factor::{FactorProof, FactorSecret, SecondFactorRepository, StoredFactor};
pub use log::{AuditChain, AuditFault, AuditFilter, AuditLogRepository, NewAuditEntry};
pub use session::{AdminSessionRepository, Expiry, NewSession, Opened, StoredSession};

/// The whole store of admins.
pub trait AdminRepository:
    AdminAccountRepository
    + AdminSessionRepository
    + SecondFactorRepository
    + SignInAttemptRepository
    + AuditLogRepository
{
}

impl<S> AdminRepository for S where
    S: AdminAccountRepository
        + AdminSessionRepository
        + SecondFactorRepository
        + SignInAttemptRepository
        + AuditLogRepository
{
}
