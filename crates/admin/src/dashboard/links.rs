//! Where figures lead to: the users that they count, in the list, and files.

use chrono::NaiveDate;
use rollcall_domain::{Days, Filter, FilterNode, ReachabilityFilter, UserFilter};
use rollcall_service::DayRange;

use crate::{request::query_string, users::form::EVERYONE_AND_BOTS};

/// Writes the links of a page. Figures count days of UTC, so that links with days state it.
pub(super) struct Links<'a> {
    /// The path of the admin.
    pub(super) base: &'a str,
    pub(super) today: NaiveDate,
    /// Whether there are bots. Figures count them, and the list leaves them out by itself.
    pub(super) has_bots: bool,
}

impl Links<'_> {
    /// All users.
    pub(super) fn everyone(&self) -> String {
        self.users(&UserFilter::new())
    }

    /// The users that the bot can write to.
    pub(super) fn reachable(&self) -> String {
        self.users(&UserFilter::new().with_reachability(ReachabilityFilter::Reachable))
    }

    /// The users who joined on these days.
    pub(super) fn joined(&self, days: Days) -> String {
        self.users(&UserFilter { first_seen: days, ..UserFilter::new() })
    }

    /// The users who were active on these days, if the list can know: it has the last day of each.
    /// So the days have to reach up to today.
    pub(super) fn active(&self, days: Days) -> Option<String> {
        (days.last == Some(self.today)).then(|| self.last_seen(days))
    }

    /// The users who were active within so many days up to the last of `days`, likewise.
    pub(super) fn active_within(&self, count: u64, days: Days) -> Option<String> {
        (days.last == Some(self.today)).then(|| self.last_seen(self.latest(count)))
    }

    /// The users who were active on these days for the last time.
    pub(super) fn last_seen(&self, days: Days) -> String {
        self.users(&UserFilter { last_seen: days, ..UserFilter::new() })
    }

    /// The users who joined on some days and were active on others, if the list can know.
    pub(super) fn stayed(&self, joined: Days, active: Days) -> Option<String> {
        let filter = UserFilter { first_seen: joined, last_seen: active, ..UserFilter::new() };
        (active.last == Some(self.today)).then(|| self.users(&filter))
    }

    /// The users with a language who joined within a range. Rare languages are together, which the
    /// list has no filter for.
    pub(super) fn language(&self, code: &str, range: DayRange) -> Option<String> {
        let language = Some(code.to_owned());
        let filter = UserFilter { language, first_seen: days(range), ..UserFilter::new() };
        (code != "(other)").then(|| self.users(&filter))
    }

    /// The users of a deep link who joined within a range: all, or those that can be reached.
    /// Links without figures of their own are together, which the list has no filter for.
    pub(super) fn source(&self, source: &str, range: DayRange, reach: bool) -> Option<String> {
        let reachability = reach.then_some(ReachabilityFilter::Reachable);
        let (first_seen, label) = (days(range), Some(source.to_owned()));
        let filter = UserFilter { source: label, reachability, first_seen, ..UserFilter::new() };
        (source != "(other)").then(|| self.users(&filter))
    }

    /// The numbers of a chart as a file.
    pub(super) fn file(&self, name: &str, range: DayRange) -> String {
        let (first, last) = (range.first(), range.last());
        format!("{}/figures/{name}.csv?since={first}&until={last}", self.base)
    }

    /// So many days up to today.
    pub(super) fn latest(&self, count: u64) -> Days {
        let first = self.today.checked_sub_days(chrono::Days::new(count.saturating_sub(1)));
        Days::between(first.unwrap_or(self.today), self.today)
    }

    fn users(&self, filter: &UserFilter) -> String {
        let zone = if filter.first_seen.is_set() || filter.last_seen.is_set() { "UTC" } else { "" };
        let filter = Filter::from(filter);
        let parts = filter.parts().iter().map(FilterNode::text_among_others);
        let bots = self.has_bots.then(|| EVERYONE_AND_BOTS.to_owned());
        let text = parts.chain(bots).collect::<Vec<_>>().join(" ");
        match query_string([("filter", &text), ("zone", zone)]) {
            query if query.is_empty() => format!("{}/users", self.base),
            query => format!("{}/users?{query}", self.base),
        }
    }
}

fn days(range: DayRange) -> Days {
    Days::between(range.first(), range.last())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(url: &str) -> String {
        let query = url.strip_prefix("/admin/users?").unwrap_or_default();
        let pairs: Vec<(String, String)> = serde_urlencoded::from_str(query).unwrap();
        let pairs = pairs.iter().map(|(name, value)| format!("{name}={value}"));
        pairs.collect::<Vec<_>>().join(" & ")
    }

    #[test]
    fn figures_lead_to_their_users() {
        let today: NaiveDate = "2026-11-23".parse().unwrap();
        let links = Links { base: "/admin", today, has_bots: false };
        let range = DayRange::ending(today, 2).unwrap();
        let days = "joined:2026-11-22..2026-11-23 & zone=UTC";
        assert_eq!(links.everyone(), "/admin/users");
        assert_eq!(list(&links.reachable()), "filter=reachable");
        assert_eq!(list(&links.joined(super::days(range))), format!("filter={days}"));
        assert_eq!(list(&links.joined(links.latest(2))), format!("filter={days}"));
        let persian = links.language("fa", range).unwrap();
        assert_eq!(list(&persian), format!("filter=lang:fa {days}"));
        let unknown = links.language("", range).unwrap();
        assert_eq!(list(&unknown), format!("filter=-lang:* {days}"));
        assert_eq!(links.language("(other)", range), None);
        let reachable = links.source("spring", range, true).unwrap();
        assert_eq!(list(&reachable), format!("filter=source:spring reachable {days}"));
        assert_eq!(links.source("(other)", range, false), None);
        let now = links.active(Days::between(today, today)).unwrap();
        assert_eq!(list(&now), "filter=seen:2026-11-23 & zone=UTC");
        let both = links.active(super::days(range)).unwrap();
        assert_eq!(list(&both), "filter=seen:2026-11-22..2026-11-23 & zone=UTC");
        let yesterday = today.pred_opt().unwrap();
        let yesterday = Days::between(yesterday, yesterday);
        assert_eq!(links.active(yesterday), None);
        let week = links.active_within(7, Days::between(today, today)).unwrap();
        assert_eq!(list(&week), "filter=seen:2026-11-17..2026-11-23 & zone=UTC");
        assert_eq!(links.active_within(7, yesterday), None);
        let last = links.last_seen(yesterday);
        assert_eq!(list(&last), "filter=seen:2026-11-22 & zone=UTC");
        let stayed = links.stayed(yesterday, Days::between(today, today)).unwrap();
        assert_eq!(list(&stayed), "filter=joined:2026-11-22 seen:2026-11-23 & zone=UTC");
        assert_eq!(links.stayed(yesterday, yesterday), None);
    }

    #[test]
    fn bots_are_listed_where_figures_count_them() {
        let today: NaiveDate = "2026-11-23".parse().unwrap();
        let links = Links { base: "/admin", today, has_bots: true };
        assert_eq!(list(&links.everyone()), "filter=(bot or -bot)");
        assert_eq!(list(&links.reachable()), "filter=reachable (bot or -bot)");
    }
}
