//! Saves after which the page of the user is shown again.

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
};

use rollcall_domain::{Admin, TelegramId};

/// How many saves are remembered. A browser follows the redirect at once, so there are few.
const MOST: usize = 256;

/// The saves whose page was not shown yet.
#[derive(Default)]
pub(crate) struct Saves(Mutex<VecDeque<(Admin, TelegramId)>>);

impl Saves {
    pub(super) fn remember(&self, admin: &Admin, user: TelegramId) {
        let mut saves = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if saves.len() == MOST {
            saves.pop_front();
        }
        saves.push_back((admin.clone(), user));
    }

    /// Whether the admin has just changed something about the user. Each save counts once.
    pub(super) fn take(&self, admin: &Admin, user: TelegramId) -> bool {
        let mut saves = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let place = saves.iter().position(|it| (&it.0, it.1) == (admin, user));
        place.is_some_and(|place| saves.remove(place).is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_save_counts_once_and_for_its_admin_and_user_only() {
        let saves = Saves::default();
        let admin = |name: &str| Admin::Account(name.parse().unwrap());
        let user = |id: i64| TelegramId::try_from(id).unwrap();
        saves.remember(&admin("ada"), user(1));
        assert!(!saves.take(&admin("bob"), user(1)));
        assert!(!saves.take(&admin("ada"), user(2)));
        assert!(saves.take(&admin("ada"), user(1)));
        assert!(!saves.take(&admin("ada"), user(1)));
    }

    #[test]
    fn the_oldest_save_is_forgotten_first() {
        let saves = Saves::default();
        let admin = Admin::Account("ada".parse().unwrap());
        let user = |id: usize| TelegramId::try_from(i64::try_from(id).unwrap()).unwrap();
        for id in 1..=MOST + 1 {
            saves.remember(&admin, user(id));
        }
        assert!(!saves.take(&admin, user(1)));
        assert!(saves.take(&admin, user(2)) && saves.take(&admin, user(MOST + 1)));
    }
}
