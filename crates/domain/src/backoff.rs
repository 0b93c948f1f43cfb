use std::time::Duration;

/// Delays between attempts. Each can be twice as long as the one before, up to a bound. Chance
/// chooses between half and the whole of it, so that programs that failed together do not retry
/// together.
#[derive(Clone, Debug)]
pub struct Backoff {
    first: Duration,
    longest: Duration,
    next: Duration,
}

impl Backoff {
    /// `first` is the longest possible first delay, and `longest` that of all.
    pub fn new(first: Duration, longest: Duration) -> Self {
        Self { first, longest, next: first.min(longest) }
    }

    /// The delay after one more failure. `chance` is a random number from 0 to 1.
    pub fn next(&mut self, chance: f64) -> Duration {
        let half = self.next / 2;
        self.next = self.next.saturating_mul(2).min(self.longest);
        half + half.mul_f64(chance.clamp(0.0, 1.0))
    }

    /// Begins again with the first delay, after a success.
    pub fn reset(&mut self) {
        self.next = self.first.min(self.longest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_double_up_to_the_longest() {
        let mut backoff = Backoff::new(Duration::from_secs(2), Duration::from_secs(10));
        let seconds = [1.0; 5].map(|chance| backoff.next(chance).as_secs());
        assert_eq!(seconds, [2, 4, 8, 10, 10]);
        backoff.reset();
        assert_eq!(backoff.next(1.0), Duration::from_secs(2));
    }

    #[test]
    fn chance_takes_up_to_a_half_off() {
        let first = |chance| {
            Backoff::new(Duration::from_secs(2), Duration::from_secs(10)).next(chance).as_millis()
        };
        assert_eq!([-1.0, 0.0, 0.5, 1.0, 7.0].map(first), [1000, 1000, 1500, 2000, 2000]);
    }
}
