//! The list of segments.

use askama::Template;
use axum::{
    extract::{Query as Pairs, State},
    response::Response,
};
use rollcall_domain::{LabelName, MAX_SEGMENTS, Segment};
use rollcall_service::CountedSegment;

use super::{Counts, users_link};
use crate::{
    App,
    page::{Failure, Layout, render, text},
};

#[derive(Template)]
#[template(path = "segments.html")]
struct Page {
    layout: Layout,
    rows: Vec<Row>,
    counts: Counts,
    /// The segment that was deleted just now.
    deleted: Option<LabelName>,
}

struct Row {
    segment: Segment,
    filter: String,
    /// Its latest size, and the change within a week.
    size: Option<String>,
    change: Option<String>,
    /// The list of its users.
    users: String,
}

/// Lists all segments with their sizes.
pub(crate) async fn list(
    State(app): State<App>,
    layout: Layout,
    Pairs(pairs): Pairs<Vec<(String, String)>>,
) -> Result<Response, Failure> {
    let row = |counted: CountedSegment| Row {
        filter: counted.segment.filter.to_string(),
        size: counted.size.map(|size| text::grouped(size.users)),
        change: counted.change().map(text::signed),
        users: users_link(&app, &counted.segment),
        segment: counted.segment,
    };
    let deleted = pairs.iter().find(|(name, _)| name == "deleted");
    Ok(render(&Page {
        layout: layout.tab("users"),
        rows: app.segments.list().await?.into_iter().map(row).collect(),
        counts: Counts::of(&app).await?,
        deleted: deleted.and_then(|(_, name)| name.parse().ok()),
    }))
}
