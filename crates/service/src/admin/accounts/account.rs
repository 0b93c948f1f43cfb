use rollcall_domain::{Admin, AdminAccount, AdminName, AuditAction, Role};
use rollcall_repository::{AccountChange, RepositoryError, StoredAccount};

use super::new_password::{InvalidPassword, NewPassword};
use crate::{
    ServiceError,
    admin::{
        audit_log::entry,
        devices::Device,
        service::AdminService,
        signing_in::{Attempt, SignInError},
    },
};

/// The most accounts that are listed.
const MAX_ACCOUNTS: u32 = 1000;

impl AdminService {
    /// Creates an account. `by` is the admin who does it; `None` for a management command.
    ///
    /// # Errors
    /// When the password is rejected, the name is taken, or the storage fails.
    pub async fn create_account(
        &self,
        name: &AdminName,
        password: &str,
        role: Role,
        by: Option<&Admin>,
    ) -> Result<(), AccountError> {
        let password_hash = self.hash_password(password, name).await?;
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

    /// Changes the password of an account and ends its sessions.
    ///
    /// # Errors
    /// When the password is rejected, the account does not exist, or the storage fails.
    pub async fn set_password(
        &self,
        name: &AdminName,
        password: &str,
        by: Option<&Admin>,
    ) -> Result<(), AccountError> {
        let password_hash = self.hash_password(password, name).await?;
        let entry =
            entry(self.clock.now(), by, AuditAction::ChangedPassword, Some(name.to_string()));
        let known = self.storage.set_password(name, &password_hash, None, &entry).await?;
        known.then_some(()).ok_or_else(|| AccountError::NoSuchAccount(name.clone()))
    }

    /// Up to 1,000 accounts, ordered by name.
    ///
    /// # Errors
    /// When the storage fails.
    pub async fn accounts(&self) -> Result<Vec<AdminAccount>, ServiceError> {
        Ok(self.storage.accounts(MAX_ACCOUNTS).await?)
    }

    /// The account with this name.
    ///
    /// # Errors
    /// When the storage fails.
    pub async fn account(&self, name: &AdminName) -> Result<Option<AdminAccount>, ServiceError> {
        Ok(self.storage.account(name).await?.map(|stored| stored.account))
    }

    /// Disables an account and ends its sessions. Has no effect on a disabled account.
    ///
    /// # Errors
    /// When the account does not exist or is the last enabled owner, or the storage fails.
    pub async fn disable(&self, name: &AdminName, by: Option<&Admin>) -> Result<(), AccountError> {
        self.set_disabled(name, true, by, AuditAction::DisabledAdmin).await
    }

    /// Enables a disabled account.
    ///
    /// # Errors
    /// When the account does not exist, or the storage fails.
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
        read(name, self.storage.set_disabled(name, is_disabled, &entry).await?)
    }

    /// Changes the role of an account. It takes effect at once, also in open sessions.
    ///
    /// # Errors
    /// When the account does not exist or is the last enabled owner, or the storage fails.
    pub async fn set_role(
        &self,
        name: &AdminName,
        role: Role,
        by: Option<&Admin>,
    ) -> Result<(), AccountError> {
        let new = Some(format!("{name} ({role})"));
        let entry = entry(self.clock.now(), by, AuditAction::ChangedRole, new);
        read(name, self.storage.set_role(name, role, &entry).await?)
    }

    /// Removes an account and ends its sessions. Its actions stay in the audit log.
    ///
    /// # Errors
    /// When the account does not exist or is the last enabled owner, or the storage fails.
    pub async fn remove_account(
        &self,
        name: &AdminName,
        by: Option<&Admin>,
    ) -> Result<(), AccountError> {
        let entry = entry(self.clock.now(), by, AuditAction::RemovedAdmin, None);
        read(name, self.storage.remove_account(name, &entry).await?)
    }

    /// Changes the password of the session's own account, and ends its other sessions.
    ///
    /// # Errors
    /// [`PasswordError::Current`] if the current password is wrong, which counts as a failed sign-in,
    /// or if the token is of no account's session; also when the new password is rejected, or the
    /// storage fails.
    pub async fn change_password(
        &self,
        token: &str,
        current: &str,
        new: &str,
        device: impl Into<Device>,
    ) -> Result<(), PasswordError> {
        let found = self.find_session(token).await?;
        let (digest, session, _) = found.ok_or(SignInError::Refused)?;
        let Admin::Account(name) = &session.admin else { return Err(SignInError::Refused.into()) };
        let device = device.into();
        let begun = self.begin(&Attempt::by_password(Some(name), &device)).await?;
        let by = Some(&session.admin);
        if !self.is_password(name, current).await? {
            let action = AuditAction::ConfirmationFailed;
            let entry = entry(self.clock.now(), by, action, Some(device.place()));
            self.storage.audit(&entry).await?;
            self.watch.failed();
            return Err(SignInError::Refused.into());
        }
        self.succeeded(begun).await?;
        let password_hash = self.hash_password(new, name).await?;
        let action = AuditAction::ChangedPassword;
        let entry = entry(self.clock.now(), by, action, Some(name.to_string()));
        self.storage.set_password(name, &password_hash, Some(digest), &entry).await?;
        Ok(())
    }

    /// The hash of a new password for the account with this name.
    pub(super) async fn hash_password(
        &self,
        password: &str,
        name: &AdminName,
    ) -> Result<String, AccountError> {
        let password = NewPassword::parse(password, name.as_str())?;
        Ok(self.passwords.hash(password).await?)
    }

    /// Whether an account has this password.
    pub(in crate::admin) async fn is_password(
        &self,
        name: &AdminName,
        password: &str,
    ) -> Result<bool, ServiceError> {
        let hash = self.storage.account(name).await?.map(|account| account.password_hash);
        Ok(self.passwords.verify(password, hash).await)
    }
}

/// An error unless the account was changed.
fn read(name: &AdminName, changed: AccountChange) -> Result<(), AccountError> {
    match changed {
        AccountChange::Done => Ok(()),
        AccountChange::NoSuchAccount => Err(AccountError::NoSuchAccount(name.clone())),
        AccountChange::LastOwner => Err(AccountError::LastOwner(name.clone())),
    }
}

/// Why an admin's own password was not changed.
#[derive(Clone, Debug, thiserror::Error)]
pub enum PasswordError {
    /// The current password is wrong, or was wrong too often.
    #[error(transparent)]
    Current(#[from] SignInError),
    /// The new password is rejected.
    #[error(transparent)]
    New(#[from] AccountError),
}

impl From<RepositoryError> for PasswordError {
    fn from(error: RepositoryError) -> Self {
        Self::New(error.into())
    }
}

impl From<ServiceError> for PasswordError {
    fn from(error: ServiceError) -> Self {
        Self::New(error.into())
    }
}

/// Why an account was not created or changed.
#[derive(Clone, Debug, thiserror::Error)]
pub enum AccountError {
    /// The password is rejected.
    #[error(transparent)]
    InvalidPassword(#[from] InvalidPassword),
    /// An account with this name exists.
    #[error("the account {0} already exists")]
    NameIsTaken(AdminName),
    /// The account does not exist.
    #[error("the account {0} does not exist")]
    NoSuchAccount(AdminName),
    /// It is the last enabled account with the role owner.
    #[error("{0} is the last enabled owner; create or enable another owner first")]
    LastOwner(AdminName),
    /// The storage failed, or the hash could not be computed.
    #[error(transparent)]
    Storage(#[from] ServiceError),
}

impl From<RepositoryError> for AccountError {
    fn from(error: RepositoryError) -> Self {
        Self::Storage(error.into())
    }
}
