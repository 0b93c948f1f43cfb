/// How many users there are and how many of them were there lately.
///
/// A day is a day in UTC; spans of days include today.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UserStats {
    /// Everybody who ever talked to the bot.
    pub total_users: u64,
    /// Users to whom the bot can write now.
    pub reachable_users: u64,
    /// Users seen today.
    pub active_today: u64,
    /// Users seen in the last 7 days.
    pub active_7_days: u64,
    /// Users seen in the last 30 days.
    pub active_30_days: u64,
    /// Users created today.
    pub new_today: u64,
    /// Users created in the last 7 days.
    pub new_7_days: u64,
    /// Users created in the last 30 days.
    pub new_30_days: u64,
}
