use chrono::{DateTime, TimeDelta, Utc};
use rollcall_domain::{Admin, AdminName, AuditAction, Role, SignInLimit};
use rollcall_repository::{Digest, Expiry, ListedSession, StoredSession};

use crate::{
    ServiceError,
    admin::{
        accounts::AccountError,
        audit_log::entry,
        service::AdminService,
        token::{TokenId, read_token},
    },
};

/// A session ends after this time without use.
const IDLE: TimeDelta = TimeDelta::hours(12);

/// A session ends this long after it began, even if it is used.
const LONGEST_SESSION: TimeDelta = TimeDelta::days(14);

/// A session that still owes its second factor ends this long after it began.
const LONGEST_OWING: TimeDelta = TimeDelta::minutes(10);

/// Admins need not confirm their identity again within this time.
const STAYS_CONFIRMED: TimeDelta = TimeDelta::minutes(15);

/// The use of a session is stored at most this often.
const TOUCH_EVERY: TimeDelta = TimeDelta::minutes(1);

/// How long a link from the bot is valid.
pub(in crate::admin) const LINK_IS_GOOD: TimeDelta = TimeDelta::minutes(5);

/// How long the data of a Mini App is remembered after it signed in: longer than any is valid.
const MINI_APP_DATA_IS_KNOWN: TimeDelta = TimeDelta::minutes(10);

/// The most sessions in a list.
const MAX_SESSIONS: u32 = 100;

/// How many expired rows of each table are deleted at once.
const FORGET: u32 = 1000;

impl AdminService {
    /// The session with this token, which counts as used now; `None` if it does not exist or has
    /// expired, or if its admin was removed.
    ///
    /// # Errors
    /// When the storage fails.
    pub async fn session(&self, token: &str) -> Result<Option<Session>, ServiceError> {
        let Some((digest, session, last_used_at)) = self.find_session(token).await? else {
            return Ok(None);
        };
        let now = self.clock.now();
        if now - last_used_at >= TOUCH_EVERY {
            self.storage.touch_session(digest, now).await?;
        }
        Ok(Some(session))
    }

    /// The session with this token, which does not count as used: for requests that a page sends
    /// without its user. `None` as for [`AdminService::session`].
    ///
    /// # Errors
    /// When the storage fails.
    pub async fn peek_session(&self, token: &str) -> Result<Option<Session>, ServiceError> {
        Ok(self.find_session(token).await?.map(|(_, session, _)| session))
    }

    /// The token's hash, the session with this token, and when it was last used.
    pub(in crate::admin) async fn find_session(
        &self,
        token: &str,
    ) -> Result<Option<(Digest, Session, DateTime<Utc>)>, ServiceError> {
        let Some(digest) = read_token(token) else { return Ok(None) };
        let Some(stored) = self.storage.session(digest).await? else { return Ok(None) };
        let now = self.clock.now();
        if has_expired(now, stored.signed_in_at, stored.last_used_at, stored.owes_factor) {
            return Ok(None);
        }
        let Some(role) = self.role(&stored).await? else { return Ok(None) };
        let since = stored.confirmed_at.map(|at| now - at);
        let session = Session {
            admin: stored.admin,
            role,
            signed_in_at: stored.signed_in_at,
            standing: self.standing(stored.owes_factor, stored.has_factor),
            has_second_factor: stored.has_factor,
            is_confirmed: since.is_some_and(|since| since.abs() < STAYS_CONFIRMED),
        };
        Ok(Some((digest, session, stored.last_used_at)))
    }

    /// What the admin still has to do before they are signed in.
    pub(in crate::admin) fn standing(&self, owes_factor: bool, has_factor: bool) -> Standing {
        match (owes_factor, has_factor) {
            (true, _) => Standing::OwesFactor,
            (false, false) if self.requires_second_factor => Standing::OwesSetup,
            (false, _) => Standing::Whole,
        }
    }

    /// The present role of the session's admin.
    async fn role(&self, session: &StoredSession) -> Result<Option<Role>, ServiceError> {
        Ok(match &session.admin {
            Admin::Account(_) => session.account_role,
            Admin::Telegram(id) => self.is_telegram_owner(*id).await?.then_some(Role::Owner),
            Admin::Program(_) => None,
        })
    }

    /// Ends a session, even if it has expired.
    ///
    /// # Errors
    /// When the storage fails.
    pub async fn sign_out(&self, token: &str) -> Result<(), ServiceError> {
        let Some(digest) = read_token(token) else { return Ok(()) };
        let Some(session) = self.storage.session(digest).await? else { return Ok(()) };
        let entry = entry(self.clock.now(), Some(&session.admin), AuditAction::SignedOut, None);
        self.storage.close_session(digest, &session.admin, &entry).await?;
        Ok(())
    }

    /// Up to 100 sessions of the session's own admin, the last used first.
    ///
    /// # Errors
    /// When the storage fails.
    pub async fn own_sessions(&self, token: &str) -> Result<Vec<OwnSession>, ServiceError> {
        let Some((this, session, _)) = self.find_session(token).await? else { return Ok(vec![]) };
        let now = self.clock.now();
        let stored = self.storage.sessions(&session.admin, MAX_SESSIONS).await?;
        let is_open = |it: &ListedSession| {
            !has_expired(now, it.signed_in_at, it.last_used_at, it.owes_factor)
        };
        let own = |it: ListedSession| OwnSession {
            id: TokenId(it.token),
            device: it.device,
            address: it.address,
            signed_in_at: it.signed_in_at,
            last_used_at: it.last_used_at,
            owes_factor: it.owes_factor,
            is_this: it.token == this,
        };
        Ok(stored.into_iter().filter(is_open).map(own).collect())
    }

    /// Ends one of the sessions of the session's own admin. Returns whether it existed.
    ///
    /// # Errors
    /// When the storage fails.
    pub async fn end_own_session(&self, token: &str, id: TokenId) -> Result<bool, ServiceError> {
        let sessions = self.own_sessions(token).await?;
        let Some((_, session, _)) = self.find_session(token).await? else { return Ok(false) };
        let Some(ended) = sessions.into_iter().find(|it| it.id == id) else { return Ok(false) };
        let (by, action) = (Some(&session.admin), AuditAction::EndedSession);
        let entry = entry(self.clock.now(), by, action, Some(ended.device));
        Ok(self.storage.close_session(id.0, &session.admin, &entry).await?)
    }

    /// Ends all other sessions of the session's own admin.
    ///
    /// # Errors
    /// When the storage fails.
    pub async fn end_other_sessions(&self, token: &str) -> Result<(), ServiceError> {
        let Some((this, session, _)) = self.find_session(token).await? else { return Ok(()) };
        let (by, action) = (Some(&session.admin), AuditAction::EndedOtherSessions);
        let entry = entry(self.clock.now(), by, action, None);
        self.storage.close_sessions(&session.admin, Some(this), &entry).await?;
        Ok(())
    }

    /// Ends all sessions of an admin.
    ///
    /// # Errors
    /// When the storage fails.
    pub async fn sign_out_everywhere(&self, admin: &Admin) -> Result<(), ServiceError> {
        let entry = entry(self.clock.now(), Some(admin), AuditAction::SignedOutEverywhere, None);
        self.storage.close_sessions(admin, None, &entry).await?;
        Ok(())
    }

    /// Ends all sessions of an account. `by` is the admin who does it; `None` for a management command.
    ///
    /// # Errors
    /// When the account does not exist, or the storage fails.
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
        self.storage.close_sessions(&Admin::Account(name.clone()), None, &entry).await?;
        Ok(())
    }

    /// Deletes some of the expired sessions and links and of the old failed sign-ins. Returns whether
    /// there may be more.
    ///
    /// # Errors
    /// When the storage fails.
    pub async fn forget_old(&self) -> Result<bool, ServiceError> {
        let now = self.clock.now();
        let expiry = Expiry {
            used_before: now - IDLE,
            signed_in_before: now - LONGEST_SESSION,
            linked_before: now - LINK_IS_GOOD,
            opened_before: now - MINI_APP_DATA_IS_KNOWN,
            expired_before: now,
            failed_before: now - SignInLimit::FORGOTTEN_AFTER,
        };
        Ok(self.storage.forget(expiry, FORGET).await? > 0)
    }
}

fn has_expired(
    now: DateTime<Utc>,
    signed_in_at: DateTime<Utc>,
    last_used_at: DateTime<Utc>,
    owes_factor: bool,
) -> bool {
    let longest = if owes_factor { LONGEST_OWING } else { LONGEST_SESSION };
    now - last_used_at >= IDLE || now - signed_in_at >= longest
}

/// One of an admin's own sessions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnSession {
    /// The session's id.
    pub id: TokenId,
    /// The browser and system in words; "" if unknown.
    pub device: String,
    /// The client's address when the session began; "" if unknown.
    pub address: String,
    /// When the session began.
    pub signed_in_at: DateTime<Utc>,
    /// When it was last used, to about a minute.
    pub last_used_at: DateTime<Utc>,
    /// Whether it still owes the second factor.
    pub owes_factor: bool,
    /// Whether it is the session in use.
    pub is_this: bool,
}

/// An admin's session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// The admin.
    pub admin: Admin,
    /// The admin's present role.
    pub role: Role,
    /// When the session began.
    pub signed_in_at: DateTime<Utc>,
    /// What the admin still has to do first.
    pub standing: Standing,
    /// Whether the admin has a second factor.
    pub has_second_factor: bool,
    /// Whether the admin confirmed their identity within the last 15 minutes, which sensitive actions
    /// require.
    pub is_confirmed: bool,
}

/// What an admin still has to do before anything else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Enter the second factor: they are not signed in yet.
    OwesFactor,
    /// Set up a second factor, because every admin needs one.
    OwesSetup,
    /// Nothing.
    Whole,
}

impl Session {
    /// How the admin confirms their identity.
    pub fn proof(&self) -> Proof {
        match &self.admin {
            _ if self.has_second_factor => Proof::Factor,
            Admin::Account(_) => Proof::Password,
            Admin::Telegram(_) | Admin::Program(_) => Proof::Link,
        }
    }
}

/// How an admin confirms their identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// By the second factor or a recovery code.
    Factor,
    /// By the password of the account.
    Password,
    /// By a new link from the bot.
    Link,
}
