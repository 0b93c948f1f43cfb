use std::sync::Arc;

use async_trait::async_trait;
use rollcall_domain::{LabelName, Segment};

use crate::error::RepositoryError;

/// Saved segments.
#[async_trait]
pub trait SegmentRepository: Send + Sync {
    /// All segments, by name.
    async fn segments(&self) -> Result<Vec<Segment>, RepositoryError>;

    /// Saves a segment if `is_allowed` accepts it beside all others, which it receives without the
    /// one of the same name. No other change is made meanwhile. Returns the segment of this name as
    /// it was; the time at which that was created stays.
    async fn save_segment(
        &self,
        segment: &Segment,
        is_allowed: SegmentCheck,
    ) -> Result<SavedSegment, RepositoryError>;

    /// Deletes a segment unless another one uses it.
    async fn delete_segment(&self, name: &LabelName) -> Result<DeletedSegment, RepositoryError>;
}

/// Decides whether a segment may be saved beside others, and why not.
pub type SegmentCheck = Arc<dyn Fn(&[Segment]) -> Result<(), String> + Send + Sync>;

/// What became of a segment that was to be saved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SavedSegment {
    /// It is saved; the segment of this name as it was.
    Saved(Option<Box<Segment>>),
    /// Nothing changed, for this reason.
    Refused(String),
}

/// What became of a segment that was to be deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeletedSegment {
    /// It is deleted.
    Deleted(Box<Segment>),
    /// There is none of this name.
    Unknown,
    /// These segments use it, so nothing changed.
    Used(Vec<LabelName>),
}
