use std::{net::IpAddr, time::Duration};

use chrono::TimeDelta;
use rollcall_domain::{Admin, AdminName, SignInLimit, client_network};
use rollcall_repository::{Digest, RepositoryError};

use super::{secret::digest, service::AdminService, throttle::Turn};
use crate::ServiceError;

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

/// Of one admin's second factors from anywhere. Only somebody with the password or a link gets as far
/// as this; the wait lets a code be guessed about a hundred times a day, of 333,333 that it takes.
const FACTOR: SignInLimit = SignInLimit {
    free: 10,
    first_wait: TimeDelta::seconds(30),
    longest_wait: TimeDelta::minutes(15),
};

/// What an attempt to sign in is counted by. Hashed, so that what somebody typed, perhaps a password
/// in the wrong field, is not in the database.
pub(super) struct Attempt {
    /// Forgotten when the attempt succeeds.
    own: Vec<(Digest, SignInLimit)>,
    /// Counted for others too: when the attempt succeeds, it alone counts as none.
    shared: Vec<(Digest, SignInLimit)>,
}

impl Attempt {
    /// An attempt to give the password of an account, if the name can be one's.
    pub(super) fn by_password(name: Option<&AdminName>, address: IpAddr) -> Self {
        Self::by_secret(name.map_or("", AdminName::as_str), address)
    }

    /// An attempt to prove one's identity by a link from the bot.
    pub(super) fn by_link(admin: &Admin, address: IpAddr) -> Self {
        Self::by_secret(&admin.to_string(), address)
    }

    fn by_secret(name: &str, address: IpAddr) -> Self {
        let place = client_network(address).to_string();
        // What is no name is no account's: it must not make everybody wait who mistypes theirs.
        let account = match name {
            "" => digest(&["no account", &place]),
            name => digest(&["account", name]),
        };
        Self {
            own: vec![(digest(&["pair", name, &place]), PAIR)],
            shared: vec![(digest(&["place", &place]), PLACE), (account, ACCOUNT)],
        }
    }

    /// An attempt to give a second factor. It is counted apart, so that a right password before each
    /// guess does not make the guesses before it forgotten.
    pub(super) fn by_factor(admin: &Admin, address: IpAddr) -> Self {
        let (name, place) = (admin.to_string(), client_network(address).to_string());
        let pair = digest(&["factor pair", &name, &place]);
        Self {
            own: vec![(pair, PAIR), (digest(&["factor", &name]), FACTOR)],
            shared: vec![(digest(&["place", &place]), PLACE)],
        }
    }
}

impl AdminService {
    /// Counts an attempt as a failure, before anything else is known of it, if it need not wait; what
    /// is known to have to is refused from memory.
    pub(super) async fn begin(&self, attempt: &Attempt) -> Result<Turn<'_>, SignInError> {
        let throttled = |wait| SignInError::Throttled { retry_after: whole_seconds(wait) };
        let limits = [&*attempt.own, &*attempt.shared].concat();
        if let Some(wait) = self.throttle.wait(&keys(&limits), self.clock.now()) {
            return Err(throttled(wait));
        }
        let turn = self.throttle.turn().await.ok_or(SignInError::Busy)?;
        let now = self.clock.now();
        let waits = self.storage.attempt(&limits, now).await?;
        for (key, wait) in &waits {
            self.throttle.refuse(*key, *wait, now);
        }
        match waits.into_iter().map(|(_, wait)| wait).max() {
            Some(longest) => Err(throttled(longest)),
            None => Ok(turn),
        }
    }

    /// The attempt was none.
    pub(super) async fn succeeded(&self, attempt: &Attempt) -> Result<(), SignInError> {
        let own = keys(&attempt.own);
        self.storage.succeeded(&own, &keys(&attempt.shared)).await?;
        own.into_iter().for_each(|key| self.throttle.forget(key));
        Ok(())
    }
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
