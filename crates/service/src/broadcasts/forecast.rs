//! How long a broadcast takes, and what it costs.

use std::{
    fmt::{self, Display, Formatter},
    time::Duration,
};

use rollcall_domain::grouped;

/// The most messages a second of a paid broadcast (Bot API, "Paid Broadcasts").
pub const PAID_RATE: u32 = 1_000;
/// How many messages a second Telegram sends without payment (Bot API, "Paid Broadcasts").
const UNPAID_RATE: u32 = 30;
/// A payment that saves no more time than this is not mentioned.
const WORTH_A_WORD: Duration = Duration::from_secs(60);

/// How long the messages of a broadcast take, and what they cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Forecast {
    /// How many messages a second are sent; `None` without a limit.
    pub rate: Option<u32>,
    /// How long that takes, if nothing else is sent; `None` without a limit.
    pub duration: Option<Duration>,
    /// What Telegram takes for it.
    pub price: Stars,
}

impl Forecast {
    /// Of `messages` that cost nothing: at most `rate` a second, and at most `left`, which is what the
    /// bot's own limit leaves for broadcasts. `None` is no limit.
    pub fn unpaid(messages: u64, rate: Option<u32>, left: Option<u32>) -> Self {
        let rate = rate.into_iter().chain(left).min();
        Self { rate, duration: rate.map(|rate| duration(messages, rate)), price: Stars::default() }
    }

    /// Of a paid broadcast of `messages`, at most `rate` a second. Each message above 30 a second costs
    /// 0.1 Stars.
    pub fn paid(messages: u64, rate: Option<u32>) -> Self {
        let rate = rate.unwrap_or(PAID_RATE).clamp(1, PAID_RATE);
        let billed = u128::from(messages) * u128::from(rate.saturating_sub(UNPAID_RATE));
        let tenths = billed.div_ceil(rate.into());
        Self {
            rate: Some(rate),
            duration: Some(duration(messages, rate)),
            price: Stars { tenths: u64::try_from(tenths).unwrap_or(u64::MAX) },
        }
    }
}

/// What becomes of the same messages without payment and with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BothWays {
    /// Without payment.
    pub unpaid: Forecast,
    /// With it.
    pub paid: Forecast,
}

impl BothWays {
    /// Of so many messages, at most `rate` a second. `left` is what the bot's own limit leaves for unpaid
    /// ones. `None` is no limit.
    pub fn of(messages: u64, rate: Option<u32>, left: Option<u32>) -> Self {
        Self {
            unpaid: Forecast::unpaid(messages, rate, left),
            paid: Forecast::paid(messages, rate),
        }
    }

    /// The way of a broadcast.
    pub fn chosen(&self, is_paid: bool) -> Forecast {
        if is_paid { self.paid } else { self.unpaid }
    }

    /// Whether a payment saves more than a minute.
    pub fn pays_off(&self) -> bool {
        let (unpaid, paid) = (self.unpaid.duration, self.paid.duration);
        let saved = unpaid.zip(paid).map(|(unpaid, paid)| unpaid.saturating_sub(paid));
        saved.is_some_and(|saved| saved > WORTH_A_WORD)
    }
}

fn duration(messages: u64, rate: u32) -> Duration {
    Duration::from_secs(messages.div_ceil(rate.max(1).into()))
}

/// An amount of Telegram Stars.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stars {
    /// Tenths of a Star.
    pub tenths: u64,
}

impl Display for Stars {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}", grouped(self.tenths / 10))?;
        match self.tenths % 10 {
            0 => Ok(()),
            tenth => write!(f, ".{tenth}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(forecast: Forecast) -> Option<u64> {
        forecast.duration.map(|it| it.as_secs())
    }

    #[test]
    fn the_lowest_limit_decides() {
        for (rate, left, expected, lasts) in [
            (None, Some(25), Some(25), Some(41)),
            (Some(10), Some(25), Some(10), Some(101)),
            (Some(1000), Some(25), Some(25), Some(41)),
            (Some(1000), None, Some(1000), Some(2)),
            (None, None, None, None),
        ] {
            let forecast = Forecast::unpaid(1_001, rate, left);
            assert_eq!((forecast.rate, seconds(forecast)), (expected, lasts));
            assert_eq!(forecast.price.to_string(), "0");
        }
        assert_eq!(seconds(Forecast::unpaid(0, None, Some(25))), Some(0));
    }

    #[test]
    fn a_payment_may_save_time() {
        for (messages, rate, left, pays_off) in [
            (1_000_000, None, Some(25), true),
            (1_000_000, Some(10), Some(25), false),
            (1_000, None, None, false),
            (1_500, None, Some(25), false),
            (2_000, None, Some(25), true),
            (0, None, Some(25), false),
        ] {
            let both = BothWays::of(messages, rate, left);
            assert_eq!(both.pays_off(), pays_off, "{messages} {rate:?}");
            assert_eq!(both.chosen(true), Forecast::paid(messages, rate));
            assert_eq!(both.chosen(false), Forecast::unpaid(messages, rate, left));
        }
    }

    #[test]
    fn only_messages_above_thirty_a_second_cost() {
        for (messages, rate, price, lasts) in [
            (1_000_000, None, "97,000", 1_000),
            (1_000_000, Some(60), "50,000", 16_667),
            (1_000, Some(30), "0", 34),
            (1_000, Some(5), "0", 200),
            (1_001, Some(1000), "97.1", 2),
            (u64::MAX, Some(5000), "1,789,334,175,149,826,506.7", 18_446_744_073_709_552),
        ] {
            let forecast = Forecast::paid(messages, rate);
            assert_eq!(forecast.price.to_string(), price, "{messages} {rate:?}");
            assert_eq!(seconds(forecast), Some(lasts), "{messages} {rate:?}");
        }
    }
}
