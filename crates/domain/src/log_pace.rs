use std::time::{Duration, Instant};

/// Decides when an event that may repeat thousands of times a second is logged: the first time at
/// once, then at most once a minute, with the number of events since the last line.
#[derive(Debug, Default)]
pub struct LogPace {
    logged: Option<Instant>,
    unlogged: u64,
}

impl LogPace {
    /// The shortest time between two lines.
    pub const EVERY: Duration = Duration::from_secs(60);

    /// Notes an event at `now`. Returns how many events a line should report, this one included;
    /// `None` when it is too early for another line.
    pub fn note(&mut self, now: Instant) -> Option<u64> {
        self.unlogged = self.unlogged.saturating_add(1);
        if self.logged.is_some_and(|logged| now.duration_since(logged) < Self::EVERY) {
            return None;
        }
        self.logged = Some(now);
        Some(std::mem::take(&mut self.unlogged))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_logged_once_a_minute_with_its_count() {
        let mut pace = LogPace::default();
        let start = Instant::now();
        assert_eq!(pace.note(start), Some(1));
        for second in 1..60 {
            assert_eq!(pace.note(start + Duration::from_secs(second)), None);
        }
        assert_eq!(pace.note(start + LogPace::EVERY), Some(60));
        assert_eq!(pace.note(start + LogPace::EVERY * 3), Some(1));
    }
}
