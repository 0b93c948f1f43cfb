use std::{error::Error, time::Duration};

use rollcall_domain::{Backoff, error_chain};
use tokio::time::Instant;

/// A lasting failure of something that is tried again and again. Its beginning is logged once with
/// the cause, and its end once with the number of failures.
#[derive(Debug)]
pub struct Outage {
    what: &'static str,
    how_long: &'static str,
    failures: u32,
    last: Option<Instant>,
    backoff: Backoff,
}

impl Outage {
    /// No failure yet. `what` is what the log calls it, such as "updates cannot be fetched".
    pub fn new(what: &'static str, backoff: Backoff) -> Self {
        Self { what, how_long: "until it works", failures: 0, last: None, backoff }
    }

    /// The same with limited retries. `how_long` names the limit, such as "for five minutes".
    #[must_use]
    pub fn bounded(self, how_long: &'static str) -> Self {
        Self { how_long, ..self }
    }

    /// Records a failure. Returns the time to wait before the next attempt.
    pub fn record(&mut self, error: &dyn Error) -> Duration {
        if self.failures == 0 {
            log::warn!(error = error_chain(error); "{}; trying again {}", self.what, self.how_long);
        } else {
            log::debug!(error = error_chain(error), failures = self.failures; "{}", self.what);
        }
        self.failures = self.failures.saturating_add(1);
        self.last = Some(Instant::now());
        self.backoff.next(fastrand::f64())
    }

    /// Whether the last attempt failed.
    pub fn is_ongoing(&self) -> bool {
        self.failures > 0
    }

    /// The outage and its cause, on one line.
    pub fn describe(&self, error: &dyn Error) -> String {
        format!("{}: {}", self.what, error_chain(error))
    }

    /// Records a success.
    pub fn end(&mut self) {
        if self.failures > 0 {
            log::info!(failures = self.failures; "recovered: {}", self.what);
            self.failures = 0;
            self.backoff.reset();
        }
    }

    /// Records a success, which ends the outage only if the last failure is at least `calm` ago.
    pub fn end_after(&mut self, calm: Duration) {
        if self.last.is_some_and(|last| last.elapsed() >= calm) {
            self.end();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONGEST: Duration = Duration::from_secs(4);

    #[tokio::test]
    async fn an_outage_lasts_until_a_success() {
        let mut outage = Outage::new("on purpose", Backoff::new(Duration::from_secs(1), LONGEST));
        assert!(!outage.is_ongoing());
        for _ in 0..5 {
            assert!(outage.record(&std::fmt::Error) <= LONGEST);
            assert!(outage.is_ongoing());
        }
        outage.end_after(Duration::from_secs(60));
        assert!(outage.is_ongoing(), "it failed just now");
        outage.end();
        assert!(!outage.is_ongoing());
        assert!(outage.record(&std::fmt::Error) <= Duration::from_secs(1), "delays begin again");
        outage.end_after(Duration::ZERO);
        assert!(!outage.is_ongoing());
    }
}
