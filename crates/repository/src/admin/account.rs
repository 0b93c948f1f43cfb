use async_trait::async_trait;
use rollcall_domain::{AdminAccount, AdminName, Role};

use super::{digest::Digest, log::NewAuditEntry};
use crate::RepositoryError;

/// An account and what shows that somebody is its owner.
#[derive(Clone)]
pub struct StoredAccount {
    /// The account.
    pub account: AdminAccount,
    /// The hash of its password, in the PHC string format.
    pub password_hash: String,
}

/// What came of a change of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccountChange {
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

    /// Changes the password of an account, and ends its sessions but `kept`; answers whether it
    /// exists.
    async fn set_password(
        &self,
        name: &AdminName,
        password_hash: &str,
        kept: Option<Digest>,
        entry: &NewAuditEntry,
    ) -> Result<bool, RepositoryError>;

    /// Disables or enables an account, and ends its sessions; one that is disabled loses the
    /// invitations that it made. One that is so already stays as it is, and so does the last one of
    /// an owner that is enabled; then nothing is added to the audit log.
    async fn set_disabled(
        &self,
        name: &AdminName,
        is_disabled: bool,
        entry: &NewAuditEntry,
    ) -> Result<AccountChange, RepositoryError>;

    /// Changes the role of an account, which loses the invitations that it made if it is no owner's
    /// any more. One that has the role already stays as it is, and so does the last one of an owner
    /// that is enabled; then nothing is added to the audit log. The entry's old value becomes the
    /// account's name and role before.
    async fn set_role(
        &self,
        name: &AdminName,
        role: Role,
        entry: &NewAuditEntry,
    ) -> Result<AccountChange, RepositoryError>;

    /// Removes an account, with its sessions, its second factor and the invitations that it made, but
    /// not the last one of an owner that is enabled. The entry's old value becomes the account's
    /// name and role.
    async fn remove_account(
        &self,
        name: &AdminName,
        entry: &NewAuditEntry,
    ) -> Result<AccountChange, RepositoryError>;
}
