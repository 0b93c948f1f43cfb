use std::{fmt, str::FromStr};

use chrono::{DateTime, Days, Months, Utc};

/// How long something is kept, such as `24mo`, `90d` or `2y`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetentionPeriod {
    number: u32,
    unit: Unit,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    Days,
    Months,
    Years,
}

/// The shortest and the longest period, in days. A shorter one is probably a mistake, and deletes what
/// cannot be restored.
const SHORTEST_DAYS: u32 = 30;
const LONGEST_DAYS: u32 = 36_500;

impl Unit {
    const ALL: [Self; 3] = [Self::Days, Self::Months, Self::Years];

    fn suffix(self) -> &'static str {
        match self {
            Self::Days => "d",
            Self::Months => "mo",
            Self::Years => "y",
        }
    }

    /// How many days it has at least.
    fn days(self) -> u32 {
        match self {
            Self::Days => 1,
            Self::Months => 30,
            Self::Years => 365,
        }
    }
}

impl RetentionPeriod {
    /// How many of its units it has.
    pub fn number(self) -> u32 {
        self.number
    }

    /// Its unit as it is written: `d` for days, `mo` for months, `y` for years.
    pub fn unit(self) -> &'static str {
        self.unit.suffix()
    }

    /// The time that was this long before `now`.
    pub fn before(self, now: DateTime<Utc>) -> DateTime<Utc> {
        let before = match self.unit {
            Unit::Days => now.checked_sub_days(Days::new(self.number.into())),
            Unit::Months => now.checked_sub_months(Months::new(self.number)),
            Unit::Years => now.checked_sub_months(Months::new(self.number * 12)),
        };
        before.unwrap_or(DateTime::UNIX_EPOCH)
    }
}

impl fmt::Display for RetentionPeriod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.number, self.unit.suffix())
    }
}

/// Not a period.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a period; expected a number with d, mo or y, from 30d to 100y, such as 24mo")]
pub struct InvalidRetentionPeriod(String);

impl FromStr for RetentionPeriod {
    type Err = InvalidRetentionPeriod;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let read = |unit: Unit| {
            let digits = text.strip_suffix(unit.suffix())?;
            let number: u32 = digits.parse().ok().filter(|_| !digits.starts_with('+'))?;
            let days = number.checked_mul(unit.days())?;
            (SHORTEST_DAYS..=LONGEST_DAYS).contains(&days).then_some(Self { number, unit })
        };
        let period = Unit::ALL.into_iter().find_map(read);
        period.ok_or_else(|| InvalidRetentionPeriod(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_period_is_a_number_with_its_unit() {
        let now = "2026-03-31T12:00:00Z".parse().unwrap();
        for (text, before) in [
            ("30d", "2026-03-01T12:00:00Z"),
            ("1mo", "2026-02-28T12:00:00Z"),
            ("24mo", "2024-03-31T12:00:00Z"),
            ("2y", "2024-03-31T12:00:00Z"),
            ("100y", "1926-03-31T12:00:00Z"),
        ] {
            let period: RetentionPeriod = text.parse().unwrap();
            assert_eq!(period.before(now), before.parse::<DateTime<Utc>>().unwrap(), "{text}");
            assert_eq!(period.to_string(), text);
        }
        for wrong in ["", "24", "mo", "-1mo", "+24mo", "24 mo", "29d", "0mo", "101y", "24m", "1.5y"]
        {
            let error = wrong.parse::<RetentionPeriod>().unwrap_err().to_string();
            assert!(error.contains("expected a number with d, mo or y"), "{wrong}: {error}");
        }
    }
}
