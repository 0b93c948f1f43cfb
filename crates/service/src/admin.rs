//! Who may use the web admin: accounts, signing in, sessions, links by Telegram, and the audit log.

use std::{
    collections::BTreeSet,
    fmt,
    net::{IpAddr, Ipv6Addr},
    sync::Arc,
    time::Duration,
};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use chrono::{DateTime, TimeDelta, Utc};
use rollcall_domain::{
    Admin, AdminAccount, AdminName, AuditAction, AuditEntry, Clock, Role, SignInLimit, TelegramId,
};
use rollcall_repository::{
    AdminRepository, AuditFilter, Digest, Disabling, Expiry, NewAuditEntry, RepositoryError,
    StoredAccount, StoredSession,
};
use sha2::{Digest as _, Sha256};

use crate::{
    ServiceError,
    password::{InvalidPassword, Passwords},
};

/// A session ends when it was not used for so long.
const IDLE: TimeDelta = TimeDelta::hours(12);
/// A session ends so long after it began, however much it is used.
const LONGEST_SESSION: TimeDelta = TimeDelta::days(14);
/// That a session is used is written at most so often.
const TOUCH_EVERY: TimeDelta = TimeDelta::minutes(1);
/// A link by Telegram is good for so long.
const LINK_IS_GOOD: TimeDelta = TimeDelta::minutes(5);
/// The most entries of the audit log that are answered at once.
const MAX_ENTRIES: u32 = 1000;
/// The most accounts that are listed.
const MAX_ACCOUNTS: u32 = 1000;
/// How many rows of each kind are forgotten at once.
const FORGET: u32 = 1000;

/// Of one account from one place: a person who mistypes a password.
const PAIR: SignInLimit = SignInLimit {
    free: 5,
    first_wait: TimeDelta::seconds(30),
    longest_wait: TimeDelta::minutes(15),
};
/// Of any account from one place, which several people may share.
const PLACE: SignInLimit = SignInLimit {
    free: 30,
    first_wait: TimeDelta::seconds(30),
    longest_wait: TimeDelta::minutes(15),
};
/// Of one account from anywhere. The wait stays short: whoever knows a name can make its owner wait.
const ACCOUNT: SignInLimit = SignInLimit {
    free: 50,
    first_wait: TimeDelta::seconds(1),
    longest_wait: TimeDelta::minutes(1),
};

/// Looks after admins: their accounts, their sessions, and the log of what they do. Cheap to clone.
#[derive(Clone)]
pub struct AdminService {
    storage: Arc<dyn AdminRepository>,
    clock: Arc<dyn Clock>,
    owners: Arc<BTreeSet<TelegramId>>,
    passwords: Passwords,
}

impl AdminService {
    /// A service over `storage`. `telegram_owners` may sign in by links that the bot sends, as
    /// owners.
    pub fn new(
        storage: impl AdminRepository + 'static,
        clock: impl Clock + 'static,
        telegram_owners: BTreeSet<TelegramId>,
    ) -> Self {
        Self {
            storage: Arc::new(storage),
            clock: Arc::new(clock),
            owners: Arc::new(telegram_owners),
            passwords: Passwords::default(),
        }
    }

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

    /// Signs somebody in with a name and a password, from `address`: that of the person, not of a
    /// proxy. A new session begins each time.
    ///
    /// # Errors
    /// [`SignInError::Refused`], which takes as long, and says as much, whether there is such an
    /// account or not; [`SignInError::Throttled`] after too many failures; or when the storage fails.
    pub async fn sign_in(
        &self,
        name: &str,
        password: &str,
        address: IpAddr,
    ) -> Result<SignIn, SignInError> {
        // What cannot be a name is counted for its address only, all of it as one.
        let name: Option<AdminName> = name.trim().parse().ok();
        let attempt = Attempt::new(name.as_ref(), address);
        if let Some(wait) = self.storage.attempt(&attempt.keys(), self.clock.now()).await? {
            return Err(SignInError::Throttled { retry_after: whole_seconds(wait) });
        }
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
        Ok(signed_in)
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

    /// Adds to the audit log what an admin has just done about a user, with what was before and what
    /// is since then.
    ///
    /// # Errors
    /// When the storage fails.
    pub async fn audit(
        &self,
        admin: &Admin,
        action: AuditAction,
        about: Option<TelegramId>,
        old: Option<&str>,
        new: Option<&str>,
    ) -> Result<(), ServiceError> {
        let entry = NewAuditEntry {
            at: self.clock.now(),
            admin: Some(admin.clone()),
            action,
            about,
            old: old.map(str::to_owned),
            new: new.map(str::to_owned),
        };
        Ok(self.storage.audit(&entry).await?)
    }

    /// Adds to the audit log what somebody has just done on the server, by a management command.
    ///
    /// # Errors
    /// When the storage fails.
    pub async fn audit_command(&self, action: AuditAction, new: &str) -> Result<(), ServiceError> {
        let at = self.clock.now();
        Ok(self.storage.audit(&entry(at, None, action, Some(new.to_owned()))).await?)
    }

    /// Adds to the audit log that an admin does the same to several users, all or none of it.
    ///
    /// # Errors
    /// When the storage fails.
    pub async fn audit_each(
        &self,
        admin: &Admin,
        action: AuditAction,
        about: &[TelegramId],
    ) -> Result<(), ServiceError> {
        let at = self.clock.now();
        let entry = |id: &TelegramId| NewAuditEntry {
            about: Some(*id),
            ..entry(at, Some(admin), action, None)
        };
        let entries: Vec<NewAuditEntry> = about.iter().map(entry).collect();
        Ok(self.storage.audit_all(&entries).await?)
    }

    /// Up to `limit` entries of the audit log, at most 1,000, the newest first. What comes after a
    /// page of them is asked for with the last one's id as `before`.
    ///
    /// # Errors
    /// When the storage fails.
    pub async fn audit_log(
        &self,
        filter: &AuditFilter,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Vec<AuditEntry>, ServiceError> {
        Ok(self.storage.audit_log(filter, before, limit.min(MAX_ENTRIES)).await?)
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

/// Somebody who has just signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignIn {
    /// What shows that a request belongs to the session.
    pub token: SessionToken,
    /// The session.
    pub session: Session,
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

/// The secret of a session, for a cookie: 43 characters of `A-Z a-z 0-9 _ -`. Only its hash is stored.
#[derive(Clone, PartialEq, Eq)]
pub struct SessionToken(String);

/// The secret of a link to sign in with: 43 characters of `A-Z a-z 0-9 _ -`. Only its hash is stored.
#[derive(Clone, PartialEq, Eq)]
pub struct LinkToken(String);

impl SessionToken {
    /// The secret itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl LinkToken {
    /// The secret itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

// A secret has no business in a log.
impl fmt::Debug for SessionToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionToken(…)")
    }
}

impl fmt::Debug for LinkToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LinkToken(…)")
    }
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
    /// It could not be found out.
    #[error(transparent)]
    Storage(#[from] ServiceError),
}

impl From<RepositoryError> for SignInError {
    fn from(error: RepositoryError) -> Self {
        Self::Storage(error.into())
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

/// What an attempt to sign in is counted by. Hashed, so that what somebody typed, perhaps a password
/// in the wrong field, is not in the database.
struct Attempt {
    pair: Digest,
    place: Digest,
    account: Digest,
}

impl Attempt {
    fn new(name: Option<&AdminName>, address: IpAddr) -> Self {
        let (name, place) = (name.map_or("", AdminName::as_str), place(address).to_string());
        Self {
            pair: digest(&["pair", name, &place]),
            place: digest(&["place", &place]),
            // What is no name is no account's: it must not make everybody wait who mistypes theirs.
            account: match name {
                "" => digest(&["no account", &place]),
                name => digest(&["account", name]),
            },
        }
    }

    fn keys(&self) -> [(Digest, SignInLimit); 3] {
        [(self.pair, PAIR), (self.place, PLACE), (self.account, ACCOUNT)]
    }
}

/// Where an address counts to: an IPv6 network of 64 bits is one place, as every household has one.
fn place(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let network = address.to_bits() >> 64 << 64;
            Ipv6Addr::from_bits(network).into()
        }
        address => address,
    }
}

/// From where somebody came, as the audit log tells it.
fn from(address: IpAddr) -> String {
    format!("from {}", address.to_canonical())
}

/// A wait for a person: in whole seconds, and never too short.
fn whole_seconds(wait: TimeDelta) -> Duration {
    let wait = wait.to_std().unwrap_or_default();
    Duration::from_secs(wait.as_secs() + u64::from(wait.subsec_nanos() > 0))
}

const TOKEN_BYTES: usize = 32;

/// A new secret, and its hash.
fn new_token() -> Result<(String, Digest), ServiceError> {
    let mut bytes = [0; TOKEN_BYTES];
    getrandom::fill(&mut bytes).map_err(|_| ServiceError::NoRandomness)?;
    Ok((BASE64_URL_SAFE_NO_PAD.encode(bytes), hash(&bytes)))
}

/// The hash of a secret as somebody shows it; `None` where it cannot be one of ours.
fn read_token(text: &str) -> Option<Digest> {
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).ok()?;
    (bytes.len() == TOKEN_BYTES).then(|| hash(&bytes))
}

fn hash(bytes: &[u8]) -> Digest {
    Digest(Sha256::digest(bytes).into())
}

fn digest(parts: &[&str]) -> Digest {
    hash(parts.join("\0").as_bytes())
}

/// An entry of the audit log that is about no user.
fn entry(
    at: DateTime<Utc>,
    by: Option<&Admin>,
    action: AuditAction,
    new: Option<String>,
) -> NewAuditEntry {
    NewAuditEntry { at, admin: by.cloned(), action, about: None, old: None, new }
}
