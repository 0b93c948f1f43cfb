//! Which users are wanted, as it stands in a URL: so that a list can be shared, and gone back to.

use chrono::{Days as Span, NaiveDate};
use rollcall_domain::{
    Cursor, Days, ReachabilityFilter, SearchTerm, SortKey, TelegramId, UserFilter, UserSort,
    harmless, read_day, read_language, read_number, read_search, read_source,
};

use crate::page::Failure;

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

/// What stands in the URL of a list of users.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Query {
    /// What somebody looks for, as it was typed.
    pub(crate) search: String,
    /// "" is any, [`NONE`] is none.
    pub(crate) language: String,
    /// "" is any, [`NONE`] is none.
    pub(crate) source: String,
    pub(crate) reach: Option<ReachabilityFilter>,
    pub(crate) first_seen: Period,
    pub(crate) last_seen: Period,
    pub(crate) min_days: Option<u32>,
    pub(crate) max_days: Option<u32>,
    pub(crate) is_bot: Option<bool>,
    pub(crate) sort: UserSort,
    pub(crate) at: Option<Cursor>,
    /// The filters that cannot be understood. While there are any, no user meets the others.
    pub(crate) refused: Vec<Refused>,
}

/// A filter that cannot be understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refused {
    /// Its name in the URL.
    field: &'static str,
    /// What was typed.
    typed: String,
    /// What is expected instead.
    expected: String,
}

impl Refused {
    /// The field as the page calls it, and what is wrong.
    pub(crate) fn in_words(&self) -> String {
        let label = LABELS.iter().find(|(field, _)| *field == self.field).map_or("", |it| it.1);
        format!("{label}: {}", self.what())
    }

    /// What is wrong, without the field.
    pub(crate) fn what(&self) -> String {
        format!("“{}”: {}.", quoted(&self.typed), self.expected)
    }
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
    /// Reads the names and values of a URL. An order or a place that there is not counts as none; a
    /// filter that cannot be understood is [refused](Query::refused).
    pub(crate) fn read(pairs: &[(String, String)]) -> Self {
        let mut query = Self::default();
        for (name, value) in pairs {
            let value = value.trim();
            match LABELS.iter().find(|(field, _)| field == name) {
                Some((field, _)) if !value.is_empty() => query.read_filter(field, value),
                Some(_) => {}
                None => query.set_order(name, value),
            }
        }
        query
    }

    /// Reads them where something is done to whoever matches. Nothing is left out then, because more
    /// users would match without it: neither a filter, nor a name that there is not, other than
    /// those in `also`.
    pub(crate) fn read_whole(pairs: &[(String, String)], also: &[&str]) -> Result<Self, Failure> {
        let query = Self::read(pairs);
        if let Some(refused) = query.refused.first() {
            return Err(Failure::invalid(refused.in_words()));
        }
        let is_known = |name: &str| {
            LABELS.iter().any(|(field, _)| *field == name)
                || ["sort", "at"].contains(&name)
                || also.contains(&name)
        };
        for (name, value) in pairs {
            if !is_known(name) {
                return Err(Failure::invalid(format!("There is no filter “{}”.", quoted(name))));
            }
            if name == "at" && value.trim().parse::<Cursor>().is_err() {
                return Err(Failure::invalid("This is not a place in the list.".to_owned()));
            }
        }
        Ok(query)
    }

    fn read_filter(&mut self, field: &'static str, value: &str) {
        let is_repeated = self.fields().iter().any(|(name, _)| *name == field);
        let read = match is_repeated {
            true => Err("expected once, and it is there several times".to_owned()),
            false => self.set_filter(field, value),
        };
        if let Err(expected) = read {
            self.refused.push(Refused { field, typed: value.to_owned(), expected });
        }
    }

    /// Sets a filter, or says what is expected of it.
    fn set_filter(&mut self, field: &str, value: &str) -> Result<(), String> {
        let day = || read_day(value).map(Some).map_err(|error| error.to_string());
        let number = || read_number(value).map(Some).map_err(|error| error.to_string());
        match field {
            "q" => {
                read_search(value).map_err(|error| error.to_string())?;
                value.clone_into(&mut self.search);
            }
            "language" => {
                read_language(value).map_err(|error| error.to_string())?;
                value.clone_into(&mut self.language);
            }
            "source" => {
                if value != NONE {
                    read_source(value).map_err(|error| error.to_string())?;
                }
                value.clone_into(&mut self.source);
            }
            "reach" => self.reach = Some(one_of(&REACH, value)?),
            "first" => self.first_seen.preset = preset(value)?,
            "first_from" => self.first_seen.days.first = day()?,
            "first_to" => self.first_seen.days.last = day()?,
            "last" => self.last_seen.preset = preset(value)?,
            "last_from" => self.last_seen.days.first = day()?,
            "last_to" => self.last_seen.days.last = day()?,
            "min_days" => self.min_days = number()?,
            "max_days" => self.max_days = number()?,
            "bot" => self.is_bot = Some(one_of(&BOT, value)?),
            _ => {}
        }
        Ok(())
    }

    fn set_order(&mut self, name: &str, value: &str) {
        match name {
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
            reachability: self.reach,
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
        self.search.is_empty() && self.filters() == 0 && self.refused.is_empty()
    }

    /// Whether one of the filters, the search aside, was refused.
    pub(crate) fn has_refused_filters(&self) -> bool {
        self.refused.iter().any(|it| it.field != "q")
    }

    /// What is wrong with a filter, if it was refused.
    pub(crate) fn trouble(&self, field: &str) -> Option<String> {
        self.refused.iter().find(|it| it.field == field).map(Refused::what)
    }

    /// What stands in a field: the filter, or what was typed there.
    pub(crate) fn typed(&self, field: &str) -> String {
        let fields = self.fields();
        let value = fields.into_iter().find(|(name, _)| *name == field);
        value.map(|(_, value)| value).unwrap_or_default()
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

    /// The names and values of the search and the filters that are set, and of those that were
    /// refused: so no link or form leaves one out.
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
        let set = LABELS.into_iter().map(|(field, _)| field).zip(values);
        let refused = self.refused.iter().map(|it| (it.field, it.typed.clone()));
        set.filter(|(_, value)| !value.is_empty()).chain(refused).collect()
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
        let mut query = Self { first_seen, at: None, ..self.clone() };
        query.refused.retain(|it| !["first", "first_from", "first_to"].contains(&it.field));
        query
    }
}

/// The names of the search and of the filters in a URL, and what the page calls them.
const LABELS: [(&str, &str); 13] = [
    ("q", "Search"),
    ("language", "Language"),
    ("source", "Source"),
    ("reach", "State"),
    ("first", "First seen"),
    ("first_from", "First seen, from"),
    ("first_to", "First seen, to"),
    ("last", "Last seen"),
    ("last_from", "Last seen, from"),
    ("last_to", "Last seen, to"),
    ("min_days", "Active days, at least"),
    ("max_days", "Active days, at most"),
    ("bot", "Kind of account"),
];

const REACH: [(ReachabilityFilter, &str); 3] = [
    (ReachabilityFilter::Reachable, "reachable"),
    (ReachabilityFilter::Unreachable, "unreachable"),
    (ReachabilityFilter::Blocked, "blocked"),
];

const BOT: [(bool, &str); 2] = [(true, "yes"), (false, "no")];

const SORT: [(SortKey, &str); 4] = [
    (SortKey::FirstSeen, "first_seen"),
    (SortKey::LastSeen, "last_seen"),
    (SortKey::ActiveDays, "active_days"),
    (SortKey::Id, "id"),
];

/// How much of what was typed is quoted.
const MAX_QUOTED_CHARS: usize = 40;

/// What was typed, to be quoted within a sentence.
pub(crate) fn quoted(typed: &str) -> String {
    let short: String = typed.chars().take(MAX_QUOTED_CHARS).collect();
    let rest = if short.len() < typed.len() { "…" } else { "" };
    format!("{}{rest}", harmless(&short))
}

fn preset(value: &str) -> Result<&'static str, String> {
    let presets = PRESETS.map(|(name, ..)| (name, name));
    one_of(&presets, value)
}

/// The choice of this name, or what can be chosen.
fn one_of<T: Copy>(choices: &[(T, &str)], name: &str) -> Result<T, String> {
    let found = choices.iter().find(|choice| choice.1 == name).map(|choice| choice.0);
    let names = || choices.iter().map(|choice| choice.1).collect::<Vec<_>>().join(", ");
    found.ok_or_else(|| format!("expected one of {}", names()))
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
    fn an_order_or_a_place_that_there_is_not_is_none() {
        assert_eq!(read("sort=name&at=x&bot=&color=red&first_from="), Query::default());
        assert!(read("q=++").is_everybody());
    }

    #[test]
    fn a_filter_that_cannot_be_understood_is_refused() {
        for (url, expected) in [
            ("q=@", "Search: “@”: expected a name, a @username or an id; there is nothing"),
            ("q=%00", "Search: “\u{fffd}”: expected text; it has a U+0000 or bytes"),
            ("q=%ED%A0%80", "Search: “\u{fffd}\u{fffd}\u{fffd}”: expected text"),
            ("language=%00", "Language: “\u{fffd}”: expected text"),
            ("source=a+b", "Source: “a b”: expected the payload of a deep link"),
            ("reach=x", "State: “x”: expected one of reachable, unreachable, blocked."),
            ("first=1", "First seen: “1”: expected one of today, 7d, 30d, 90d, 365d."),
            ("first_from=yesterday", "First seen, from: “yesterday”: expected a day such as"),
            ("last_to=-262143-01-01", "Last seen, to: “-262143-01-01”: expected a day"),
            ("min_days=-1", "Active days, at least: “-1”: expected a whole number"),
            ("max_days=99999999999", "Active days, at most: “99999999999”: expected a whole"),
            ("bot=maybe", "Kind of account: “maybe”: expected one of yes, no."),
            ("q=a&q=b", "Search: “b”: expected once, and it is there several times."),
            ("bot=%E2%80%AEon", "Kind of account: “\u{fffd}on”: expected"),
        ] {
            let query = read(url);
            let words: Vec<String> = query.refused.iter().map(Refused::in_words).collect();
            assert!(words.len() == 1 && words[0].starts_with(expected), "{url}: {words:?}");
            assert!(!query.is_everybody(), "{url}");
            // No link of the page leaves it out, but for one that sets it.
            assert_eq!(read(&query.url()).refused, query.refused, "{url}");
            assert_eq!(read(&query.sorted_by(SortKey::Id).url()).refused, query.refused, "{url}");
        }
        let long = format!("language={}", "x".repeat(10_000));
        assert!(read(&long).refused[0].in_words().len() < 200);
        assert_eq!(read("first_from=x&bot=no").who_came(Period::default()), read("bot=no"));
    }

    #[test]
    fn nothing_is_left_out_where_that_would_mean_more_users() {
        let read = |url: &str| {
            let pairs: Vec<(String, String)> = serde_urlencoded::from_str(url).unwrap();
            Query::read_whole(&pairs, &["until", "all"])
        };
        for fine in ["", "q=+ada+&reach=blocked&until=x&all=1", "min_days=2&bot=&first=7d&sort=x"] {
            assert!(read(fine).is_ok(), "{fine}");
        }
        for odd in ["reach=x", "first_from=yesterday", "q=@", "q=a&q=b", "min_days=x", "at=x"] {
            assert!(read(odd).is_err(), "{odd}");
        }
        let Err(Failure::Invalid(reason)) = read("langauge=en") else { panic!("it was taken") };
        assert_eq!(reason, "There is no filter “langauge”. Nothing was done.");
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
        assert_eq!(read("source=(none)").filter(today).source.as_deref(), Some(""));
        assert_eq!(read("source=-").filter(today).source.as_deref(), Some("-"));
    }
}
