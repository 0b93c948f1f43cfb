use std::{error::Error, time::Duration};

use tokio::time::Instant;

use rollcall_domain::{Backoff, error_chain};

use super::backoff::backoff;
use crate::client::CallError;

/// A lasting failure. Its beginning is logged with the cause, and its end with the number of failures.
pub(crate) struct Outage {
    what: &'static str,
    how_long: &'static str,
    failures: u32,
    last: Option<Instant>,
    backoff: Backoff,
}

impl Outage {
    /// No failure yet. `what` is what the log calls it, such as "updates cannot be fetched".
    pub(crate) fn new(what: &'static str) -> Self {
        let how_long = "until it works";
        Self { what, how_long, failures: 0, last: None, backoff: backoff() }
    }

    /// An outage with limited retries. `how_long` names the limit, such as "for five minutes".
    pub(crate) fn bounded(what: &'static str, how_long: &'static str) -> Self {
        Self { how_long, ..Self::new(what) }
    }

    /// Records a failure. Returns the time to wait before the next attempt.
    pub(crate) fn record(&mut self, error: &dyn Error) -> Duration {
        if self.failures == 0 {
            log::warn!(error = error_chain(error); "{}; trying again {}", self.what, self.how_long);
        } else {
            log::debug!(error = error_chain(error), failures = self.failures; "{}", self.what);
        }
        self.failures = self.failures.saturating_add(1);
        self.last = Some(Instant::now());
        self.backoff.next(fastrand::f64())
    }

    /// Records a failed call. Returns the time to wait, which is what Telegram asks for if it does.
    pub(crate) fn record_call(&mut self, error: &CallError) -> Duration {
        let wait = self.record(error);
        error.retry_after().unwrap_or(wait)
    }

    /// The outage and its cause, on one line.
    pub(crate) fn describe(&self, error: &dyn Error) -> String {
        format!("{}: {}", self.what, error_chain(error))
    }

    /// Records a success.
    pub(crate) fn end(&mut self) {
        if self.failures > 0 {
            log::info!(failures = self.failures; "recovered: {}", self.what);
            self.failures = 0;
            self.backoff.reset();
        }
    }

    /// Records a success, which ends the outage only if the last failure is at least `calm` ago.
    pub(crate) fn end_after(&mut self, calm: Duration) {
        if self.last.is_some_and(|last| last.elapsed() >= calm) {
            self.end();
        }
    }
}
