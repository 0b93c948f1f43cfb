use async_trait::async_trait;
use chrono::{DateTime, NaiveDate, Utc};
use diesel::Connection;
use rollcall_domain::{
    Counted, Cursor, Note, NoteChange, Selection, TelegramId, UserDetail, UserSlice, UserSort,
};
use rollcall_repository::{DirectoryRepository, RepositoryError};

use super::{list, notes, search::index, user};
use crate::{base::snapshot::at_one_moment, users::store::DieselUserRepository};

#[async_trait]
impl DirectoryRepository for DieselUserRepository {
    async fn select(
        &self,
        selection: &Selection,
        sort: UserSort,
        cursor: Option<Cursor>,
        size: u32,
    ) -> Result<UserSlice, RepositoryError> {
        let selection = selection.clone();
        self.database
            .view("list users", move |connection| {
                at_one_moment(connection, |connection| {
                    list::users(connection, &selection, sort, cursor, size)
                })
            })
            .await
    }

    async fn count_up_to(
        &self,
        selection: &Selection,
        most: u32,
    ) -> Result<Counted, RepositoryError> {
        let selection = selection.clone();
        self.database
            .view("count users", move |connection| {
                at_one_moment(connection, |connection| {
                    list::count::bounded(connection, &selection, most)
                })
            })
            .await
    }

    async fn user(
        &self,
        id: TelegramId,
        since: NaiveDate,
    ) -> Result<Option<UserDetail>, RepositoryError> {
        let free_text = self.database.free_text().clone();
        self.database
            .read("read a user's details", move |connection| {
                at_one_moment(connection, |connection| {
                    user::user(connection, id, since, &free_text)
                })
            })
            .await
    }

    async fn set_note(
        &self,
        id: TelegramId,
        text: &str,
        by: &str,
        at: DateTime<Utc>,
    ) -> Result<Option<NoteChange>, RepositoryError> {
        let note =
            (!text.is_empty()).then(|| Note { text: text.to_owned(), at, by: by.to_owned() });
        let free_text = self.database.free_text().clone();
        self.database
            .write("set a note", move |connection| {
                connection
                    .transaction(|connection| notes::set(connection, id, note.as_ref(), &free_text))
            })
            .await
    }

    async fn index_names(&self, limit: u32) -> Result<usize, RepositoryError> {
        // Read first: usually there is nothing to do, and reading waits for no writer.
        let pending = self.database.read("look for names to index", index::any_pending).await?;
        if !pending {
            return Ok(0);
        }
        self.database
            .write("index names", move |connection| {
                connection.transaction(|connection| index::index_names(connection, limit))
            })
            .await
    }
}
