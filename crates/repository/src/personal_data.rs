use async_trait::async_trait;
use chrono::{DateTime, Utc};
use rollcall_domain::{DataRow, PersonalTable, PrivacyRequest, RequestKind, TelegramId};

use crate::error::RepositoryError;

/// Reading everything that is stored about a person.
#[async_trait]
pub trait PersonalDataRepository: Send + Sync {
    /// Up to `limit` rows of a table about a person, in the order of the table's key, after the first
    /// `skipped` ones. Each row has the columns that [`facts`](PersonalTable::facts) lists for a copy,
    /// and no other person's id. The person need not be a user.
    async fn personal_rows(
        &self,
        table: PersonalTable,
        person: TelegramId,
        skipped: u64,
        limit: u32,
    ) -> Result<Vec<DataRow>, RepositoryError>;
}

/// The store of what people asked about their data. It keeps a keyed hash of their ids.
#[async_trait]
pub trait PrivacyRequestRepository: Send + Sync {
    /// Adds a request, which gets the next number. With `not_after`, nothing is added if the person's
    /// latest request of this kind was made after that; and if it is still open, it is returned instead of
    /// a new one.
    async fn add_privacy_request(
        &self,
        new: NewPrivacyRequest,
    ) -> Result<AddedRequest, RepositoryError>;

    /// Marks an open request as done. Returns whether there was one.
    async fn finish_privacy_request(
        &self,
        id: i64,
        at: DateTime<Utc>,
    ) -> Result<bool, RepositoryError>;

    /// Marks the open requests for the erasure of these people as done; returns how many there were.
    async fn finish_erasures(
        &self,
        people: &[TelegramId],
        at: DateTime<Utc>,
    ) -> Result<usize, RepositoryError>;

    /// Up to `limit` open requests, those first that are due first.
    async fn open_privacy_requests(
        &self,
        limit: u32,
    ) -> Result<Vec<PrivacyRequest>, RepositoryError>;

    /// Up to `limit` requests that are done, the latest first.
    async fn done_privacy_requests(
        &self,
        limit: u32,
    ) -> Result<Vec<PrivacyRequest>, RepositoryError>;

    /// Deletes up to `limit` requests that were done before a time; returns how many.
    async fn forget_privacy_requests(
        &self,
        done_before: DateTime<Utc>,
        limit: u32,
    ) -> Result<usize, RepositoryError>;
}

/// A request to add.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewPrivacyRequest {
    /// Whose data it is about.
    pub person: TelegramId,
    /// What is asked.
    pub kind: RequestKind,
    /// When.
    pub asked_at: DateTime<Utc>,
    /// Until when it must be done.
    pub due_at: DateTime<Utc>,
    /// With a request of this person and kind after this time, nothing is added.
    pub not_after: Option<DateTime<Utc>>,
}

/// What became of a request to add.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddedRequest {
    /// It has this number, or continues the open one with this number.
    Added(i64),
    /// There was one at this time.
    Recent(DateTime<Utc>),
}
