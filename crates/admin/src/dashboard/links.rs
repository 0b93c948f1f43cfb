//! Where figures lead to: the users that they count, in the list, and files.

use chrono::NaiveDate;
use rollcall_domain::Days;
use rollcall_service::DayRange;

use crate::users::query::NONE;

/// Writes the links of a page.
pub(super) struct Links<'a> {
    /// The path of the admin.
    pub(super) base: &'a str,
    pub(super) today: NaiveDate,
}

impl Links<'_> {
    /// The list with these filters.
    pub(super) fn users(&self, filters: &[(&str, &str)]) -> String {
        // Pairs of text can always be written.
        let query = serde_urlencoded::to_string(filters).unwrap_or_default();
        let mark = if query.is_empty() { "" } else { "?" };
        format!("{}/users{mark}{query}", self.base)
    }

    /// The users who joined on these days.
    pub(super) fn joined(&self, days: Days) -> String {
        self.of_days("first", days, &[])
    }

    /// The users who were active on these days, if the list can know: it has the last day of each.
    /// So the days have to reach up to today.
    pub(super) fn active(&self, days: Days) -> Option<String> {
        (days.last == Some(self.today)).then(|| self.of_days("last", days, &[]))
    }

    /// The users who were active within so many days up to the last of `days`, likewise.
    pub(super) fn active_within(&self, count: u64, days: Days) -> Option<String> {
        let last = days.last?;
        self.active(Days::between(last.checked_sub_days(chrono::Days::new(count - 1))?, last))
    }

    /// The users who were active on these days for the last time.
    pub(super) fn last_seen(&self, days: Days) -> String {
        self.of_days("last", days, &[])
    }

    /// The users who joined on some days and were active on others, if the list can know.
    pub(super) fn stayed(&self, joined: Days, active: Days) -> Option<String> {
        let (first, last) = (joined.first?.to_string(), joined.last?.to_string());
        let joined = [("first_from", first.as_str()), ("first_to", last.as_str())];
        (active.last == Some(self.today)).then(|| self.of_days("last", active, &joined))
    }

    /// The users with a language who joined within a range. Rare languages are together, which the
    /// list has no filter for.
    pub(super) fn language(&self, code: &str, range: DayRange) -> Option<String> {
        let filters = [("language", or_none(code))];
        (code != "(other)").then(|| self.of_days("first", days(range), &filters))
    }

    /// The users of a deep link who joined within a range: all, or those that can be reached.
    /// Links without figures of their own are together, which the list has no filter for.
    pub(super) fn source(&self, source: &str, range: DayRange, reach: bool) -> Option<String> {
        let filters = [("source", or_none(source)), ("reach", "reachable")];
        let filters = if reach { filters.as_slice() } else { filters.get(..1)? };
        (source != "(other)").then(|| self.of_days("first", days(range), filters))
    }

    /// The numbers of a chart as a file.
    pub(super) fn file(&self, name: &str, range: DayRange) -> String {
        let (first, last) = (range.first(), range.last());
        format!("{}/figures/{name}.csv?since={first}&until={last}", self.base)
    }

    fn of_days(&self, period: &str, days: Days, filters: &[(&str, &str)]) -> String {
        let [from, to] = [days.first, days.last].map(|day| day.map(|day| day.to_string()));
        let (from_name, to_name) = (format!("{period}_from"), format!("{period}_to"));
        let ends = [(from_name.as_str(), from.as_deref()), (to_name.as_str(), to.as_deref())];
        let ends = ends.into_iter().filter_map(|(name, day)| Some((name, day?)));
        self.users(&filters.iter().copied().chain(ends).collect::<Vec<_>>())
    }
}

fn days(range: DayRange) -> Days {
    Days::between(range.first(), range.last())
}

fn or_none(label: &str) -> &str {
    if label.is_empty() { NONE } else { label }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_lead_to_their_users() {
        let today: NaiveDate = "2026-11-23".parse().unwrap();
        let links = Links { base: "/admin", today };
        let range = DayRange::ending(today, 2).unwrap();
        let days = "first_from=2026-11-22&first_to=2026-11-23";
        assert_eq!(links.users(&[]), "/admin/users");
        assert_eq!(links.joined(super::days(range)), format!("/admin/users?{days}"));
        let persian = links.language("fa", range).unwrap();
        assert_eq!(persian, format!("/admin/users?language=fa&{days}"));
        let unknown = format!("/admin/users?language=%28none%29&{days}");
        assert_eq!(links.language("", range).unwrap(), unknown);
        assert_eq!(links.language("(other)", range), None);
        let reachable = links.source("spring", range, true).unwrap();
        assert_eq!(reachable, format!("/admin/users?source=spring&reach=reachable&{days}"));
        assert_eq!(links.source("(other)", range, false), None);
        let now = links.active(Days::between(today, today)).unwrap();
        assert_eq!(now, "/admin/users?last_from=2026-11-23&last_to=2026-11-23");
        let both = links.active(super::days(range)).unwrap();
        assert_eq!(both, "/admin/users?last_from=2026-11-22&last_to=2026-11-23");
        let yesterday = today.pred_opt().unwrap();
        let yesterday = Days::between(yesterday, yesterday);
        assert_eq!(links.active(yesterday), None);
        let week = links.active_within(7, Days::between(today, today)).unwrap();
        assert_eq!(week, "/admin/users?last_from=2026-11-17&last_to=2026-11-23");
        assert_eq!(links.active_within(7, yesterday), None);
        let last = links.last_seen(yesterday);
        assert_eq!(last, "/admin/users?last_from=2026-11-22&last_to=2026-11-22");
        let stayed = links.stayed(yesterday, Days::between(today, today)).unwrap();
        let joined = "first_from=2026-11-22&first_to=2026-11-22";
        let expected = format!("/admin/users?{joined}&last_from=2026-11-23&last_to=2026-11-23");
        assert_eq!(stayed, expected);
        assert_eq!(links.stayed(yesterday, yesterday), None);
    }
}
