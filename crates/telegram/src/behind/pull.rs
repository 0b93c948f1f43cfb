//! Answers getUpdates of the bot behind (Bot API, "getUpdates").
//!
//! An offset of the bot behind settles the updates before it. Only then does our own offset at Telegram
//! move, so at most a batch of Telegram's waits here.

use std::{pin::pin, time::Duration};

use tokio::time::{Instant, sleep, sleep_until};

use super::{
    held::{Behind, Held, Way},
    pulls::{Pull, PullError},
};

/// How long a request without a timeout waits for updates that Telegram has.
const QUICK: Duration = Duration::from_secs(10);
/// How long updates wait for the webhook of the bot behind until newer ones are fetched for other chats.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// How many updates a batch of Telegram has at most.
const FULL: usize = 100;
/// The most updates that a negative offset keeps: fewer than a batch, so that each batch brings new ones.
const MOST_KEPT: usize = 50;

impl Behind {
    /// Answers a getUpdates with the body of a response, once there are updates or the time is over.
    pub(crate) async fn pull(&self, pull: &Pull) -> Result<String, PullError> {
        let number = self.begin(pull)?;
        let begun = Instant::now();
        loop {
            let mut arrived = pin!(self.shared.arrived.notified());
            arrived.as_mut().enable();
            let is_caught_up = {
                let mut held = self.held();
                if held.pulls.number != number {
                    return Err(held.pulls.ended_by);
                }
                // After a restart, the bot behind may ask before Telegram has delivered again what it
                // has already.
                if held.confirm(pull) {
                    self.announce(held);
                    continue;
                }
                if let Some(body) = held.give(pull.limit) {
                    return Ok(body);
                }
                if held.pulls.is_over {
                    return Ok(body(&[]));
                }
                held.pulls.is_caught_up
            };
            let patience = if is_caught_up { pull.timeout } else { pull.timeout.max(QUICK) };
            tokio::select! {
                () = arrived => {}
                () = sleep_until(begun + patience) => return Ok(body(&[])),
            }
        }
    }

    /// Begins a request: ends the one before it, and settles what its offset confirms.
    fn begin(&self, pull: &Pull) -> Result<u64, PullError> {
        let mut held = self.held();
        if matches!(held.way, Way::Push(_)) {
            return Err(PullError::WebhookActive);
        }
        let number = held.pulls.end(PullError::OtherPull);
        if pull.offset < 0 {
            let kept = usize::try_from(pull.offset.unsigned_abs()).unwrap_or(MOST_KEPT);
            held.drain(kept.min(MOST_KEPT));
        }
        held.confirm(pull);
        self.announce(held);
        Ok(number)
    }

    /// Answers requests that wait for updates, and later ones at once.
    pub fn end_pulls(&self) {
        let mut held = self.held();
        held.pulls.is_over = true;
        self.announce(held);
    }
}

/// For the polling of Telegram.
impl Behind {
    /// Polling begins.
    pub(crate) fn begin_polling(&self) {
        let mut held = self.held();
        held.pulls.in_order = true;
        held.pulls.is_caught_up = false;
        held.pulls.is_idle = false;
    }

    /// Whether a getUpdates at Telegram may wait for updates. Otherwise it should return at once.
    pub(crate) fn may_wait(&self) -> bool {
        let held = self.held();
        held.state.waiting() == 0 && held.pulls.is_caught_up
    }

    /// A getUpdates begins, which waits for updates if there are none.
    pub(crate) fn begin_waiting(&self) {
        self.held().pulls.is_idle = true;
    }

    /// A getUpdates has ended.
    pub(crate) fn end_waiting(&self) {
        self.held().pulls.is_idle = false;
    }

    /// The updates of a batch are all here. After one that is full, Telegram may have more.
    pub(crate) fn end_batch(&self, is_full: bool) {
        let mut held = self.held();
        held.pulls.is_caught_up = !is_full;
        if !is_full {
            held.pulls.kept = None;
        }
        drop(held);
        self.shared.arrived.notify_waiters();
    }

    /// Resolves when updates should be fetched although others wait: after a moment, or at once to find
    /// the last ones. Never while a bot that polls has a full batch, which Telegram would only repeat.
    pub(crate) async fn wanted(&self) {
        loop {
            let mut wanted = pin!(self.shared.wanted.notified());
            wanted.as_mut().enable();
            {
                let held = self.held();
                if held.pulls.kept.is_some() {
                    return;
                }
                // Updates that come while the bot is away are counted, too.
                if matches!(held.way, Way::Push(_)) || held.state.waiting() < FULL {
                    break;
                }
            }
            wanted.await;
        }
        sleep(LOOK_AGAIN).await;
    }
}

impl Held {
    /// Settles what the offset of a request confirms. Returns whether that is anything.
    fn confirm(&mut self, pull: &Pull) -> bool {
        let before = self.state.waiting();
        self.state.confirm(pull.offset, self.pulls.in_order);
        let has_confirmed = self.state.waiting() < before;
        // More may have come to Telegram meanwhile, and a request that does not wait wants to know.
        if has_confirmed
            && self.state.waiting() == 0
            && pull.timeout.is_zero()
            && self.pulls.in_order
        {
            self.pulls.is_caught_up = false;
        }
        has_confirmed
    }

    /// The body of a response with the first updates; `None` if there are none, or if it is not known yet
    /// which are the last ones.
    fn give(&mut self, limit: usize) -> Option<String> {
        if self.pulls.kept.is_some() {
            return None;
        }
        let parcels = self.state.give(limit);
        let updates: Vec<&str> = parcels.iter().map(|parcel| parcel.json()).collect();
        (!updates.is_empty()).then(|| body(&updates))
    }
}

fn body(updates: &[&str]) -> String {
    format!(r#"{{"ok":true,"result":[{}]}}"#, updates.join(","))
}
