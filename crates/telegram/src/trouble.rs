//! Something that fails again and again.

use std::{error::Error, time::Duration};

/// The first wait before trying again; each further one is twice as long.
const FIRST_WAIT: Duration = Duration::from_millis(500);
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// Something that is tried until it works: told once with its cause when it begins to fail, and
/// once when that is over.
pub(crate) struct Trouble {
    what: &'static str,
    failures: u32,
    wait: Duration,
}

impl Trouble {
    /// No trouble yet; `what` is what it would be.
    pub(crate) fn new(what: &'static str) -> Self {
        Self { what, failures: 0, wait: FIRST_WAIT }
    }

    /// Notes a failure; answers how long to wait before the next try.
    pub(crate) fn meet(&mut self, error: &dyn Error) -> Duration {
        if self.failures == 0 {
            log::warn!(error = chain(error); "{}; trying again until it works", self.what);
        } else {
            log::debug!(error = chain(error), failures = self.failures; "{}", self.what);
        }
        self.failures += 1;
        let wait = self.wait;
        self.wait = (wait * 2).min(LONGEST_WAIT);
        wait
    }

    /// Notes that it worked.
    pub(crate) fn end(&mut self) {
        if self.failures > 0 {
            log::info!(failures = self.failures; "it works again after: {}", self.what);
            *self = Self::new(self.what);
        }
    }
}

/// An error with its causes, on one line.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut line = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        line.push_str(&format!(": {error}"));
        cause = error.source();
    }
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}
