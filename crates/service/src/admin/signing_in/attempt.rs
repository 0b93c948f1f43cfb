use std::time::Duration;

use chrono::TimeDelta;
use rollcall_domain::{Admin, AdminName, SignInLimit, client_network};
use rollcall_repository::{Digest, RepositoryError};

use super::throttle::Turn;
use crate::{
    ServiceError,
    admin::{devices::Device, service::AdminService, token::digest},
};

/// Of one account from one place, or on one device that is known to it: a person who mistypes a
/// password.
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

/// Of one account from anywhere. The wait stays short: by knowing a name, a stranger can make every
/// device wait that is not known to the account.
const ACCOUNT: SignInLimit = SignInLimit {
    free: 50,
    first_wait: TimeDelta::seconds(1),
    longest_wait: TimeDelta::minutes(1),
};

/// Of one admin's second factors from anywhere. Only somebody with the password or a link gets as far
/// as this; the wait lets a code be guessed about a hundred times a day, of 333,333 that it takes.
const FACTOR: SignInLimit = SignInLimit {
    free: 10,
    first_wait: TimeDelta::seconds(30),
    longest_wait: TimeDelta::minutes(15),
};

/// An attempt to prove one's identity, and what it is counted by. Hashed, so that what somebody typed,
/// perhaps a password in the wrong field, is not in the database.
pub(in crate::admin) struct Attempt<'a> {
    device: &'a Device,
    /// Whose identity it is, and what the key of a device that is known to them begins with. From such
    /// a device the attempt is counted for it alone, so that nobody else can make it wait.
    known_as: Option<(Admin, &'static str)>,
    /// Forgotten when the attempt succeeds.
    own: Vec<(Digest, SignInLimit)>,
    /// Counted for others too: when the attempt succeeds, it alone counts as none.
    shared: Vec<(Digest, SignInLimit)>,
}

impl<'a> Attempt<'a> {
    /// An attempt to give the password of an account, if the name can be one's.
    pub(in crate::admin) fn by_password(name: Option<&AdminName>, device: &'a Device) -> Self {
        Self::by_secret(
            name.map_or("", AdminName::as_str),
            name.cloned().map(Admin::Account),
            device,
        )
    }

    /// An attempt to prove one's identity by a link from the bot.
    pub(in crate::admin) fn by_link(admin: &Admin, device: &'a Device) -> Self {
        Self::by_secret(&admin.to_string(), Some(admin.clone()), device)
    }

    fn by_secret(name: &str, admin: Option<Admin>, device: &'a Device) -> Self {
        let place = client_network(device.address).to_string();
        // What is no name is no account's: it must not make everybody wait who mistypes theirs.
        let account = match name {
            "" => digest(&["no account", &place]),
            name => digest(&["account", name]),
        };
        Self {
            device,
            known_as: admin.map(|admin| (admin, "device")),
            own: vec![(digest(&["pair", name, &place]), PAIR)],
            shared: vec![(digest(&["place", &place]), PLACE), (account, ACCOUNT)],
        }
    }

    /// An attempt to give a second factor. It is counted apart, so that a right password before each
    /// guess does not make the guesses before it forgotten.
    pub(in crate::admin) fn by_factor(admin: &Admin, device: &'a Device) -> Self {
        let (name, place) = (admin.to_string(), client_network(device.address).to_string());
        let pair = digest(&["factor pair", &name, &place]);
        Self {
            device,
            known_as: Some((admin.clone(), "factor device")),
            own: vec![(pair, PAIR), (digest(&["factor", &name]), FACTOR)],
            shared: vec![(digest(&["place", &place]), PLACE)],
        }
    }
}

/// An attempt that was counted as a failure, and is being looked at.
pub(in crate::admin) struct Begun<'a> {
    _turn: Turn<'a>,
    /// As in [`Attempt`].
    own: Vec<Digest>,
    shared: Vec<Digest>,
}

impl AdminService {
    /// Counts an attempt as a failure, before anything else is known of it, if it need not wait; what
    /// is known to have to is refused from memory.
    pub(in crate::admin) async fn begin(
        &self,
        attempt: &Attempt<'_>,
    ) -> Result<Begun<'_>, SignInError> {
        if let Some(begun) = self.begin_as_known(attempt).await? {
            return Ok(begun);
        }
        let limits = [&*attempt.own, &*attempt.shared].concat();
        if let Some(wait) = self.throttle.wait(&keys(&limits), self.clock.now()) {
            self.watch.refused(attempt.device.address);
            return Err(throttled(wait));
        }
        let Some(turn) = self.throttle.turn().await else {
            self.watch.busy();
            return Err(SignInError::Busy);
        };
        match self.count(&limits).await? {
            Some(wait) => {
                self.watch.refused(attempt.device.address);
                self.note_lock(attempt).await?;
                Err(throttled(wait))
            }
            None => {
                Ok(Begun { _turn: turn, own: keys(&attempt.own), shared: keys(&attempt.shared) })
            }
        }
    }

    /// The same from a device that is known. `None` where it is not, or where it failed too often:
    /// then it is a device like any other until its own wait is over.
    async fn begin_as_known(
        &self,
        attempt: &Attempt<'_>,
    ) -> Result<Option<Begun<'_>>, SignInError> {
        let Some((admin, what)) = &attempt.known_as else { return Ok(None) };
        let Some(token) = self.device_token(admin, attempt.device).await? else { return Ok(None) };
        let key = token.key(what, admin);
        if self.throttle.wait(&[key], self.clock.now()).is_some() {
            return Ok(None);
        }
        let Some(turn) = self.throttle.known_turn().await else { return Ok(None) };
        if !self.is_known(admin, &token).await? {
            // Asked once in a while at most.
            self.throttle.refuse(key, PAIR.longest_wait, self.clock.now());
            return Ok(None);
        }
        let may_begin = self.count(&[(key, PAIR)]).await?.is_none();
        Ok(may_begin.then(|| Begun { _turn: turn, own: vec![key], shared: vec![] }))
    }

    /// Counts an attempt; answers how long it has to wait, if it has to, and remembers that.
    async fn count(
        &self,
        limits: &[(Digest, SignInLimit)],
    ) -> Result<Option<TimeDelta>, SignInError> {
        let now = self.clock.now();
        let waits = self.storage.attempt(limits, now).await?;
        for (key, wait) in &waits {
            self.throttle.refuse(*key, *wait, now);
        }
        Ok(waits.into_iter().map(|(_, wait)| wait).max())
    }

    /// An attempt has to wait, which was not remembered here.
    async fn note_lock(&self, attempt: &Attempt<'_>) -> Result<(), ServiceError> {
        // What is no account's name may be a password in the wrong field.
        let admin = match attempt.known_as.clone() {
            Some((Admin::Account(name), _)) => {
                let account = self.storage.account(&name).await?;
                account.map(|stored| Admin::Account(stored.account.name))
            }
            other => other.map(|(admin, _)| admin),
        };
        self.watch.locked(admin, attempt.device.address, self.clock.now());
        Ok(())
    }

    /// The attempt was none.
    pub(in crate::admin) async fn succeeded(&self, begun: Begun<'_>) -> Result<(), SignInError> {
        self.storage.succeeded(&begun.own, &begun.shared).await?;
        begun.own.into_iter().for_each(|key| self.throttle.forget(key));
        self.watch.succeeded();
        Ok(())
    }
}

fn throttled(wait: TimeDelta) -> SignInError {
    SignInError::Throttled { retry_after: whole_seconds(wait) }
}

fn keys(limits: &[(Digest, SignInLimit)]) -> Vec<Digest> {
    limits.iter().map(|(key, _)| *key).collect()
}

/// Why somebody was not signed in.
#[derive(Clone, Debug, thiserror::Error)]
pub enum SignInError {
    /// Something about it is wrong; what exactly is never said.
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

/// A wait for a person: in whole seconds, and never too short.
fn whole_seconds(wait: TimeDelta) -> Duration {
    let wait = wait.to_std().unwrap_or_default();
    Duration::from_secs(wait.as_secs() + u64::from(wait.subsec_nanos() > 0))
}
