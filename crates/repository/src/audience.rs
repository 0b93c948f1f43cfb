use std::sync::Arc;

use async_trait::async_trait;
use rollcall_domain::{Selection, TelegramId};

use crate::error::RepositoryError;

/// Receives the number of users counted so far, and how much of the table that was in thousandths; zeros
/// while neither is known. Returns whether the count is to go on.
pub type CountProgress = dyn Fn(u64, u16) -> bool + Send + Sync;

/// Passes over all users of a selection, in bounded memory.
#[async_trait]
pub trait AudienceRepository: Send + Sync {
    /// Counts the users of a selection exactly, as they are at one moment. `None` if `progress`
    /// stopped it.
    async fn count(
        &self,
        selection: &Selection,
        progress: Arc<CountProgress>,
    ) -> Result<Option<u64>, RepositoryError>;

    /// The users of a selection among the next `scan` users after the id `after`, by id.
    async fn matching(
        &self,
        selection: &Selection,
        after: Option<TelegramId>,
        scan: u32,
    ) -> Result<MatchingUsers, RepositoryError>;
}

/// Some users of a selection, by id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MatchingUsers {
    /// Their ids.
    pub ids: Vec<TelegramId>,
    /// The id up to which all users were looked at; `None` if there are no users beyond.
    pub last: Option<TelegramId>,
}
