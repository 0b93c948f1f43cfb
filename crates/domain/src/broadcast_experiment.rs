//! Experiments with a broadcast: random parts of its recipients that are treated differently.

use std::{fmt, str::FromStr};

use crate::TelegramId;

/// The largest part of the recipients that can be held out.
const MAX_PERCENT: u8 = 50;

/// What a broadcast tries out. The default is nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Experiment {
    /// The part of the recipients that does not get the message, to compare the others with.
    pub hold_out: Option<Percent>,
}

impl Experiment {
    /// Whether a recipient belongs to the held-out part. The same broadcast always chooses the same
    /// users, and another one chooses others.
    pub fn is_held_out(&self, broadcast: i64, id: TelegramId) -> bool {
        self.hold_out.is_some_and(|part| part.has(draw(broadcast, id, Draw::HoldOut)))
    }
}

/// A part of the recipients in whole percent, from 1 to 50. As text, it is `5%`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Percent(u8);

impl Percent {
    /// The part of this many percent; `None` if it is not from 1 to 50.
    pub fn new(percent: u8) -> Option<Self> {
        (1..=MAX_PERCENT).contains(&percent).then_some(Self(percent))
    }

    /// How many percent it is.
    pub fn get(self) -> u8 {
        self.0
    }

    /// About how many of `users` it has.
    pub fn of(self, users: u64) -> u64 {
        let part = u128::from(users) * u128::from(self.0) / 100;
        u64::try_from(part).unwrap_or(users)
    }

    /// Whether it has the user with this random number.
    fn has(self, drawn: u64) -> bool {
        scaled(drawn, 100) < u64::from(self.0)
    }
}

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}%", self.0)
    }
}

/// Reads `5%` or `5`.
impl FromStr for Percent {
    type Err = InvalidPercent;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = text.strip_suffix('%').unwrap_or(text).trim_end();
        let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
        let percent = digits.parse().ok().filter(|_| is_number);
        percent.and_then(Self::new).ok_or(InvalidPercent)
    }
}

/// The text names no part of the recipients.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected a whole number of percent from 1% to {MAX_PERCENT}%")]
pub struct InvalidPercent;

/// What is drawn for a recipient. Each has random numbers of its own.
#[derive(Clone, Copy, Debug)]
enum Draw {
    HoldOut,
}

/// A random number for a recipient of a broadcast, which is always the same: the finalizer of SplitMix64
/// (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, 2014) over both numbers.
fn draw(broadcast: i64, id: TelegramId, what: Draw) -> u64 {
    let what = match what {
        Draw::HoldOut => 1,
    };
    let of_broadcast = mixed(broadcast.cast_unsigned().wrapping_mul(8).wrapping_add(what));
    mixed(of_broadcast ^ id.get().cast_unsigned())
}

fn mixed(number: u64) -> u64 {
    let number = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

/// A random number scaled to the numbers below `end`.
fn scaled(drawn: u64, end: u64) -> u64 {
    let scaled = (u128::from(drawn) * u128::from(end)) >> 64;
    u64::try_from(scaled).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn held_out(broadcast: i64, percent: u8, ids: impl IntoIterator<Item = i64>) -> BTreeSet<i64> {
        let experiment = Experiment { hold_out: Percent::new(percent) };
        let is_out = |id: &i64| experiment.is_held_out(broadcast, (*id).try_into().unwrap());
        ids.into_iter().filter(is_out).collect()
    }

    #[test]
    fn a_part_is_a_number_of_percent() {
        for (text, percent) in [("5%", Some(5)), ("50", Some(50)), ("1 %", Some(1)), ("0%", None)] {
            assert_eq!(text.parse().ok(), percent.and_then(Percent::new), "{text}");
        }
        for text in ["", "%", "51%", "+5%", "-5", "5.5%", "5%%", "x", "300"] {
            assert_eq!(text.parse::<Percent>(), Err(InvalidPercent), "{text}");
        }
        let five = Percent::new(5).unwrap();
        assert_eq!((five.to_string().parse(), five.of(1_010)), (Ok(five), 50));
    }

    #[test]
    fn the_same_users_are_held_out_by_every_version() {
        assert_eq!(held_out(1, 5, 1..=60), [5, 33, 34, 42, 52, 59].into());
    }

    proptest! {
        /// Ids of real users lie close together, or far apart.
        #[test]
        fn a_part_is_near_its_share_and_differs_between_broadcasts(
            broadcast in 1..=i64::MAX / 2,
            percent in 1..=50_u8,
            first in 1..=(1_i64 << 51),
            step in 1..=1_000_i64,
        ) {
            const USERS: i64 = 20_000;
            let ids = || (0..USERS).map(|n| first + n * step);
            let (one, next) = (held_out(broadcast, percent, ids()), held_out(broadcast + 1, percent, ids()));
            let share = f64::from(percent) / 100.0;
            let near = |number: usize, share: f64| {
                let deviation = (f64::from(20_000) * share * (1.0 - share)).sqrt();
                (f64::from(u32::try_from(number).unwrap()) - 20_000.0 * share).abs() < 6.0 * deviation
            };
            prop_assert!(near(one.len(), share), "{} of {percent}%", one.len());
            // As many are in both as chance wants.
            let both = one.intersection(&next).count();
            prop_assert!(near(both, share * share), "{both} in both of {percent}%");
        }

        #[test]
        fn a_larger_part_has_all_of_a_smaller_one(broadcast in 1..=i64::MAX, percent in 1..=49_u8) {
            let (less, more) = (held_out(broadcast, percent, 1..=500), held_out(broadcast, percent + 1, 1..=500));
            prop_assert!(less.is_subset(&more));
        }
    }
}
