//! The random parts of the recipients of a broadcast that are treated differently.

use std::{fmt, str::FromStr};

use chrono::{DateTime, Duration, Utc};

use crate::TelegramId;

/// The largest part of the recipients that can be held out.
const MAX_PERCENT: u8 = 50;
/// The most contents that a broadcast tries out.
pub const MAX_VARIANTS: usize = 5;

/// Whether a recipient belongs to the held-out part. The same broadcast always chooses the same users, and
/// another one chooses others.
pub(crate) fn is_held_out(part: Percent, broadcast: i64, id: TelegramId) -> bool {
    part.has(draw(broadcast, id, Draw::HoldOut))
}

/// Whether a recipient belongs to the part that gets the variants before the winner is decided.
pub(crate) fn is_tested(part: Percent, broadcast: i64, id: TelegramId) -> bool {
    part.has(draw(broadcast, id, Draw::TestPart))
}

/// Which of so many variants chance gives a recipient.
pub(crate) fn variant(variants: usize, broadcast: i64, id: TelegramId) -> Variant {
    let variants = u64::try_from(variants).unwrap_or_default();
    let number = scaled(draw(broadcast, id, Draw::Variant), variants);
    Variant(u8::try_from(number).unwrap_or_default())
}

/// One of the contents of a broadcast: A is the first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Variant(u8);

impl Variant {
    /// The first.
    pub const A: Self = Self(0);
    /// All that there can be.
    pub const ALL: [Self; MAX_VARIANTS] = [Self(0), Self(1), Self(2), Self(3), Self(4)];

    /// Its place: 0 for A.
    pub fn place(self) -> usize {
        self.0.into()
    }
}

impl fmt::Display for Variant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", char::from(b'A' + self.0))
    }
}

/// Reads a letter from A on, also in lower case.
impl FromStr for Variant {
    type Err = InvalidVariant;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.to_ascii_uppercase();
        Self::ALL.into_iter().find(|it| it.to_string() == text).ok_or(InvalidVariant)
    }
}

/// The text names no variant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected a variant from A to {}", Variant(u8::try_from(MAX_VARIANTS - 1).unwrap_or_default()))]
pub struct InvalidVariant;

/// The recipients of an experiment that get the same content for the same reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Arm {
    /// Those that chance gave this variant.
    Variant(Variant),
    /// Those that get the winner, because it was decided.
    Winner,
}

impl Arm {
    /// The name, as it is stored.
    pub fn name(self) -> String {
        match self {
            Self::Variant(variant) => variant.to_string(),
            Self::Winner => "winner".to_owned(),
        }
    }

    /// The arm with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "winner" => Some(Self::Winner),
            name => Variant::ALL.into_iter().find(|it| it.to_string() == name).map(Self::Variant),
        }
    }
}

/// How the best variant is found: a part of the recipients gets all of them, and the others get the
/// winner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VariantTest {
    /// The part that gets the variants.
    pub part: Percent,
    /// What decides.
    pub by: WinnerBy,
    /// How long after the last message to the part.
    pub after: Duration,
}

/// What decides which variant is the best.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WinnerBy {
    /// The largest share of recipients who pressed a button.
    Presses,
    /// The smallest share of recipients who blocked the bot.
    Blocks,
}

impl WinnerBy {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Presses, Self::Blocks];

    /// The name, as it is stored.
    pub fn name(self) -> &'static str {
        match self {
            Self::Presses => "presses",
            Self::Blocks => "blocks",
        }
    }

    /// The best variant; the first one of equal ones. One that nobody got is never better.
    pub fn winner(self, figures: &[VariantFigures]) -> Variant {
        // `a / b` is better than `c / d`, without rounding.
        let is_better = |one: &VariantFigures, other: &VariantFigures| {
            let product = |a: u64, b: u64| u128::from(a) * u128::from(b);
            if one.sent == 0 || other.sent == 0 {
                return one.sent > 0 && self == Self::Blocks;
            }
            match self {
                Self::Presses => {
                    product(one.pressed, other.sent) > product(other.pressed, one.sent)
                }
                Self::Blocks => product(one.blocked, other.sent) < product(other.blocked, one.sent),
            }
        };
        let all = Variant::ALL.into_iter().zip(figures);
        let best = all.reduce(|best, it| if is_better(it.1, best.1) { it } else { best });
        best.map_or(Variant::A, |(variant, _)| variant)
    }
}

impl FromStr for WinnerBy {
    type Err = InvalidWinnerBy;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|it| it.name() == text).ok_or(InvalidWinnerBy)
    }
}

/// The text names nothing that decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected presses or blocks")]
pub struct InvalidWinnerBy;

/// What became of a variant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct VariantFigures {
    /// How many recipients got it.
    pub sent: u64,
    /// How many of them pressed a button.
    pub pressed: u64,
    /// How many of them blocked the bot within 24 hours.
    pub blocked: u64,
}

/// An owner's choice of the winner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pick {
    /// The variant.
    pub winner: Variant,
    /// Who chose it; `None` for a management command.
    pub by: Option<String>,
}

/// The winner of an experiment, which never changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// The variant that the others get.
    pub winner: Variant,
    /// When that was decided.
    pub at: DateTime<Utc>,
    /// The owner's choice, if one decided.
    pub pick: Option<Pick>,
    /// The figures of each variant at this time, from A on.
    pub figures: Vec<VariantFigures>,
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
    TestPart,
    Variant,
}

/// A random number for a recipient of a broadcast, which is always the same: the finalizer of SplitMix64
/// (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, 2014) over both numbers.
fn draw(broadcast: i64, id: TelegramId, what: Draw) -> u64 {
    let what = match what {
        Draw::HoldOut => 1,
        Draw::TestPart => 2,
        Draw::Variant => 3,
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
        let part = Percent::new(percent).unwrap();
        let is_out = |id: &i64| is_held_out(part, broadcast, (*id).try_into().unwrap());
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

    #[test]
    fn variants_are_letters() {
        let all: Vec<_> = Variant::ALL.iter().map(Variant::to_string).collect();
        assert_eq!(all, ["A", "B", "C", "D", "E"]);
        assert_eq!("b".parse(), Ok(Variant(1)));
        assert_eq!("F".parse::<Variant>(), Err(InvalidVariant));
        assert_eq!(InvalidVariant.to_string(), "expected a variant from A to E");
        for arm in Variant::ALL.map(Arm::Variant).into_iter().chain([Arm::Winner]) {
            assert_eq!(Arm::from_name(&arm.name()), Some(arm));
        }
        assert_eq!(Arm::from_name("b"), None);
    }

    #[test]
    fn the_best_share_wins_and_the_first_of_equal_ones() {
        let figures = |all: &[(u64, u64, u64)]| -> Vec<VariantFigures> {
            let one = |(sent, pressed, blocked)| VariantFigures { sent, pressed, blocked };
            all.iter().copied().map(one).collect()
        };
        for (all, by_presses, by_blocks) in [
            (vec![(100, 10, 1), (50, 6, 1), (100, 12, 2)], "B", "A"),
            (vec![(100, 0, 0), (100, 0, 0)], "A", "A"),
            (vec![(3, 1, 1), (6, 2, 2)], "A", "A"),
            (vec![(100, 0, 5), (0, 0, 0), (100, 1, 4)], "C", "C"),
            (vec![(0, 0, 0), (10, 0, 3)], "A", "B"),
            (vec![(0, 0, 0), (0, 0, 0)], "A", "A"),
            (vec![], "A", "A"),
        ] {
            let winner = |by: WinnerBy| by.winner(&figures(&all)).to_string();
            assert_eq!(winner(WinnerBy::Presses), by_presses, "{all:?}");
            assert_eq!(winner(WinnerBy::Blocks), by_blocks, "{all:?}");
        }
    }

    proptest! {
        #[test]
        fn variants_are_near_their_share_and_apart_from_the_other_parts(
            broadcast in 1..=i64::MAX / 8,
            variants in 2..=5_usize,
            percent in 1..=50_u8,
            first in 1..=(1_i64 << 51),
        ) {
            const USERS: i64 = 20_000;
            let part = Percent::new(percent).unwrap();
            // How many get each variant, are tested with it, and would be held out of that.
            let mut numbers = [[0_u32; 3]; MAX_VARIANTS];
            for n in 0..USERS {
                let id = (first + n).try_into().unwrap();
                let is_in = is_tested(part, broadcast, id);
                let number = &mut numbers[variant(variants, broadcast, id).place()];
                number[0] += 1;
                number[1] += u32::from(is_in);
                number[2] += u32::from(is_in && is_held_out(part, broadcast, id));
            }
            let share = f64::from(percent) / 100.0;
            let each = 1.0 / f64::from(u32::try_from(variants).unwrap());
            for (place, number) in numbers.into_iter().enumerate() {
                let each = if place < variants { each } else { 0.0 };
                for (number, share) in number.into_iter().zip([each, each * share, each * share * share]) {
                    let deviation = (20_000.0 * share * (1.0 - share)).sqrt();
                    let is_near = (f64::from(number) - 20_000.0 * share).abs() <= 6.0 * deviation;
                    prop_assert!(is_near, "{number} of {share} in {place}");
                }
            }
        }

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
