use async_trait::async_trait;
use chrono::NaiveDate;
use rollcall_domain::{Interaction, Registration, TelegramId, TelegramUser, UserStats, Username};

use crate::{Page, PageRequest, RepositoryError};

/// The store of users.
#[async_trait]
pub trait UserRepository: Send + Sync {
    /// Records `interactions` in one transaction, as if one after the other, by the rules of
    /// [`TelegramUser::observe`]. Answers one registration for each, in their order, once all of
    /// them are durable; on an error nothing of them was recorded.
    ///
    /// No two users hold the same username: of those that claim it, the one with the later
    /// interaction keeps it, and of equally late ones the one recorded last; for the others it
    /// becomes `None`.
    async fn register(
        &self,
        interactions: Vec<Interaction>,
    ) -> Result<Vec<Registration>, RepositoryError>;

    /// The user with this id.
    async fn find(&self, id: TelegramId) -> Result<Option<TelegramUser>, RepositoryError>;

    /// The user with this username, ignoring the case of ASCII letters.
    async fn find_by_username(
        &self,
        username: &Username,
    ) -> Result<Option<TelegramUser>, RepositoryError>;

    /// One page of all users, those created last first, ordered by id where that is equal.
    async fn list(&self, request: PageRequest) -> Result<Page<TelegramUser>, RepositoryError>;

    /// How many users there are, and were active or new in the days up to `today`, a day in UTC.
    async fn stats(&self, today: NaiveDate) -> Result<UserStats, RepositoryError>;

    /// Deletes the users with these ids; answers how many there were.
    async fn delete(&self, ids: &[TelegramId]) -> Result<usize, RepositoryError>;
}
