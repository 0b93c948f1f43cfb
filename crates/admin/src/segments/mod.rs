//! Saved segments: their list, a page each with their history, and creating, changing and deleting them.

mod charts;
pub(crate) mod delete;
pub(crate) mod edit;
pub(crate) mod list;
pub(crate) mod one;

use rollcall_domain::{Counted, Filter, LabelName, Segment};
use rollcall_service::{LatestPasses, SegmentPass, ServiceError};

use crate::{
    App,
    page::{Failure, text},
    request::query_string,
};

/// The latest counts of all segments.
struct Counts {
    complete: Option<SegmentPass>,
    /// How many users the one that runs has looked at.
    running: Option<String>,
}

impl Counts {
    async fn of(app: &App) -> Result<Self, ServiceError> {
        let LatestPasses { complete, running } = app.segments.counts().await?;
        let users = |pass: SegmentPass| text::users(Counted::Exactly(pass.users));
        Ok(Self { complete, running: running.map(users) })
    }
}

/// The segment of a name in an address, and all segments.
async fn find(app: &App, name: &str) -> Result<(Segment, Vec<Segment>), Failure> {
    let segments = app.audience.segments().await?;
    match segments.iter().find(|it| it.name.as_str() == name) {
        Some(segment) => Ok((segment.clone(), segments)),
        None => Err(Failure::no_segment(name)),
    }
}

/// The segments whose filters name one.
fn users_of<'a>(name: &LabelName, segments: &'a [Segment]) -> Vec<&'a str> {
    let uses = |it: &&Segment| it.name != *name && it.uses().any(|used| used == name);
    segments.iter().filter(uses).map(|it| it.name.as_str()).collect()
}

/// The query string of the list of a segment's users that also meet a filter.
fn users_query(segment: &Segment, also: Filter) -> String {
    let filter = segment.selecting().and(also);
    let zone = if filter.depends_on_days() { segment.zone.name() } else { "" };
    query_string([("filter", &filter.to_string()), ("zone", zone)])
}

/// The list of a segment's users.
fn users_link(app: &App, segment: &Segment) -> String {
    format!("{}/users?{}", app.base, users_query(segment, Filter::everyone()))
}
