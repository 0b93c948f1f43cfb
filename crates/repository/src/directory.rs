use async_trait::async_trait;
use chrono::{DateTime, NaiveDate, Utc};
use rollcall_domain::{
    Counted, Cursor, NoteChange, Selection, TelegramId, UserDetail, UserFilter, UserSlice, UserSort,
};

use crate::error::RepositoryError;

/// The most users that one page may hold.
pub const MAX_PAGE_SIZE: u32 = 1000;

/// The directory of users: lists, search, and the details of one user. Each request takes about the
/// same time, however many users there are.
#[async_trait]
pub trait DirectoryRepository: Send + Sync {
    /// Up to `size` users of a selection, at most [`MAX_PAGE_SIZE`], sorted by `sort`, from `cursor`
    /// or the beginning on; a cursor of another key is ignored. Going from page to page shows each
    /// user once, also among equal keys, and users whose key changes meanwhile never move the others.
    async fn select(
        &self,
        selection: &Selection,
        sort: UserSort,
        cursor: Option<Cursor>,
        size: u32,
    ) -> Result<UserSlice, RepositoryError>;

    /// [`DirectoryRepository::select`] with the conditions of `filter`, bots included.
    async fn users(
        &self,
        filter: &UserFilter,
        sort: UserSort,
        cursor: Option<Cursor>,
        size: u32,
    ) -> Result<UserSlice, RepositoryError> {
        self.select(&Selection::from(filter), sort, cursor, size).await
    }

    /// How many users a selection has that compares no names: exactly, if the sums show it or they are at
    /// most `most`, and else that they are more. Unless the sums show it, it reads all users until it
    /// has found so many; an index makes that fast only for conditions that have one.
    async fn count_up_to(
        &self,
        selection: &Selection,
        most: u32,
    ) -> Result<Counted, RepositoryError>;

    /// All that is known about a user, with the days of activity from `since` on.
    async fn user(
        &self,
        id: TelegramId,
        since: NaiveDate,
    ) -> Result<Option<UserDetail>, RepositoryError>;

    /// Sets the note about a user, or deletes it if `text` is empty. Returns the change; `None`,
    /// without writing, if the user does not exist.
    async fn set_note(
        &self,
        id: TelegramId,
        text: &str,
        by: &str,
        at: DateTime<Utc>,
    ) -> Result<Option<NoteChange>, RepositoryError>;

    /// Indexes the names of up to `limit` users that are new or were renamed, for the search;
    /// returns how many. Several processes may do so at once.
    async fn index_names(&self, limit: u32) -> Result<usize, RepositoryError>;
}
