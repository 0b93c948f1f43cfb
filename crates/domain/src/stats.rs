use std::{cmp::Ordering, fmt};

use chrono::NaiveDate;

/// The number of users, of active users and of interactions today.
///
/// Days are in UTC. Ranges of days include today, which is still in progress.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UserStats {
    /// All users, except erased ones.
    pub total_users: u64,
    /// Users the bot can write to now.
    pub reachable_users: u64,
    /// Users active today.
    pub active_today: u64,
    /// Users active in the last 7 days.
    pub active_7_days: u64,
    /// Users active in the last 30 days.
    pub active_30_days: u64,
    /// Users created today.
    pub new_today: u64,
    /// Users created in the last 7 days.
    pub new_7_days: u64,
    /// Users created in the last 30 days.
    pub new_30_days: u64,
    /// Interactions today.
    pub interactions_today: u64,
    /// How many times a user became unreachable today.
    pub blocked_today: u64,
    /// How many times a user became reachable again today.
    pub unblocked_today: u64,
    /// The first day on which there was a user; `None` if there never was one.
    pub first_day: Option<NaiveDate>,
    /// The figures of the day a week ago, at its end; `None` if there were no users yet.
    pub week_before: Option<DayStats>,
    /// Today's figures against the same hours of earlier days.
    pub so_far: TodaySoFar,
}

impl UserStats {
    /// A figure of the days up to today against the same figure a week ago.
    pub fn since_week(&self, now: u64, ago: impl Fn(&DayStats) -> u64) -> Option<Comparison> {
        match &self.week_before {
            Some(week) => Some(Comparison::Change(Change { from: ago(week), to: now })),
            None => Comparison::with_no_users(now),
        }
    }
}

/// How today's figures compare with those of earlier days at the same time of day.
///
/// Only full hours are compared, on both days: at 14:37 what happened from 00:00 to 14:00 (UTC).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TodaySoFar {
    /// How many full hours of today have passed. Before the first one has, nothing is compared.
    pub full_hours: u32,
    /// Active users.
    pub active: SameHours,
    /// Users created.
    pub new: SameHours,
    /// Interactions.
    pub interactions: SameHours,
    /// How many times a user became unreachable.
    pub blocked: SameHours,
    /// How many times a user became reachable again.
    pub unblocked: SameHours,
}

/// A figure of the full hours of today against the same hours of earlier days.
///
/// `None` if the hours of one of the days are not known, because a version that did not record them
/// ran on it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SameHours {
    /// Against yesterday.
    pub day_before: Option<Comparison>,
    /// Against the day a week ago.
    pub week_before: Option<Comparison>,
}

/// How a figure compares with an earlier one, as it is shown: "+12%", or "new".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// The change since then.
    Change(Change),
    /// There were no users then.
    New,
}

impl Comparison {
    /// The comparison with a time before the first user. A figure of zero is no news.
    pub fn with_no_users(now: u64) -> Option<Self> {
        (now > 0).then_some(Self::New)
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Change(change) => change.fmt(f),
            Self::New => f.write_str("new"),
        }
    }
}

/// The figures of one day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DayStats {
    /// Users active on the day.
    pub active: u64,
    /// Users active in the 7 days up to the day.
    pub active_7_days: u64,
    /// Users active in the 30 days up to the day.
    pub active_30_days: u64,
    /// Users created on the day.
    pub new: u64,
    /// Users created in the 7 days up to the day.
    pub new_7_days: u64,
    /// Users created in the 30 days up to the day.
    pub new_30_days: u64,
    /// Interactions on the day.
    pub interactions: u64,
    /// How many times a user became unreachable on the day.
    pub blocked: u64,
    /// How many times a user became reachable again on the day.
    pub unblocked: u64,
}

/// The change of a figure, as it is shown: "+12%", or "+5" if the old value was below
/// [`Change::LEAST_WHOLE`], because a percentage of so few says nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// The old value.
    pub from: u64,
    /// The new value.
    pub to: u64,
}

impl Change {
    /// The least old value of which a percentage is shown.
    pub const LEAST_WHOLE: u64 = 20;

    /// The direction of the change as it is shown: equal if it is shown as "±0%".
    pub fn direction(self) -> Ordering {
        match self.read() {
            (0, _) => Ordering::Equal,
            _ => self.to.cmp(&self.from),
        }
    }

    /// The number that is shown, and its unit.
    fn read(self) -> (u128, &'static str) {
        let (whole, difference) = (u128::from(self.from), u128::from(self.to.abs_diff(self.from)));
        if self.from < Self::LEAST_WHOLE {
            return (difference, "");
        }
        (((difference * 100 + whole / 2).checked_div(whole)).unwrap_or_default(), "%")
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (difference, unit) = self.read();
        let sign = match self.direction() {
            Ordering::Equal => "±",
            Ordering::Less => "-",
            Ordering::Greater => "+",
        };
        write!(f, "{sign}{difference}{unit}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_shown_as_percentages_unless_the_old_value_is_small() {
        let shown = |from, to| Change { from, to }.to_string();
        assert_eq!(shown(1075, 1204), "+12%");
        assert_eq!(shown(1000, 4), "-100%");
        assert_eq!(shown(20, 17), "-15%");
        assert_eq!(shown(19, 17), "-2");
        assert_eq!(shown(2, 8), "+6");
        assert_eq!(shown(1000, 1001), "±0%");
        assert_eq!(shown(7, 7), "±0");
        assert_eq!(shown(0, 0), "±0");
        assert_eq!(shown(0, 5), "+5");
        assert_eq!(shown(20, u64::MAX), "+92233720368547757975%");
        assert_eq!(Change { from: 1000, to: 1001 }.direction(), Ordering::Equal);
        assert_eq!(Change { from: 0, to: 1 }.direction(), Ordering::Greater);
        assert_eq!(Change { from: 8, to: 7 }.direction(), Ordering::Less);
    }
}
