//! Where the bot is in the stream of updates: whether they have just happened, or waited.

use chrono::{DateTime, TimeDelta, Utc};
use rollcall_domain::CLOCK_TOLERANCE;
use tokio::time::Instant;

/// The times of messages are in whole seconds.
const SECOND: TimeDelta = TimeDelta::seconds(1);
/// How long Telegram keeps updates (Bot API, "Getting updates"). What is older was not waiting there.
const KEPT: TimeDelta = TimeDelta::hours(24);
/// From which delay on it is logged that updates come late.
const LATE: TimeDelta = TimeDelta::minutes(1);

/// By how much what comes is older than the clock shows. Updates come in the order in which they
/// happened, so one that does not tell its time is as old as the last one before it that does: the
/// bot may have paused, Telegram may be late, or the clock ahead.
#[derive(Debug)]
pub(crate) struct Stream {
    /// How old the latest update was that told its time, when it came.
    delay: TimeDelta,
    /// Whether that update had just happened. What was waiting instead says nothing of what comes
    /// once nothing waits any more.
    was_live: bool,
    /// When nothing waited, as long as that is known.
    head: Option<Instant>,
    /// The delay of live updates, as far as that was logged.
    logged: TimeDelta,
}

impl Default for Stream {
    /// Of what comes first nothing is known.
    fn default() -> Self {
        let none = TimeDelta::zero();
        Self { delay: none, was_live: false, head: None, logged: none }
    }
}

impl Stream {
    /// When an update happened that comes now without a time, as far as those before it show.
    pub(crate) fn now(&self, clock: DateTime<Utc>) -> DateTime<Utc> {
        clock - self.delay
    }

    /// Notes what came at a time of the clock, and the latest time that any of it told.
    pub(crate) fn note(&mut self, clock: DateTime<Utc>, latest: Option<DateTime<Utc>>) {
        let Some(latest) = latest else { return };
        let age = clock - latest;
        self.delay =
            if (TimeDelta::zero()..=KEPT).contains(&age) { age } else { TimeDelta::zero() };
        // It happened after nothing waited; what was longer ago than that is not explained by waiting.
        self.was_live = self.head.is_some_and(|head| {
            let waited = TimeDelta::from_std(head.elapsed()).unwrap_or(TimeDelta::MAX);
            self.delay - SECOND - CLOCK_TOLERANCE > waited
        });
        self.log(if self.was_live { self.delay } else { TimeDelta::zero() });
    }

    /// Notes whether more updates may be waiting behind those that came.
    pub(crate) fn end_batch(&mut self, is_full: bool) {
        self.head = (!is_full).then(Instant::now);
        if !is_full && !self.was_live {
            self.delay = TimeDelta::zero();
        }
    }

    /// Logs the delay of live updates, once for each change.
    fn log(&mut self, live: TimeDelta) {
        if live > LATE && (live - self.logged).abs() > LATE {
            self.logged = live;
            log::warn!(
                delay_s = live.num_seconds();
                "updates that have just happened are dated {} seconds ago: either this machine's \
                 clock is that much ahead of Telegram's, or Telegram delivers late",
                live.num_seconds()
            );
        } else if live.is_zero() && !self.logged.is_zero() {
            self.logged = TimeDelta::zero();
            log::info!("updates are dated as they come again");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// Batches that come one after the other, by a clock that is so many seconds ahead.
    struct Batches {
        stream: Stream,
        ahead: i64,
        begun: Instant,
    }

    impl Batches {
        fn new(ahead: i64) -> Self {
            Self { stream: Stream::default(), ahead, begun: Instant::now() }
        }

        /// A batch so many seconds after the last one, the latest of which is so old; answers how
        /// old an update without a time counts as that comes right after it.
        async fn come(&mut self, after: u64, age: Option<i64>, is_full: bool) -> i64 {
            tokio::time::advance(Duration::from_secs(after)).await;
            let elapsed = i64::try_from(self.begun.elapsed().as_secs()).unwrap();
            let truth = DateTime::from_timestamp(1_800_000_000 + elapsed, 0).unwrap();
            let clock = truth + TimeDelta::seconds(self.ahead);
            self.stream.note(clock, age.map(|age| truth - TimeDelta::seconds(age)));
            self.stream.end_batch(is_full);
            (truth - self.stream.now(clock)).num_seconds()
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_waited_is_as_old_as_what_came_with_it_until_nothing_waits() {
        let mut batches = Batches::new(0);
        assert_eq!(batches.come(0, Some(7200), true).await, 7200);
        assert_eq!(batches.come(1, None, true).await, 7200);
        assert_eq!(batches.come(1, Some(3600), true).await, 3600);
        assert_eq!(batches.come(1, Some(60), false).await, 0);
        // Live ones, and a pause of the bot.
        assert_eq!(batches.come(30, Some(1), false).await, 0);
        assert_eq!(batches.come(3600, Some(3000), true).await, 3000);
        assert_eq!(batches.come(1, Some(2), false).await, 0);
        assert_eq!(batches.stream.logged, TimeDelta::zero());
    }

    #[tokio::test(start_paused = true)]
    async fn live_updates_show_that_the_clock_is_ahead() {
        let mut batches = Batches::new(3600);
        // Nothing is known yet, and what comes first may have waited.
        assert_eq!(batches.come(0, None, false).await, -3600);
        assert_eq!(batches.come(40, Some(1), false).await, 1);
        assert_eq!(batches.stream.logged.num_seconds(), 3601);
        assert_eq!(batches.come(50, None, false).await, 1);
        assert_eq!(batches.come(50, None, false).await, 1);
        // Set right: what comes until the next time is told counts as older than it is.
        batches.ahead = 0;
        assert_eq!(batches.come(1, None, false).await, 3601);
        assert_eq!(batches.come(5, Some(0), false).await, 0);
        assert_eq!(batches.stream.logged, TimeDelta::zero());
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_older_than_telegram_keeps_shows_nothing() {
        let mut batches = Batches::new(0);
        assert_eq!(batches.come(0, Some(86_401), true).await, 0);
        assert_eq!(batches.come(1, Some(86_400), true).await, 86_400);
        assert_eq!(batches.come(1, Some(500_000_000), false).await, 0);
        assert_eq!(batches.come(1, Some(500_000_000), false).await, 0);
        assert_eq!(batches.stream.logged, TimeDelta::zero());
    }

    #[tokio::test(start_paused = true)]
    async fn a_clock_that_is_behind_makes_nothing_older() {
        let mut batches = Batches::new(-600);
        assert_eq!(batches.come(0, Some(0), false).await, 600);
        assert_eq!(batches.come(5, Some(0), false).await, 600);
        assert_eq!(batches.stream.delay, TimeDelta::zero());
    }
}
