//! Retries: how long to wait between attempts, and what is logged meanwhile.

mod backoff;

use std::time::Duration;

use rollcall_service::Outage;
use tokio::time::sleep;

pub(crate) use backoff::backoff;

use crate::client::CallError;

/// An outage of Telegram or the database, which has not begun. `what` is what the log calls it.
pub(crate) fn outage(what: &'static str) -> Outage {
    Outage::new(what, backoff())
}

/// Records a failed call. Returns the time to wait, which is what Telegram asks for if it does.
pub(crate) fn record_call(outage: &mut Outage, error: &CallError) -> Duration {
    let wait = outage.record(error);
    error.retry_after().unwrap_or(wait)
}

/// Calls a method until it succeeds, or fails permanently. `what` names the outage in the log, such as
/// "Telegram cannot be reached".
pub async fn retry<T, F>(what: &'static str, mut call: impl FnMut() -> F) -> Result<T, CallError>
where
    F: Future<Output = Result<T, CallError>>,
{
    let mut outage = outage(what);
    loop {
        match call().await {
            Err(error) if error.is_transient() => sleep(record_call(&mut outage, &error)).await,
            Err(error) => return Err(error),
            Ok(result) => {
                outage.end();
                return Ok(result);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

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
    fn waits_as_long_as_telegram_asks() {
        let mut outage = outage("on purpose");
        for seconds in [1, 100_000, u64::MAX] {
            let wait = record_call(&mut outage, &refused(429, Some(seconds)));
            assert_eq!(wait, Duration::from_secs(seconds));
        }
        assert!(record_call(&mut outage, &refused(500, None)) <= Duration::from_secs(60));
    }

    #[tokio::test(start_paused = true)]
    async fn retries_until_success_or_a_permanent_error() {
        let begun = Instant::now();
        let mut results = vec![Ok(42), Err(refused(429, Some(100_000))), Err(refused(502, None))];
        let result = retry("on purpose", || std::future::ready(results.pop().unwrap())).await;
        assert_eq!(result.unwrap(), 42);
        assert!(begun.elapsed() >= Duration::from_secs(100_000));

        let result: Result<(), _> =
            retry("on purpose", || std::future::ready(Err(refused(400, None)))).await;
        assert_eq!(result.unwrap_err().to_string(), "Telegram refused getUpdates: 400 ");
    }
}
