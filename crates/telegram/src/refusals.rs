//! Whether it lies in their users' rows or in the database that updates are refused for good.
//!
//! A row that is spoilt is one user's trouble, and the updates that meet it are set aside. But a
//! constraint that an owner adds may refuse every user's, and these must not be: they are good as
//! soon as it is mended. So an update is set aside only once it shows that others pass.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use rollcall_domain::TelegramId;
use tokio::time::Instant;

/// Where updates of so many users are refused in a row, the database is at fault.
const TOO_MANY: usize = 3;
/// How long updates of others may take to come, until it is tried without them whether others pass.
const HOLD: Duration = Duration::from_secs(3);
/// How many users are remembered whose rows are spoilt.
const REMEMBERED: usize = 1000;

/// Users whose updates were refused for good.
#[derive(Default)]
pub(crate) struct Refusals {
    /// Since when each of them is refused, with no update of any user passing.
    in_a_row: BTreeMap<TelegramId, Instant>,
    /// Users whose update was refused while an update of others passed later.
    spoilt: BTreeSet<TelegramId>,
}

/// What a refusal lies in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// In the user's row.
    Row,
    /// In the database, or that is not known yet.
    Database,
    /// In the user's row, if others would pass now.
    RowIfOthersPass,
}

impl Refusals {
    /// Notes that an update of a user was refused.
    pub(crate) fn refused(&mut self, user: TelegramId) {
        let were_too_many = self.are_too_many();
        if !self.spoilt.contains(&user) {
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
        if self.in_a_row.is_empty() && self.spoilt.is_empty() {
            return;
        }
        for user in users {
            self.spoilt.extend(std::mem::take(&mut self.in_a_row).into_keys());
            self.spoilt.remove(&user);
        }
        if self.spoilt.len() > REMEMBERED {
            // Users that are refused again come back here.
            self.spoilt.clear();
        }
    }

    /// Whether the database is at fault.
    pub(crate) fn are_too_many(&self) -> bool {
        self.in_a_row.len() >= TOO_MANY
    }

    /// What it lies in that an update of this user was refused.
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
    async fn it_lies_in_the_row_once_others_pass() {
        let mut refusals = refused([7, 8]);
        assert_eq!(refusals.fault(user(7)), Fault::Database);
        refusals.passed([user(1)].into_iter());
        assert_eq!(refusals.fault(user(7)), Fault::Row);
        refusals.refused(user(7));
        assert_eq!(refusals.fault(user(7)), Fault::Row, "also when it comes again");
        refusals.refused(user(9));
        assert_eq!(refusals.fault(user(9)), Fault::Database);
        refusals.passed([user(7)].into_iter());
        refusals.refused(user(7));
        assert_eq!(refusals.fault(user(7)), Fault::Database, "it was mended meanwhile");
    }

    #[tokio::test(start_paused = true)]
    async fn others_are_tried_where_none_come() {
        let refusals = refused([7, 7, 8]);
        tokio::time::advance(HOLD).await;
        assert_eq!(refusals.fault(user(7)), Fault::RowIfOthersPass);
    }

    #[tokio::test(start_paused = true)]
    async fn three_in_a_row_are_the_databases_fault_for_as_long_as_it_takes() {
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
    fn what_is_remembered_is_bounded() {
        let mut refusals = Refusals::default();
        for id in 1..=5000 {
            refusals.refused(user(id));
            refusals.passed([user(6000)].into_iter());
        }
        assert!(refusals.spoilt.len() <= REMEMBERED);
    }
}
