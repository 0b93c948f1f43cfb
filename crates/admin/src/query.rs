//! Which users are wanted, as it stands in a URL: so that a list can be shared, and gone back to.

use chrono::{Days as Span, NaiveDate};
use rollcall_domain::{
    Cursor, Days, ReachFilter, SearchTerm, SortKey, TelegramId, UserFilter, UserSort,
};

use crate::explain::Failure;

/// What "none" is called where a language or a deep link is chosen; neither can have this name.
pub(crate) const NONE: &str = "(none)";

/// Ranges that end today: what stands in the URL, what it is called, and its days.
pub(crate) const PRESETS: [(&str, &str, u64); 5] = [
    ("today", "Today", 1),
    ("7d", "Last 7 days", 7),
    ("30d", "Last 30 days", 30),
    ("90d", "Last 90 days", 90),
    ("365d", "Last 365 days", 365),
];

/// What stands in the URL of a list of users. What makes no sense there counts as not being there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Query {
    /// What somebody looks for, as it was typed.
    pub(crate) search: String,
    /// "" is any, [`NONE`] is none.
    pub(crate) language: String,
    /// "" is any, [`NONE`] is none.
    pub(crate) source: String,
    pub(crate) reach: Option<ReachFilter>,
    pub(crate) first_seen: Period,
    pub(crate) last_seen: Period,
    pub(crate) min_days: Option<u32>,
    pub(crate) max_days: Option<u32>,
    pub(crate) is_bot: Option<bool>,
    pub(crate) sort: UserSort,
    pub(crate) at: Option<Cursor>,
}

/// Some days: a preset, or those from one day to another, which go first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Period {
    /// Of [`PRESETS`]; "" is none.
    pub(crate) preset: &'static str,
    pub(crate) days: Days,
}

impl Period {
    /// The days from `first` to `last`.
    pub(crate) fn between(first: NaiveDate, last: NaiveDate) -> Self {
        Self { preset: "", days: Days::between(first, last) }
    }

    /// Which days they are today.
    fn resolve(&self, today: NaiveDate) -> Days {
        let preset = PRESETS.iter().find(|(name, ..)| *name == self.preset);
        match preset {
            Some((.., days)) if !self.days.is_set() => {
                Days { first: today.checked_sub_days(Span::new(days - 1)), last: None }
            }
            _ => self.days,
        }
    }

    fn is_set(&self) -> bool {
        !self.preset.is_empty() || self.days.is_set()
    }
}

impl Query {
    /// Reads the names and values of a URL.
    pub(crate) fn read(pairs: &[(String, String)]) -> Self {
        let mut query = Self::default();
        for (name, value) in pairs {
            query.set(name, value.trim());
        }
        query
    }

    /// Reads them where nothing may be left out that makes no sense, as more users would match
    /// without it.
    pub(crate) fn read_whole(pairs: &[(String, String)]) -> Result<Self, Failure> {
        let query = Self::read(pairs);
        let fields = query.fields();
        let is_read = |(name, value): &(String, String)| {
            let value = value.trim();
            let is_set = FILTERS.contains(&name.as_str()) && !value.is_empty();
            !is_set || fields.iter().any(|field| field.0 == name && field.1 == value)
        };
        let looks_for_nothing = SearchTerm::new(&query.search).is_none();
        if !pairs.iter().all(is_read) || (!query.search.is_empty() && looks_for_nothing) {
            return Err(Failure::Refused(
                "One of the filters makes no sense. Nothing was changed.",
            ));
        }
        Ok(query)
    }

    fn set(&mut self, name: &str, value: &str) {
        match name {
            "q" => value.clone_into(&mut self.search),
            "language" => value.clone_into(&mut self.language),
            "source" => value.clone_into(&mut self.source),
            "reach" => self.reach = REACH.iter().find(|it| it.1 == value).map(|it| it.0),
            "first" => self.first_seen.preset = preset(value),
            "first_from" => self.first_seen.days.first = value.parse().ok(),
            "first_to" => self.first_seen.days.last = value.parse().ok(),
            "last" => self.last_seen.preset = preset(value),
            "last_from" => self.last_seen.days.first = value.parse().ok(),
            "last_to" => self.last_seen.days.last = value.parse().ok(),
            "min_days" => self.min_days = value.parse().ok(),
            "max_days" => self.max_days = value.parse().ok(),
            "bot" => self.is_bot = BOT.iter().find(|it| it.1 == value).map(|it| it.0),
            "sort" => {
                let (descending, key) = match value.strip_prefix('-') {
                    Some(key) => (true, key),
                    None => (false, value),
                };
                if let Some((key, _)) = SORT.iter().find(|it| it.1 == key) {
                    self.sort = UserSort { key: *key, descending };
                }
            }
            "at" => self.at = value.parse().ok(),
            _ => {}
        }
    }

    /// What it asks the directory for.
    pub(crate) fn filter(&self, today: NaiveDate) -> UserFilter {
        let label = |text: &str| match text {
            "" => None,
            NONE => Some(String::new()),
            text => Some(text.to_owned()),
        };
        UserFilter {
            language: label(&self.language),
            source: label(&self.source),
            reach: self.reach,
            first_seen: self.first_seen.resolve(today),
            last_seen: self.last_seen.resolve(today),
            min_active_days: self.min_days,
            max_active_days: self.max_days,
            is_bot: self.is_bot,
            search: SearchTerm::new(&self.search),
        }
    }

    /// How many of the filters, the search aside, are set.
    pub(crate) fn filters(&self) -> usize {
        [
            !self.language.is_empty(),
            !self.source.is_empty(),
            self.reach.is_some(),
            self.first_seen.is_set(),
            self.last_seen.is_set(),
            self.min_days.is_some() || self.max_days.is_some(),
            self.is_bot.is_some(),
        ]
        .into_iter()
        .filter(|is_set| *is_set)
        .count()
    }

    /// Whether it asks for everybody.
    pub(crate) fn is_everybody(&self) -> bool {
        self.search.is_empty() && self.filters() == 0
    }

    /// As it stands in a URL, without what is as it would be anyway.
    pub(crate) fn url(&self) -> String {
        let at = self.at.map(|at| at.to_string()).unwrap_or_default();
        let mut fields = self.fields();
        fields
            .extend([("sort", self.sort()), ("at", at)].into_iter().filter(|it| !it.1.is_empty()));
        // Pairs of text can always be written.
        serde_urlencoded::to_string(fields).unwrap_or_default()
    }

    /// The names and values of the search and the filters that are set.
    pub(crate) fn fields(&self) -> Vec<(&'static str, String)> {
        let date = |day: Option<NaiveDate>| day.map(|day| day.to_string()).unwrap_or_default();
        let number = |number: Option<u32>| number.map(|it| it.to_string()).unwrap_or_default();
        let values = [
            self.search.clone(),
            self.language.clone(),
            self.source.clone(),
            self.reach().to_owned(),
            self.first_seen.preset.to_owned(),
            date(self.first_seen.days.first),
            date(self.first_seen.days.last),
            self.last_seen.preset.to_owned(),
            date(self.last_seen.days.first),
            date(self.last_seen.days.last),
            number(self.min_days),
            number(self.max_days),
            self.bot().to_owned(),
        ];
        FILTERS.into_iter().zip(values).filter(|(_, value)| !value.is_empty()).collect()
    }

    /// The order, as it stands in the URL; "" for the usual one.
    pub(crate) fn sort(&self) -> String {
        if self.sort == UserSort::default() {
            return String::new();
        }
        let name = SORT.iter().find(|it| it.0 == self.sort.key).map_or("", |it| it.1);
        format!("{}{name}", if self.sort.descending { "-" } else { "" })
    }

    /// Whether users are reachable, as it stands in the URL.
    pub(crate) fn reach(&self) -> &'static str {
        self.reach.and_then(|reach| REACH.iter().find(|it| it.0 == reach)).map_or("", |it| it.1)
    }

    /// Whether users are bots, as it stands in the URL.
    pub(crate) fn bot(&self) -> &'static str {
        self.is_bot.and_then(|is_bot| BOT.iter().find(|it| it.0 == is_bot)).map_or("", |it| it.1)
    }

    /// The same users in another order: what the link on a column's head leads to.
    pub(crate) fn sorted_by(&self, key: SortKey) -> Self {
        let descending = self.sort.key != key || !self.sort.descending;
        Self { sort: UserSort { key, descending }, at: None, ..self.clone() }
    }

    /// Another page of the same list.
    pub(crate) fn from(&self, at: Cursor) -> Self {
        Self { at: Some(at), ..self.clone() }
    }

    /// Those of them who came on these days.
    pub(crate) fn who_came(&self, first_seen: Period) -> Self {
        Self { first_seen, at: None, ..self.clone() }
    }
}

/// The names of the search and of the filters in a URL.
const FILTERS: [&str; 13] = [
    "q",
    "language",
    "source",
    "reach",
    "first",
    "first_from",
    "first_to",
    "last",
    "last_from",
    "last_to",
    "min_days",
    "max_days",
    "bot",
];

const REACH: [(ReachFilter, &str); 3] = [
    (ReachFilter::Reachable, "reachable"),
    (ReachFilter::Unreachable, "unreachable"),
    (ReachFilter::Blocked, "blocked"),
];

const BOT: [(bool, &str); 2] = [(true, "yes"), (false, "no")];

const SORT: [(SortKey, &str); 4] = [
    (SortKey::FirstSeen, "first_seen"),
    (SortKey::LastSeen, "last_seen"),
    (SortKey::ActiveDays, "active_days"),
    (SortKey::Id, "id"),
];

fn preset(value: &str) -> &'static str {
    PRESETS.iter().find(|(name, ..)| *name == value).map_or("", |(name, ..)| name)
}

/// Names and values as they stand in a URL, without those that are empty.
pub(crate) fn pairs<const N: usize>(pairs: [(&str, &str); N]) -> String {
    let pairs: Vec<_> = pairs.into_iter().filter(|(_, value)| !value.is_empty()).collect();
    // Pairs of text can always be written.
    serde_urlencoded::to_string(pairs).unwrap_or_default()
}

/// An id in a URL; what is none belongs to nobody.
pub(crate) fn read_id(text: &str) -> Result<TelegramId, Failure> {
    text.parse().map_err(|_| Failure::NotFound)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(url: &str) -> Query {
        Query::read(&serde_urlencoded::from_str::<Vec<(String, String)>>(url).unwrap())
    }

    #[test]
    fn a_list_is_read_from_the_url_that_it_writes() {
        for url in [
            "",
            "q=%D0%96%D1%83%D0%BA+%26+%3Cb%3E",
            "language=%28none%29&source=spring_sale",
            "reach=blocked&first=30d&last_from=2026-01-01&last_to=2026-02-28",
            "min_days=2&max_days=9&bot=no&sort=-last_seen&at=ln20000.7",
            "first_from=2026-11-01&first_to=2026-11-30&sort=first_seen",
        ] {
            assert_eq!(read(url).url(), url);
            assert_eq!(read(&read(url).url()), read(url));
        }
    }

    #[test]
    fn what_makes_no_sense_counts_as_not_being_there() {
        let odd = "reach=x&first=1&first_from=yesterday&min_days=-1&sort=name&at=x&bot=&color=red";
        assert_eq!(read(odd), Query::default());
        assert!(read("q=++").is_everybody());
    }

    #[test]
    fn nothing_is_left_out_where_that_would_mean_more_users() {
        let is_read = |url: &str| {
            let pairs: Vec<(String, String)> = serde_urlencoded::from_str(url).unwrap();
            Query::read_whole(&pairs).is_ok()
        };
        for fine in ["", "q=+ada+&reach=blocked&until=x&all=1", "min_days=2&bot=&first=7d"] {
            assert!(is_read(fine), "{fine}");
        }
        for odd in ["reach=x", "first_from=yesterday", "bot=maybe", "q=@", "q=a&q=b", "min_days=x"]
        {
            assert!(!is_read(odd), "{odd}");
        }
    }

    #[test]
    fn presets_move_with_the_day_and_dates_do_not() {
        let today: NaiveDate = "2026-11-23".parse().unwrap();
        let days = |url: &str| {
            let days = read(url).filter(today).first_seen;
            let text = |day: Option<NaiveDate>| day.map(|day| day.to_string()).unwrap_or_default();
            format!("{}..{}", text(days.first), text(days.last))
        };
        assert_eq!(days("first=today"), "2026-11-23..");
        assert_eq!(days("first=7d"), "2026-11-17..");
        assert_eq!(days("first_to=2026-01-31"), "..2026-01-31");
        assert_eq!(days("first=7d&first_from=2026-01-01"), "2026-01-01..");
        assert_eq!(days(""), "..");
    }

    #[test]
    fn none_is_not_any() {
        let today = NaiveDate::default();
        assert_eq!(read("language=(none)").filter(today).language.as_deref(), Some(""));
        assert_eq!(read("language=").filter(today).language, None);
        assert_eq!(read("source=-").filter(today).source.as_deref(), Some("-"));
    }
}
