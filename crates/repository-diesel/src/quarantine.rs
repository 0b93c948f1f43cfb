use async_trait::async_trait;
use diesel::{dsl::count_star, prelude::*};
use rollcall_domain::{QuarantinedUpdate, TelegramId};
use rollcall_repository::{QuarantineRepository, RepositoryError};

use crate::{
    Database, error::Failure, row::telegram_id, schema::quarantine, timestamp::UtcMicros,
    users::count,
};

/// The updates that were set aside, in the table `quarantine`.
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
        self.database
            .read("list what was set aside", move |connection| {
                let rows: Vec<Row> = quarantine::table
                    .filter(quarantine::update_id.gt(after))
                    .order(quarantine::update_id)
                    .limit(limit.into())
                    .load(connection)?;
                rows.into_iter().map(Row::into_update).collect()
            })
            .await
    }

    async fn find(&self, update_id: i64) -> Result<Option<QuarantinedUpdate>, RepositoryError> {
        self.database
            .read("find what was set aside", move |connection| {
                let row = quarantine::table.find(update_id).first::<Row>(connection).optional()?;
                row.map(Row::into_update).transpose()
            })
            .await
    }

    async fn count(&self) -> Result<u64, RepositoryError> {
        self.database
            .read("count what was set aside", |connection| {
                Ok(count(quarantine::table.select(count_star()).get_result(connection)?))
            })
            .await
    }

    async fn remove(&self, update_id: i64) -> Result<bool, RepositoryError> {
        self.database
            .write("drop what was set aside", move |connection| {
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
}

impl Row {
    fn into_update(self) -> Result<QuarantinedUpdate, Failure> {
        let telegram_id = self.telegram_id.map(|id| telegram_id("quarantine", id)).transpose()?;
        Ok(QuarantinedUpdate {
            update_id: self.update_id,
            received_at: self.received_at.into(),
            reason: self.reason,
            registered: self.registered,
            telegram_id,
            payload: self.payload,
        })
    }
}

/// An update that is set aside, as a row to insert. JSON may hold U+0000 only as an escape, so its
/// text fits into every database.
#[derive(Insertable)]
#[diesel(table_name = quarantine, treat_none_as_default_value = false)]
pub(crate) struct NewRow<'a> {
    update_id: i64,
    received_at: UtcMicros,
    reason: &'a str,
    registered: bool,
    payload: &'a str,
    telegram_id: Option<i64>,
}

pub(crate) fn quarantine_row(update: &QuarantinedUpdate) -> NewRow<'_> {
    NewRow {
        update_id: update.update_id,
        received_at: update.received_at.into(),
        reason: &update.reason,
        registered: update.registered,
        payload: &update.payload,
        telegram_id: update.telegram_id.map(TelegramId::get),
    }
}
