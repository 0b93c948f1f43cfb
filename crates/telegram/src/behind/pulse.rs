//! Whether the bot behind is there, and which updates it does not accept although it is.

use std::{collections::BTreeMap, time::Duration};

use rollcall_domain::Backoff;
use rollcall_service::Outage;
use tokio::time::Instant;

use super::attempt::Failure;

/// What is known of the bot behind.
pub(super) struct Pulse {
    /// When it last accepted an update.
    accepted_at: Option<Instant>,
    /// The updates that it did not accept.
    failing: BTreeMap<i64, Failing>,
    outage: Outage,
}

/// An update that was not accepted.
#[derive(Clone, Copy)]
struct Failing {
    /// Its first failure.
    since: Instant,
    /// Since when the bot behind has accepted other updates, but not this one.
    alone_since: Option<Instant>,
}

/// What becomes of an update that was not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is delivered again.
    Retry,
    /// It is delivered again, at the latest at this time.
    RetryUntil(Instant),
    /// It is set aside.
    SetAside,
}

impl Default for Pulse {
    fn default() -> Self {
        // Each update has its own delays, so those of the outage are not used.
        let backoff = Backoff::new(Duration::ZERO, Duration::ZERO);
        Self {
            accepted_at: None,
            failing: BTreeMap::new(),
            outage: Outage::new("the bot behind does not accept updates", backoff),
        }
    }
}

impl Pulse {
    /// Notes that an update was accepted. Returns whether others were refused or the bot was away before.
    pub(super) fn accepted(&mut self, update_id: i64) -> bool {
        self.accepted_at = Some(Instant::now());
        self.failing.remove(&update_id);
        let is_recovered = self.outage.is_ongoing();
        self.outage.end();
        is_recovered
    }

    /// Notes that an update was not accepted. It is set aside if the bot behind has accepted others for
    /// `give_up_after` meanwhile. While every update fails, none is.
    pub(super) fn failed(
        &mut self,
        update_id: i64,
        failure: &Failure,
        give_up_after: Duration,
    ) -> Verdict {
        let now = Instant::now();
        let accepted_at = self.accepted_at;
        let failing =
            self.failing.entry(update_id).or_insert(Failing { since: now, alone_since: None });
        let others_pass = accepted_at.filter(|at| *at > failing.since);
        if others_pass.is_none() {
            // Logged once, as an outage: perhaps no update is accepted.
            let _delay = self.outage.record(failure);
            if failure.is_away() {
                *failing = Failing { since: now, alone_since: None };
            }
            return Verdict::Retry;
        }
        let alone_since = *failing.alone_since.get_or_insert(now);
        // Updates that began to fail after the last success show that all may fail by now.
        let all_fail = self.failing.values().any(|it| accepted_at.is_none_or(|at| it.since > at));
        let end = alone_since + give_up_after;
        match (all_fail, end <= now) {
            (true, _) => Verdict::Retry,
            (false, false) => Verdict::RetryUntil(end),
            (false, true) => Verdict::SetAside,
        }
    }

    /// Forgets an update that was set aside.
    pub(super) fn forget(&mut self, update_id: i64) {
        self.failing.remove(&update_id);
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    fn refused() -> Failure {
        Failure::Status(500)
    }

    fn away() -> Failure {
        Failure::Status(502)
    }

    #[tokio::test(start_paused = true)]
    async fn an_update_is_set_aside_if_others_are_accepted_for_a_minute() {
        let mut pulse = Pulse::default();
        assert_eq!(pulse.failed(1, &refused(), MINUTE), Verdict::Retry);
        advance(Duration::from_secs(1)).await;
        assert!(pulse.accepted(2));
        advance(Duration::from_secs(1)).await;
        let end = Instant::now() + MINUTE;
        assert_eq!(pulse.failed(1, &refused(), MINUTE), Verdict::RetryUntil(end));
        assert!(!pulse.accepted(3), "one update that fails is no outage");
        advance(MINUTE).await;
        assert_eq!(pulse.failed(1, &refused(), MINUTE), Verdict::SetAside);
    }

    #[tokio::test(start_paused = true)]
    async fn no_update_is_set_aside_while_all_fail() {
        let mut pulse = Pulse::default();
        assert_eq!(pulse.failed(1, &refused(), MINUTE), Verdict::Retry);
        advance(Duration::from_secs(1)).await;
        pulse.accepted(2);
        advance(Duration::from_secs(1)).await;
        for _ in 0..100 {
            assert_eq!(pulse.failed(3, &refused(), MINUTE), Verdict::Retry);
            assert_eq!(pulse.failed(1, &refused(), MINUTE), Verdict::Retry);
            advance(Duration::from_secs(5)).await;
        }
        // It recovers, and both are accepted.
        assert!(pulse.accepted(3));
        pulse.accepted(1);
        advance(Duration::from_secs(1)).await;
        assert_eq!(pulse.failed(4, &refused(), MINUTE), Verdict::Retry);
    }

    #[tokio::test(start_paused = true)]
    async fn a_bot_that_was_away_gets_the_whole_time_again() {
        let mut pulse = Pulse::default();
        for _ in 0..100 {
            assert_eq!(pulse.failed(1, &away(), MINUTE), Verdict::Retry);
            advance(Duration::from_secs(5)).await;
        }
        pulse.accepted(2);
        advance(Duration::from_secs(1)).await;
        assert!(matches!(pulse.failed(1, &refused(), MINUTE), Verdict::RetryUntil(_)));
    }
}
