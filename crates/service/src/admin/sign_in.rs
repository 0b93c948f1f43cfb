use std::{net::IpAddr, time::Duration};

use chrono::{DateTime, Utc};
use rollcall_domain::{Admin, AdminName, AuditAction, Role, TelegramId};
use rollcall_repository::RepositoryError;

use super::{
    attempt::{Attempt, whole_seconds},
    log::entry,
    secret::{LinkToken, SessionToken, new_token, read_token},
    service::AdminService,
    session::{LINK_IS_GOOD, Session},
    throttle::Turn,
};
use crate::ServiceError;

impl AdminService {
    /// Signs somebody in with a name and a password, from `address`: that of the person, not of a
    /// proxy. A new session begins each time.
    ///
    /// # Errors
    /// [`SignInError::Refused`], which takes as long, and says as much, whether there is such an
    /// account or not; [`SignInError::Throttled`] after too many failures; [`SignInError::Busy`]
    /// while too many others sign in; or when the storage fails.
    pub async fn sign_in(
        &self,
        name: &str,
        password: &str,
        address: IpAddr,
    ) -> Result<SignIn, SignInError> {
        // What cannot be a name is counted for its address only, all of it as one.
        let name: Option<AdminName> = name.trim().parse().ok();
        let attempt = Attempt::new(name.as_ref(), address);
        let _turn = self.attempt(&attempt).await?;
        let account = match &name {
            Some(name) => self.storage.account(name).await?,
            None => None,
        };
        let hash = account.as_ref().map(|it| it.password_hash.clone());
        let is_right = self.passwords.verify(password, hash).await;
        let at = self.clock.now();
        let Some(stored) = account else {
            // Written where there is no such account too, which else would be answered sooner.
            self.note_failure(None, address, at).await?;
            return Err(SignInError::Refused);
        };
        let (role, admin) = (stored.account.role, Admin::Account(stored.account.name));
        if !is_right || stored.account.is_disabled {
            self.note_failure(Some(&admin), address, at).await?;
            return Err(SignInError::Refused);
        }
        let hash = Some(stored.password_hash.as_str());
        let signed_in = self.open_session(admin, role, hash, address, at).await?;
        self.storage.succeeded(attempt.pair, &[attempt.place, attempt.account]).await?;
        self.throttle.forget(attempt.pair);
        Ok(signed_in)
    }

    /// Counts an attempt, if it need not wait; what is known to have to is refused from memory.
    async fn attempt(&self, attempt: &Attempt) -> Result<Turn<'_>, SignInError> {
        let throttled = |wait| SignInError::Throttled { retry_after: whole_seconds(wait) };
        let keys = attempt.keys();
        if let Some(wait) = self.throttle.wait(&keys.map(|(key, _)| key), self.clock.now()) {
            return Err(throttled(wait));
        }
        let turn = self.throttle.turn().await.ok_or(SignInError::Busy)?;
        let now = self.clock.now();
        let waits = self.storage.attempt(&keys, now).await?;
        for (key, wait) in &waits {
            self.throttle.refuse(*key, *wait, now);
        }
        match waits.into_iter().map(|(_, wait)| wait).max() {
            Some(longest) => Err(throttled(longest)),
            None => Ok(turn),
        }
    }

    async fn note_failure(
        &self,
        admin: Option<&Admin>,
        address: IpAddr,
        at: DateTime<Utc>,
    ) -> Result<(), RepositoryError> {
        let entry = entry(at, admin, AuditAction::SignInFailed, Some(from(address)));
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
        address: IpAddr,
    ) -> Result<SignIn, SignInError> {
        let digest = read_token(token).ok_or(SignInError::Refused)?;
        let link = self.storage.take_link(digest).await?;
        let (user, made_at) = link.ok_or(SignInError::Refused)?;
        let at = self.clock.now();
        if at - made_at >= LINK_IS_GOOD || !self.owners.contains(&user) {
            return Err(SignInError::Refused);
        }
        self.open_session(Admin::Telegram(user), Role::Owner, None, address, at).await
    }

    async fn open_session(
        &self,
        admin: Admin,
        role: Role,
        password_hash: Option<&str>,
        address: IpAddr,
        at: DateTime<Utc>,
    ) -> Result<SignIn, SignInError> {
        let (text, digest) = new_token()?;
        let entry = entry(at, Some(&admin), AuditAction::SignedIn, Some(from(address)));
        // Not where the account was disabled, or its password changed, while this one was verified.
        if !self.storage.open_session(digest, &admin, password_hash, &entry).await? {
            return Err(SignInError::Refused);
        }
        let session = Session { admin, role, signed_in_at: at };
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

/// Why somebody was not signed in.
#[derive(Clone, Debug, thiserror::Error)]
pub enum SignInError {
    /// Something about it is wrong; what, is not told.
    #[error("not signed in")]
    Refused,
    /// It failed too often. Nothing was tried.
    #[error("signing in failed too often; the next attempt may be in {} seconds", retry_after.as_secs())]
    Throttled {
        /// How long to wait, in whole seconds.
        retry_after: Duration,
    },
    /// Too many sign in at once. Nothing was tried.
    #[error("too many people sign in at once")]
    Busy,
    /// It could not be found out.
    #[error(transparent)]
    Storage(#[from] ServiceError),
}

impl From<RepositoryError> for SignInError {
    fn from(error: RepositoryError) -> Self {
        Self::Storage(error.into())
    }
}

/// From where somebody came, as the audit log tells it.
fn from(address: IpAddr) -> String {
    format!("from {}", address.to_canonical())
}
