use chrono::{DateTime, TimeDelta, Utc};
use rollcall_domain::{Admin, AdminName, AuditAction, Role, SignInLimit};
use rollcall_repository::{Expiry, StoredSession};

use super::{account::AccountError, log::entry, secret::read_token, service::AdminService};
use crate::ServiceError;

/// A session ends when it was not used for so long.
const IDLE: TimeDelta = TimeDelta::hours(12);

/// A session ends so long after it began, however much it is used.
const LONGEST_SESSION: TimeDelta = TimeDelta::days(14);

/// That a session is used is written at most so often.
const TOUCH_EVERY: TimeDelta = TimeDelta::minutes(1);

/// A link by Telegram is good for so long.
pub(super) const LINK_IS_GOOD: TimeDelta = TimeDelta::minutes(5);

/// How many rows of each kind are forgotten at once.
const FORGET: u32 = 1000;

impl AdminService {
    /// The session with this token, which is being used now; `None` where there is none, it has
    /// expired, or its admin is no longer one.
    ///
    /// # Errors
    /// When the storage fails.
    pub async fn session(&self, token: &str) -> Result<Option<Session>, ServiceError> {
        let Some(digest) = read_token(token) else { return Ok(None) };
        let Some(stored) = self.storage.session(digest).await? else { return Ok(None) };
        let now = self.clock.now();
        if now - stored.last_used_at >= IDLE || now - stored.signed_in_at >= LONGEST_SESSION {
            return Ok(None);
        }
        let Some(role) = self.role(&stored) else { return Ok(None) };
        if now - stored.last_used_at >= TOUCH_EVERY {
            self.storage.touch_session(digest, now).await?;
        }
        Ok(Some(Session { admin: stored.admin, role, signed_in_at: stored.signed_in_at }))
    }

    /// What the session's admin may do now.
    fn role(&self, session: &StoredSession) -> Option<Role> {
        match &session.admin {
            Admin::Account(_) => session.account_role,
            Admin::Telegram(id) => self.owners.contains(id).then_some(Role::Owner),
        }
    }

    /// Ends a session, whether it has expired or not.
    ///
    /// # Errors
    /// When the storage fails.
    pub async fn sign_out(&self, token: &str) -> Result<(), ServiceError> {
        let Some(digest) = read_token(token) else { return Ok(()) };
        let Some(session) = self.storage.session(digest).await? else { return Ok(()) };
        let entry = entry(self.clock.now(), Some(&session.admin), AuditAction::SignedOut, None);
        self.storage.close_session(digest, &entry).await?;
        Ok(())
    }

    /// Ends every session of an admin.
    ///
    /// # Errors
    /// When the storage fails.
    pub async fn sign_out_everywhere(&self, admin: &Admin) -> Result<(), ServiceError> {
        let entry = entry(self.clock.now(), Some(admin), AuditAction::SignedOutEverywhere, None);
        self.storage.close_sessions(admin, &entry).await?;
        Ok(())
    }

    /// Ends every session of an account. `by` is who does; `None` for somebody on the server itself.
    ///
    /// # Errors
    /// When there is no such account, or the storage fails.
    pub async fn end_sessions(
        &self,
        name: &AdminName,
        by: Option<&Admin>,
    ) -> Result<(), AccountError> {
        if self.storage.account(name).await?.is_none() {
            return Err(AccountError::NoSuchAccount(name.clone()));
        }
        let new = Some(name.to_string());
        let entry = entry(self.clock.now(), by, AuditAction::SignedOutEverywhere, new);
        self.storage.close_sessions(&Admin::Account(name.clone()), &entry).await?;
        Ok(())
    }

    /// Forgets what is of no use any more: sessions and links that have expired, and old failures to
    /// sign in. Does a part of it, and answers whether there may be more.
    ///
    /// # Errors
    /// When the storage fails.
    pub async fn forget_old(&self) -> Result<bool, ServiceError> {
        let now = self.clock.now();
        let expiry = Expiry {
            used_before: now - IDLE,
            signed_in_before: now - LONGEST_SESSION,
            linked_before: now - LINK_IS_GOOD,
            failed_before: now - SignInLimit::FORGOTTEN_AFTER,
        };
        Ok(self.storage.forget(expiry, FORGET).await? > 0)
    }
}

/// Who is signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Who it is.
    pub admin: Admin,
    /// What they may do, as it is now.
    pub role: Role,
    /// Since when.
    pub signed_in_at: DateTime<Utc>,
}
