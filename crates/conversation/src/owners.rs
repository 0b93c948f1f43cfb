//! The owners that this process knows, so that messages of all other users cost no look at the
//! database.

use std::{
    collections::BTreeSet,
    sync::{PoisonError, RwLock},
};

use rollcall_domain::TelegramId;

/// The owners that this process knows. Whether a user is one now, only the database knows.
#[derive(Debug, Default)]
pub(crate) struct KnownOwners(RwLock<BTreeSet<TelegramId>>);

impl KnownOwners {
    pub(crate) fn has(&self, user: TelegramId) -> bool {
        // No code panics while holding it.
        self.0.read().unwrap_or_else(PoisonError::into_inner).contains(&user)
    }

    pub(crate) fn add(&self, owner: TelegramId) {
        if !self.has(owner) {
            self.0.write().unwrap_or_else(PoisonError::into_inner).insert(owner);
        }
    }

    pub(crate) fn set(&self, owners: BTreeSet<TelegramId>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = owners;
    }
}
