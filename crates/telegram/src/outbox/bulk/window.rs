use std::{collections::VecDeque, num::NonZeroU32, time::Duration};

use tokio::time::Instant;

const SECOND: Duration = Duration::from_secs(1);

/// A number of messages in any second. Unlike a bucket, it loses nothing when a message has to wait for
/// something else, and allows no more after a pause.
pub(super) struct Window {
    size: usize,
    /// The times of the last messages, at most `size` of them.
    sent: VecDeque<Instant>,
}

impl Window {
    /// Up to `rate` messages in any second.
    pub(super) fn new(rate: NonZeroU32) -> Self {
        Self { size: usize::try_from(rate.get()).unwrap_or(usize::MAX), sent: VecDeque::new() }
    }

    /// How many messages there may be in a second.
    pub(super) fn size(&self) -> usize {
        self.size
    }

    /// When the next message is allowed; `None` for now.
    pub(super) fn wait_until(&self) -> Option<Instant> {
        let oldest = self.sent.front().filter(|_| self.sent.len() >= self.size)?;
        Some(*oldest + SECOND).filter(|at| *at > Instant::now())
    }

    /// Counts a message that is sent now.
    pub(super) fn take(&mut self) {
        if self.sent.len() >= self.size {
            self.sent.pop_front();
        }
        self.sent.push_back(Instant::now());
    }
}
