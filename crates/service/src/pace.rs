use std::time::Duration;

/// How many users are changed at once, so that no lock is held for long.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace(u32);

/// A part that holds its locks longer is too large.
const TOO_LONG: Duration = Duration::from_millis(25);
/// A part that holds its locks less than this could be twice as large.
const SHORT: Duration = Duration::from_millis(10);
const LEAST: u32 = 10;
const MOST: u32 = 5_000;

impl Default for Pace {
    fn default() -> Self {
        Self(200)
    }
}

impl Pace {
    /// A pace whose first part has this number of users.
    pub(super) fn beginning(size: u32) -> Self {
        Self(size)
    }

    /// How many users the next part has.
    pub(super) fn size(self) -> u32 {
        self.0
    }

    /// Follows from how long the latest part held its locks.
    pub(super) fn follow(&mut self, held: Duration) {
        if held > TOO_LONG {
            self.0 = (self.0 / 2).max(LEAST);
        } else if held < SHORT {
            self.0 = (self.0 * 2).min(MOST);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_grow_while_they_are_short_and_shrink_when_they_are_long() {
        let mut pace = Pace::default();
        let mut sizes = Vec::new();
        for held_ms in [1, 1, 15, 40, 40, 40, 40, 40, 40, 40, 40, 1] {
            pace.follow(Duration::from_millis(held_ms));
            sizes.push(pace.size());
        }
        assert_eq!(sizes, [400, 800, 800, 400, 200, 100, 50, 25, 12, 10, 10, 20]);
        for _ in 0..20 {
            pace.follow(Duration::ZERO);
        }
        assert_eq!(pace.size(), MOST);
    }
}
