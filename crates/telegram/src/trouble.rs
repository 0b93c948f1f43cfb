//! Something that fails again and again.

use std::{error::Error, time::Duration};

use tokio::time::{Instant, sleep};

use crate::{backoff::Backoff, client::CallError};

/// Something that is tried until it works: told once with its cause when it begins to fail, and
/// once when that is over.
pub(crate) struct Trouble {
    what: &'static str,
    how_long: &'static str,
    failures: u32,
    last: Option<Instant>,
    backoff: Backoff,
}

impl Trouble {
    /// No trouble yet; `what` is what it would be.
    pub(crate) fn new(what: &'static str) -> Self {
        let backoff = Backoff::new(fastrand::Rng::new());
        Self { what, how_long: "until it works", failures: 0, last: None, backoff }
    }

    /// Trouble that is not waited out for ever; `how_long` is for how long.
    pub(crate) fn bounded(what: &'static str, how_long: &'static str) -> Self {
        Self { how_long, ..Self::new(what) }
    }

    /// Notes a failure; answers how long to wait before the next try.
    pub(crate) fn meet(&mut self, error: &dyn Error) -> Duration {
        if self.failures == 0 {
            log::warn!(error = chain(error); "{}; trying again {}", self.what, self.how_long);
        } else {
            log::debug!(error = chain(error), failures = self.failures; "{}", self.what);
        }
        self.failures = self.failures.saturating_add(1);
        self.last = Some(Instant::now());
        self.backoff.next()
    }

    /// The trouble and its cause, on one line.
    pub(crate) fn told(&self, error: &dyn Error) -> String {
        format!("{}: {}", self.what, chain(error))
    }

    /// Notes that a call failed; answers how long to wait before the next try, which is what
    /// Telegram asks for, if it does.
    pub(crate) fn meet_call(&mut self, error: &CallError) -> Duration {
        let wait = self.meet(error);
        error.retry_after().unwrap_or(wait)
    }

    /// Notes that it worked.
    pub(crate) fn end(&mut self) {
        if self.failures > 0 {
            log::info!(failures = self.failures; "it works again after: {}", self.what);
            self.failures = 0;
            self.backoff.reset();
        }
    }

    /// Notes that it worked, which proves something only when it has not failed for a while.
    pub(crate) fn end_after(&mut self, calm: Duration) {
        if self.last.is_some_and(|last| last.elapsed() >= calm) {
            self.end();
        }
    }
}

/// Calls a method until it works, or fails for good; `what` is what it would be if it fails.
pub async fn patiently<T, F>(
    what: &'static str,
    mut call: impl FnMut() -> F,
) -> Result<T, CallError>
where
    F: Future<Output = Result<T, CallError>>,
{
    let mut trouble = Trouble::new(what);
    loop {
        match call().await {
            Err(error) if error.may_pass() => sleep(trouble.meet_call(&error)).await,
            Err(error) => return Err(error),
            Ok(result) => {
                trouble.end();
                return Ok(result);
            }
        }
    }
}

/// An error with its causes, on one line.
pub fn chain(error: &dyn Error) -> String {
    let mut line = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        line.push_str(&format!(": {error}"));
        cause = error.source();
    }
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(code: i64, retry_after_s: Option<u64>) -> CallError {
        CallError::Refused {
            method: "getUpdates",
            code,
            description: String::new(),
            retry_after: retry_after_s.map(Duration::from_secs),
            migrate_to_chat_id: None,
        }
    }

    #[test]
    fn waits_as_long_as_telegram_asks_for() {
        let mut trouble = Trouble::new("on purpose");
        for seconds in [1, 100_000, u64::MAX] {
            let wait = trouble.meet_call(&refused(429, Some(seconds)));
            assert_eq!(wait, Duration::from_secs(seconds));
        }
        assert!(trouble.meet_call(&refused(500, None)) <= Duration::from_secs(60));
    }

    #[tokio::test(start_paused = true)]
    async fn calls_until_it_works_or_fails_for_good() {
        let begun = Instant::now();
        let mut answers = vec![Ok(42), Err(refused(429, Some(100_000))), Err(refused(502, None))];
        let result = patiently("on purpose", || std::future::ready(answers.pop().unwrap())).await;
        assert_eq!(result.unwrap(), 42);
        assert!(begun.elapsed() >= Duration::from_secs(100_000));

        let result: Result<(), _> =
            patiently("on purpose", || std::future::ready(Err(refused(400, None)))).await;
        assert_eq!(result.unwrap_err().to_string(), "Telegram refused getUpdates: 400 ");
    }
}
