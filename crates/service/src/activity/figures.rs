use chrono::NaiveDate;

use super::DayRange;

/// The figures of a range of days. Days are in UTC; today, this week and this month are not over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Activity {
    /// The days, without those that have not come yet.
    pub range: DayRange,
    /// Each day of the range.
    pub days: Vec<DayFigures>,
    /// Each week that has a day in the range, as a whole.
    pub weeks: Vec<WeekFigures>,
    /// Who came in each of these weeks, and stayed.
    pub cohorts: Vec<Cohort>,
    /// Each month that has a day in the range, as a whole.
    pub months: Vec<MonthFigures>,
    /// Interactions by kind, most first; the kind's name.
    pub kinds: Vec<Count>,
    /// Uses of each command, most first; "(other)" for those that the bot does not know.
    pub commands: Vec<Count>,
    /// Users who came within the range and are there now by the language that their client told,
    /// most first; "" where it told none. Up to [`MAX_LABELS`], the others together as "(other)".
    pub languages: Vec<Count>,
    /// By which deep links users came, those that brought most first. Up to [`MAX_LABELS`], the
    /// others together as "(other)".
    pub sources: Vec<SourceFigures>,
}

/// How many languages or sources are told apart: people's clients and links can make up any number.
pub const MAX_LABELS: usize = 50;

/// The figures of one day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DayFigures {
    /// The day.
    pub day: NaiveDate,
    /// Users active on the day (DAU).
    pub active: u64,
    /// Users active within the 7 days up to the day (WAU).
    pub active_7_days: u64,
    /// Users active within the 30 days up to the day (MAU).
    pub active_30_days: u64,
    /// Users created on the day.
    pub new_users: u64,
    /// Interactions on the day.
    pub interactions: u64,
    /// How often it was noted on the day that somebody can no longer be reached, for whatever
    /// reason.
    pub blocked: u64,
    /// How often it was noted on the day that somebody can be reached again.
    pub unblocked: u64,
    /// Of what classes the users are on the day.
    pub lifecycle: LifecycleCounts,
}

impl DayFigures {
    /// How many of the month's users came on the day: DAU of MAU.
    pub fn stickiness(&self) -> Share {
        Share { part: self.active, whole: self.active_30_days }
    }

    /// New users, without those who can no longer be reached, with those who can be again.
    pub fn net_growth(&self) -> i64 {
        net_growth(self.new_users, self.unblocked, self.blocked)
    }
}

/// What happened within a range of days, added up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// On how many days each user was active: the active users (DAU) of all days together.
    pub active_days: u64,
    /// Users who came.
    pub new_users: u64,
    /// Interactions.
    pub interactions: u64,
    /// How often it was noted that somebody can no longer be reached, for whatever reason.
    pub blocked: u64,
    /// How often it was noted that somebody can be reached again.
    pub unblocked: u64,
}

impl Totals {
    /// New users, without those who can no longer be reached, with those who can be again.
    pub fn net_growth(&self) -> i64 {
        net_growth(self.new_users, self.unblocked, self.blocked)
    }
}

/// Adds up days.
impl FromIterator<DayFigures> for Totals {
    fn from_iter<I: IntoIterator<Item = DayFigures>>(days: I) -> Self {
        days.into_iter().fold(Self::default(), |sum, it| Self {
            active_days: sum.active_days + it.active,
            new_users: sum.new_users + it.new_users,
            interactions: sum.interactions + it.interactions,
            blocked: sum.blocked + it.blocked,
            unblocked: sum.unblocked + it.unblocked,
        })
    }
}

fn net_growth(new_users: u64, unblocked: u64, blocked: u64) -> i64 {
    let signed = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    signed(new_users + unblocked).saturating_sub(signed(blocked))
}

/// The lifecycle of one week.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WeekFigures {
    /// The week's Monday.
    pub monday: NaiveDate,
    /// Of what classes the users are in the week.
    pub lifecycle: LifecycleCounts,
}

/// Users by what they are in a period, a day or a week, by PostHog's definitions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LifecycleCounts {
    /// Active for the first time.
    pub new: u64,
    /// Active, as in the period before.
    pub returning: u64,
    /// Active, not in the period before, but earlier.
    pub resurrected: u64,
    /// Not active, but in the period before.
    pub dormant: u64,
}

/// Who came in one week, and how many of them were active in the weeks after it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cohort {
    /// The week's Monday.
    pub monday: NaiveDate,
    /// How many were active so many weeks later: first all of them, in the week itself, and last
    /// this week, which is not over.
    pub active: Vec<u64>,
}

impl Cohort {
    /// How many came.
    pub fn users(&self) -> u64 {
        self.active.first().copied().unwrap_or_default()
    }

    /// How many of them were active so many weeks later; `None` for weeks that have not come yet.
    pub fn share(&self, weeks_later: usize) -> Option<Share> {
        let part = *self.active.get(weeks_later)?;
        Some(Share { part, whole: self.users() })
    }
}

/// The power-user curve of one month.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MonthFigures {
    /// The month's first day.
    pub first_day: NaiveDate,
    /// How many users were active on so many days of the month: first on one, last on 31.
    pub users_by_active_days: Vec<u64>,
}

/// How many of something there are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Count {
    /// What it is.
    pub label: String,
    /// How many.
    pub count: u64,
}

/// What a deep link brought.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SourceFigures {
    /// The deep link's payload; "" for who came without one.
    pub source: String,
    /// Users whom it brought within the range.
    pub users: u64,
    /// Starts by it within the range, also by people who were there already.
    pub starts: u64,
    /// Those of the users to whom the bot can write now.
    pub reachable: u64,
    /// Those who were active on the day after they came, of those for whom that day has come.
    pub day_1: Share,
    /// The same of the seventh day after.
    pub day_7: Share,
    /// The same of the thirtieth day after.
    pub day_30: Share,
}

/// A part of a whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Share {
    /// The part.
    pub part: u64,
    /// The whole.
    pub whole: u64,
}

impl Share {
    /// The share in thousandths, rounded; `None` of nothing.
    pub fn per_mille(self) -> Option<u32> {
        let (part, whole) = (u128::from(self.part), u128::from(self.whole));
        let per_mille = (part * 1000 + whole / 2).checked_div(whole)?;
        Some(u32::try_from(per_mille).unwrap_or(u32::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_rounded_and_there_are_none_of_nothing() {
        let per_mille = |part, whole| Share { part, whole }.per_mille();
        assert_eq!(per_mille(1, 3), Some(333));
        assert_eq!(per_mille(2, 3), Some(667));
        assert_eq!(per_mille(u64::MAX, u64::MAX), Some(1000));
        assert_eq!(per_mille(0, 0), None);
    }
}
