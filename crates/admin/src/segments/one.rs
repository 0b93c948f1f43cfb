//! The page of a segment: its size over time, who joined and left, and a sample of its users.

use askama::Template;
use axum::{
    extract::{Path, Query as Pairs, State},
    response::Response,
};
use chrono::NaiveDate;
use rollcall_domain::{Counted, Filter, Segment, SegmentSize, TelegramUser, UserSort};
use rollcall_service::{CountedSegment, SegmentUsers};

use super::{Counts, charts, find, users_link, users_of, users_query};
use crate::{
    App,
    page::{Failure, Layout, render, text},
};

/// How many days before the latest count are shown.
const DAYS: u64 = 90;
/// How many users languages and sources are counted of.
const SAMPLE: u32 = 1_000;
/// How many users are listed.
const LISTED: usize = 20;

#[derive(Template)]
#[template(path = "segment.html")]
struct Page {
    layout: Layout,
    segment: Segment,
    filter: String,
    /// The list of its users.
    list: String,
    /// How many users it has now, as far as that is known at once, and whether that is exact.
    now: (String, bool),
    /// The query string by which they are counted.
    query: String,
    /// The latest size.
    size: Option<Size>,
    /// Its change since the week before.
    change: Option<String>,
    counts: Counts,
    pictures: Option<Pictures>,
    /// The sizes, newest first.
    sizes: Vec<Size>,
    lists: Vec<List>,
    used_by: Vec<String>,
    was_saved: bool,
}

/// A size as texts.
struct Size {
    day: NaiveDate,
    users: String,
    joined: Option<String>,
    left: Option<String>,
}

impl From<SegmentSize> for Size {
    fn from(SegmentSize { day, users, changes }: SegmentSize) -> Self {
        Self {
            day,
            users: text::grouped(users),
            joined: changes.map(|it| text::grouped(it.joined)),
            left: changes.map(|it| text::grouped(it.left)),
        }
    }
}

/// What is drawn.
struct Pictures {
    size: String,
    changes: String,
    languages: String,
    sources: String,
    /// What languages and sources are counted of.
    of: String,
}

/// Some users, of how many.
struct List {
    name: &'static str,
    title: &'static str,
    /// What is shown of them.
    about: &'static str,
    users: Vec<TelegramUser>,
    /// How many are not listed.
    more: Option<String>,
}

impl List {
    fn new(
        name: &'static str,
        title: &'static str,
        about: &'static str,
        users: Vec<TelegramUser>,
        all: u64,
    ) -> Self {
        let more = all.saturating_sub(u64::try_from(users.len()).unwrap_or_default());
        let more = (more > 0).then(|| text::grouped(more));
        Self { name, title, about, users, more }
    }
}

/// Shows a segment.
pub(crate) async fn show(
    State(app): State<App>,
    layout: Layout,
    Path(name): Path<String>,
    Pairs(pairs): Pairs<Vec<(String, String)>>,
) -> Result<Response, Failure> {
    let (segment, all) = find(&app, &name).await?;
    let now = estimate(&app, &segment).await?;
    let counted = app.segments.list().await?.into_iter().find(|it| it.segment.name == segment.name);
    let change = counted.as_ref().and_then(CountedSegment::change).map(text::signed);
    let size = counted.and_then(|it| it.size);
    let sizes = app.segments.sizes(&segment.name, DAYS).await?;
    let users = match size {
        Some(_) => app.segments.users(&segment.name, SAMPLE, most_listed()).await?,
        None => None,
    };
    let (mut pictures, mut lists) = (None, Vec::new());
    if let (Some(size), Some(users)) = (size, users) {
        pictures = Some(Pictures {
            size: charts::size(&sizes),
            changes: charts::changes(&sizes),
            languages: charts::languages(&app, &segment, &users.sample),
            sources: charts::sources(&app, &segment, &users.sample),
            of: sampled(users.sample.len(), size.users),
        });
        lists = listed(size, users);
    }
    Ok(render(&Page {
        layout: layout.tab("users"),
        filter: segment.filter.to_string(),
        list: users_link(&app, &segment),
        now: (text::users(now), matches!(now, Counted::Exactly(_))),
        query: users_query(&segment, Filter::everyone()),
        size: size.map(Size::from),
        change,
        counts: Counts::of(&app).await?,
        pictures,
        sizes: sizes.into_iter().rev().map(Size::from).collect(),
        lists,
        used_by: users_of(&segment.name, &all).into_iter().map(str::to_owned).collect(),
        was_saved: pairs.iter().any(|(name, _)| name == "saved"),
        segment,
    }))
}

fn most_listed() -> u32 {
    u32::try_from(LISTED).unwrap_or(u32::MAX)
}

/// The number of users now, which is exact where that is known at once.
async fn estimate(app: &App, segment: &Segment) -> Result<Counted, Failure> {
    use rollcall_service::AudienceError;
    match app.audience.selection(&segment.filter, segment.zone).await {
        Ok(selection) => {
            Ok(app.audience.users(&selection, UserSort::default(), None, 1).await?.count)
        }
        Err(AudienceError::Service(error)) => Err(error.into()),
        Err(error) => Err(Failure::invalid(text::sentence(&error.to_string()))),
    }
}

/// What languages and sources are counted of.
fn sampled(sample: usize, all: u64) -> String {
    let sample = u64::try_from(sample).unwrap_or_default();
    if all <= SAMPLE.into() {
        format!(
            "All {} of the latest count that still exist.",
            text::users(Counted::Exactly(sample))
        )
    } else {
        format!("A sample of {} of {}.", text::grouped(sample), text::users(Counted::Exactly(all)))
    }
}

fn listed(size: SegmentSize, users: SegmentUsers) -> Vec<List> {
    let SegmentUsers { sample, joined, left } = users;
    let step = sample.len().div_ceil(LISTED).max(1);
    let sample = sample.into_iter().step_by(step).collect();
    let about = "Some of those that it had at the latest count.";
    let mut lists = vec![List::new("sample", "Users", about, sample, size.users)];
    if let Some(changes) = size.changes {
        let about = "They were not in it at the count before.";
        lists.push(List::new("joined", "Joined", about, joined, changes.joined));
        let about = "They were in it at the count before. Deleted users are not listed.";
        lists.push(List::new("left", "Left", about, left, changes.left));
    }
    lists
}
