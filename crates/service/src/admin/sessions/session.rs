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

/// A session ends when it was not used for so long.
const IDLE: TimeDelta = TimeDelta::hours(12);

/// A session ends so long after it began, however much it is used.
const LONGEST_SESSION: TimeDelta = TimeDelta::days(14);

/// A session that owes its second factor ends so long after it began.
const LONGEST_OWING: TimeDelta = TimeDelta::minutes(10);

/// Who proved their identity within this time need not do so again.
const STAYS_CONFIRMED: TimeDelta = TimeDelta::minutes(15);

/// That a session is used is written at most so often.
const TOUCH_EVERY: TimeDelta = TimeDelta::minutes(1);

/// A link by Telegram is good for so long.
pub(in crate::admin) const LINK_IS_GOOD: TimeDelta = TimeDelta::minutes(5);

/// The most sessions that are listed.
const MAX_SESSIONS: u32 = 100;

/// How many rows of each kind are forgotten at once.
const FORGET: u32 = 1000;

impl AdminService {
    /// The session with this token, which is being used now; `None` where there is none, it has
    /// expired, or its admin is no longer one.
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

    /// The session with this token, the token's hash, and when the session was last used.
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
        let Some(role) = self.role(&stored) else { return Ok(None) };
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

    /// What somebody still has to do before they are signed in.
    pub(in crate::admin) fn standing(&self, owes_factor: bool, has_factor: bool) -> Standing {
        match (owes_factor, has_factor) {
            (true, _) => Standing::OwesFactor,
            (false, false) if self.requires_second_factor => Standing::OwesSetup,
            (false, _) => Standing::Whole,
        }
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
        self.storage.close_session(digest, &session.admin, &entry).await?;
        Ok(())
    }

    /// The sessions of whose session this is, the one used last first; up to 100.
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

    /// Ends one of the sessions of whose session this is; answers whether there was one.
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

    /// Ends every session of whose session this is but this one.
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

    /// Ends every session of an admin.
    ///
    /// # Errors
    /// When the storage fails.
    pub async fn sign_out_everywhere(&self, admin: &Admin) -> Result<(), ServiceError> {
        let entry = entry(self.clock.now(), Some(admin), AuditAction::SignedOutEverywhere, None);
        self.storage.close_sessions(admin, None, &entry).await?;
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
        self.storage.close_sessions(&Admin::Account(name.clone()), None, &entry).await?;
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

/// One of somebody's own sessions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnSession {
    /// Names it.
    pub id: TokenId,
    /// The browser and system in words; "" where they are not known.
    pub device: String,
    /// The address of the person when it began; "" where it is not known.
    pub address: String,
    /// When it began.
    pub signed_in_at: DateTime<Utc>,
    /// When it was last used, to the minute or so.
    pub last_used_at: DateTime<Utc>,
    /// Whether the second factor has still to be given.
    pub owes_factor: bool,
    /// Whether it is the one that asks.
    pub is_this: bool,
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
    /// Whether they have to do something first.
    pub standing: Standing,
    /// Whether they have a second factor.
    pub has_second_factor: bool,
    /// Whether they proved their identity within the last 15 minutes, as is required before what
    /// cannot be undone.
    pub is_confirmed: bool,
}

/// What somebody still has to do before they may do anything else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Give the second factor: they are not signed in yet.
    OwesFactor,
    /// Set a second factor up, as everybody has to.
    OwesSetup,
    /// Nothing.
    Whole,
}

impl Session {
    /// By what they prove their identity.
    pub fn proof(&self) -> Proof {
        match &self.admin {
            _ if self.has_second_factor => Proof::Factor,
            Admin::Account(_) => Proof::Password,
            Admin::Telegram(_) => Proof::Link,
        }
    }
}

/// By what somebody proves their identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// A code of the second factor, or a recovery code.
    Factor,
    /// The password of the account.
    Password,
    /// A new link from the bot.
    Link,
}
