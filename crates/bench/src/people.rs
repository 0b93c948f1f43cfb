//! The people to register.

use rollcall_domain::{Profile, TelegramId};

#[derive(Clone)]
pub(crate) struct Person {
    pub(crate) id: i64,
    first_name: String,
    last_name: String,
    username: String,
    profile: Profile,
}

impl Person {
    pub(crate) fn new(id: i64) -> Self {
        let first_name = format!("Ada {}", id % 997);
        let last_name = format!("Lovelace {}", id % 991);
        let username = format!("lovelace_{id}");
        let profile = Profile::new(TelegramId::try_from(id).expect("an id"), &first_name)
            .last_name(&last_name)
            .username(&username)
            .language_code("en");
        Self { id, first_name, last_name, username, profile }
    }

    /// First name, last name, username and language.
    pub(crate) fn texts(&self) -> [&str; 4] {
        [&self.first_name, &self.last_name, &self.username, "en"]
    }

    pub(crate) fn profile(&self) -> &Profile {
        &self.profile
    }
}

/// Returns `count` people with ids spread evenly up to `last`. Each id is random within its interval:
/// multiples of one number would not be spread evenly over the shards of registration.
pub(crate) fn spread(count: usize, last: i64) -> Vec<Person> {
    let step = last / count as i64;
    (1..=count as i64).map(|n| Person::new(n * step - fastrand::i64(0..step))).collect()
}

/// Returns `count` different random people, sorted by id.
pub(crate) fn some(all: &[Person], count: usize) -> Vec<&Person> {
    let mut places = std::collections::BTreeSet::new();
    while places.len() < count {
        places.insert(fastrand::usize(..all.len()));
    }
    places.into_iter().map(|place| &all[place]).collect()
}
