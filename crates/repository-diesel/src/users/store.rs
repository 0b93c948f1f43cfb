use std::{cell::Cell, num::NonZeroUsize, time::Duration};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use diesel::{Connection, result::Error as DieselError};
use rollcall_domain::{Registration, TelegramId, TelegramUser, UnreachableReason, Username};
use rollcall_repository::{Batch, RepositoryError, UserRepository};

use super::{
    delete::{delete, erase},
    find, forget, reach,
};
use crate::{
    base::{database::Database, database_url::DatabaseUrl, transaction::Transaction},
    registration::{self, Attempt},
    suppression,
};

/// The store of users, in the table `telegram_users`.
#[derive(Clone, Debug)]
pub struct DieselUserRepository {
    pub(crate) database: Database,
}

impl DieselUserRepository {
    /// The repository in `database`, which must be migrated.
    pub fn new(database: Database) -> Self {
        Self { database }
    }
}

/// How long a registration may be under way on PostgreSQL: shorter than a connection takes to notice that its
/// server is silent. Together with the wait for a silent host, `connect_timeout`, it is the
/// time until a standby that was promoted at once takes registrations.
const REGISTRATION_PATIENCE: Duration = Duration::from_secs(8);

#[async_trait]
impl UserRepository for DieselUserRepository {
    fn register_while(
        &self,
        batch: &Batch,
        now: DateTime<Utc>,
        is_wanted: &(dyn Fn() -> bool + Sync),
    ) -> Result<Vec<Registration>, RepositoryError> {
        let attempt = Cell::new(Attempt::First);
        self.database.register_blocking(|connection| {
            // The wait for the connection may have been too long.
            if !is_wanted() {
                return Err(DieselError::RollbackTransaction.into());
            }
            let attempt = attempt.replace(Attempt::Again);
            registration::register(connection, batch, now, attempt, is_wanted, &self.database)
        })
    }

    fn patience(&self) -> Option<Duration> {
        match self.database.url() {
            // Another connection would wait for the same disk.
            DatabaseUrl::Sqlite { .. } => None,
            DatabaseUrl::Postgres { .. } => Some(REGISTRATION_PATIENCE),
        }
    }

    fn distrust_connections(&self, silence: Duration) {
        self.database.distrust_connections(silence);
    }

    async fn rehearse(&self, now: DateTime<Utc>) -> Result<(), RepositoryError> {
        let key = self.database.suppression_key().clone();
        self.database
            .write("rehearse a registration", move |connection| {
                registration::rehearse(connection, now, &key)
            })
            .await
    }

    /// PostgreSQL works on one batch while another is prepared or answered; SQLite has one writer.
    fn writers(&self) -> NonZeroUsize {
        if let Some(shards) = self.database.shards() {
            return NonZeroUsize::new(shards.number()).unwrap_or(NonZeroUsize::MIN);
        }
        match self.database.url() {
            DatabaseUrl::Sqlite { .. } => NonZeroUsize::MIN,
            DatabaseUrl::Postgres { .. } => NonZeroUsize::MIN.saturating_add(1),
        }
    }

    /// In a distributed database, a writer for each shard: a batch changes one, and one that is away holds up
    /// only its own users.
    fn writer_of(&self, id: TelegramId) -> usize {
        match self.database.shards() {
            Some(shards) => shards.of(id.get()),
            None => usize::try_from(id.get()).unwrap_or_default() % self.writers(),
        }
    }

    async fn forget(
        &self,
        recorded_before: DateTime<Utc>,
        received_before: DateTime<Utc>,
        whole_before: DateTime<Utc>,
        limit: u32,
    ) -> Result<usize, RepositoryError> {
        self.database
            .write("delete old updates", move |connection| {
                let updates =
                    forget::forget_updates(connection, recorded_before.into(), limit.into())?;
                let quarantined = forget::forget_quarantined(
                    connection,
                    received_before.into(),
                    whole_before.into(),
                    limit.into(),
                )?;
                Ok(updates + quarantined)
            })
            .await
    }

    async fn find(&self, id: TelegramId) -> Result<Option<TelegramUser>, RepositoryError> {
        self.database.read("find a user", move |connection| find::by_id(connection, id)).await
    }

    async fn find_by_username(
        &self,
        username: &Username,
    ) -> Result<Option<TelegramUser>, RepositoryError> {
        let key = username.key();
        self.database
            .read("find a user by username", move |connection| find::by_username(connection, &key))
            .await
    }

    async fn mark_unreachable(
        &self,
        id: TelegramId,
        obstacle: UnreachableReason,
        at: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<bool, RepositoryError> {
        let events = self.database.events();
        self.database
            .write("mark a user as unreachable", move |connection| {
                reach::mark_unreachable(connection, id, obstacle, (at, now), events)
            })
            .await
    }

    async fn existing(&self, ids: &[TelegramId]) -> Result<Vec<TelegramId>, RepositoryError> {
        let ids: Vec<i64> = ids.iter().map(|id| id.get()).collect();
        self.database
            .read("look up users", move |connection| find::existing(connection, &ids))
            .await
    }

    async fn erase(&self, ids: &[TelegramId]) -> Result<usize, RepositoryError> {
        let (ids, source) = (sorted(ids), self.database.suppression_key().clone());
        self.database
            .write("erase users", move |connection| {
                connection.transaction(|connection| erase(connection, &ids, &source))
            })
            .await
    }

    async fn allow(&self, id: TelegramId) -> Result<bool, RepositoryError> {
        let (ids, source) = ([id.get()].into(), self.database.suppression_key().clone());
        self.database
            .write("allow that a user is stored", move |connection| {
                let mut transaction = Transaction::from(connection);
                Ok(suppression::hashes::allow(&mut transaction, &source, &ids)? > 0)
            })
            .await
    }

    async fn delete(&self, ids: &[TelegramId]) -> Result<usize, RepositoryError> {
        let ids = sorted(ids);
        let deleted = self.database.write("delete users", move |connection| {
            connection.transaction(|connection| delete(connection, &ids))
        });
        Ok(deleted.await?.len())
    }

    async fn empty_log(&self) {
        self.database.empty_log().await;
    }
}

/// The ids in the order in which registration locks rows.
fn sorted(ids: &[TelegramId]) -> Vec<i64> {
    let mut ids: Vec<i64> = ids.iter().map(|id| id.get()).collect();
    ids.sort_unstable();
    ids
}
