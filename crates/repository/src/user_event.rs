use async_trait::async_trait;
use chrono::{DateTime, Utc};
use rollcall_domain::{EventRefusal, UserEvent};

use crate::error::RepositoryError;

/// The events that are still to be delivered.
/// [`UserRepository::register`](crate::UserRepository::register) and
/// [`UserRepository::mark_unreachable`](crate::UserRepository::mark_unreachable) record them with what
/// they change, if the database is opened for that.
#[async_trait]
pub trait UserEventRepository: Send + Sync {
    /// Claims up to `limit` events until `until`, those recorded first, and returns them sorted. No other
    /// process gets them before that.
    async fn claim_events(
        &self,
        now: DateTime<Utc>,
        until: DateTime<Utc>,
        limit: u32,
    ) -> Result<Vec<UserEvent>, RepositoryError>;

    /// Forgets events that were delivered.
    async fn forget_delivered(&self, events: &[UserEvent]) -> Result<(), RepositoryError>;

    /// Notes that claimed events were not accepted at `now`, and why. No process gets them before `until`.
    async fn postpone_events(
        &self,
        events: &[(UserEvent, EventRefusal)],
        now: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> Result<(), RepositoryError>;

    /// Forgets up to `limit` events that were recorded before a time; returns how many.
    async fn forget_events(
        &self,
        recorded_before: DateTime<Utc>,
        limit: u32,
    ) -> Result<usize, RepositoryError>;

    /// How many events are still to be delivered.
    async fn count_events(&self) -> Result<u64, RepositoryError>;

    /// When and why one of the events was last not accepted.
    async fn last_refusal(&self) -> Result<Option<(DateTime<Utc>, EventRefusal)>, RepositoryError>;

    /// When the oldest of the events was recorded.
    async fn oldest_event(&self) -> Result<Option<DateTime<Utc>>, RepositoryError>;
}
