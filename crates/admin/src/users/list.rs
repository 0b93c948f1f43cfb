//! The list of users.

use askama::Template;
use axum::{
    extract::{Query as Pairs, State},
    response::Response,
};
use chrono::{Datelike, Months, NaiveDate};
use rollcall_domain::{
    Counted, DateLevel, Days, LabelKind, LabelName, ListedUser, SortKey, UserFilter, UserSlice,
    month,
};
use rollcall_service::{Count, Facets};

use super::{
    choice::Choice,
    labels::{TAG_FIELD, labelled},
    query::{DATES, NONE, Period, Query},
    sort,
};
use crate::{
    App,
    page::{Failure, Layout, render, text},
    presets::Preset,
};

/// Users per page.
const SIZE: u32 = 50;

#[derive(Template)]
#[template(path = "users.html")]
struct Page {
    layout: Layout,
    query: Query,
    count: String,
    /// All users of the list in words, such as "all 983 matching users".
    matching: String,
    rows: Vec<Row>,
    columns: Vec<Column>,
    previous: Option<String>,
    next: Option<String>,
    is_partial: bool,
    /// The link that continues a partial page, in the direction of the search.
    further: Option<String>,
    /// Why no user can match, if the ranges of the filters show it.
    impossible: Vec<String>,
    is_first_run: bool,
    languages: Vec<Choice>,
    sources: Vec<Choice>,
    states: Vec<Choice>,
    kinds: Vec<Choice>,
    ranges: [Range; 2],
    orders: Vec<Choice>,
    dates: Dates,
    deleted: Option<String>,
    /// What a change of tags has done.
    labelled: Option<String>,
    /// The tags to choose from.
    tags: Vec<LabelName>,
}

/// A row of the list.
struct Row {
    listed: ListedUser,
    /// The user's page, which leads back to this page of the list.
    url: String,
    name: String,
    state: (&'static str, &'static str),
}

/// The head of a column. It has a link if the list can be sorted by it.
struct Column {
    name: &'static str,
    class: &'static str,
    link: Option<String>,
    order: Option<&'static str>,
}

/// The fields for a range of days: a preset, or a first and a last day.
struct Range {
    /// The prefix of the names of its fields.
    parameter: &'static str,
    name: &'static str,
    presets: Vec<Choice>,
    /// The preset because of which dates were left out.
    instead_of_dates: Option<&'static str>,
    error: Option<String>,
    from: DayField,
    to: DayField,
}

/// A field for a day.
struct DayField {
    field: String,
    value: String,
    error: Option<String>,
}

impl Range {
    fn new(parameter: &'static str, name: &'static str, query: &Query, period: &Period) -> Self {
        let titles = Preset::of_list(period.preset).map(|it| (it.url_name, it.title));
        let presets: Vec<_> = titles.chain([(DATES, "Custom dates")]).collect();
        let end = |end: &str| {
            let field = format!("{parameter}_{end}");
            DayField { value: query.typed(&field), error: query.error(&field), field }
        };
        let (from, to) = (end("from"), end("to"));
        let dates = if from.value.is_empty() && to.value.is_empty() { "" } else { DATES };
        let instead = period.preset.filter(|_| query.without_dates.contains(&parameter));
        Self {
            parameter,
            name,
            presets: named(&presets, period.preset.map_or(dates, |it| it.url_name)),
            instead_of_dates: instead.map(|it| it.title),
            error: query.error(parameter),
            from,
            to,
        }
    }
}

/// The calendar of first days: the current year, month or day, and the links above and below it.
struct Dates {
    above: Vec<Link>,
    here: String,
    below: Vec<Link>,
}

struct Link {
    name: String,
    url: String,
    title: String,
}

/// The page of the list.
pub(crate) async fn list(
    State(app): State<App>,
    layout: Layout,
    Pairs(pairs): Pairs<Vec<(String, String)>>,
) -> Result<Response, Failure> {
    let query = Query::read(&pairs);
    let today = app.clock.now().date_naive();
    let filter = query.filter(today);
    let slice = match query.invalid.is_empty() {
        true => app.directory.users(&filter, query.sort, query.at, SIZE).await?,
        false => NO_USERS,
    };
    let is_everybody = query.is_everybody();
    let Facets { reachable, unreachable, blocked, people, bots } = app.directory.facets().await?;
    let states = [reachable, unreachable, blocked].map(Some);
    let kinds = [people, Some(bots)];
    let tags = app.labels.list(LabelKind::Tag).await?;
    let deleted = pairs.iter().find(|(name, _)| name == "deleted");
    let deleted = deleted.and_then(|(_, number)| number.parse().ok());
    let link = |at| format!("{}/users?{}", app.base, query.url_at(at));
    let is_backwards = query.at.is_some_and(|at| at.backwards);
    let further = if is_backwards { slice.previous } else { slice.next };
    Ok(render(&Page {
        count: text::users(slice.count),
        matching: text::all(slice.count, is_everybody),
        columns: columns(&app, &query),
        previous: slice.previous.map(link),
        next: slice.next.map(link),
        is_partial: slice.is_partial,
        further: further.filter(|_| slice.is_partial).map(link),
        impossible: impossible(&filter, today),
        is_first_run: slice.rows.is_empty() && is_everybody && query.at.is_none(),
        rows: slice.rows.into_iter().map(|listed| row(&app, &query, listed)).collect(),
        languages: choices(app.directory.languages().await?, &query.fields.language),
        sources: choices(app.directory.sources().await?, &query.fields.source),
        states: counted(&STATES, &query.fields.reach, states),
        kinds: counted(&KINDS, &query.fields.bot, kinds),
        ranges: [
            Range::new("first", "First seen", &query, &query.first_seen),
            Range::new("last", "Last seen", &query, &query.last_seen),
        ],
        orders: orders(&query),
        dates: dates(&app, &query).await?,
        labelled: labelled(&pairs),
        tags: tags.into_iter().map(|tag| tag.name).collect(),
        deleted: deleted.map(|number: u64| text::users(Counted::Exactly(number))),
        layout: layout.tab("users"),
        query,
    }))
}

/// Why no user can meet the filter: ranges that end before they begin, or begin in the future.
fn impossible(filter: &UserFilter, today: NaiveDate) -> Vec<String> {
    let days = |name: &str, Days { first, last }: Days| {
        let first = first?;
        match last {
            Some(last) if first > last => Some(format!("{name}: {first} is after {last}.")),
            _ if first > today => {
                Some(format!("{name}: {first} is in the future (today is {today} UTC)."))
            }
            _ => None,
        }
    };
    let number = match (filter.min_active_days, filter.max_active_days) {
        (Some(min), Some(max)) if min > max => {
            Some(format!("Active days: {min} is more than {max}."))
        }
        _ => None,
    };
    let reasons =
        [days("First seen", filter.first_seen), days("Last seen", filter.last_seen), number];
    reasons.into_iter().flatten().collect()
}

/// The list while a filter is invalid: without that filter, more users would match than the admin
/// asked for.
const NO_USERS: UserSlice = UserSlice {
    rows: vec![],
    previous: None,
    next: None,
    count: Counted::Exactly(0),
    is_partial: false,
};

fn row(app: &App, query: &Query, listed: ListedUser) -> Row {
    let path = format!("{}/users/{}", app.base, listed.user.telegram_id);
    let (name, state) = (listed.user.shown_name(), text::state(&listed.user));
    Row { url: query.beside(&path), name, state, listed }
}

fn columns(app: &App, query: &Query) -> Vec<Column> {
    let column = |name, class, key: Option<SortKey>| Column {
        name,
        class,
        link: key.map(|key| format!("{}/users?{}", app.base, query.url_sorted_by(key))),
        order: key
            .filter(|key| *key == query.sort.key)
            .map(|_| if query.sort.descending { "descending" } else { "ascending" }),
    };
    vec![
        column("Name", "", None),
        column("State", "", None),
        column("Username", "", None),
        column("ID", "number", Some(SortKey::Id)),
        column("Language", "", None),
        column("Source", "", None),
        column("First seen", "", Some(SortKey::FirstSeen)),
        column("Last seen", "", Some(SortKey::LastSeen)),
        column("Active days", "number", Some(SortKey::ActiveDays)),
    ]
}

fn orders(query: &Query) -> Vec<Choice> {
    let choice = |(value, name): (String, &str)| {
        let is_chosen = value == query.fields.sort;
        Choice { value, name: name.to_owned(), is_chosen }
    };
    sort::orders().into_iter().map(choice).collect()
}

/// The options of a filter: the most frequent values, and the chosen one.
fn choices(counts: Vec<Count>, chosen: &str) -> Vec<Choice> {
    let named = counts.into_iter().filter(|count| count.label != "(other)");
    let mut choices: Vec<Choice> = named
        .map(|Count { label, count }| {
            let value = if label.is_empty() { NONE.to_owned() } else { label };
            let is_chosen = value == chosen;
            Choice { name: format!("{value} · {}", text::grouped(count)), value, is_chosen }
        })
        .collect();
    if !chosen.is_empty() && !choices.iter().any(|choice| choice.is_chosen) {
        let (value, name) = (chosen.to_owned(), chosen.to_owned());
        choices.push(Choice { value, name, is_chosen: true });
    }
    choices
}

/// Options with how many users each has, as far as that is known.
fn counted<const N: usize>(
    choices: &[(&str, &str); N],
    chosen: &str,
    counts: [Option<Counted>; N],
) -> Vec<Choice> {
    let with_count = |(choice, count): (Choice, Option<Counted>)| match count {
        Some(count) => {
            Choice { name: format!("{} · {}", choice.name, text::number(count)), ..choice }
        }
        None => choice,
    };
    named(choices, chosen).into_iter().zip(counts).map(with_count).collect()
}

const STATES: [(&str, &str); 3] =
    [("reachable", "Reachable"), ("unreachable", "Not reachable"), ("blocked", "Blocked the bot")];

const KINDS: [(&str, &str); 2] = [("no", "People"), ("yes", "Bots")];

/// The labels and values of the search and the filters that are set.
pub(crate) fn words(query: &Query) -> Vec<(&'static str, String)> {
    let called = |choices: &[(&str, &str)], value: &str| {
        let choice = choices.iter().find(|choice| choice.0 == value);
        choice.map(|choice| choice.1.to_owned()).unwrap_or_default()
    };
    let words = [
        ("Search", query.fields.q.clone()),
        ("Language", query.fields.language.clone()),
        ("Source", query.fields.source.clone()),
        ("State", called(&STATES, &query.fields.reach)),
        ("Kind of account", called(&KINDS, &query.fields.bot)),
        ("First seen", period(&query.first_seen)),
        ("Last seen", period(&query.last_seen)),
        ("Active days", span(&query.fields.min_days, &query.fields.max_days)),
    ];
    words.into_iter().filter(|(_, value)| !value.is_empty()).collect()
}

fn period(period: &Period) -> String {
    let day = |day: Option<NaiveDate>| day.map(|day| day.to_string()).unwrap_or_default();
    match period.preset {
        Some(preset) => preset.title.to_owned(),
        None => span(&day(period.days.first), &day(period.days.last)),
    }
}

/// A range of values. An empty end is open.
fn span(from: &str, to: &str) -> String {
    match (from, to) {
        ("", "") => String::new(),
        (from, "") => format!("from {from}"),
        ("", to) => format!("up to {to}"),
        (from, to) if from == to => from.to_owned(),
        (from, to) => format!("{from} to {to}"),
    }
}

/// Options from values and titles.
fn named(choices: &[(&str, &str)], chosen: &str) -> Vec<Choice> {
    let choice = |(value, name): &(&str, &str)| Choice {
        value: (*value).to_owned(),
        name: (*name).to_owned(),
        is_chosen: *value == chosen,
    };
    choices.iter().map(choice).collect()
}

/// The calendar for the list.
async fn dates(app: &App, query: &Query) -> Result<Dates, Failure> {
    let url = |days| format!("{}/users?{}", app.base, query.url_of_first_seen(days));
    let link =
        |name: String, period: Period| Link { name, url: url(period.days), title: String::new() };
    let place = Place::of(&query.first_seen);
    let everything = || link("All dates".to_owned(), Period::default());
    let of_year = |day: NaiveDate| link(day.format("%Y").to_string(), Place::Year(day).period());
    let of_month = |day: NaiveDate| link(day.format("%B").to_string(), Place::Month(day).period());
    let (above, here, level) = match place {
        Place::Everything => (vec![], "All dates".to_owned(), DateLevel::Years),
        Place::Year(day) => {
            (vec![everything()], day.format("%Y").to_string(), DateLevel::Months(day))
        }
        Place::Month(day) => {
            let above = vec![everything(), of_year(day)];
            (above, day.format("%B").to_string(), DateLevel::Days(day))
        }
        Place::Day(day) => {
            let above = vec![everything(), of_year(day), of_month(day)];
            return Ok(Dates { above, here: day.day().to_string(), below: vec![] });
        }
        Place::Elsewhere => {
            let here = query.first_seen.preset.map_or("Custom dates", |it| it.title).to_owned();
            return Ok(Dates { above: vec![everything()], here, below: vec![] });
        }
    };
    let format = match level {
        DateLevel::Years => "%Y",
        DateLevel::Months(_) => "%B",
        DateLevel::Days(_) => "%-d",
    };
    let periods = app.directory.date_hierarchy(level).await?;
    let below = periods.into_iter().map(|period| Link {
        name: period.first.format(format).to_string(),
        url: url(rollcall_domain::Days::between(period.first, period.last)),
        title: format!("{} joined in these days", text::users(Counted::Exactly(period.users))),
    });
    Ok(Dates { above, here, below: below.collect() })
}

/// A range of days, as the calendar names it.
enum Place {
    Everything,
    Year(NaiveDate),
    Month(NaiveDate),
    Day(NaiveDate),
    /// A range that the calendar has no link for.
    Elsewhere,
}

impl Place {
    fn of(period: &Period) -> Self {
        let (Some(first), Some(last)) = (period.days.first, period.days.last) else {
            return if *period == Period::default() { Self::Everything } else { Self::Elsewhere };
        };
        [Self::Day(first), Self::Month(first), Self::Year(first)]
            .into_iter()
            .find(|place| place.period().days == rollcall_domain::Days::between(first, last))
            .unwrap_or(Self::Elsewhere)
    }

    fn period(&self) -> Period {
        let (first, months) = match self {
            Self::Everything | Self::Elsewhere => return Period::default(),
            Self::Day(day) => return Period::between(*day, *day),
            Self::Month(day) => (month(*day), 1),
            Self::Year(day) => (NaiveDate::from_ymd_opt(day.year(), 1, 1).unwrap_or(*day), 12),
        };
        let next = first.checked_add_months(Months::new(months));
        Period::between(first, next.and_then(|next| next.pred_opt()).unwrap_or(first))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_calendar_recognises_years_months_and_days() {
        let place = |first: &str, last: &str| {
            let period = Period::between(first.parse().unwrap(), last.parse().unwrap());
            match Place::of(&period) {
                Place::Everything => "everything",
                Place::Year(_) => "year",
                Place::Month(_) => "month",
                Place::Day(_) => "day",
                Place::Elsewhere => "elsewhere",
            }
        };
        assert_eq!(place("2024-01-01", "2024-12-31"), "year");
        assert_eq!(place("2024-02-01", "2024-02-29"), "month");
        assert_eq!(place("2023-02-01", "2023-02-28"), "month");
        assert_eq!(place("2024-02-29", "2024-02-29"), "day");
        assert_eq!(place("2024-02-01", "2024-02-28"), "elsewhere");
        assert_eq!(place("2024-02-28", "2024-02-01"), "elsewhere");
        assert!(matches!(Place::of(&Period::default()), Place::Everything));
    }
}
