use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use rollcall_domain::Backoff;
use tokio::time::{Instant, sleep};

use crate::{client::CallError, outbox::gate::in_time, retry::backoff};

/// How long a message waits for Telegram before it is given back as not sent.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);

/// What keeps the messages of all broadcasts from being sent: Telegram asks to wait, or a request
/// failed. After a failure, a probe must be answered before the next message. So an outage costs only
/// the messages that were already on their way, whose fate is then unknown.
pub(super) struct Trouble(Mutex<State>);

struct State {
    /// Until when nothing is sent.
    until: Instant,
    /// Whether a probe must be answered first.
    needs_probe: bool,
    /// Since when requests have failed, without an answer to any message.
    failing_since: Option<Instant>,
    backoff: Backoff,
}

impl Trouble {
    pub(super) fn none() -> Self {
        Self(Mutex::new(State {
            until: Instant::now(),
            needs_probe: false,
            failing_since: None,
            backoff: backoff(),
        }))
    }

    /// Telegram asks to wait.
    pub(super) fn hold(&self, wait: Duration) {
        let mut state = self.lock();
        state.until = state.until.max(in_time(wait));
    }

    /// A request was not answered, or Telegram is broken.
    pub(super) fn failed(&self) {
        let mut state = self.lock();
        state.needs_probe = true;
        let now = Instant::now();
        // One more delay for all requests that failed together; none after the first failure, because
        // the probe shows whether it was the only one.
        if state.failing_since.is_some() && state.until <= now {
            state.until = now + state.backoff.next(fastrand::f64());
        }
        state.failing_since.get_or_insert(now);
    }

    /// For how long nothing is sent.
    pub(super) fn left(&self) -> Duration {
        self.lock().until.saturating_duration_since(Instant::now())
    }

    /// Telegram answered a message.
    pub(super) fn answered(&self) {
        let mut state = self.lock();
        state.failing_since = None;
        state.backoff.reset();
    }

    /// Waits until messages can be sent again. If that takes too long, returns the remaining time as an
    /// error.
    pub(super) async fn end<F>(&self, probe: impl Fn() -> F) -> Result<(), Duration>
    where
        F: Future<Output = Result<(), CallError>>,
    {
        loop {
            let (until, needs_probe, is_lasting) = {
                let state = self.lock();
                let failing_since = state.failing_since;
                let is_lasting = failing_since.is_some_and(|since| since.elapsed() > PATIENCE);
                (state.until, state.needs_probe, is_lasting)
            };
            let left = until.saturating_duration_since(Instant::now());
            if left > PATIENCE || (is_lasting && !left.is_zero()) {
                return Err(left);
            } else if !left.is_zero() {
                sleep(left).await;
            } else if needs_probe {
                self.learn(probe().await);
            } else {
                return Ok(());
            }
        }
    }

    /// Learns from the answer to a probe.
    fn learn(&self, answer: Result<(), CallError>) {
        match answer {
            Err(error) if error.is_transient() => match error.retry_after() {
                Some(wait) => self.hold(wait),
                None => self.failed(),
            },
            // Other errors are answers too: the next message learns of them.
            _ => self.lock().needs_probe = false,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // No code panics while holding it.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
