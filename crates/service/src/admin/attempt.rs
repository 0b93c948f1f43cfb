use std::{
    net::{IpAddr, Ipv6Addr},
    time::Duration,
};

use chrono::TimeDelta;
use rollcall_domain::{AdminName, SignInLimit};
use rollcall_repository::Digest;

use super::secret::digest;

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

/// What an attempt to sign in is counted by. Hashed, so that what somebody typed, perhaps a password
/// in the wrong field, is not in the database.
pub(super) struct Attempt {
    pub(super) pair: Digest,
    pub(super) place: Digest,
    pub(super) account: Digest,
}

impl Attempt {
    pub(super) fn new(name: Option<&AdminName>, address: IpAddr) -> Self {
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

    pub(super) fn keys(&self) -> [(Digest, SignInLimit); 3] {
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

/// A wait for a person: in whole seconds, and never too short.
pub(super) fn whole_seconds(wait: TimeDelta) -> Duration {
    let wait = wait.to_std().unwrap_or_default();
    Duration::from_secs(wait.as_secs() + u64::from(wait.subsec_nanos() > 0))
}
