use async_trait::async_trait;
use chrono::{DateTime, NaiveDate, Utc};
use rollcall_domain::{
    Cursor, NoteChange, TelegramId, UserDetail, UserFilter, UserSlice, UserSort,
};

use crate::RepositoryError;

/// The directory of users: looking through them, finding some, and what is kept of one. Whatever is
/// asked for takes about the same time, however many users there are.
#[async_trait]
pub trait DirectoryRepository: Send + Sync {
    /// Up to `size` of the users who meet `filter`, in the order of `sort`, from `cursor` on or from
    /// the beginning; a cursor of another key counts as none. Going from page to page meets each of
    /// them once, also where they are equal in the key, and those whose key changes meanwhile never
    /// move the others.
    async fn users(
        &self,
        filter: &UserFilter,
        sort: UserSort,
        cursor: Option<Cursor>,
        size: u32,
    ) -> Result<UserSlice, RepositoryError>;

    /// All that is known of a user, with the days of activity from `since` on.
    async fn user(
        &self,
        id: TelegramId,
        since: NaiveDate,
    ) -> Result<Option<UserDetail>, RepositoryError>;

    /// Writes a note about a user, or takes it away where `text` is empty. Answers what was there
    /// before; `None`, and nothing is written, where there is no such user.
    async fn set_note(
        &self,
        id: TelegramId,
        text: &str,
        by: &str,
        at: DateTime<Utc>,
    ) -> Result<Option<NoteChange>, RepositoryError>;

    /// Takes the names of up to `limit` users who are new or have other names into the search;
    /// answers of how many. Several processes may do so at once.
    async fn index_names(&self, limit: u32) -> Result<usize, RepositoryError>;
}
