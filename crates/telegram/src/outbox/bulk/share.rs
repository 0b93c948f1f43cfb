use std::{collections::VecDeque, num::NonZeroU32, time::Duration};

use tokio::time::Instant;

const SECOND: Duration = Duration::from_secs(1);

/// The share of all broadcasts in the limit of all chats: a number of messages in any second. Unlike a
/// bucket, it loses nothing when a message has to wait for replies.
pub(super) struct Share {
    size: usize,
    /// The times of the last messages, at most `size` of them.
    sent: VecDeque<Instant>,
}

impl Share {
    /// Five sixths of `rate` messages a second, but at least one.
    pub(super) fn of(rate: NonZeroU32) -> Self {
        let rate = rate.get();
        let size = usize::try_from(rate - rate.div_ceil(6)).unwrap_or(usize::MAX).max(1);
        Self { size, sent: VecDeque::new() }
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
