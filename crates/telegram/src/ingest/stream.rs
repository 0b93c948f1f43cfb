//! How late the updates of a stream are: they may just have happened, or waited at Telegram.

use chrono::{DateTime, TimeDelta, Utc};
use rollcall_domain::CLOCK_TOLERANCE;
use tokio::time::Instant;

/// Messages are dated in whole seconds.
const SECOND: TimeDelta = TimeDelta::seconds(1);
/// How long Telegram keeps updates (Bot API, "Getting updates"). A greater age has another cause.
const KEPT: TimeDelta = TimeDelta::hours(24);
/// The delay of live updates that is logged.
const LATE: TimeDelta = TimeDelta::minutes(1);

/// The delay of a stream of updates. Updates arrive in the order in which they happened, so an undated
/// one is as old as the last dated one before it. Causes of a delay: the bot paused, Telegram is late,
/// or the clock is ahead.
#[derive(Debug)]
pub(crate) struct Stream {
    /// The age of the latest dated update when it arrived.
    delay: TimeDelta,
    /// Whether that update had just happened. The age of one that waited says nothing about live ones.
    was_live: bool,
    /// When the stream was last empty, if known.
    head: Option<Instant>,
    /// The delay of live updates, as last logged.
    logged: TimeDelta,
}

impl Default for Stream {
    /// The delay is unknown before the first update.
    fn default() -> Self {
        let none = TimeDelta::zero();
        Self { delay: none, was_live: false, head: None, logged: none }
    }
}

impl Stream {
    /// The time of an undated update that arrives now, judging by those before it.
    pub(crate) fn now(&self, clock: DateTime<Utc>) -> DateTime<Utc> {
        clock - self.delay
    }

    /// Notes a batch: the clock when it arrived, and the latest time in it.
    pub(crate) fn note(&mut self, clock: DateTime<Utc>, latest: Option<DateTime<Utc>>) {
        let Some(latest) = latest else { return };
        let age = clock - latest;
        self.delay =
            if (TimeDelta::zero()..=KEPT).contains(&age) { age } else { TimeDelta::zero() };
        // The update happened after the stream was empty. Waiting does not explain a greater age.
        self.was_live = self.head.is_some_and(|head| {
            let waited = TimeDelta::from_std(head.elapsed()).unwrap_or(TimeDelta::MAX);
            self.delay - SECOND - CLOCK_TOLERANCE > waited
        });
        self.log(if self.was_live { self.delay } else { TimeDelta::zero() });
    }

    /// Notes the end of a batch. After a full one, more updates may be waiting.
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
            log::info!("live updates have current dates again");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// Successive batches, with a clock that is `ahead` seconds ahead.
    struct Batches {
        stream: Stream,
        ahead: i64,
        begun: Instant,
    }

    impl Batches {
        fn new(ahead: i64) -> Self {
            Self { stream: Stream::default(), ahead, begun: Instant::now() }
        }

        /// A batch `after` seconds after the last one, whose latest update is `age` seconds old. Returns
        /// the assumed age of an undated update right after it.
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
    async fn undated_updates_are_as_old_as_their_batch_until_nothing_waits() {
        let mut batches = Batches::new(0);
        assert_eq!(batches.come(0, Some(7200), true).await, 7200);
        assert_eq!(batches.come(1, None, true).await, 7200);
        assert_eq!(batches.come(1, Some(3600), true).await, 3600);
        assert_eq!(batches.come(1, Some(60), false).await, 0);
        // Live updates, and a pause of the bot.
        assert_eq!(batches.come(30, Some(1), false).await, 0);
        assert_eq!(batches.come(3600, Some(3000), true).await, 3000);
        assert_eq!(batches.come(1, Some(2), false).await, 0);
        assert_eq!(batches.stream.logged, TimeDelta::zero());
    }

    #[tokio::test(start_paused = true)]
    async fn live_updates_show_that_the_clock_is_ahead() {
        let mut batches = Batches::new(3600);
        // The delay is unknown yet, and the first updates may have waited.
        assert_eq!(batches.come(0, None, false).await, -3600);
        assert_eq!(batches.come(40, Some(1), false).await, 1);
        assert_eq!(batches.stream.logged.num_seconds(), 3601);
        assert_eq!(batches.come(50, None, false).await, 1);
        assert_eq!(batches.come(50, None, false).await, 1);
        // The clock is corrected: until the next dated update, undated ones count as older than they are.
        batches.ahead = 0;
        assert_eq!(batches.come(1, None, false).await, 3601);
        assert_eq!(batches.come(5, Some(0), false).await, 0);
        assert_eq!(batches.stream.logged, TimeDelta::zero());
    }

    #[tokio::test(start_paused = true)]
    async fn an_age_beyond_what_telegram_keeps_is_ignored() {
        let mut batches = Batches::new(0);
        assert_eq!(batches.come(0, Some(86_401), true).await, 0);
        assert_eq!(batches.come(1, Some(86_400), true).await, 86_400);
        assert_eq!(batches.come(1, Some(500_000_000), false).await, 0);
        assert_eq!(batches.come(1, Some(500_000_000), false).await, 0);
        assert_eq!(batches.stream.logged, TimeDelta::zero());
    }

    #[tokio::test(start_paused = true)]
    async fn a_clock_that_is_behind_makes_no_update_older() {
        let mut batches = Batches::new(-600);
        assert_eq!(batches.come(0, Some(0), false).await, 600);
        assert_eq!(batches.come(5, Some(0), false).await, 600);
        assert_eq!(batches.stream.delay, TimeDelta::zero());
    }
}
