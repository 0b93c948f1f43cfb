//! The requests for updates of the bot behind.

use std::time::Duration;

/// A getUpdates of the bot behind.
pub(crate) struct Pull {
    /// 0 for all updates that wait, or the first one that is wanted. If negative, the last ones are wanted,
    /// and none before them any more.
    pub(crate) offset: i64,
    /// The most updates in the answer.
    pub(crate) limit: usize,
    /// How long to wait while there are none.
    pub(crate) timeout: Duration,
}

/// Why a getUpdates has no result. The texts are Telegram's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PullError {
    /// Another one came.
    #[error(
        "Conflict: terminated by other getUpdates request; make sure that only one bot instance is \
         running"
    )]
    OtherPull,
    /// A webhook was set meanwhile.
    #[error("Conflict: terminated by setWebhook request")]
    WebhookSet,
    /// A webhook is set.
    #[error(
        "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete \
         the webhook first"
    )]
    WebhookActive,
}

/// The requests of the bot behind, and how far they are behind Telegram.
pub(super) struct Pulls {
    /// The number of the latest request. Only this one goes on.
    pub(super) number: u64,
    /// Why those before it have ended.
    pub(super) ended_by: PullError,
    /// Whether updates come in the order of their ids, which is so while we poll.
    pub(super) in_order: bool,
    /// Whether everything that Telegram had was fetched. Always true by webhook.
    pub(super) is_caught_up: bool,
    /// Whether our own getUpdates waits for the next update.
    pub(super) is_idle: bool,
    /// How many updates are kept while all before them are dropped.
    pub(super) kept: Option<usize>,
    /// Whether the process stops.
    pub(super) is_over: bool,
}

impl Default for Pulls {
    fn default() -> Self {
        Self {
            number: 0,
            ended_by: PullError::OtherPull,
            in_order: false,
            is_caught_up: true,
            is_idle: true,
            kept: None,
            is_over: false,
        }
    }
}

impl Pulls {
    /// Ends all requests so far. Returns the number of the next one.
    pub(super) fn end(&mut self, error: PullError) -> u64 {
        self.number += 1;
        self.ended_by = error;
        self.number
    }

    /// Drops what Telegram has but the last updates.
    pub(super) fn drain(&mut self, kept: usize) {
        // Our own getUpdates would have returned already.
        if !self.is_idle {
            self.is_caught_up = false;
            self.kept = Some(kept);
        }
    }
}
