use std::{
    num::NonZeroU32,
    pin::pin,
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::time::{Instant, sleep, sleep_until};

use super::{
    error::BulkError,
    pace::BulkPace,
    trouble::{PATIENCE, Trouble},
    window::Window,
};
use crate::{
    client::CallError,
    outbox::gate::{Busy, Gate, lock},
};

/// How many messages of broadcasts a second are sent at most, if `send_rate` messages are sent in all:
/// five sixths, and at least one. `None` without limits, which is what 0 stands for.
pub fn bulk_rate(send_rate: u32) -> Option<NonZeroU32> {
    let rate = NonZeroU32::new(send_rate)?.get();
    Some(NonZeroU32::new(rate - rate.div_ceil(6)).unwrap_or(NonZeroU32::MIN))
}

/// The way of a message of a broadcast.
pub(in crate::outbox) struct Route<'a> {
    pub(in crate::outbox) chat_id: i64,
    pub(in crate::outbox) pace: &'a BulkPace,
    /// Whether it is paid for, and so exempt from the limit of all chats.
    pub(in crate::outbox) is_paid: bool,
}

/// Sends messages of broadcasts when no other message waits.
pub(in crate::outbox) struct BulkTurns {
    gate: Arc<Gate>,
    /// The share of all broadcasts in the limit of all chats; `None` without limits.
    share: Option<Mutex<Window>>,
    trouble: Trouble,
}

impl BulkTurns {
    /// Turns at a gate that passes up to `rate` messages a second; 0 without limits. A sixth of the rate
    /// is left to other messages.
    pub(in crate::outbox) fn new(gate: Arc<Gate>, rate: u32) -> Self {
        let share = bulk_rate(rate).map(|share| Mutex::new(Window::new(share)));
        Self { gate, share, trouble: Trouble::none() }
    }

    /// How many messages of broadcasts a second may be sent; `None` without limits.
    pub(in crate::outbox) fn rate(&self) -> Option<u32> {
        let share = self.share.as_ref()?;
        Some(u32::try_from(lock(share).size()).unwrap_or(u32::MAX))
    }

    /// Sends a message in its turn, at most once: it is sent again only if Telegram has certainly not
    /// taken it. `probe` is a call without effect. Until a request has begun, `stop` ends the waiting.
    pub(in crate::outbox) async fn send<T, F, P>(
        &self,
        route: &Route<'_>,
        send: impl Fn() -> F,
        probe: impl Fn() -> P,
        stop: impl Future<Output = ()>,
    ) -> Result<T, BulkError>
    where
        F: Future<Output = Result<T, CallError>>,
        P: Future<Output = Result<(), CallError>>,
    {
        let mut stop = pin!(stop);
        let mut failing_since = None;
        loop {
            tokio::select! {
                biased;
                () = &mut stop => return Err(BulkError::Stopped),
                turn = self.turn(route, &probe) => {
                    turn.map_err(|left| BulkError::Later { left })?;
                }
            }
            let error = match send().await {
                Ok(sent) => {
                    self.trouble.answered();
                    return Ok(sent);
                }
                Err(error) => error,
            };
            if let Some(wait) = error.retry_after() {
                metrics::counter!("rollcall_send_waits_total").increment(1);
                self.gate.refused_bulk(route.chat_id, wait);
                self.trouble.hold(wait);
            } else if error.may_have_taken_effect() {
                self.trouble.failed();
                return Err(BulkError::Unknown(error));
            } else if error.is_transient() {
                self.trouble.failed();
                let since = *failing_since.get_or_insert_with(Instant::now);
                if since.elapsed() > PATIENCE {
                    return Err(BulkError::Later { left: self.trouble.left() });
                }
            } else {
                self.trouble.answered();
                return Err(BulkError::of_refusal(route.chat_id, error));
            }
        }
    }

    /// Waits until a message may be sent, and takes its turn. It locks its chat only for a moment, so
    /// that an answer to the same chat need not wait for it. If the wait is too long, returns the
    /// remaining time as an error.
    async fn turn<P>(&self, route: &Route<'_>, probe: impl Fn() -> P) -> Result<(), Duration>
    where
        P: Future<Output = Result<(), CallError>>,
    {
        loop {
            // Without the pace, so that a busy chat delays no other recipient.
            let free_at = self.gate.chat_free_at(route.chat_id).await;
            let left = free_at.saturating_duration_since(Instant::now());
            if left > PATIENCE {
                return Err(left);
            }
            sleep(left).await;

            let mut spacing = route.pace.lock().await;
            self.trouble.end(&probe).await?;
            if let Some(spacing) = &mut *spacing {
                spacing.wait().await;
            }
            loop {
                self.trouble.end(&probe).await?;
                match self.try_turn(route) {
                    Ok(()) => return Ok(()),
                    Err(Busy::Until(at)) => sleep_until(at).await,
                    Err(Busy::Chat) => break,
                }
            }
        }
    }

    /// Takes the turn of a message if it can be sent now.
    fn try_turn(&self, route: &Route<'_>) -> Result<(), Busy> {
        let mut share = self.share.as_ref().filter(|_| !route.is_paid).map(lock);
        if let Some(at) = share.as_ref().and_then(|share| share.wait_until()) {
            return Err(Busy::Until(at));
        }
        self.gate.try_turn(route.chat_id, route.is_paid)?;
        if let Some(share) = &mut share {
            share.take();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
