use async_trait::async_trait;
use rollcall_domain::{AdminAccount, AdminName};

use super::log::NewAuditEntry;
use crate::RepositoryError;

/// An account and what shows that somebody is its owner.
#[derive(Clone)]
pub struct StoredAccount {
    /// The account.
    pub account: AdminAccount,
    /// The hash of its password, in the PHC string format.
    pub password_hash: String,
}

/// What came of disabling or enabling an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disabling {
    /// It is so now, or was already.
    Done,
    /// There is none of this name.
    NoSuchAccount,
    /// No other owner's account is enabled.
    LastOwner,
}

/// The accounts of admins. What is changed and its entry in the audit log are one transaction.
#[async_trait]
pub trait AdminAccountRepository: Send + Sync {
    /// Stores a new account; answers whether there was none of its name.
    async fn create_account(
        &self,
        account: &StoredAccount,
        entry: &NewAuditEntry,
    ) -> Result<bool, RepositoryError>;

    /// The account of this name.
    async fn account(&self, name: &AdminName) -> Result<Option<StoredAccount>, RepositoryError>;

    /// Up to `limit` accounts, by name.
    async fn accounts(&self, limit: u32) -> Result<Vec<AdminAccount>, RepositoryError>;

    /// Changes the password of an account, and ends its sessions; answers whether it exists.
    async fn set_password(
        &self,
        name: &AdminName,
        password_hash: &str,
        entry: &NewAuditEntry,
    ) -> Result<bool, RepositoryError>;

    /// Disables or enables an account, and ends its sessions. One that is so already stays as it is,
    /// and so does the last one of an owner that is enabled; then nothing is added to the audit log.
    async fn set_disabled(
        &self,
        name: &AdminName,
        is_disabled: bool,
        entry: &NewAuditEntry,
    ) -> Result<Disabling, RepositoryError>;
}
