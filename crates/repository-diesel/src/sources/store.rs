use async_trait::async_trait;
use chrono::{DateTime, Utc};
use rollcall_domain::{LabelledSource, StartPayload};
use rollcall_repository::{Allowed, RepositoryError, SourceRepository, SourceTag};

use super::{change, list};
use crate::users::store::DieselUserRepository;

#[async_trait]
impl SourceRepository for DieselUserRepository {
    async fn labelled_sources(&self) -> Result<Vec<LabelledSource>, RepositoryError> {
        self.database.read("list labels of deep links", list::list).await
    }

    async fn allow_sources(
        &self,
        payloads: &[StartPayload],
        tag: &SourceTag,
        at: DateTime<Utc>,
    ) -> Result<Allowed, RepositoryError> {
        let (payloads, tag) = (payloads.to_vec(), tag.clone());
        self.database
            .write("allow deep links", move |connection| {
                change::allow(connection, &payloads, &tag, at)
            })
            .await
    }

    async fn drop_sources(
        &self,
        payloads: &[StartPayload],
        at: DateTime<Utc>,
    ) -> Result<Vec<StartPayload>, RepositoryError> {
        let payloads = payloads.to_vec();
        self.database
            .write("drop labels of deep links", move |connection| {
                change::drop(connection, &payloads, at)
            })
            .await
    }

    async fn drop_sources_without_users(
        &self,
        at: DateTime<Utc>,
    ) -> Result<Vec<StartPayload>, RepositoryError> {
        self.database
            .write("drop labels without users", move |connection| {
                change::drop_without_users(connection, at)
            })
            .await
    }
}
