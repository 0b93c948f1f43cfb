use chrono::NaiveDate;

use super::DayRange;

/// The figures of a range of days in UTC. Today, this week and this month are still in progress.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Activity {
    /// The days, without those before the first user and those in the future. If there are
    /// no others, the days that were asked for.
    pub range: DayRange,
    /// Each day of the range.
    pub days: Vec<DayFigures>,
    /// Each week with a day in the range, with all its seven days.
    pub weeks: Vec<WeekFigures>,
    /// The users who joined in each of these weeks, and how many of them stayed.
    pub cohorts: Vec<Cohort>,
    /// Each month with a day in the range, with all its days.
    pub months: Vec<MonthFigures>,
    /// Interactions by the name of their kind, the largest number first.
    pub kinds: Vec<Count>,
    /// Uses of each command, the largest number first; "(other)" for unknown commands.
    pub commands: Vec<Count>,
    /// Users who joined within the range and were not erased, by the language of their client; "" if
    /// it is unknown. Up to [`MAX_LABELS`], the largest number first; the rest is one entry "(other)".
    pub languages: Vec<Count>,
    /// The deep links by which users joined, those with most users first. Up to [`MAX_LABELS`]; the
    /// rest is one entry "(other)".
    pub sources: Vec<SourceFigures>,
}

impl Activity {
    /// A range on whose days there were no users yet.
    pub(super) fn without_days(range: DayRange) -> Self {
        Self {
            range,
            days: Vec::new(),
            weeks: Vec::new(),
            cohorts: Vec::new(),
            months: Vec::new(),
            kinds: Vec::new(),
            commands: Vec::new(),
            languages: Vec::new(),
            sources: Vec::new(),
        }
    }
}

/// The most languages or sources with an entry of their own. Clients and links can invent any number.
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
    /// Users who joined on the day.
    pub new_users: u64,
    /// Interactions on the day.
    pub interactions: u64,
    /// Changes from reachable to unreachable on the day, for any reason.
    pub blocked: u64,
    /// Changes back to reachable on the day.
    pub unblocked: u64,
    /// The users by lifecycle class on the day.
    pub lifecycle: LifecycleCounts,
}

impl DayFigures {
    /// The share of the month's users who were active on the day: DAU of MAU.
    pub fn stickiness(&self) -> Share {
        Share { part: self.active, whole: self.active_30_days }
    }

    /// New users, minus those who became unreachable, plus those who became reachable again.
    pub fn net_growth(&self) -> i64 {
        net_growth(self.new_users, self.unblocked, self.blocked)
    }
}

/// The totals of a range of days.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// The active days of all users: the sum of the active users (DAU) of each day.
    pub active_days: u64,
    /// Users who joined.
    pub new_users: u64,
    /// Interactions.
    pub interactions: u64,
    /// Changes from reachable to unreachable, for any reason.
    pub blocked: u64,
    /// Changes back to reachable.
    pub unblocked: u64,
}

impl Totals {
    /// New users, minus those who became unreachable, plus those who became reachable again.
    pub fn net_growth(&self) -> i64 {
        net_growth(self.new_users, self.unblocked, self.blocked)
    }
}

/// Adds up the figures of days.
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
    /// The users by lifecycle class in the week.
    pub lifecycle: LifecycleCounts,
}

/// The users by lifecycle class in a day or a week, by PostHog's definitions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LifecycleCounts {
    /// Active for the first time.
    pub new: u64,
    /// Active, and also in the period before.
    pub returning: u64,
    /// Active, but not in the period before; also active earlier.
    pub resurrected: u64,
    /// Not active, but active in the period before.
    pub dormant: u64,
}

/// The users who joined in one week, and how many of them were active in each later week.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cohort {
    /// The week's Monday.
    pub monday: NaiveDate,
    /// The number of active users in each week since. The first entry counts all of them; the last is
    /// this week, which is still in progress.
    pub active: Vec<u64>,
}

impl Cohort {
    /// The number of users who joined.
    pub fn users(&self) -> u64 {
        self.active.first().copied().unwrap_or_default()
    }

    /// The share of them who were active so many weeks later; `None` for weeks in the future.
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
    /// Users by the number of days on which they were active: first one day, last 31.
    pub users_by_active_days: Vec<u64>,
}

/// A label and its number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Count {
    /// The label.
    pub label: String,
    /// The number.
    pub count: u64,
}

/// The figures of one deep link.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SourceFigures {
    /// The deep link's payload; "" for users who joined without one.
    pub source: String,
    /// Users who joined by it within the range.
    pub users: u64,
    /// Starts with it within the range, also by users who had joined before.
    pub starts: u64,
    /// The users among them who can be reached now.
    pub reachable: u64,
    /// The share who were active on the day after they joined, if that day is not in the future.
    pub day_1: Share,
    /// The same for the seventh day after.
    pub day_7: Share,
    /// The same for the thirtieth day after.
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
    /// The share in thousandths, rounded; `None` if the whole is zero.
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
    fn shares_are_rounded_and_need_a_whole() {
        let per_mille = |part, whole| Share { part, whole }.per_mille();
        assert_eq!(per_mille(1, 3), Some(333));
        assert_eq!(per_mille(2, 3), Some(667));
        assert_eq!(per_mille(u64::MAX, u64::MAX), Some(1000));
        assert_eq!(per_mille(0, 0), None);
    }
}
