//! The faults that a test can inject.

use std::time::{Duration, Instant};

use super::instance::Simulator;
use crate::fault::Fault;

/// Faults of calls.
impl Simulator {
    /// Injects a fault into the next call of `method`; `*` means any method. Several faults apply to
    /// one call each, in this order. A getUpdates request that waits for updates has it at once.
    pub fn fail_next(&self, method: &str, fault: Fault) {
        self.telegram().state().faults.add_next(method, fault);
        self.telegram().changed();
    }

    /// Injects a fault into every call of `method` until [`clear_faults`](Self::clear_faults); `*`
    /// means any method.
    pub fn fail_always(&self, method: &str, fault: Fault) {
        self.telegram().state().faults.set_always(method, fault);
        self.telegram().changed();
    }

    /// Injects a fault into every `n`th call of `method` from now on, until
    /// [`clear_faults`](Self::clear_faults). Several of them count their calls independently, and the
    /// first one whose turn it is applies.
    pub fn fail_every(&self, method: &str, n: u64, fault: Fault) {
        self.telegram().state().faults.add_every(method, n, fault);
    }

    /// Injects a fault into the first call of `method` that arrives at this time from now, or later.
    pub fn fail_after(&self, method: &str, delay: Duration, fault: Fault) {
        self.telegram().state().faults.add_due(method, Instant::now() + delay, fault);
    }

    /// Removes all faults and refusals.
    pub fn clear_faults(&self) {
        let mut state = self.telegram().state();
        state.faults.clear();
        state.refusals = Default::default();
    }
}

/// Refusals of chats and contents.
impl Simulator {
    /// Lets a share of all people have blocked the bot, from 0 for none to 1 for all; the bot receives
    /// no update about it. The same `seed` chooses the same people. See
    /// [`is_in_blocked_share`](Self::is_in_blocked_share).
    pub fn block_share(&self, share: f64, seed: u64) {
        self.telegram().state().refusals.block_share(share, seed);
    }

    /// Whether a person is in the share that [`block_share`](Self::block_share) has chosen.
    pub fn is_in_blocked_share(&self, person_id: i64) -> bool {
        self.telegram().state().refusals.is_blocked(person_id)
    }

    /// Refuses messages whose text or caption contains this part, as if its markup were broken: 400
    /// "can't parse entities".
    pub fn refuse_text(&self, part: impl Into<String>) {
        self.telegram().state().refusals.refuse_text(part.into());
    }

    /// Loses a file: messages and copies with it are refused with 400 "wrong file identifier".
    pub fn lose_file(&self, file_id: impl Into<String>) {
        self.telegram().state().refusals.lose_file(file_id.into());
    }
}
