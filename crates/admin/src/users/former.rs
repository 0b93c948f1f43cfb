//! The fields that the list's query string had before the filter language. Links with them are
//! translated, so that bookmarks still work. The look-up in the bar of each page sends one of them.

use rollcall_domain::{
    DayField, DayRange, Filter, FilterNode, InvalidFilter, ReachabilityFilter, Term, UserFilter,
    read_day, read_language, read_number, read_search, read_source,
};

use super::{
    form::{NONE, canonical, once, ranged},
    query::Query,
};
use crate::{
    App,
    page::{Failure, text::quoted},
    presets::Preset,
};

/// The fields, and their labels.
const FIELDS: [(&str, &str); 13] = [
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

/// The list that such a query string meant; `None` if it has none of these fields. An invalid or
/// repeated value is an error, because more users would match without it.
pub(super) fn translated(app: &App, pairs: &[(String, String)]) -> Result<Option<Query>, Failure> {
    translate(pairs, app.clock.now().date_naive())
}

fn translate(
    pairs: &[(String, String)],
    today: chrono::NaiveDate,
) -> Result<Option<Query>, Failure> {
    let is_former =
        |(name, value): &(String, String)| label(name).is_some() && !value.trim().is_empty();
    if !pairs.iter().any(is_former) {
        return Ok(None);
    }
    let old = Old(pairs);
    let or_none = |value: &str| if value == NONE { String::new() } else { value.to_owned() };
    let filter = UserFilter {
        search: old.parsed("q", read_search)?,
        language: old.parsed("language", |it| read_language(it).map(|it| or_none(&it)))?,
        source: old
            .parsed("source", |it| if it == NONE { Ok(or_none(it)) } else { read_source(it) })?,
        reachability: old.chosen("reach", &REACH)?,
        is_bot: old.chosen("bot", &BOT)?,
        ..UserFilter::default()
    };
    let days = ["min_days", "max_days"].map(|name| old.parsed(name, read_number));
    let [min, max] = days.map(|days| days.map(|it| it.map(|days| days.to_string())));
    let texts = [
        Filter::from(&filter).to_string(),
        old.period("first", DayField::Joined, today)?,
        old.period("last", DayField::Seen, today)?,
        ranged("days", &min?.unwrap_or_default(), &max?.unwrap_or_default()),
    ];
    let query = Query::read(pairs);
    // Beside a filter, users have to meet both.
    let parts = match &query.filter {
        Ok(filter) => filter.parts().iter().map(FilterNode::text_among_others),
        // Together with other text, `lang:de or` would become a filter of more users.
        Err(_) => return query.still_invalid().map(Some),
    };
    let texts: Vec<String> =
        parts.chain(texts.into_iter().filter(|text| !text.is_empty())).collect();
    // The days were those of UTC.
    let has_days = ["first", "last"].iter().any(|period| {
        pairs.iter().any(|(name, value)| name.starts_with(period) && !value.is_empty())
    });
    let zone = if has_days { query.zone.or(Some(chrono_tz::Tz::UTC)) } else { query.zone };
    let at = query.at;
    Ok(Some(Query { zone, at, ..query.with_filter(canonical(texts.join(" "))) }))
}

/// The names and values of such a query string.
struct Old<'a>(&'a [(String, String)]);

impl Old<'_> {
    fn parsed<T>(
        &self,
        name: &str,
        parse: impl Fn(&str) -> Result<T, InvalidFilter>,
    ) -> Result<Option<T>, Failure> {
        let value = once(self.0, name)?;
        let parsed = value.map(|value| parse(value).map_err(|error| invalid(name, value, &error)));
        parsed.transpose()
    }

    fn chosen<T: Copy>(&self, name: &str, choices: &[(T, &str)]) -> Result<Option<T>, Failure> {
        let Some(value) = once(self.0, name)? else { return Ok(None) };
        match choices.iter().find(|(_, choice)| *choice == value) {
            Some((choice, _)) => Ok(Some(*choice)),
            None => {
                let names: Vec<&str> = choices.iter().map(|(_, choice)| *choice).collect();
                Err(invalid(name, value, &format!("expected one of {}", names.join(", "))))
            }
        }
    }

    /// A range of days as a part of a filter. A preset took precedence over dates.
    fn period(
        &self,
        name: &str,
        field: DayField,
        today: chrono::NaiveDate,
    ) -> Result<String, Failure> {
        let end = |end: &str| self.parsed(&format!("{name}_{end}"), read_day);
        let dates = [end("from")?, end("to")?];
        let preset = once(self.0, name)?.filter(|value| *value != super::form::DATES);
        let preset =
            preset.map(|value| Preset::named(value).map_err(|it| invalid(name, value, &it)));
        let days = match preset.transpose()? {
            Some(preset) => match preset.age() {
                Some(age) => {
                    let days = Term::Day(field, DayRange::YoungerThan(age));
                    return Ok(Filter::with(days).to_string());
                }
                None => preset.days(today),
            },
            None => rollcall_domain::Days { first: dates[0], last: dates[1] },
        };
        let [from, to] =
            [days.first, days.last].map(|day| day.map(|it| it.to_string()).unwrap_or_default());
        Ok(ranged(field.name(), &from, &to))
    }
}

fn label(name: &str) -> Option<&'static str> {
    FIELDS.iter().find(|(field, _)| *field == name).map(|(_, label)| *label)
}

fn invalid(name: &str, value: &str, expected: &impl ToString) -> Failure {
    let (label, value) = (label(name).unwrap_or_default(), quoted(value));
    let expected = expected.to_string();
    Failure::Invalid(format!("{label}: “{value}”: {expected}. No users are listed."))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn translate(url: &str) -> Result<String, String> {
        let pairs: Vec<(String, String)> = serde_urlencoded::from_str(url).unwrap();
        match super::translate(&pairs, "2026-11-23".parse().unwrap()) {
            Ok(query) => {
                let query = query.expect("it has such a field");
                let zone = query.zone.map(|zone| format!(" ({zone})")).unwrap_or_default();
                Ok(format!("{}{zone}", query.text))
            }
            Err(Failure::Invalid(text)) => Err(text),
            Err(other) => panic!("{other:?}"),
        }
    }

    #[test]
    fn former_fields_are_translated() {
        for (url, filter) in [
            ("q=Ada", "Ada"),
            ("q=ada+lovelace", "\"ada lovelace\""),
            ("q=bot", "\"bot\""),
            ("q=lang:de+or", "\"lang:de or\""),
            ("language=de", "lang:de"),
            ("language=pt*", "lang:\"pt*\""),
            ("language=(none)", "-lang:*"),
            ("source=spring_sale", "source:spring_sale"),
            ("source=(none)", "-source:*"),
            ("source=-", "source:-"),
            ("reach=reachable", "reachable"),
            ("reach=unreachable", "-reachable"),
            ("reach=blocked", "blocked"),
            ("bot=yes", "bot"),
            ("bot=no", "-bot"),
            ("min_days=5", "days>=5"),
            ("max_days=5", "days<=5"),
            ("min_days=2&max_days=5", "days:2..5"),
            ("first=today", "joined<1d (UTC)"),
            ("last=7d", "seen<7d (UTC)"),
            ("first=365d", "joined<365d (UTC)"),
            ("first=yesterday", "joined:2026-11-22 (UTC)"),
            ("last=12m", "seen>=2025-11-24 (UTC)"),
            ("first=year", "joined>=2026-01-01 (UTC)"),
            ("first=all&q=x", "x (UTC)"),
            ("first_from=2026-01-01", "joined>=2026-01-01 (UTC)"),
            ("last_to=2026-01-01", "seen<=2026-01-01 (UTC)"),
            ("first_from=2026-01-01&first_to=2026-02-01", "joined:2026-01-01..2026-02-01 (UTC)"),
            ("first_from=2026-01-01&first_to=2026-01-01", "joined:2026-01-01 (UTC)"),
            ("first=7d&first_from=2020-01-01", "joined<7d (UTC)"),
            ("last=dates&last_from=2020-01-01", "seen>=2020-01-01 (UTC)"),
            ("last=7d&zone=Europe/Berlin", "seen<7d (Europe/Berlin)"),
            (
                "q=rob&language=de&reach=reachable&first=7d&min_days=1&bot=no&x=y",
                "lang:de reachable -bot rob joined<7d days>=1 (UTC)",
            ),
            // Beside a filter, both apply.
            ("filter=days>=5+or+has:note&q=ada", "(days>=5 or has:note) ada"),
            ("filter=lang:de&language=en", "lang:de lang:en"),
            // What is wrong keeps its place in the text.
            ("first_from=2026-02-01&first_to=2026-01-01", "joined:2026-02-01..2026-01-01 (UTC)"),
            ("min_days=3&max_days=2", "days:3..2"),
            ("filter=langg:de&language=en", "langg:de"),
            ("filter=lang:de+or&language=en", "lang:de or"),
        ] {
            assert_eq!(translate(url).as_deref(), Ok(filter), "{url}");
        }
        let pairs = [("sort".to_owned(), "id".to_owned()), ("q".to_owned(), " ".to_owned())];
        assert!(super::translate(&pairs, chrono::NaiveDate::default()).unwrap().is_none());
    }

    #[test]
    fn the_order_and_the_place_stay() {
        let pairs: Vec<(String, String)> =
            serde_urlencoded::from_str("q=a&sort=-last_seen&at=ln20000.7").unwrap();
        let query = super::translate(&pairs, chrono::NaiveDate::default()).unwrap().unwrap();
        assert_eq!(query.url(), "filter=a&sort=-last_seen&at=ln20000.7");
    }

    #[test]
    fn an_invalid_value_is_an_error() {
        for (url, expected) in [
            ("q=@", "Search: “@”: expected a name, a @username or an id; there is nothing"),
            ("q=%00", "Search: “\u{fffd}”: expected text; it has a U+0000 or bytes"),
            ("language=%00", "Language: “\u{fffd}”: expected text"),
            ("source=a+b", "Source: “a b”: expected the payload of a deep link"),
            ("reach=x", "State: “x”: expected one of reachable, unreachable, blocked."),
            ("first=1", "First seen: “1”: expected one of today, yesterday, 7d, 28d, 30d,"),
            ("first_from=yesterday", "First seen, from: “yesterday”: expected a day such as"),
            ("last_to=-262143-01-01", "Last seen, to: “-262143-01-01”: expected a day"),
            ("first=7d&first_from=x", "First seen, from: “x”: expected a day"),
            ("min_days=-1", "Active days, at least: “-1”: expected a whole number"),
            ("max_days=99999999999", "Active days, at most: “99999999999”: expected a whole"),
            ("bot=maybe", "Kind of account: “maybe”: expected one of yes, no."),
            ("q=a&q=b", "Expected the field “q” only once."),
            ("q=a&filter=b&filter=c", "Expected the field “filter” only once"),
            ("q=a&filter=b&zone=x", "There is no time zone “x”; expected one such as"),
            ("bot=%E2%80%AEon", "Kind of account: “\u{fffd}on”: expected"),
        ] {
            let error = translate(url).unwrap_err();
            assert!(error.starts_with(expected), "{url}: {error}");
            let ends = [" No users are listed.", " Nothing was done."];
            assert!(ends.iter().any(|end| error.ends_with(end)), "{error}");
        }
        let long = format!("language={}", "x".repeat(10_000));
        assert!(translate(&long).unwrap_err().len() < 250);
    }
}
