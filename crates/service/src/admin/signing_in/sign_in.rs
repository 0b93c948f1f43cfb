use chrono::{DateTime, Utc};
use rollcall_domain::{Admin, AdminName, AuditAction, Role, TelegramId};
use rollcall_repository::{NewSession, Opened, RepositoryError};

use super::attempt::{Attempt, SignInError};
use crate::{
    ServiceError,
    admin::{
        audit_log::entry,
        devices::Device,
        service::AdminService,
        sessions::{LINK_IS_GOOD, Session},
        token::{LinkToken, SessionToken, new_token, read_token},
    },
};

impl AdminService {
    /// Signs an admin in with a name and a password, and opens a new session. If the account has a
    /// second factor, [`AdminService::confirm`] completes the session.
    ///
    /// # Errors
    /// [`SignInError::Refused`], with the same text and timing whether the account exists or not;
    /// [`SignInError::Throttled`] after too many failures; [`SignInError::Busy`] while too many
    /// others sign in; or when the storage fails.
    pub async fn sign_in(
        &self,
        name: &str,
        password: &str,
        device: impl Into<Device>,
    ) -> Result<SignIn, SignInError> {
        let device = device.into();
        // Invalid names are counted together, by the address only.
        let name: Option<AdminName> = name.trim().parse().ok();
        let begun = self.begin(&Attempt::by_password(name.as_ref(), &device)).await?;
        let account = match &name {
            Some(name) => self.storage.account(name).await?,
            None => None,
        };
        let hash = account.as_ref().map(|it| it.password_hash.clone());
        let is_right = self.passwords.verify(password, hash).await;
        let at = self.clock.now();
        let Some(stored) = account else {
            // Also recorded without an account; otherwise that answer would come sooner.
            self.note_failure(None, &device, at).await?;
            return Err(SignInError::Refused);
        };
        let (role, admin) = (stored.account.role, Admin::Account(stored.account.name));
        if !is_right || stored.account.is_disabled {
            self.note_failure(Some(&admin), &device, at).await?;
            return Err(SignInError::Refused);
        }
        let signed_in =
            self.open_session(admin, role, Some(stored.password_hash), device, at).await?;
        self.succeeded(begun).await?;
        Ok(signed_in)
    }

    async fn note_failure(
        &self,
        admin: Option<&Admin>,
        device: &Device,
        at: DateTime<Utc>,
    ) -> Result<(), RepositoryError> {
        let entry = entry(at, admin, AuditAction::SignInFailed, Some(device.place()));
        self.watch.failed();
        self.storage.audit(&entry).await
    }

    /// A link that signs a Telegram owner in once, within five minutes; `None` for all other users.
    ///
    /// # Errors
    /// When the storage fails.
    pub async fn create_link(&self, user: TelegramId) -> Result<Option<LinkToken>, ServiceError> {
        if !self.is_telegram_owner(user).await? {
            return Ok(None);
        }
        let (text, digest) = new_token()?;
        self.storage.create_link(digest, user, self.clock.now()).await?;
        Ok(Some(LinkToken(text)))
    }

    /// Signs an owner in by a link from [`AdminService::create_link`]. The link is used up, even if
    /// it has expired.
    ///
    /// # Errors
    /// [`SignInError::Refused`] if the link does not exist, was used, has expired, or its user is no
    /// longer an owner; or when the storage fails.
    pub async fn sign_in_by_link(
        &self,
        token: &str,
        device: impl Into<Device>,
    ) -> Result<SignIn, SignInError> {
        let Some(user) = self.take_link(token).await? else {
            self.watch.failed();
            return Err(SignInError::Refused);
        };
        self.watch.succeeded();
        let at = self.clock.now();
        self.open_session(Admin::Telegram(user), Role::Owner, None, device.into(), at).await
    }

    /// Whether the link works any number of times.
    pub fn is_lasting(&self, token: &str) -> bool {
        self.lasting_link.as_ref().is_some_and(|link| link.user(token).is_some())
    }

    /// Uses up a link, unless it is the lasting one, and returns its user if the link was still valid.
    pub(in crate::admin) async fn take_link(
        &self,
        token: &str,
    ) -> Result<Option<TelegramId>, ServiceError> {
        if let Some(user) = self.lasting_link.as_ref().and_then(|link| link.user(token)) {
            return Ok(self.is_telegram_owner(user).await?.then_some(user));
        }
        let Some(digest) = read_token(token) else { return Ok(None) };
        let Some(link) = self.storage.take_link(digest).await? else { return Ok(None) };
        let is_recent = self.clock.now() - link.created_at < LINK_IS_GOOD;
        let is_good = is_recent && self.is_telegram_owner(link.user).await?;
        Ok(is_good.then_some(link.user))
    }

    pub(in crate::admin) async fn open_session(
        &self,
        admin: Admin,
        role: Role,
        password_hash: Option<String>,
        device: Device,
        at: DateTime<Utc>,
    ) -> Result<SignIn, SignInError> {
        let (text, token) = new_token()?;
        let entry = entry(at, Some(&admin), AuditAction::SignedIn, Some(device.place()));
        let address = device.address.to_canonical().to_string();
        let name = device.name.clone();
        let new = NewSession { token, admin, password_hash, device: name, address };
        // Refused if the account was disabled or its password changed during the verification.
        let has_factor = match self.storage.open_session(&new, &entry).await? {
            Opened::Refused => return Err(SignInError::Refused),
            Opened::OwesFactor => true,
            Opened::Whole => {
                self.note_device(&new.admin, &device, at).await?;
                false
            }
        };
        let session = Session {
            admin: new.admin,
            role,
            signed_in_at: at,
            standing: self.standing(has_factor, has_factor),
            has_second_factor: has_factor,
            is_confirmed: !has_factor,
        };
        Ok(SignIn { token: SessionToken(text), session })
    }
}

/// A new session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignIn {
    /// The secret that requests of the session carry.
    pub token: SessionToken,
    /// The session.
    pub session: Session,
}
