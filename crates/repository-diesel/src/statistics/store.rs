use std::{collections::BTreeSet, sync::Arc};

use async_trait::async_trait;
use chrono::{DateTime, NaiveDate, Utc};
use rollcall_domain::{Figure, TelegramId};
use rollcall_repository::{ActivityRepository, DaySum, Difference, LabelSum, RepositoryError};

use super::{minutes, recount, sums, uncounted};
use crate::users::store::DieselUserRepository;

#[async_trait]
impl ActivityRepository for DieselUserRepository {
    async fn sums_by_day(
        &self,
        figures: &[Figure],
        first: NaiveDate,
        last: NaiveDate,
    ) -> Result<Vec<DaySum>, RepositoryError> {
        let figures = figures.to_vec();
        self.database
            .view("read sums by day", move |connection| {
                sums::sums_by_day(connection, &figures, first, last)
            })
            .await
    }

    async fn sums_by_label(
        &self,
        figures: &[Figure],
        first: NaiveDate,
        last: NaiveDate,
    ) -> Result<Vec<LabelSum>, RepositoryError> {
        let figures = figures.to_vec();
        self.database
            .view("read sums by label", move |connection| {
                sums::sums_by_label(connection, &figures, first, last)
            })
            .await
    }

    async fn totals(
        &self,
        figures: &[Figure],
        last: NaiveDate,
    ) -> Result<Vec<i64>, RepositoryError> {
        let figures = figures.to_vec();
        self.database
            .view("read totals", move |connection| sums::totals(connection, &figures, last))
            .await
    }

    async fn minutes(
        &self,
        first: DateTime<Utc>,
    ) -> Result<Vec<(DateTime<Utc>, i64)>, RepositoryError> {
        self.database
            .view("read sums by minute", move |connection| Ok(minutes::minutes(connection, first)?))
            .await
    }

    async fn first_day(&self) -> Result<Option<NaiveDate>, RepositoryError> {
        self.database.view("read the first day", sums::first_day).await
    }

    async fn leave_out(&self, users: &BTreeSet<TelegramId>) -> Result<(), RepositoryError> {
        let users: BTreeSet<i64> = users.iter().map(|id| id.get()).collect();
        let current = self.database.read("read which users the sums leave out", |connection| {
            Ok(uncounted::uncounted(connection)?)
        });
        if current.await? == users {
            return Ok(());
        }
        self.database
            .write("leave users out of the sums", move |connection| {
                uncounted::leave_out(connection, &users)
            })
            .await
    }

    async fn recount(
        &self,
        mend: bool,
        progress: Arc<dyn Fn(u64, u64) + Send + Sync>,
    ) -> Result<Vec<Difference>, RepositoryError> {
        self.database
            .run_long(move |connection| recount::recount(connection, mend, &*progress))
            .await
    }
}
