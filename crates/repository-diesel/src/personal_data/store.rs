use async_trait::async_trait;
use rollcall_domain::{DataRow, PersonalTable, TelegramId};
use rollcall_repository::{PersonalDataRepository, RepositoryError};

use super::copied;
use crate::users::store::DieselUserRepository;

#[async_trait]
impl PersonalDataRepository for DieselUserRepository {
    async fn personal_rows(
        &self,
        table: PersonalTable,
        person: TelegramId,
        skipped: u64,
        limit: u32,
    ) -> Result<Vec<DataRow>, RepositoryError> {
        let page = (i64::try_from(skipped).unwrap_or(i64::MAX), i64::from(limit));
        let free_text = self.database.free_text().clone();
        self.database
            .read("read what is stored about a person", move |connection| {
                copied::personal_rows(connection, table, person, page, &free_text)
            })
            .await
    }
}
