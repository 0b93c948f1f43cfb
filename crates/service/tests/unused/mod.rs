//! Repositories that the storage of a test has to be, but whose methods the test does not call.

/// Implements `DirectoryRepository` for such a storage.
macro_rules! unused_directory {
    ($storage:ty) => {
        const _: () = {
            use chrono::{DateTime, NaiveDate, Utc};
            use rollcall_domain::{
                Counted, Cursor, NoteChange, Selection, TelegramId, UserDetail, UserSlice, UserSort,
            };
            use rollcall_repository::{DirectoryRepository, RepositoryError};

            #[async_trait::async_trait]
            impl DirectoryRepository for $storage {
                async fn select(
                    &self,
                    _: &Selection,
                    _: UserSort,
                    _: Option<Cursor>,
                    _: u32,
                ) -> Result<UserSlice, RepositoryError> {
                    unimplemented!("not part of these stories")
                }

                async fn count_up_to(
                    &self,
                    _: &Selection,
                    _: u32,
                ) -> Result<Counted, RepositoryError> {
                    unimplemented!("not part of these stories")
                }

                async fn user(
                    &self,
                    _: TelegramId,
                    _: NaiveDate,
                ) -> Result<Option<UserDetail>, RepositoryError> {
                    unimplemented!("not part of these stories")
                }

                async fn set_note(
                    &self,
                    _: TelegramId,
                    _: &str,
                    _: &str,
                    _: DateTime<Utc>,
                ) -> Result<Option<NoteChange>, RepositoryError> {
                    unimplemented!("not part of these stories")
                }

                async fn index_names(&self, _: u32) -> Result<usize, RepositoryError> {
                    unimplemented!("not part of these stories")
                }
            }
        };
    };
}
