use std::{cmp::Ordering, fmt};

/// How many users there are, how many of them were there lately, and what they did today.
///
/// A day is a day in UTC; spans of days include today, which is not over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UserStats {
    /// Everybody who ever talked to the bot, but for those who were erased.
    pub total_users: u64,
    /// Users to whom the bot can write now.
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
    /// Interactions of today.
    pub interactions_today: u64,
    /// How often it was noted today that somebody can no longer be reached.
    pub blocked_today: u64,
    /// How often it was noted today that somebody can be reached again.
    pub unblocked_today: u64,
    /// The same a week ago, at the end of that day.
    pub week_before: DayStats,
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
    /// Interactions of the day.
    pub interactions: u64,
    /// How often it was noted on the day that somebody can no longer be reached.
    pub blocked: u64,
    /// How often it was noted on the day that somebody can be reached again.
    pub unblocked: u64,
}

/// What became of a figure, as people read it: "+12%", or "+5" where there is nothing that it could
/// be a percentage of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// What the figure was.
    pub from: u64,
    /// What it is.
    pub to: u64,
}

impl Change {
    /// What the figure is to what it was, as it is read: equal where that is "±0%".
    pub fn direction(self) -> Ordering {
        match self.read() {
            (0, _) => Ordering::Equal,
            _ => self.to.cmp(&self.from),
        }
    }

    /// The number that is read, and its unit.
    fn read(self) -> (u128, &'static str) {
        let (whole, difference) = (u128::from(self.from), u128::from(self.to.abs_diff(self.from)));
        match (difference * 100 + whole / 2).checked_div(whole) {
            Some(percent) => (percent, "%"),
            None => (difference, ""),
        }
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
    fn changes_are_read_as_percentages_where_there_are_any() {
        let shown = |from, to| Change { from, to }.to_string();
        assert_eq!(shown(1075, 1204), "+12%");
        assert_eq!(shown(1000, 4), "-100%");
        assert_eq!(shown(8, 7), "-13%");
        assert_eq!(shown(1000, 1001), "±0%");
        assert_eq!(shown(7, 7), "±0%");
        assert_eq!(shown(0, 0), "±0");
        assert_eq!(shown(0, 5), "+5");
        assert_eq!(shown(1, u64::MAX), "+1844674407370955161400%");
        assert_eq!(Change { from: 1000, to: 1001 }.direction(), Ordering::Equal);
        assert_eq!(Change { from: 0, to: 1 }.direction(), Ordering::Greater);
        assert_eq!(Change { from: 8, to: 7 }.direction(), Ordering::Less);
    }
}
