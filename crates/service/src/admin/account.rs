use rollcall_domain::{Admin, AdminAccount, AdminName, AuditAction, Role};
use rollcall_repository::{Disabling, RepositoryError, StoredAccount};

use super::{log::entry, service::AdminService};
use crate::{ServiceError, password::InvalidPassword};

/// The most accounts that are listed.
const MAX_ACCOUNTS: u32 = 1000;

impl AdminService {
    /// Makes an account. `by` is who does; `None` for somebody on the server itself.
    ///
    /// # Errors
    /// When the password cannot be one, the name is taken, or the storage fails.
    pub async fn create_account(
        &self,
        name: &AdminName,
        password: &str,
        role: Role,
        by: Option<&Admin>,
    ) -> Result<(), AccountError> {
        let password_hash = self.passwords.hash(password).await?;
        let at = self.clock.now();
        let account = AdminAccount {
            name: name.clone(),
            role,
            is_disabled: false,
            has_second_factor: false,
            created_at: at,
            last_signed_in_at: None,
        };
        let entry = entry(at, by, AuditAction::CreatedAdmin, Some(format!("{name} ({role})")));
        let account = StoredAccount { account, password_hash };
        match self.storage.create_account(&account, &entry).await? {
            true => Ok(()),
            false => Err(AccountError::NameIsTaken(name.clone())),
        }
    }

    /// Changes the password of an account, which ends its sessions.
    ///
    /// # Errors
    /// When the password cannot be one, there is no such account, or the storage fails.
    pub async fn set_password(
        &self,
        name: &AdminName,
        password: &str,
        by: Option<&Admin>,
    ) -> Result<(), AccountError> {
        let password_hash = self.passwords.hash(password).await?;
        let entry =
            entry(self.clock.now(), by, AuditAction::ChangedPassword, Some(name.to_string()));
        let known = self.storage.set_password(name, &password_hash, &entry).await?;
        known.then_some(()).ok_or_else(|| AccountError::NoSuchAccount(name.clone()))
    }

    /// The accounts, by name; up to 1,000.
    ///
    /// # Errors
    /// When the storage fails.
    pub async fn accounts(&self) -> Result<Vec<AdminAccount>, ServiceError> {
        Ok(self.storage.accounts(MAX_ACCOUNTS).await?)
    }

    /// Disables an account, which ends its sessions. One that is disabled stays so.
    ///
    /// # Errors
    /// When there is no such account, it is the last one of an owner that is enabled, or the storage
    /// fails.
    pub async fn disable(&self, name: &AdminName, by: Option<&Admin>) -> Result<(), AccountError> {
        self.set_disabled(name, true, by, AuditAction::DisabledAdmin).await
    }

    /// Lets people sign in with an account again.
    ///
    /// # Errors
    /// When there is no such account, or the storage fails.
    pub async fn enable(&self, name: &AdminName, by: Option<&Admin>) -> Result<(), AccountError> {
        self.set_disabled(name, false, by, AuditAction::EnabledAdmin).await
    }

    async fn set_disabled(
        &self,
        name: &AdminName,
        is_disabled: bool,
        by: Option<&Admin>,
        action: AuditAction,
    ) -> Result<(), AccountError> {
        let entry = entry(self.clock.now(), by, action, Some(name.to_string()));
        match self.storage.set_disabled(name, is_disabled, &entry).await? {
            Disabling::Done => Ok(()),
            Disabling::NoSuchAccount => Err(AccountError::NoSuchAccount(name.clone())),
            Disabling::LastOwner => Err(AccountError::LastOwner(name.clone())),
        }
    }
}

/// Why an account was not made or changed.
#[derive(Clone, Debug, thiserror::Error)]
pub enum AccountError {
    /// The password cannot be one.
    #[error(transparent)]
    InvalidPassword(#[from] InvalidPassword),
    /// There is an account of this name.
    #[error("there is an account {0} already")]
    NameIsTaken(AdminName),
    /// There is none.
    #[error("there is no account {0}")]
    NoSuchAccount(AdminName),
    /// Nobody with an account could look after the admins any more.
    #[error("{0} is the last owner's account that is enabled; make or enable another one first")]
    LastOwner(AdminName),
    /// It could not be done.
    #[error(transparent)]
    Storage(#[from] ServiceError),
}

impl From<RepositoryError> for AccountError {
    fn from(error: RepositoryError) -> Self {
        Self::Storage(error.into())
    }
}
