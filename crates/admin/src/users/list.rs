//! The list of users.

use askama::Template;
use axum::{
    extract::{Query as Pairs, State},
    response::{IntoResponse, Redirect, Response},
};
use rollcall_domain::{
    Counted, DayField, DayRange, FIELDS, Filter, FilterNode, LabelKind, LabelName, ListedUser,
    Selection, SortKey, Term, UserSlice, day_of,
};

use super::{
    bar::Bar,
    calendar::Calendar,
    choice::Choice,
    form::{self, Fields},
    former,
    labels::{TAG_FIELD, labelled},
    options::Options,
    query::Query,
    sort, unsearched,
};
use crate::{
    App,
    page::{Failure, Layout, ViewerZone, render, text},
};

/// Users per page.
const SIZE: u32 = 50;

#[derive(Template)]
#[template(path = "users.html")]
struct Page {
    layout: Layout,
    query: Query,
    bar: Bar,
    count: String,
    /// The page that counts the users exactly, unless they are.
    exactly: Option<String>,
    /// The page that changes the tags and groups of all users of the list, for editors.
    change_all: Option<String>,
    /// The form of a broadcast to all of them.
    write_all: Option<String>,
    /// All users of the list in words, such as "all 983 matching users".
    matching: String,
    /// How many bots a list without a filter leaves out, such as "3 bots"; empty if none.
    left_out: String,
    rows: Vec<Row>,
    columns: Vec<Column>,
    previous: Option<String>,
    next: Option<String>,
    is_partial: bool,
    /// The link that continues a partial page, and the part of the list that it searches.
    further: Option<(String, String)>,
    /// Days of the filter that are in the future.
    future: Vec<String>,
    is_first_run: bool,
    fields: Fields,
    options: Options,
    orders: Vec<Choice>,
    calendar: Calendar,
    /// The filter for forms that act on all users of the list.
    acted_on: Query,
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

/// The page of the list.
pub(crate) async fn list(
    State(app): State<App>,
    layout: Layout,
    ViewerZone(viewer): ViewerZone,
    Pairs(pairs): Pairs<Vec<(String, String)>>,
) -> Result<Response, Failure> {
    if let Some(list) = elsewhere(&app, &pairs)? {
        let url = list.beside(&format!("{}/users", app.base));
        return Ok(Redirect::to(&url).into_response());
    }
    let query = Query::read(&pairs);
    let (zone, now) = (query.zone.unwrap_or(viewer), app.clock.now());
    let selection = query.selection(&app, viewer, now).await?;
    let slice = match &selection {
        Ok(selection) => app.audience.users(selection, query.sort, query.at, SIZE).await?,
        Err(_) => NO_USERS,
    };
    let (is_everyone, today) = (query.is_everyone(), day_of(zone, now));
    let facets = app.directory.facets().await?;
    let has_bots = facets.bots != Counted::Exactly(0);
    let fields = query.filter.as_ref().map(Fields::of).unwrap_or_default();
    let options = Options::of(&app, &fields, facets, today).await?;
    let tags = app.labels.list(LabelKind::Tag).await?;
    let deleted = pairs.iter().find(|(name, _)| name == "deleted");
    let deleted = deleted.and_then(|(_, number)| number.parse().ok());
    let link = |at| format!("{}/users?{}", app.base, query.url_at(at));
    let acted_on = query.in_zone_of(viewer);
    let beside = |page: &str| {
        let pairs = acted_on.filter_pairs();
        // Pairs of text can always be written.
        let fields = serde_urlencoded::to_string(pairs).unwrap_or_default();
        let separator = if fields.is_empty() { "" } else { "?" };
        format!("{}/{page}{separator}{fields}", app.base)
    };
    let is_backwards = query.at.is_some_and(|at| at.backwards);
    let further = if is_backwards { slice.previous } else { slice.next };
    Ok(render(&Page {
        bar: Bar::of(&app, &query, zone, selection.as_ref().err()).await?,
        exactly: (!matches!(slice.count, Counted::Exactly(_))).then(|| beside("users/count")),
        write_all: (layout.is_owner() && selection.is_ok()).then(|| beside("broadcasts/new")),
        change_all: (layout.is_editor() && selection.is_ok()).then(|| beside("changes/new")),
        count: text::users(slice.count),
        matching: text::all(slice.count, is_everyone),
        left_out: if has_bots && is_everyone { text::bots(facets.bots) } else { String::new() },
        columns: columns(&app, &query),
        previous: slice.previous.map(link),
        next: slice.next.map(link),
        is_partial: slice.is_partial,
        further: further
            .filter(|_| slice.is_partial)
            .map(|at| (link(at), unsearched::beyond(at, query.sort, zone))),
        future: selection.as_ref().map(|it| future(it, today)).unwrap_or_default(),
        is_first_run: slice.rows.is_empty() && is_everyone && query.at.is_none() && !has_bots,
        rows: slice.rows.into_iter().map(|listed| row(&app, &query, listed)).collect(),
        calendar: Calendar::of(&app, &query, &fields, &options).await?,
        options,
        fields,
        orders: orders(&query),
        labelled: labelled(&pairs),
        tags: tags.into_iter().map(|tag| tag.name).collect(),
        deleted: deleted.map(|number: u64| text::users(Counted::Exactly(number))),
        acted_on,
        layout: layout.tab("users"),
        query,
    }))
}

/// The list that a query string leads to: from the form beside the filter bar, or with fields from
/// before the filter language.
pub(super) fn elsewhere(app: &App, pairs: &[(String, String)]) -> Result<Option<Query>, Failure> {
    match form::changed_list(pairs)? {
        Some(list) => Ok(Some(list)),
        None => former::translated(app, pairs),
    }
}

/// The conditions on days that begin after today, so that no user can meet them.
fn future(selection: &Selection, today: chrono::NaiveDate) -> Vec<String> {
    let begins_later = |field: DayField, range: DayRange| {
        let first = selection.days(range).first.filter(|first| *first > today)?;
        let term = Filter::with(Term::Day(field, range));
        Some(format!("{term}: {first} is in the future (today is {today})."))
    };
    let conditions = selection.conditions().iter().filter_map(|condition| match condition {
        FilterNode::Term(Term::Day(field, range)) => begins_later(*field, *range),
        _ => None,
    });
    conditions.collect()
}

/// The list while the filter is invalid: without the invalid part, more users would match than the
/// admin asked for.
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
        let is_chosen = value == query.sort_name();
        Choice { value, name: name.to_owned(), is_chosen }
    };
    sort::orders().into_iter().map(choice).collect()
}
