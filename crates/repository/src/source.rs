use async_trait::async_trait;
use chrono::{DateTime, Utc};
use rollcall_domain::{LabelledSource, StartPayload};

use crate::{Page, PageRequest, RepositoryError};

/// How many deep links have labels at most. Anybody can make up links, and reading the figures is to
/// take the same time however many there are.
pub const MAX_SOURCES: usize = 1000;

/// The labels of deep links, under which they have figures of their own; all others count together.
///
/// [`UserRepository::register`](crate::UserRepository::register) gives a link a label when it brings
/// a user, if there is room for one. What counted before that under `(other)` stays there.
#[async_trait]
pub trait SourceRepository: Send + Sync {
    /// One page of the links that have labels: those by which most users came first, of equal ones
    /// those with more starts, then by payload.
    async fn labelled_sources(
        &self,
        request: PageRequest,
    ) -> Result<Page<LabelledSource>, RepositoryError>;

    /// Puts links on the owner's list at `at`. Those without a label have one from then on; those
    /// that have earned one keep it, whatever becomes of their users. Where there is not enough room,
    /// nothing is changed. What changes is in the audit log.
    async fn allow_sources(
        &self,
        payloads: &[StartPayload],
        at: DateTime<Utc>,
    ) -> Result<Allowed, RepositoryError>;

    /// Takes the labels of these links, at `at`: what counts under them counts as `(other)` from
    /// then on. Answers which of the links had one. What changes is in the audit log.
    async fn drop_sources(
        &self,
        payloads: &[StartPayload],
        at: DateTime<Utc>,
    ) -> Result<Vec<StartPayload>, RepositoryError>;

    /// Does what [`drop_sources`](Self::drop_sources) does for all links that are not on the owner's
    /// list and by which no user came who is still there.
    async fn drop_sources_without_users(
        &self,
        at: DateTime<Utc>,
    ) -> Result<Vec<StartPayload>, RepositoryError>;
}

/// What became of links that were to be put on the owner's list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Allowed {
    /// All of them are on it.
    Listed,
    /// There is not enough room for labels; nothing was changed.
    Full {
        /// How many labels are needed.
        needed: usize,
        /// For how many there is room.
        free: usize,
    },
}
