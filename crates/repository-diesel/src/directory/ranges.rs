//! A count in ranges of ids, which one or several connections share.

use std::sync::{Mutex, MutexGuard, PoisonError};

use diesel::{OptionalExtension as _, QueryResult, RunQueryDsl, sql_types::BigInt};
use rollcall_repository::CountProgress;

use super::sql::Sql;
use crate::base::connection::AnyConnection;

/// How many users a range should have, more or less. Between two ranges, the count can be stopped; and
/// where SQLite has to sort the rows of a range, they take few megabytes.
const USERS: i64 = 25_000;
/// How many ids the first range spans.
const FIRST_WIDTH: i64 = 50_000;

/// Hands out ranges of ids, and adds up what was counted in them.
pub(super) struct Ranges<'a> {
    /// The number of all users, for the progress.
    users: i64,
    progress: &'a CountProgress,
    state: Mutex<State>,
}

struct State {
    /// Where the next range begins.
    next: i64,
    /// How many ids it spans.
    width: i64,
    scanned: i64,
    counted: u64,
    is_stopped: bool,
}

impl<'a> Ranges<'a> {
    pub(super) fn new(users: i64, progress: &'a CountProgress) -> Self {
        let state =
            State { next: 1, width: FIRST_WIDTH, scanned: 0, counted: 0, is_stopped: false };
        Self { users, progress, state: Mutex::new(state) }
    }

    /// The first and the last id of the next range; `None` if there are no more users, or the count was
    /// stopped.
    pub(super) fn next(&self, connection: &mut AnyConnection) -> QueryResult<Option<(i64, i64)>> {
        let mut state = self.state();
        if state.is_stopped {
            return Ok(None);
        }
        // Ids have large gaps, which are skipped.
        let user = Sql::new(format!(
            "SELECT telegram_id FROM telegram_users WHERE telegram_id >= {} \
             ORDER BY telegram_id LIMIT 1",
            state.next
        ));
        let Some(first) = user.returning::<BigInt>().get_result(connection).optional()? else {
            return Ok(None);
        };
        state.next = state.width.saturating_add(first);
        Ok(Some((first, state.next - 1)))
    }

    /// Adds what was found in a range, and adapts the width of the next one.
    pub(super) fn add(&self, scanned: i64, counted: u64) {
        let mut state = self.state();
        state.scanned += scanned;
        state.counted += counted;
        if scanned < USERS / 2 {
            state.width = state.width.saturating_mul(2);
        } else if scanned > USERS * 2 {
            state.width = (state.width / 2).max(1);
        }
        if !(self.progress)(state.counted, share(state.scanned, self.users)) {
            state.is_stopped = true;
        }
    }

    /// How many users were counted in all; `None` if the count was stopped.
    pub(super) fn end(&self) -> Option<u64> {
        let State { counted, is_stopped, .. } = *self.state();
        (!is_stopped && (self.progress)(counted, 1000)).then_some(counted)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Thousandths of the whole.
pub(super) fn share(done: i64, all: i64) -> u16 {
    let thousandths = done.saturating_mul(1000).checked_div(all).unwrap_or(1000);
    u16::try_from(thousandths.clamp(0, 1000)).unwrap_or(1000)
}
