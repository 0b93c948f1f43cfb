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
    /// Signs somebody in with a name and a password. A new session begins each time; where the
    /// account has a second factor, [`AdminService::confirm`] makes it a whole one.
    ///
    /// # Errors
    /// [`SignInError::Refused`], which takes as long, and says as much, whether there is such an
    /// account or not; [`SignInError::Throttled`] after too many failures; [`SignInError::Busy`]
    /// while too many others sign in; or when the storage fails.
    pub async fn sign_in(
        &self,
        name: &str,
        password: &str,
        device: impl Into<Device>,
    ) -> Result<SignIn, SignInError> {
        let device = device.into();
        // What cannot be a name is counted for its address only, all of it as one.
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
            // Written where there is no such account too, which else would be answered sooner.
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

    /// A link for somebody to sign in with once, within five minutes; `None` for those who are not
    /// owners by Telegram.
    ///
    /// # Errors
    /// When the storage fails.
    pub async fn create_link(&self, user: TelegramId) -> Result<Option<LinkToken>, ServiceError> {
        if !self.owners.contains(&user) {
            return Ok(None);
        }
        let (text, digest) = new_token()?;
        self.storage.create_link(digest, user, self.clock.now()).await?;
        Ok(Some(LinkToken(text)))
    }

    /// Signs somebody in by a link from [`AdminService::create_link`]. The link is used up, also
    /// where it has expired.
    ///
    /// # Errors
    /// [`SignInError::Refused`] where the link is none, was used, has expired, or its owner is no
    /// longer one; or when the storage fails.
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

    /// Uses a link up; answers whose it is, if it is still good.
    pub(in crate::admin) async fn take_link(
        &self,
        token: &str,
    ) -> Result<Option<TelegramId>, ServiceError> {
        let Some(digest) = read_token(token) else { return Ok(None) };
        let Some((user, made_at)) = self.storage.take_link(digest).await? else { return Ok(None) };
        let is_good = self.clock.now() - made_at < LINK_IS_GOOD && self.owners.contains(&user);
        Ok(is_good.then_some(user))
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
        // Not where the account was disabled, or its password changed, while this one was verified.
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

/// Somebody who has just signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignIn {
    /// What shows that a request belongs to the session.
    pub token: SessionToken,
    /// The session.
    pub session: Session,
}
