use std::time::Duration;

use rollcall_service::Outage;
use tokio::time::{Instant, sleep};

use super::requests::delete_webhook;
use crate::{
    client::{CallError, Client, Conflict},
    readiness::Readiness,
    retry::{outage, record_call},
};

/// How long updates have to arrive without a conflict until it counts as over. Two pollers end each
/// other's requests by turns, so a single success proves nothing.
const CALM: Duration = Duration::from_secs(5 * 60);
/// How long to try a token that has worked and that Telegram now rejects.
const TOKEN_PATIENCE: Duration = Duration::from_secs(5 * 60);

/// The outages that keep the bot from fetching updates.
pub(super) struct PollFailures {
    other: Outage,
    other_poller: Outage,
    webhook: Outage,
    bad_token: Outage,
    /// When Telegram first rejected the token.
    refused_since: Option<Instant>,
    /// Whether any getUpdates succeeded.
    has_worked: bool,
    /// Whether the latest getUpdates failed.
    last_failed: bool,
    readiness: Readiness,
}

impl PollFailures {
    pub(super) fn new(readiness: Readiness) -> Self {
        Self {
            readiness,
            last_failed: false,
            has_worked: false,
            refused_since: None,
            bad_token: outage("Telegram does not accept the bot token any more")
                .bounded("for five minutes"),
            other: outage("updates cannot be fetched"),
            other_poller: outage(
                "another process polls for this bot, and Telegram lets only one: stop the other",
            ),
            webhook: outage(
                "updates go to a webhook of this bot, which was set while it polls: deleting it",
            ),
        }
    }

    /// Whether polling works: it has succeeded before, and did not fail last.
    pub(super) fn is_proven(&self) -> bool {
        self.has_worked && !self.last_failed
    }

    /// Whether to give up because of the token. A token that has worked gets some time, because Telegram
    /// has been seen to reject valid ones for a moment.
    pub(super) fn is_fatal(&mut self, error: &CallError) -> bool {
        error.is_bad_token() && (!self.has_worked || self.patience_left().is_zero())
    }

    /// How much longer to try a token that has worked.
    fn patience_left(&mut self) -> Duration {
        let since = self.refused_since.get_or_insert_with(Instant::now);
        TOKEN_PATIENCE.saturating_sub(since.elapsed())
    }

    /// Records a failed getUpdates, deletes a webhook that is in the way, and waits until the next
    /// attempt.
    pub(super) async fn wait_out(&mut self, client: &Client, error: CallError) {
        self.last_failed = true;
        if error.is_bad_token() {
            let wait = record_call(&mut self.bad_token, &error).min(self.patience_left());
            self.readiness.set_problem(self.bad_token.describe(&error));
            return sleep(wait).await;
        }
        let (outage, error) = match error.conflict() {
            None => (&mut self.other, error),
            Some(Conflict::OtherPoller) => (&mut self.other_poller, error),
            Some(Conflict::Webhook) => {
                (&mut self.webhook, delete_webhook(client).await.err().unwrap_or(error))
            }
        };
        let wait = record_call(outage, &error);
        self.readiness.set_problem(outage.describe(&error));
        sleep(wait).await;
    }

    /// Records a successful getUpdates.
    pub(super) fn end(&mut self) {
        self.last_failed = false;
        self.has_worked = true;
        self.refused_since = None;
        self.bad_token.end();
        self.other.end();
        self.other_poller.end_after(CALM);
        self.webhook.end_after(CALM);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rollcall_domain::SystemClock;

    use super::*;
    use crate::client::TelegramClock;

    fn refused(code: i64) -> CallError {
        CallError::Refused {
            method: "getUpdates",
            code,
            description: String::new(),
            retry_after: None,
            migrate_to_chat_id: None,
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_token_that_has_worked_is_tried_for_five_minutes() {
        for code in [401, 404] {
            let url = "http://127.0.0.1:1".parse().unwrap();
            let clock = TelegramClock::new(Arc::new(SystemClock));
            let client = Client::new(url, None, "1:x".parse().unwrap(), clock).unwrap();
            let readiness = Readiness::starting();
            let mut failures = PollFailures::new(readiness.clone());
            assert!(failures.is_fatal(&refused(code)), "it has never worked");

            failures.end();
            for _ in 0..2 {
                let begun = Instant::now();
                let mut tries = 0;
                while !failures.is_fatal(&refused(code)) {
                    failures.wait_out(&client, refused(code)).await;
                    // Another error in between changes nothing.
                    failures.wait_out(&client, refused(502)).await;
                    tries += 1;
                    assert!(readiness.problem().is_some());
                }
                let took = begun.elapsed();
                assert!(took >= TOKEN_PATIENCE, "{took:?}");
                assert!(took <= TOKEN_PATIENCE + Duration::from_secs(61), "{took:?}");
                assert!((8..40).contains(&tries), "{tries}");
                failures.end();
            }
            assert!(!failures.is_fatal(&refused(403)));
        }
    }
}
