//! The query string of the user list: filters, order and place, so that a list can be bookmarked and
//! shared.

use std::collections::{BTreeMap, btree_map::Entry};

use chrono::NaiveDate;
use rollcall_domain::{
    Cursor, Days, ReachabilityFilter, SearchTerm, SortKey, TelegramId, UserFilter, UserSort,
    read_day, read_language, read_number, read_search, read_source,
};
use serde::{Deserialize, Serialize, de::value::MapDeserializer};

use super::sort::written_sort;
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
                self.sort = UserSort::from_name(value).unwrap_or_default();
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

    /// The search, the filters that are set, the order and the place, for the hidden fields of a
    /// form that leads back to this page of the list.
    pub(crate) fn list_pairs(&self) -> Vec<(String, String)> {
        self.fields.pairs().into_iter().chain(self.repeated.iter().cloned()).collect()
    }

    /// The same list from its first page.
    pub(crate) fn into_first_page(mut self) -> Self {
        self.fields.at.clear();
        self.at = None;
        self
    }

    /// A page that belongs to this list: its path with the list as the query string.
    pub(crate) fn beside(&self, path: &str) -> String {
        match self.url() {
            url if url.is_empty() => path.to_owned(),
            url => format!("{path}?{url}"),
        }
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

/// The choice of this name, or the names that there are.
fn one_of<T: Copy>(choices: &[(T, &str)], name: &str) -> Result<T, String> {
    let found = choices.iter().find(|choice| choice.1 == name).map(|choice| choice.0);
    let names = || choices.iter().map(|choice| choice.1).collect::<Vec<_>>().join(", ");
    found.ok_or_else(|| format!("expected one of {}", names()))
}

/// The id in the path of a user's page.
pub(crate) fn read_id(text: &str) -> Result<TelegramId, Failure> {
    text.parse().map_err(|_| Failure::no_id(text))
}

#[cfg(test)]
mod tests;
