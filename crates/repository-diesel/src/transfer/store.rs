use std::{collections::BTreeMap, sync::Arc};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use diesel::Connection;
use rollcall_domain::{LabelName, SegmentSize, TelegramId, TelegramUser};
use rollcall_repository::{
    DemoRepository, History, ImportEnd, Imported, Incoming, RepositoryError, TransferRepository,
    UseCount,
};

use super::{demo, export, import::import};
use crate::{segments::past, users::store::DieselUserRepository};

#[async_trait]
impl TransferRepository for DieselUserRepository {
    async fn users_after(
        &self,
        after: Option<TelegramId>,
        limit: u32,
    ) -> Result<Vec<TelegramUser>, RepositoryError> {
        self.database
            .view("read users", move |connection| export::users_after(connection, after, limit))
            .await
    }

    async fn id_after(
        &self,
        after: Option<TelegramId>,
        place: u32,
    ) -> Result<Option<TelegramId>, RepositoryError> {
        self.database
            .view("find a user's place", move |connection| {
                export::id_after(connection, after, place)
            })
            .await
    }

    async fn tags_of(
        &self,
        ids: &[TelegramId],
    ) -> Result<BTreeMap<TelegramId, Vec<LabelName>>, RepositoryError> {
        let ids: Vec<i64> = ids.iter().map(|id| id.get()).collect();
        self.database
            .view("read the tags of users", move |connection| export::tags_of(connection, &ids))
            .await
    }

    async fn import(
        &self,
        incoming: Incoming,
        at: DateTime<Utc>,
        progress: Box<dyn Fn(Imported) + Send>,
    ) -> Result<ImportEnd, RepositoryError> {
        let key = self.database.suppression_key().clone();
        self.database
            .run_once(move |connection| import(connection, incoming, at, &key, &progress))
            .await
    }
}

#[async_trait]
impl DemoRepository for DieselUserRepository {
    async fn begin_demo(&self) -> Result<bool, RepositoryError> {
        self.database.run_long(demo::begin).await
    }

    async fn load(&self, people: Arc<[History]>) -> Result<(), RepositoryError> {
        self.database.run_long(move |connection| demo::load(connection, &people)).await
    }

    async fn count_uses(&self, uses: &[UseCount]) -> Result<(), RepositoryError> {
        let uses = uses.to_vec();
        self.database.run_long(move |connection| demo::count_uses(connection, &uses)).await
    }

    async fn count_minutes(&self, minutes: &[(DateTime<Utc>, i64)]) -> Result<(), RepositoryError> {
        let minutes = minutes.to_vec();
        self.database.run_long(move |connection| demo::count_minutes(connection, &minutes)).await
    }

    async fn load_segment_sizes(
        &self,
        sizes: &[(LabelName, SegmentSize)],
    ) -> Result<(), RepositoryError> {
        let sizes = sizes.to_vec();
        self.database
            .run_long(move |connection| {
                connection.transaction(|connection| past::load(connection, &sizes))
            })
            .await
    }
}
