//! The query string of the user list: filters, order and place, so that a list can be bookmarked and
//! shared.

use std::collections::{BTreeMap, btree_map::Entry};

use chrono::NaiveDate;
use rollcall_domain::{
    Cursor, Days, ReachabilityFilter, SearchTerm, SortKey, TelegramId, UserFilter, UserSort,
    read_day, read_language, read_number, read_search, read_source,
};
use serde::{Deserialize, Serialize, de::value::MapDeserializer};

use crate::{
    page::{Failure, text::quoted},
    presets::Preset,
};

/// The value of `language` and `source` for users without one. Neither can have this name.
pub(crate) const NONE: &str = "(none)";

/// The value of `first` and `last` for the days between two dates. It is not kept in links, because
/// the dates say as much.
pub(crate) const DATES: &str = "dates";

/// The fields of the query string, as they were typed. Links and forms are written from it, also
/// where a value is invalid, so that none of them leaves a filter out. Empty fields are not set.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default)]
pub(crate) struct Fields {
    pub(crate) q: String,
    pub(crate) language: String,
    pub(crate) source: String,
    pub(crate) reach: String,
    pub(crate) first: String,
    pub(crate) first_from: String,
    pub(crate) first_to: String,
    pub(crate) last: String,
    pub(crate) last_from: String,
    pub(crate) last_to: String,
    pub(crate) min_days: String,
    pub(crate) max_days: String,
    pub(crate) bot: String,
    pub(crate) sort: String,
    pub(crate) at: String,
}

impl Fields {
    /// The names and values of the fields that are set.
    fn pairs(&self) -> Vec<(String, String)> {
        let written = serde_urlencoded::to_string(self);
        // Fields of text can always be written and read back.
        let pairs: Vec<(String, String)> = written
            .ok()
            .and_then(|text| serde_urlencoded::from_str(&text).ok())
            .unwrap_or_default();
        pairs.into_iter().filter(|(_, value)| !value.is_empty()).collect()
    }
}

/// The query string, understood.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Query {
    pub(crate) fields: Fields,
    pub(crate) reach: Option<ReachabilityFilter>,
    pub(crate) first_seen: Period,
    pub(crate) last_seen: Period,
    pub(crate) min_days: Option<u32>,
    pub(crate) max_days: Option<u32>,
    pub(crate) is_bot: Option<bool>,
    pub(crate) sort: UserSort,
    pub(crate) at: Option<Cursor>,
    /// While there are any, no user matches.
    pub(crate) invalid: Vec<InvalidFilter>,
    /// The periods whose dates were left out, because a preset was chosen: `first` and `last`.
    pub(crate) without_dates: Vec<&'static str>,
    /// Further values of filters that may be set only once.
    repeated: Vec<(String, String)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct InvalidFilter {
    /// The name in the query string.
    field: String,
    typed: String,
    /// What is expected instead.
    expected: String,
}

impl InvalidFilter {
    /// The label of the field, and what is wrong with its value.
    pub(crate) fn message(&self) -> String {
        format!("{}: {}", label(&self.field).unwrap_or_default(), self.reason())
    }

    /// What is wrong with the value.
    pub(crate) fn reason(&self) -> String {
        format!("“{}”: {}.", quoted(&self.typed), self.expected)
    }
}

/// A range of days: a preset, or the days between two dates. Never both, so that what a page shows
/// as chosen is what applies.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Period {
    pub(crate) preset: Option<Preset>,
    pub(crate) days: Days,
}

impl Period {
    /// All days from `first` to `last`.
    pub(crate) fn between(first: NaiveDate, last: NaiveDate) -> Self {
        Self { preset: None, days: Days::between(first, last) }
    }

    /// Its days as of `today`.
    fn resolve(&self, today: NaiveDate) -> Days {
        match self.preset {
            Some(preset) => preset.days(today),
            None => self.days,
        }
    }
}

impl Query {
    /// Reads the names and values of a query string. An unknown order or place is ignored. A filter
    /// that cannot be understood is in [`Query::invalid`].
    pub(crate) fn read(pairs: &[(String, String)]) -> Self {
        let mut query = Self::default();
        let mut values = BTreeMap::new();
        for (name, value) in pairs {
            let value = value.trim();
            match values.entry(name.as_str()) {
                _ if value.is_empty() => {}
                Entry::Vacant(entry) => _ = entry.insert(value),
                Entry::Occupied(_) if label(name).is_some() => query.add_repeated(name, value),
                Entry::Occupied(_) => {}
            }
        }
        let values = MapDeserializer::<_, serde::de::value::Error>::new(values.into_iter());
        // Every value is a text, as each field expects.
        query.fields = Fields::deserialize(values).unwrap_or_default();
        for (field, typed) in query.fields.pairs() {
            if let Err(expected) = query.parse(&field, &typed) {
                query.invalid.push(InvalidFilter { field, typed, expected });
            }
        }
        query.leave_out_dates_beside_presets();
        query
    }

    /// A preset takes precedence over dates. Invalid dates stay, so that they are reported.
    fn leave_out_dates_beside_presets(&mut self) {
        let Self { fields: it, invalid, without_dates, .. } = self;
        for (name, period, dates) in [
            ("first", &mut self.first_seen, [&mut it.first_from, &mut it.first_to]),
            ("last", &mut self.last_seen, [&mut it.last_from, &mut it.last_to]),
        ] {
            let is_invalid = invalid.iter().any(|it| it.field.starts_with(name));
            if period.preset.is_some() && period.days.is_set() && !is_invalid {
                period.days = Days::default();
                dates.into_iter().for_each(String::clear);
                without_dates.push(name);
            }
        }
    }

    /// Reads them for something that is done to all matching users. A filter that is invalid,
    /// unknown or contradicts another one is an error then, because more users would match without
    /// it. Names in `also` are no filters.
    pub(crate) fn read_strictly(
        pairs: &[(String, String)],
        also: &[&str],
    ) -> Result<Self, Failure> {
        let query = Self::read(pairs);
        if let Some(invalid) = query.invalid.first() {
            return Err(Failure::invalid(invalid.message()));
        }
        if let Some(period) = query.without_dates.first() {
            let label = label(period).unwrap_or_default();
            let reason = format!("{label}: expected either a range such as 7d or dates, not both.");
            return Err(Failure::invalid(reason));
        }
        let is_known = |name: &str| {
            label(name).is_some() || ["sort", "at"].contains(&name) || also.contains(&name)
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

    fn add_repeated(&mut self, field: &str, value: &str) {
        let (field, typed) = (field.to_owned(), value.to_owned());
        self.repeated.push((field.clone(), typed.clone()));
        let expected = "expected only once".to_owned();
        self.invalid.push(InvalidFilter { field, typed, expected });
    }

    /// Takes over the value of a field, or says what is expected of it.
    fn parse(&mut self, field: &str, value: &str) -> Result<(), String> {
        let day = || read_day(value).map(Some).map_err(|error| error.to_string());
        let number = || read_number(value).map(Some).map_err(|error| error.to_string());
        match field {
            "q" => read_search(value).map(drop).map_err(|error| error.to_string())?,
            "language" => read_language(value).map(drop).map_err(|error| error.to_string())?,
            "source" if value != NONE => {
                read_source(value).map(drop).map_err(|error| error.to_string())?;
            }
            "reach" => self.reach = Some(one_of(&REACH, value)?),
            "first" if value == DATES => self.fields.first.clear(),
            "first" => self.first_seen.preset = Some(Preset::named(value)?),
            "first_from" => self.first_seen.days.first = day()?,
            "first_to" => self.first_seen.days.last = day()?,
            "last" if value == DATES => self.fields.last.clear(),
            "last" => self.last_seen.preset = Some(Preset::named(value)?),
            "last_from" => self.last_seen.days.first = day()?,
            "last_to" => self.last_seen.days.last = day()?,
            "min_days" => self.min_days = number()?,
            "max_days" => self.max_days = number()?,
            "bot" => self.is_bot = Some(one_of(&BOT, value)?),
            "sort" => {
                self.sort = read_sort(value).unwrap_or_default();
                self.fields.sort = written_sort(self.sort);
            }
            "at" => {
                self.at = value.parse().ok();
                self.fields.at = self.at.map(|at| at.to_string()).unwrap_or_default();
            }
            _ => {}
        }
        Ok(())
    }

    /// The filter for the directory, as of `today`.
    pub(crate) fn filter(&self, today: NaiveDate) -> UserFilter {
        let label = |text: &str| match text {
            "" => None,
            NONE => Some(String::new()),
            text => Some(text.to_owned()),
        };
        UserFilter {
            language: label(&self.fields.language),
            source: label(&self.fields.source),
            reachability: self.reach,
            first_seen: self.first_seen.resolve(today),
            last_seen: self.last_seen.resolve(today),
            min_active_days: self.min_days,
            max_active_days: self.max_days,
            is_bot: self.is_bot,
            search: SearchTerm::new(&self.fields.q),
        }
    }

    /// How many filters are set, not counting the search.
    pub(crate) fn filters(&self) -> usize {
        let it = &self.fields;
        let filters: [&[&String]; 7] = [
            &[&it.language],
            &[&it.source],
            &[&it.reach],
            &[&it.first, &it.first_from, &it.first_to],
            &[&it.last, &it.last_from, &it.last_to],
            &[&it.min_days, &it.max_days],
            &[&it.bot],
        ];
        filters.into_iter().filter(|fields| fields.iter().any(|it| !it.is_empty())).count()
    }

    /// Whether neither a filter nor a search is set.
    pub(crate) fn is_everybody(&self) -> bool {
        self.fields.q.is_empty() && self.filters() == 0
    }

    /// What is wrong with a field, if anything is.
    pub(crate) fn error(&self, field: &str) -> Option<String> {
        self.invalid.iter().find(|it| it.field == field).map(InvalidFilter::reason)
    }

    /// The value of a field, as it was typed.
    pub(crate) fn typed(&self, field: &str) -> String {
        let pair = self.fields.pairs().into_iter().find(|(name, _)| name == field);
        pair.map(|(_, value)| value).unwrap_or_default()
    }

    /// The search and the filters that are set, for the hidden fields of a form.
    pub(crate) fn filter_pairs(&self) -> Vec<(String, String)> {
        let pairs = self.fields.pairs().into_iter().chain(self.repeated.iter().cloned());
        pairs.filter(|(name, _)| label(name).is_some()).collect()
    }

    /// The query string of this list.
    pub(crate) fn url(&self) -> String {
        self.url_with(|_| {})
    }

    /// The query string of the same list in another order: what the head of a column links to.
    pub(crate) fn url_sorted_by(&self, key: SortKey) -> String {
        let descending = self.sort.key != key || !self.sort.descending;
        self.url_with(|fields| {
            fields.sort = written_sort(UserSort { key, descending });
            fields.at.clear();
        })
    }

    /// The query string of another page of the same list.
    pub(crate) fn url_at(&self, at: Cursor) -> String {
        self.url_with(|fields| fields.at = at.to_string())
    }

    /// The query string of the users of this list who joined on these days.
    pub(crate) fn url_of_first_seen(&self, days: Days) -> String {
        let date = |day: Option<NaiveDate>| day.map(|day| day.to_string()).unwrap_or_default();
        self.url_with(|fields| {
            fields.first.clear();
            fields.first_from = date(days.first);
            fields.first_to = date(days.last);
            fields.at.clear();
        })
    }

    fn url_with(&self, change: impl FnOnce(&mut Fields)) -> String {
        let mut fields = self.fields.clone();
        change(&mut fields);
        let repeated = self.repeated.iter().cloned();
        let pairs: Vec<_> = fields.pairs().into_iter().chain(repeated).collect();
        // Pairs of text can always be written.
        serde_urlencoded::to_string(pairs).unwrap_or_default()
    }
}

/// The label of the search or of a filter; `None` for what is neither.
fn label(field: &str) -> Option<&'static str> {
    LABELS.iter().find(|(name, _)| *name == field).map(|(_, label)| *label)
}

/// The names of the search and of the filters, and their labels on the page.
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

fn read_sort(value: &str) -> Option<UserSort> {
    let (descending, name) = match value.strip_prefix('-') {
        Some(name) => (true, name),
        None => (false, value),
    };
    let (key, _) = SORT.iter().find(|it| it.1 == name)?;
    Some(UserSort { key: *key, descending })
}

/// An order as the query string has it; "" for the default one.
fn written_sort(sort: UserSort) -> String {
    if sort == UserSort::default() {
        return String::new();
    }
    let name = SORT.iter().find(|it| it.0 == sort.key).map_or("", |it| it.1);
    format!("{}{name}", if sort.descending { "-" } else { "" })
}

/// The choice of this name, or the names that there are.
fn one_of<T: Copy>(choices: &[(T, &str)], name: &str) -> Result<T, String> {
    let found = choices.iter().find(|choice| choice.1 == name).map(|choice| choice.0);
    let names = || choices.iter().map(|choice| choice.1).collect::<Vec<_>>().join(", ");
    found.ok_or_else(|| format!("expected one of {}", names()))
}

/// The id in the path of a user's page.
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
    fn reading_a_query_string_and_writing_it_changes_nothing() {
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
    fn an_unknown_order_or_place_is_ignored() {
        assert_eq!(read("sort=name&at=x&bot=&color=red&first_from="), Query::default());
        assert!(read("q=++").is_everybody());
    }

    #[test]
    fn an_invalid_filter_is_reported() {
        for (url, expected) in [
            ("q=@", "Search: “@”: expected a name, a @username or an id; there is nothing"),
            ("q=%00", "Search: “\u{fffd}”: expected text; it has a U+0000 or bytes"),
            ("q=%ED%A0%80", "Search: “\u{fffd}\u{fffd}\u{fffd}”: expected text"),
            ("language=%00", "Language: “\u{fffd}”: expected text"),
            ("source=a+b", "Source: “a b”: expected the payload of a deep link"),
            ("reach=x", "State: “x”: expected one of reachable, unreachable, blocked."),
            ("first=1", "First seen: “1”: expected one of today, yesterday, 7d, 28d, 30d, 90d,"),
            ("first_from=yesterday", "First seen, from: “yesterday”: expected a day such as"),
            ("last_to=-262143-01-01", "Last seen, to: “-262143-01-01”: expected a day"),
            ("min_days=-1", "Active days, at least: “-1”: expected a whole number"),
            ("max_days=99999999999", "Active days, at most: “99999999999”: expected a whole"),
            ("bot=maybe", "Kind of account: “maybe”: expected one of yes, no."),
            ("q=a&q=b", "Search: “b”: expected only once."),
            ("bot=%E2%80%AEon", "Kind of account: “\u{fffd}on”: expected"),
        ] {
            let query = read(url);
            let words: Vec<String> = query.invalid.iter().map(InvalidFilter::message).collect();
            assert!(words.len() == 1 && words[0].starts_with(expected), "{url}: {words:?}");
            assert!(!query.is_everybody(), "{url}");
            // Links keep it, except those that set it.
            assert_eq!(read(&query.url()).invalid, query.invalid, "{url}");
            assert_eq!(read(&query.url_sorted_by(SortKey::Id)).invalid, query.invalid, "{url}");
        }
        let long = format!("language={}", "x".repeat(10_000));
        assert!(read(&long).invalid[0].message().len() < 200);
        assert_eq!(read("first_from=x&bot=no").url_of_first_seen(Days::default()), "bot=no");
    }

    #[test]
    fn strict_reading_refuses_what_would_let_more_users_match() {
        let read = |url: &str| {
            let pairs: Vec<(String, String)> = serde_urlencoded::from_str(url).unwrap();
            Query::read_strictly(&pairs, &["until", "all"])
        };
        for fine in ["", "q=+ada+&reach=blocked&until=x&all=1", "min_days=2&bot=&first=7d&sort=x"] {
            assert!(read(fine).is_ok(), "{fine}");
        }
        for odd in ["reach=x", "first_from=yesterday", "q=@", "q=a&q=b", "min_days=x", "at=x"] {
            assert!(read(odd).is_err(), "{odd}");
        }
        let Err(Failure::Invalid(reason)) = read("langauge=en") else { panic!("it was accepted") };
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
        assert_eq!(days("first=yesterday"), "2026-11-22..2026-11-22");
        assert_eq!(days("first=all"), "..");
        assert_eq!(days(""), "..");
    }

    #[test]
    fn a_preset_and_dates_never_apply_together() {
        let today: NaiveDate = "2026-11-23".parse().unwrap();
        for name in ["first", "last"] {
            let old = format!("{name}=7d&{name}_from=2020-01-01&{name}_to=2026-11-23");
            let query = read(&old);
            assert_eq!(query.url(), format!("{name}=7d"));
            assert_eq!(query.filter(today), read(&format!("{name}=7d")).filter(today));
            assert_eq!(query.without_dates, [name]);
            // What is done to all of them needs one answer to the question which users are meant.
            let pairs: Vec<(String, String)> = serde_urlencoded::from_str(&old).unwrap();
            assert!(Query::read_strictly(&pairs, &[]).is_err());
            // Dates say that they are dates; nothing is chosen without them.
            let dates = read(&format!("{name}=dates&{name}_from=2026-01-01"));
            assert_eq!(dates.url(), format!("{name}_from=2026-01-01"));
            assert!(dates.without_dates.is_empty());
            assert!(read(&format!("{name}=dates")).is_everybody());
        }
        // The other period is untouched.
        let both = read("first=7d&last_from=2026-01-01");
        assert_eq!(both.url(), "first=7d&last_from=2026-01-01");
        // A date that cannot be read is reported first.
        let invalid = read("first=7d&first_from=x&first_to=2026-01-01");
        assert_eq!(invalid.url(), "first=7d&first_from=x&first_to=2026-01-01");
        assert_eq!(invalid.invalid.len(), 1);
    }

    #[test]
    fn none_differs_from_any() {
        let today = NaiveDate::default();
        assert_eq!(read("language=(none)").filter(today).language.as_deref(), Some(""));
        assert_eq!(read("language=").filter(today).language, None);
        assert_eq!(read("source=(none)").filter(today).source.as_deref(), Some(""));
        assert_eq!(read("source=-").filter(today).source.as_deref(), Some("-"));
    }
}
