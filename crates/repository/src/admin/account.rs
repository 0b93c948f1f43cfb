use async_trait::async_trait;
use rollcall_domain::{AdminAccount, AdminName, Role};

use super::{digest::Digest, log::NewAuditEntry};
use crate::error::RepositoryError;

/// An account and its password hash.
#[derive(Clone)]
pub struct StoredAccount {
    /// The account.
    pub account: AdminAccount,
    /// The hash of its password, in the PHC string format.
    pub password_hash: String,
}

/// The result of changing an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccountChange {
    /// It is changed, or was so already.
    Done,
    /// There is no account of this name.
    NoSuchAccount,
    /// It is the last enabled account of an owner.
    LastOwner,
}

/// The accounts of admins. A change and its audit entry are one transaction.
#[async_trait]
pub trait AdminAccountRepository: Send + Sync {
    /// Stores a new account; returns whether its name was free.
    async fn create_account(
        &self,
        account: &StoredAccount,
        entry: &NewAuditEntry,
    ) -> Result<bool, RepositoryError>;

    /// The account of this name.
    async fn account(&self, name: &AdminName) -> Result<Option<StoredAccount>, RepositoryError>;

    /// Up to `limit` accounts, sorted by name.
    async fn accounts(&self, limit: u32) -> Result<Vec<AdminAccount>, RepositoryError>;

    /// Changes the password of an account, and ends its sessions except `kept`; returns whether the
    /// account exists.
    async fn set_password(
        &self,
        name: &AdminName,
        password_hash: &str,
        kept: Option<Digest>,
        entry: &NewAuditEntry,
    ) -> Result<bool, RepositoryError>;

    /// Disables or enables an account, and ends its sessions. A disabled account loses the
    /// invitations that it created. An account that is so already does not change, and neither does
    /// the last enabled account of an owner; then there is no audit entry.
    async fn set_disabled(
        &self,
        name: &AdminName,
        is_disabled: bool,
        entry: &NewAuditEntry,
    ) -> Result<AccountChange, RepositoryError>;

    /// Changes the role of an account, which loses its invitations if it is no owner's any more. An
    /// account that has the role already does not change, and neither does the last enabled account
    /// of an owner; then there is no audit entry. The entry's old value becomes the account's name
    /// and old role.
    async fn set_role(
        &self,
        name: &AdminName,
        role: Role,
        entry: &NewAuditEntry,
    ) -> Result<AccountChange, RepositoryError>;

    /// Removes an account with its sessions, second factors and invitations, unless it is the last
    /// enabled account of an owner. The entry's old value becomes the account's name and role.
    async fn remove_account(
        &self,
        name: &AdminName,
        entry: &NewAuditEntry,
    ) -> Result<AccountChange, RepositoryError>;
}
