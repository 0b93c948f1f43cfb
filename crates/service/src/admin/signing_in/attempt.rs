use std::time::Duration;

use chrono::TimeDelta;
use rollcall_domain::{Admin, AdminName, SignInLimit, client_network};
use rollcall_repository::{Digest, RepositoryError};

use super::throttle::Turn;
use crate::{
    ServiceError,
    admin::{devices::Device, service::AdminService, token::digest},
};

/// For one account from one network, or on one of its known devices: a person who mistypes a
/// password.
const PAIR: SignInLimit = SignInLimit {
    free: 5,
    first_wait: TimeDelta::seconds(30),
    longest_wait: TimeDelta::minutes(15),
};

/// For all accounts from one network, which several people may share.
const PLACE: SignInLimit = SignInLimit {
    free: 30,
    first_wait: TimeDelta::seconds(30),
    longest_wait: TimeDelta::minutes(15),
};

/// For one account from anywhere. The wait stays short, because anyone who knows the name can make
/// the account's unknown devices wait.
const ACCOUNT: SignInLimit = SignInLimit {
    free: 50,
    first_wait: TimeDelta::seconds(1),
    longest_wait: TimeDelta::minutes(1),
};

/// For one admin's second factors from anywhere. Attempts need the password or a link first. The
/// wait allows about a hundred guesses a day; a code takes 333,333 on average.
const FACTOR: SignInLimit = SignInLimit {
    free: 10,
    first_wait: TimeDelta::seconds(30),
    longest_wait: TimeDelta::minutes(15),
};

/// An attempt to prove an identity, and the keys that count it. The keys are hashes, because a typed
/// name may be a password in the wrong field, which must not get into the database.
pub(in crate::admin) struct Attempt<'a> {
    device: &'a Device,
    /// The admin, and the prefix of the keys of their known devices. An attempt from a known device is
    /// counted for that device alone, so that others cannot make it wait.
    known_as: Option<(Admin, &'static str)>,
    /// Keys that are cleared when the attempt succeeds.
    own: Vec<(Digest, SignInLimit)>,
    /// Keys shared with others: when the attempt succeeds, only this attempt is subtracted.
    shared: Vec<(Digest, SignInLimit)>,
}

impl<'a> Attempt<'a> {
    /// An attempt with a password. `name` is `None` if the text cannot be the name of an account.
    pub(in crate::admin) fn by_password(name: Option<&AdminName>, device: &'a Device) -> Self {
        Self::by_secret(
            name.map_or("", AdminName::as_str),
            name.cloned().map(Admin::Account),
            device,
        )
    }

    /// An attempt with a link from the bot.
    pub(in crate::admin) fn by_link(admin: &Admin, device: &'a Device) -> Self {
        Self::by_secret(&admin.to_string(), Some(admin.clone()), device)
    }

    fn by_secret(name: &str, admin: Option<Admin>, device: &'a Device) -> Self {
        let place = client_network(device.address).to_string();
        // Invalid names share no key, because mistyped names would make each other wait.
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

    /// An attempt with a second factor. It is counted separately, so that a correct password before
    /// each guess does not clear the earlier guesses.
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

/// An attempt that is counted as a failure and is being verified.
pub(in crate::admin) struct Begun<'a> {
    _turn: Turn<'a>,
    /// The keys, as in [`Attempt`].
    own: Vec<Digest>,
    shared: Vec<Digest>,
}

impl AdminService {
    /// Counts an attempt as a failure before it is verified, unless it has to wait. Known waits are
    /// answered from memory.
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

    /// The same from a known device. Returns `None` if the device is unknown or failed too often; until
    /// its own wait is over, it is treated like any other device.
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
            // So that the storage is asked only once in a while.
            self.throttle.refuse(key, PAIR.longest_wait, self.clock.now());
            return Ok(None);
        }
        let may_begin = self.count(&[(key, PAIR)]).await?.is_none();
        Ok(may_begin.then(|| Begun { _turn: turn, own: vec![key], shared: vec![] }))
    }

    /// Counts an attempt, and returns and remembers how long it has to wait, if at all.
    async fn count(
        &self,
        limits: &[(Digest, SignInLimit)],
    ) -> Result<Option<TimeDelta>, SignInError> {
        let now = self.clock.now();
        let waits = self.storage.attempt(limits, now).await?;
        for wait in &waits {
            self.throttle.refuse(wait.key, wait.left, now);
        }
        Ok(waits.into_iter().map(|wait| wait.left).max())
    }

    /// Raises an alert, because an attempt has to wait that did not have to before.
    async fn note_lock(&self, attempt: &Attempt<'_>) -> Result<(), ServiceError> {
        // A name without an account may be a password in the wrong field, so it is not reported.
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

    /// Undoes the counting of an attempt that succeeded.
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

/// Why a sign-in was refused.
#[derive(Clone, Debug, thiserror::Error)]
pub enum SignInError {
    /// The name, the password, the link or the factor is wrong. Which one is never disclosed.
    #[error("not signed in")]
    Refused,
    /// Too many attempts failed. This one was not verified.
    #[error("too many failed sign-ins; try again in {} seconds", retry_after.as_secs())]
    Throttled {
        /// How long to wait, in whole seconds.
        retry_after: Duration,
    },
    /// Too many sign-ins are in progress. This one was not verified.
    #[error("too many sign-ins at once")]
    Busy,
    /// The storage failed.
    #[error(transparent)]
    Storage(#[from] ServiceError),
}

impl From<RepositoryError> for SignInError {
    fn from(error: RepositoryError) -> Self {
        Self::Storage(error.into())
    }
}

/// A wait in whole seconds, rounded up.
fn whole_seconds(wait: TimeDelta) -> Duration {
    let wait = wait.to_std().unwrap_or_default();
    Duration::from_secs(wait.as_secs() + u64::from(wait.subsec_nanos() > 0))
}
