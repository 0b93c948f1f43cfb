use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, NaiveDate, Utc};
use rollcall_domain::{LabelName, Segment, SegmentSize, Selection, TelegramId, TelegramUser};

use crate::error::RepositoryError;

/// Segments by name, with what each selects.
pub type SelectedSegments = Vec<(LabelName, Selection)>;

/// Daily passes over all users, each of which evaluates all saved segments.
#[async_trait]
pub trait SegmentPassRepository: Send + Sync {
    /// Begins a pass, or goes on with one of the same day that was interrupted and whose segments are
    /// as they were. Returns it with its segments. `None` if the day is counted already, if another
    /// process is at work, or if there are no segments.
    async fn begin_segment_pass(
        &self,
        begin: BeginPass,
    ) -> Result<Option<(SegmentPass, Vec<Segment>)>, RepositoryError>;

    /// Looks at up to `most` more users, and completes the pass after the last ones. Changes nothing if
    /// another process has gone on with the pass. Returns the pass as it is then; `None` if it was
    /// dropped. Users that are read meanwhile may be of different moments.
    async fn continue_segment_pass(
        &self,
        pass: &SegmentPass,
        segments: Arc<SelectedSegments>,
        most: u32,
        at: DateTime<Utc>,
    ) -> Result<Option<SegmentPass>, RepositoryError>;

    /// The latest complete pass, and the one that runs.
    async fn segment_passes(&self) -> Result<LatestPasses, RepositoryError>;

    /// The sizes of a segment since a day, oldest first.
    async fn segment_sizes(
        &self,
        name: &LabelName,
        since: NaiveDate,
    ) -> Result<Vec<SegmentSize>, RepositoryError>;

    /// The sizes of all segments on a day.
    async fn segment_sizes_on(
        &self,
        day: NaiveDate,
    ) -> Result<Vec<(LabelName, SegmentSize)>, RepositoryError>;

    /// Users of a segment at the latest pass: a sample of up to `sample`, and up to `changed` of those
    /// that joined and left it. Users that were erased since are left out. `None` if it had no pass.
    async fn segment_users(
        &self,
        name: &LabelName,
        sample: u32,
        changed: u32,
    ) -> Result<Option<SegmentUsers>, RepositoryError>;

    /// The segments that select a user now.
    async fn segments_of(
        &self,
        id: TelegramId,
        segments: Arc<SelectedSegments>,
    ) -> Result<Vec<LabelName>, RepositoryError>;

    /// Forgets up to `most` parts of passes whose memberships are no longer needed. Returns whether
    /// there may be more.
    async fn forget_segment_parts(&self, most: u32) -> Result<bool, RepositoryError>;
}

/// Which pass to begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BeginPass {
    /// The UTC day.
    pub day: NaiveDate,
    /// Now.
    pub at: DateTime<Utc>,
    /// A pass whose latest step was after this is another process's.
    pub idle_since: DateTime<Utc>,
    /// Whether the day is counted again if it is counted already.
    pub again: bool,
}

/// A pass over all users.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SegmentPass {
    /// Its number; later ones have larger numbers.
    pub number: i64,
    /// The UTC day on which it began.
    pub day: NaiveDate,
    /// When it began. Ages in filters are counted back from then.
    pub began_at: DateTime<Utc>,
    /// The pass that it is compared with.
    pub base: Option<i64>,
    /// How many users it has looked at.
    pub users: u64,
    /// The id up to which it has looked at all users.
    pub last: Option<TelegramId>,
    /// Whether it has looked at all users.
    pub is_complete: bool,
}

/// The latest passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LatestPasses {
    /// The latest complete one.
    pub complete: Option<SegmentPass>,
    /// The one that runs, or was interrupted.
    pub running: Option<SegmentPass>,
}

/// Some users of a segment at a pass.
#[derive(Clone, Debug)]
pub struct SegmentUsers {
    /// A sample of its users, spread over all ids.
    pub sample: Vec<TelegramUser>,
    /// The first of those that joined it since the pass before, by id.
    pub joined: Vec<TelegramUser>,
    /// The first of those that left it since then, by id.
    pub left: Vec<TelegramUser>,
}
