use async_trait::async_trait;
use chrono::{DateTime, Utc};
use rollcall_domain::{LabelName, LabelledSource, StartPayload};

use crate::error::RepositoryError;

/// How many deep links can have labels. Anyone can invent links, and reading the figures must take
/// the same time however many there are.
pub const MAX_SOURCES: usize = 1000;

/// The labels of deep links. A link with a label has its own figures; all others count together.
///
/// [`UserRepository::register`](crate::UserRepository::register) gives a link a label when it
/// brings a user, if there is room. What counted before that as `(other)` stays there.
#[async_trait]
pub trait SourceRepository: Send + Sync {
    /// The links that have labels, at most [`MAX_SOURCES`]: those that brought the most users
    /// first, then those with more starts, then by payload.
    async fn labelled_sources(&self) -> Result<Vec<LabelledSource>, RepositoryError>;

    /// Adds links to the owner's list at `at`. Links without a label get one; links that had one
    /// keep it, even without users. From then on users who open one of them get its tag, with the
    /// registration; an unknown tag is created. If there is not enough room, nothing is changed.
    /// Changes are added to the audit log.
    async fn allow_sources(
        &self,
        payloads: &[StartPayload],
        tag: &SourceTag,
        at: DateTime<Utc>,
    ) -> Result<Allowed, RepositoryError>;

    /// Removes the labels of these links at `at`: what counts under them counts as `(other)` from
    /// then on. Returns the links that had one. Changes are added to the audit log.
    async fn drop_sources(
        &self,
        payloads: &[StartPayload],
        at: DateTime<Utc>,
    ) -> Result<Vec<StartPayload>, RepositoryError>;

    /// Does the same as [`drop_sources`](Self::drop_sources) for all links that are not on the
    /// owner's list and have no user any more.
    async fn drop_sources_without_users(
        &self,
        at: DateTime<Utc>,
    ) -> Result<Vec<StartPayload>, RepositoryError>;
}

/// Which tag links on the owner's list get.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SourceTag {
    /// The one that they have, if any.
    Keep,
    /// None. Users keep the tag that they got.
    Remove,
    /// This one.
    Set(LabelName),
}

/// The result of adding links to the owner's list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Allowed {
    /// All of them are on it.
    Listed,
    /// There is not enough room; nothing was changed.
    Full {
        /// How many labels are needed.
        needed: usize,
        /// How many are free.
        free: usize,
    },
    /// There is no room for another tag; nothing was changed.
    NoRoomForTag,
}
