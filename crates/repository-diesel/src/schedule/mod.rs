//! The games of the NHL, in the tables `games` and `teams`, and the times when they were fetched, in
//! `refreshes`.

mod clubs;
mod list;
mod store;

use std::collections::BTreeSet;

use async_trait::async_trait;
use chrono::{DateTime, NaiveDate, Utc};
use diesel::{Connection, prelude::*};
use rollcall_domain::{Game, GameUpdate, Team};
use rollcall_repository::{
    GameFilter, Lease, Refresh, RepositoryError, ScheduleRepository, StoredGames,
};

use crate::base::{database::Database, schema::refreshes, timestamp::UtcMicros};

/// The games, and the times when they were fetched.
#[derive(Clone, Debug)]
pub struct DieselScheduleRepository {
    database: Database,
}

impl DieselScheduleRepository {
    /// The repository in `database`, which must be migrated.
    pub fn new(database: Database) -> Self {
        Self { database }
    }
}

#[async_trait]
impl ScheduleRepository for DieselScheduleRepository {
    async fn store_days(
        &self,
        games: &[Game],
        days: &BTreeSet<NaiveDate>,
    ) -> Result<StoredGames, RepositoryError> {
        let batch = store::Batch::of(games, days);
        self.database
            .write("store games", move |connection| {
                connection.transaction(|connection| {
                    let stored = batch.store(connection)?;
                    clubs::settle(connection)?;
                    Ok(stored)
                })
            })
            .await
    }

    async fn update(&self, updates: &[GameUpdate]) -> Result<u64, RepositoryError> {
        let updates = store::Updates::of(updates);
        self.database.write("update games", move |connection| updates.store(connection)).await
    }

    async fn games(&self, filter: &GameFilter, limit: u32) -> Result<Vec<Game>, RepositoryError> {
        let filter = filter.clone();
        self.database
            .read("list games", move |connection| list::games(connection, &filter, limit))
            .await
    }

    async fn teams(&self, since: DateTime<Utc>, limit: u32) -> Result<Vec<Team>, RepositoryError> {
        self.database
            .read("list teams", move |connection| list::teams(connection, since, limit))
            .await
    }

    async fn team(&self, id: i64) -> Result<Option<Team>, RepositoryError> {
        self.database.read("find a team", move |connection| list::team(connection, id)).await
    }

    async fn begin_refresh(
        &self,
        refresh: Refresh,
        now: DateTime<Utc>,
        due_before: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> Result<Option<Lease>, RepositoryError> {
        let lease = Lease { refresh, until };
        self.database
            .write("begin a refresh", move |connection| {
                let (now, due_before) = (UtcMicros::from(now), UtcMicros::from(due_before));
                let is_free = refreshes::held_until.is_null().or(refreshes::held_until.le(now));
                let is_due =
                    refreshes::refreshed_at.is_null().or(refreshes::refreshed_at.lt(due_before));
                let row = refreshes::table.find(refresh.name()).filter(is_free).filter(is_due);
                let taken = diesel::update(row)
                    .set(refreshes::held_until.eq(UtcMicros::from(until)))
                    .execute(connection)?;
                Ok((taken > 0).then_some(lease))
            })
            .await
    }

    async fn end_refresh(
        &self,
        lease: Lease,
        refreshed_at: Option<DateTime<Utc>>,
    ) -> Result<(), RepositoryError> {
        self.database
            .write("end a refresh", move |connection| {
                let until = UtcMicros::from(lease.until);
                let row = refreshes::table
                    .find(lease.refresh.name())
                    .filter(refreshes::held_until.eq(until));
                let no_holder = refreshes::held_until.eq(None::<UtcMicros>);
                match refreshed_at.map(UtcMicros::from) {
                    None => diesel::update(row).set(no_holder).execute(connection)?,
                    Some(at) => diesel::update(row)
                        .set((no_holder, refreshes::refreshed_at.eq(at)))
                        .execute(connection)?,
                };
                Ok(())
            })
            .await
    }

    async fn note_refresh(
        &self,
        refresh: Refresh,
        at: DateTime<Utc>,
    ) -> Result<(), RepositoryError> {
        self.database
            .write("note a refresh", move |connection| {
                diesel::update(refreshes::table.find(refresh.name()))
                    .set(refreshes::refreshed_at.eq(UtcMicros::from(at)))
                    .execute(connection)?;
                Ok(())
            })
            .await
    }

    async fn refreshed_at(
        &self,
        refresh: Refresh,
    ) -> Result<Option<DateTime<Utc>>, RepositoryError> {
        self.database
            .read("read when games were fetched", move |connection| {
                let at: Option<Option<UtcMicros>> = refreshes::table
                    .find(refresh.name())
                    .select(refreshes::refreshed_at)
                    .first(connection)
                    .optional()?;
                Ok(at.flatten().map(Into::into))
            })
            .await
    }
}
