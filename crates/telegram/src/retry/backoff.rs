use std::time::Duration;

/// The limit of the first wait. It doubles with each further one.
const FIRST_WAIT: Duration = Duration::from_millis(500);
/// The limit of every wait.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// Waits that grow up to a minute. Each is a random time between half its limit and its limit, so that
/// callers that failed together do not retry together.
pub(crate) struct Backoff {
    longest_next: Duration,
    random: fastrand::Rng,
}

impl Backoff {
    /// No failure yet. `random` chooses the waits.
    pub(crate) fn new(random: fastrand::Rng) -> Self {
        Self { longest_next: FIRST_WAIT, random }
    }

    /// The wait after one more failure.
    pub(crate) fn next(&mut self) -> Duration {
        let half = self.longest_next / 2;
        self.longest_next = (self.longest_next * 2).min(LONGEST_WAIT);
        half + half.mul_f64(self.random.f64())
    }

    /// Starts over with the first wait.
    pub(crate) fn reset(&mut self) {
        self.longest_next = FIRST_WAIT;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waits(seed: u64) -> Vec<Duration> {
        let mut backoff = Backoff::new(fastrand::Rng::with_seed(seed));
        (0..20).map(|_| backoff.next()).collect()
    }

    #[test]
    fn waits_double_up_to_a_minute_and_are_random() {
        for seed in 0..1000 {
            let mut longest = FIRST_WAIT;
            for wait in waits(seed) {
                assert!(longest / 2 <= wait && wait <= longest, "{wait:?} of {longest:?}");
                longest = (longest * 2).min(LONGEST_WAIT);
            }
        }
        assert_eq!(waits(1), waits(1));
        assert_ne!(waits(1), waits(2));
    }

    #[test]
    fn starts_over() {
        let mut backoff = Backoff::new(fastrand::Rng::with_seed(1));
        for _ in 0..10 {
            backoff.next();
        }
        backoff.reset();
        assert!(backoff.next() <= FIRST_WAIT);
    }
}
