//! Whether a permanent error lies in a user's row or in the database.
//!
//! A corrupt row concerns one user, and updates that hit it are quarantined. But a constraint that an
//! owner adds may refuse every update. Those must not be quarantined, because they are valid once the
//! constraint is fixed. So an update is quarantined only after another one was stored.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use rollcall_domain::TelegramId;
use tokio::time::Instant;

/// If updates of this many users in a row are refused, the database is at fault.
const TOO_MANY: usize = 3;
/// How long to wait for another user's update, before a rehearsal shows whether others pass.
const HOLD: Duration = Duration::from_secs(3);
/// How many users with corrupt rows are remembered.
const REMEMBERED: usize = 1000;

/// Users with a permanent error.
#[derive(Default)]
pub(crate) struct Refusals {
    /// When each was first refused; emptied when any update passes.
    in_a_row: BTreeMap<TelegramId, Instant>,
    /// Users whose update was refused before another user's update passed.
    corrupt: BTreeSet<TelegramId>,
}

/// The reason for a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The user's row.
    Row,
    /// The database, or still unknown.
    Database,
    /// The user's row, if updates of others would pass now.
    RowIfOthersPass,
}

impl Refusals {
    /// Notes that an update of a user was refused.
    pub(crate) fn refused(&mut self, user: TelegramId) {
        let were_too_many = self.are_too_many();
        if !self.corrupt.contains(&user) {
            self.in_a_row.entry(user).or_insert_with(Instant::now);
        }
        if self.are_too_many() && !were_too_many {
            log::error!(
                "updates of {TOO_MANY} users in a row were refused: the database is at fault; \
                 none is set aside until one passes"
            );
        }
    }

    /// Notes that updates of these users have passed.
    pub(crate) fn passed(&mut self, users: impl Iterator<Item = TelegramId>) {
        if self.in_a_row.is_empty() && self.corrupt.is_empty() {
            return;
        }
        for user in users {
            self.corrupt.extend(std::mem::take(&mut self.in_a_row).into_keys());
            self.corrupt.remove(&user);
        }
        if self.corrupt.len() > REMEMBERED {
            // Users who are refused again are added again.
            self.corrupt.clear();
        }
    }

    /// Whether the database is at fault.
    pub(crate) fn are_too_many(&self) -> bool {
        self.in_a_row.len() >= TOO_MANY
    }

    /// Why an update of this user was refused.
    pub(crate) fn fault(&self, user: TelegramId) -> Fault {
        if self.are_too_many() {
            return Fault::Database;
        }
        match self.in_a_row.get(&user) {
            None => Fault::Row,
            Some(since) if since.elapsed() < HOLD => Fault::Database,
            Some(_) => Fault::RowIfOthersPass,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(id: i64) -> TelegramId {
        id.try_into().unwrap()
    }

    fn refused(users: impl IntoIterator<Item = i64>) -> Refusals {
        let mut refusals = Refusals::default();
        users.into_iter().for_each(|id| refusals.refused(user(id)));
        refusals
    }

    #[tokio::test(start_paused = true)]
    async fn the_row_is_at_fault_once_others_pass() {
        let mut refusals = refused([7, 8]);
        assert_eq!(refusals.fault(user(7)), Fault::Database);
        refusals.passed([user(1)].into_iter());
        assert_eq!(refusals.fault(user(7)), Fault::Row);
        refusals.refused(user(7));
        assert_eq!(refusals.fault(user(7)), Fault::Row, "also when it is redelivered");
        refusals.refused(user(9));
        assert_eq!(refusals.fault(user(9)), Fault::Database);
        refusals.passed([user(7)].into_iter());
        refusals.refused(user(7));
        assert_eq!(refusals.fault(user(7)), Fault::Database, "it was repaired meanwhile");
    }

    #[tokio::test(start_paused = true)]
    async fn a_rehearsal_decides_if_no_others_come() {
        let refusals = refused([7, 7, 8]);
        tokio::time::advance(HOLD).await;
        assert_eq!(refusals.fault(user(7)), Fault::RowIfOthersPass);
    }

    #[tokio::test(start_paused = true)]
    async fn after_three_in_a_row_the_database_is_at_fault_until_one_passes() {
        let mut refusals = refused([6]);
        refusals.passed([user(9)].into_iter());
        for id in [7, 8, 7] {
            refusals.refused(user(id));
        }
        assert!(!refusals.are_too_many(), "two users");
        refusals.refused(user(9));
        assert!(refusals.are_too_many());
        tokio::time::advance(Duration::from_secs(86_400)).await;
        for id in [6, 7, 8, 9] {
            assert_eq!(refusals.fault(user(id)), Fault::Database, "{id}");
        }
        refusals.passed([user(9)].into_iter());
        assert!(!refusals.are_too_many());
        assert_eq!(refusals.fault(user(7)), Fault::Row);
        assert_eq!(refusals.fault(user(9)), Fault::Row);
    }

    #[test]
    fn the_memory_is_bounded() {
        let mut refusals = Refusals::default();
        for id in 1..=5000 {
            refusals.refused(user(id));
            refusals.passed([user(6000)].into_iter());
        }
        assert!(refusals.corrupt.len() <= REMEMBERED);
    }
}
