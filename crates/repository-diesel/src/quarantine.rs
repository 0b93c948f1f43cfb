use async_trait::async_trait;
use diesel::{dsl::count_star, prelude::*};
use rollcall_domain::QuarantinedUpdate;
use rollcall_repository::{QuarantineRepository, RepositoryError};

use crate::{
    base::{
        database::Database,
        error::Failure,
        free_text::{Cell, FreeText},
        schema::quarantine,
        timestamp::UtcMicros,
    },
    row::user::telegram_id,
};

/// The quarantined updates, in the table `quarantine`.
#[derive(Clone, Debug)]
pub struct DieselQuarantineRepository {
    database: Database,
}

impl DieselQuarantineRepository {
    /// The repository in `database`, which must be migrated.
    pub fn new(database: Database) -> Self {
        Self { database }
    }
}

#[async_trait]
impl QuarantineRepository for DieselQuarantineRepository {
    async fn list(
        &self,
        after: i64,
        limit: u32,
    ) -> Result<Vec<QuarantinedUpdate>, RepositoryError> {
        let free_text = self.database.free_text().clone();
        self.database
            .read("list quarantined updates", move |connection| {
                let rows: Vec<Row> = quarantine::table
                    .filter(quarantine::update_id.gt(after))
                    .order(quarantine::update_id)
                    .limit(limit.into())
                    .load(connection)?;
                rows.into_iter().map(|row| row.into_update(&free_text)).collect()
            })
            .await
    }

    async fn find(&self, update_id: i64) -> Result<Option<QuarantinedUpdate>, RepositoryError> {
        let free_text = self.database.free_text().clone();
        self.database
            .read("find a quarantined update", move |connection| {
                let row = quarantine::table.find(update_id).first::<Row>(connection).optional()?;
                row.map(|row| row.into_update(&free_text)).transpose()
            })
            .await
    }

    async fn count(&self) -> Result<u64, RepositoryError> {
        self.database
            .read("count quarantined updates", |connection| {
                let count: i64 = quarantine::table.select(count_star()).get_result(connection)?;
                Ok(count.try_into().unwrap_or_default())
            })
            .await
    }

    async fn mark_delivered(&self, update_id: i64, payload: &str) -> Result<(), RepositoryError> {
        let payload = payload.to_owned();
        let free_text = self.database.free_text().clone();
        self.database
            .write("mark a quarantined update as delivered", move |connection| {
                let payload = free_text.seal(Cell::payload(update_id), &payload)?;
                diesel::update(quarantine::table.find(update_id))
                    .set((quarantine::undelivered.eq(false), quarantine::payload.eq(&payload)))
                    .execute(connection)?;
                Ok(())
            })
            .await
    }

    async fn remove(&self, update_id: i64) -> Result<bool, RepositoryError> {
        self.database
            .write("remove a quarantined update", move |connection| {
                let rows = diesel::delete(quarantine::table.find(update_id)).execute(connection)?;
                Ok(rows > 0)
            })
            .await
    }
}

/// A row of `quarantine`, its columns in the table's order.
#[derive(Queryable)]
struct Row {
    update_id: i64,
    received_at: UtcMicros,
    reason: String,
    registered: bool,
    payload: String,
    telegram_id: Option<i64>,
    undelivered: bool,
}

impl Row {
    fn into_update(self, free_text: &FreeText) -> Result<QuarantinedUpdate, Failure> {
        let telegram_id = self.telegram_id.map(|id| telegram_id("quarantine", id)).transpose()?;
        Ok(QuarantinedUpdate {
            update_id: self.update_id,
            received_at: self.received_at.into(),
            reason: self.reason,
            registered: self.registered,
            telegram_id,
            payload: free_text.open(Cell::payload(self.update_id), self.payload)?,
            undelivered: self.undelivered,
        })
    }
}
