//! Telegram's time, which dates updates that have no time of their own.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use rollcall_domain::{CLOCK_TOLERANCE, Clock};
use tokio::time::Instant;

/// A response that took longer proves little, because Telegram may have written it much earlier.
const QUICK: Duration = Duration::from_secs(2);
/// The `Date` of a response is in whole seconds.
const SECOND: TimeDelta = TimeDelta::seconds(1);

/// The host's clock, or Telegram's if the host's is ahead of it, as the `Date` of responses shows
/// (RFC 9110, section 6.6.1). A host's clock that is behind is used as it is, because a time in the past
/// does no lasting harm. Cheap to clone; clones share the state.
#[derive(Clone)]
pub(crate) struct TelegramClock {
    host: Arc<dyn Clock>,
    state: Arc<Mutex<State>>,
}

/// What is known of Telegram's clock.
#[derive(Default)]
struct State {
    /// What it showed, if the host's is wrong.
    reading: Option<Reading>,
    /// By how much the host's clock is ahead, as last logged.
    logged: TimeDelta,
    /// Whether any response had a `Date`.
    was_compared: bool,
}

/// What Telegram's clock showed at an instant of the monotonic clock. So it stays correct when the
/// host's clock is set.
#[derive(Clone, Copy)]
struct Reading {
    shown: DateTime<Utc>,
    at: Instant,
}

impl Reading {
    fn now(self) -> DateTime<Utc> {
        let elapsed = TimeDelta::from_std(self.at.elapsed()).unwrap_or(TimeDelta::MAX);
        self.shown.checked_add_signed(elapsed).unwrap_or(self.shown)
    }
}

impl TelegramClock {
    pub(crate) fn new(host: Arc<dyn Clock>) -> Self {
        Self { host, state: Arc::default() }
    }

    /// Compares the host's clock with the `Date` of the response to a request sent at `sent_at`.
    pub(crate) fn compare(&self, date: &str, sent_at: Instant) {
        let Ok(date) = DateTime::parse_from_rfc2822(date) else { return };
        let took = sent_at.elapsed();
        let date = date.to_utc();
        // Telegram wrote the response at some time since the request.
        let latest = date + SECOND + TimeDelta::from_std(took).unwrap_or(TimeDelta::MAX);
        let is_possible =
            |now: DateTime<Utc>| date - CLOCK_TOLERANCE <= now && now <= latest + CLOCK_TOLERANCE;
        let host = self.host.now();
        let mut state = self.lock();
        state.was_compared = true;
        let known = state.reading.map(Reading::now).filter(|known| is_possible(*known));
        if took > QUICK && known.is_some_and(|known| (host - known).abs() > CLOCK_TOLERANCE) {
            // A quicker response was more precise.
            return;
        }
        let shown = date + SECOND / 2;
        let ahead = if is_possible(host) { TimeDelta::zero() } else { host - shown };
        let at = Instant::now();
        state.reading = (!ahead.is_zero()).then_some(Reading { shown, at });
        if (ahead - state.logged).abs() > CLOCK_TOLERANCE {
            state.logged = ahead;
            drop(state);
            log_difference(ahead);
        }
    }

    /// How the host's clock compares with Telegram's; `None` if no response had a `Date`.
    pub(crate) fn difference(&self) -> Option<ClockDifference> {
        let state = self.lock();
        let ahead = state.reading.map_or(TimeDelta::zero(), |it| self.host.now() - it.now());
        state.was_compared.then_some(ClockDifference { ahead })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // No code panics while holding it.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock for TelegramClock {
    fn now(&self) -> DateTime<Utc> {
        let host = self.host.now();
        match self.lock().reading.map(Reading::now) {
            Some(telegram) if host - telegram > CLOCK_TOLERANCE => telegram,
            _ => host,
        }
    }
}

fn log_difference(ahead: TimeDelta) {
    let difference = ClockDifference { ahead };
    if difference.is_none() {
        log::info!("this machine's clock agrees with Telegram's again");
    } else {
        log::warn!(
            ahead_s = ahead.num_seconds();
            "{difference}; set it right, for example by NTP"
        );
    }
}

/// How this machine's clock compares with Telegram's. Shown as a sentence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockDifference {
    /// By how much it is ahead; negative if it is behind, zero if the two agree.
    ahead: TimeDelta,
}

impl ClockDifference {
    /// Whether the two agree within the tolerance.
    pub fn is_none(self) -> bool {
        self.ahead.abs() <= CLOCK_TOLERANCE
    }
}

impl fmt::Display for ClockDifference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.ahead.num_seconds();
        let side = match seconds {
            _ if self.is_none() => {
                return f.write_str("this machine's clock agrees with Telegram's");
            }
            0.. => "ahead of",
            _ => "behind",
        };
        write!(f, "this machine's clock is {} seconds {side} Telegram's", seconds.abs())
    }
}

#[cfg(test)]
mod tests {
    use rollcall_testkit::TestClock;

    use super::*;

    const NOON: &str = "2026-11-23T12:00:00Z";

    /// A host's clock that is this many seconds past noon, while Telegram's shows noon.
    fn clocks(ahead: i64) -> (Arc<TestClock>, TelegramClock) {
        let host = Arc::new(TestClock::at(NOON));
        host.advance(ahead);
        (host.clone(), TelegramClock::new(host))
    }

    async fn pass(host: &TestClock, seconds: u32) {
        tokio::time::advance(Duration::from_secs(seconds.into())).await;
        host.advance(seconds.into());
    }

    /// A response that Telegram wrote `second` seconds after noon, and that took `took` seconds.
    async fn respond(host: &TestClock, clock: &TelegramClock, second: i64, took: u32) {
        let sent_at = Instant::now();
        pass(host, took).await;
        let date = NOON.parse::<DateTime<Utc>>().unwrap() + TimeDelta::seconds(second);
        clock.compare(&date.to_rfc2822(), sent_at);
    }

    /// What the clock shows, in seconds after noon.
    fn shown(clock: &TelegramClock) -> i64 {
        (clock.now() - NOON.parse::<DateTime<Utc>>().unwrap()).num_seconds()
    }

    fn difference(clock: &TelegramClock) -> String {
        clock.difference().unwrap().to_string()
    }

    const AGREES: &str = "this machine's clock agrees with Telegram's";

    #[tokio::test(start_paused = true)]
    async fn a_clock_that_is_ahead_is_corrected_until_it_agrees() {
        let (host, clock) = clocks(3600);
        assert_eq!((clock.difference(), shown(&clock)), (None, 3600));
        respond(&host, &clock, 0, 0).await;
        assert_eq!(shown(&clock), 0);
        let expected = "this machine's clock is 3599 seconds ahead of Telegram's";
        assert_eq!(difference(&clock), expected);
        pass(&host, 50).await;
        assert_eq!(shown(&clock), 50);
        // The clock is corrected: at once for readers, and with the next response for the log.
        host.advance(-3600);
        assert_eq!((shown(&clock), difference(&clock).as_str()), (50, AGREES));
        respond(&host, &clock, 100, 50).await;
        assert_eq!((shown(&clock), difference(&clock).as_str()), (100, AGREES));
        assert_eq!(clock.lock().logged, TimeDelta::zero());
    }

    #[tokio::test(start_paused = true)]
    async fn a_clock_that_is_behind_is_only_reported() {
        let (host, clock) = clocks(-600);
        respond(&host, &clock, 0, 0).await;
        assert_eq!(shown(&clock), -600);
        assert_eq!(difference(&clock), "this machine's clock is 600 seconds behind Telegram's");
    }

    #[tokio::test(start_paused = true)]
    async fn slow_responses_prove_little() {
        // Written at once, and 50 seconds on the way.
        let (host, clock) = clocks(0);
        respond(&host, &clock, 0, 50).await;
        assert_eq!((shown(&clock), difference(&clock).as_str()), (50, AGREES));
        // A quick response proves that the clock is ahead; slow ones do not change that.
        let (host, clock) = clocks(30);
        respond(&host, &clock, 1, 1).await;
        assert_eq!(shown(&clock), 1);
        for second in [1, 51] {
            respond(&host, &clock, second, 50).await;
            assert_eq!(shown(&clock), second + 50);
        }
        assert!(!clock.difference().unwrap().is_none());
        // A difference that no delay explains is proof.
        let (host, clock) = clocks(3600);
        respond(&host, &clock, 50, 50).await;
        assert_eq!(shown(&clock), 50);
    }

    #[tokio::test(start_paused = true)]
    async fn small_differences_and_invalid_dates_are_ignored() {
        let (host, clock) = clocks(10);
        respond(&host, &clock, 0, 0).await;
        assert_eq!((shown(&clock), clock.difference().unwrap().is_none()), (10, true));
        for date in ["", "yesterday", "1795435200", "Mon, 23 Nov 2026 12:00:00"] {
            let (_, clock) = clocks(3600);
            clock.compare(date, Instant::now());
            assert_eq!((clock.difference(), shown(&clock)), (None, 3600), "{date}");
        }
    }
}
