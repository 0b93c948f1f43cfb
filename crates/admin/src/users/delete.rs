//! Deleting users: the selected ones, or all that match the filter of a list.
//!
//! There may be many matches, so each request deletes a part of them, and its response leads to the
//! next part.

use askama::Template;
use axum::{
    Extension, Form,
    extract::{Query as Pairs, State},
    response::{IntoResponse, Redirect, Response},
};
use chrono::{DateTime, Utc};
use rollcall_domain::{Counted, SortKey, TelegramId, TelegramUser, UserSort};
use rollcall_service::{Deletion, Session};

use super::{labels::TAG_FIELD, query::Query, selection::selected_ids};
use crate::{
    App,
    page::{Failure, Layout, ViewerZone, render, text, time_zone},
    request::form_token,
};

/// How many matching users a request deletes. It takes about a second.
const PART: u32 = 200;
/// How many matching users are shown before the deletion.
const SHOWN: u32 = 10;
/// The order of deletion. Users who join meanwhile come last.
const OLDEST_FIRST: UserSort = UserSort { key: SortKey::FirstSeen, descending: false };

#[derive(Template)]
#[template(path = "delete.html")]
struct Question {
    layout: Layout,
    /// The number of users, such as "2 users".
    count: String,
    /// The users, or some of them.
    people: Vec<TelegramUser>,
    /// The filter, if users are chosen by one.
    filter: Option<Chosen>,
    fields: Vec<(String, String)>,
    back: String,
}

/// The filter by which users are chosen.
struct Chosen {
    /// Empty for everyone but bots.
    text: String,
    /// Whose days it means, unless they are those of UTC.
    days_of: Option<String>,
}

#[derive(Template)]
#[template(path = "deleting.html")]
struct Progress {
    layout: Layout,
    deleted: String,
    fields: Vec<(String, String)>,
}

/// Shows what will be deleted, and asks for confirmation.
pub(crate) async fn ask(
    State(app): State<App>,
    layout: Layout,
    zone: ViewerZone,
    Pairs(pairs): Pairs<Vec<(String, String)>>,
) -> Result<Response, Failure> {
    question(&app, layout, zone, &pairs).await
}

/// The same for the users that are ticked in a list. There may be too many for a URL.
pub(crate) async fn ask_about_selected(
    State(app): State<App>,
    layout: Layout,
    zone: ViewerZone,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response, Failure> {
    question(&app, layout, zone, &pairs).await
}

async fn question(
    app: &App,
    layout: Layout,
    zone: ViewerZone,
    pairs: &[(String, String)],
) -> Result<Response, Failure> {
    let layout = layout.tab("users");
    let question = if is_all(pairs) {
        ask_about_all(app, layout, zone, &read(pairs)?).await?
    } else {
        let people = existing(app, selected_ids(pairs)?).await?;
        let query = Query::read(pairs);
        let ids = people.iter().map(|user| ("id".to_owned(), user.telegram_id.to_string()));
        Question {
            count: text::users(Counted::Exactly(u64::try_from(people.len()).unwrap_or(u64::MAX))),
            fields: ids.chain(query.list_pairs()).collect(),
            back: match (people.as_slice(), is_of_one(pairs)) {
                ([one], true) => {
                    query.beside(&format!("{}/users/{}", layout.base, one.telegram_id))
                }
                _ => query.beside(&format!("{}/users", layout.base)),
            },
            filter: None,
            people,
            layout,
        }
    };
    Ok(render(&question))
}

async fn ask_about_all(
    app: &App,
    layout: Layout,
    ViewerZone(viewer): ViewerZone,
    query: &Query,
) -> Result<Question, Failure> {
    let now = app.clock.now();
    let selection = query.selection_strictly(app, viewer, now).await?;
    let slice = app.audience.users(&selection, query.sort, None, SHOWN).await?;
    if slice.count == Counted::Exactly(0) {
        return Err(Failure::Refused("No users match."));
    }
    let days_of = query.days_of(viewer).map(time_zone::name);
    let query = query.in_zone_of(viewer).first_page();
    let mut fields = query.list_pairs();
    fields.push(("all".to_owned(), "1".to_owned()));
    fields.push(("until".to_owned(), now.timestamp_micros().to_string()));
    Ok(Question {
        count: text::users(slice.count),
        people: slice.rows.into_iter().map(|listed| listed.user).collect(),
        filter: Some(Chosen { text: query.text.clone(), days_of }),
        fields,
        back: query.beside(&format!("{}/users", layout.base)),
        layout,
    })
}

/// Deletes users.
pub(crate) async fn delete(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    layout: Layout,
    zone: ViewerZone,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response, Failure> {
    if is_all(&pairs) {
        return delete_part(&app, &session, layout, zone, &pairs).await;
    }
    let people = existing(&app, selected_ids(&pairs)?).await?;
    let ids: Vec<TelegramId> = people.iter().map(|person| person.telegram_id).collect();
    let deleted = erase(&app, &session, &ids, "selected").await?;
    Ok(to_list(&app, &Query::read(&pairs), deleted))
}

/// Deletes the next part of the users who match and had joined when the question was asked.
async fn delete_part(
    app: &App,
    session: &Session,
    layout: Layout,
    ViewerZone(viewer): ViewerZone,
    pairs: &[(String, String)],
) -> Result<Response, Failure> {
    if value(pairs, "sure").is_none() {
        return Err(Failure::Refused("Tick the box to confirm. No users were deleted."));
    }
    let until = value(pairs, "until").and_then(|micros| micros.parse().ok());
    let until = until.and_then(DateTime::<Utc>::from_timestamp_micros);
    let until = until.filter(|until| (DateTime::UNIX_EPOCH..=app.clock.now()).contains(until));
    let until =
        until.ok_or(Failure::Refused("The selection has expired. Start again from the list."))?;
    let query = read(pairs)?;
    // Ages such as 7d are counted back from the question.
    let selection = query.selection_strictly(app, viewer, until).await?;
    let slice = app.audience.users(&selection, OLDEST_FIRST, query.at, PART).await?;
    let until_then =
        slice.rows.iter().map(|listed| &listed.user).filter(|it| it.created_at <= until);
    let ids: Vec<TelegramId> = until_then.map(|user| user.telegram_id).collect();
    let before = value(pairs, "deleted").and_then(|it| it.parse::<usize>().ok()).unwrap_or(0);
    let deleted = before.saturating_add(erase(app, session, &ids, &query.summary(viewer)).await?);
    let has_newer = ids.len() < slice.rows.len();
    let Some(at) = slice.next.filter(|_| !has_newer) else {
        return Ok(to_list(app, &query.first_page(), deleted));
    };
    let mut fields = query.first_page().list_pairs();
    for (name, value) in [
        ("all", "1".to_owned()),
        ("sure", "1".to_owned()),
        ("until", until.timestamp_micros().to_string()),
        ("deleted", deleted.to_string()),
        ("at", at.to_string()),
    ] {
        fields.push((name.to_owned(), value));
    }
    let deleted = text::users(Counted::Exactly(u64::try_from(deleted).unwrap_or(u64::MAX)));
    Ok(render(&Progress { layout: layout.tab("users"), deleted, fields }))
}

/// Deletes users, except owners of the bot.
async fn erase(
    app: &App,
    session: &Session,
    ids: &[TelegramId],
    chosen: &str,
) -> Result<usize, Failure> {
    let Deletion { users, owners, .. } =
        app.deletion.delete_for(&session.admin, ids, chosen).await?;
    if users == 0 && owners > 0 {
        return Err(Failure::Refused(
            "Owners of the bot are not deleted. Remove them from ADMIN_TELEGRAM_IDS, or with manage \
             admins remove, first.",
        ));
    }
    Ok(usize::try_from(users).unwrap_or(usize::MAX))
}

/// Leads back to the list from which the users were deleted.
fn to_list(app: &App, query: &Query, deleted: usize) -> Response {
    let list = query.beside(&format!("{}/users", app.base));
    let separator = if list.contains('?') { '&' } else { '?' };
    Redirect::to(&format!("{list}{separator}deleted={deleted}")).into_response()
}

/// The filter by which users are chosen.
fn read(pairs: &[(String, String)]) -> Result<Query, Failure> {
    Query::read_strictly(
        pairs,
        &["id", "all", "selection", "sure", "until", "deleted", TAG_FIELD, form_token::FIELD],
    )
}

/// Whether all matching users are meant, rather than the selected ones.
fn is_all(pairs: &[(String, String)]) -> bool {
    value(pairs, "all").is_some()
}

fn value<'a>(pairs: &'a [(String, String)], name: &str) -> Option<&'a str> {
    pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
}

/// Whether the question was asked on the page of a user, rather than in a list.
fn is_of_one(pairs: &[(String, String)]) -> bool {
    value(pairs, "selection").is_none()
}

/// The users with these ids, as far as they exist.
async fn existing(app: &App, ids: Vec<TelegramId>) -> Result<Vec<TelegramUser>, Failure> {
    let first = ids.first().copied();
    let mut people = Vec::new();
    for id in ids {
        people.extend(app.users.get_user_by_telegram_id(id).await?);
    }
    match first.filter(|_| people.is_empty()) {
        Some(id) => Err(Failure::no_user(id)),
        None => Ok(people),
    }
}
