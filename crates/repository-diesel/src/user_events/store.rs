//! Claiming, forgetting and giving back events.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use diesel::{
    dsl::min,
    pg::Pg,
    prelude::*,
    sql_types::{BigInt, Timestamp},
    sqlite::Sqlite,
};
use rollcall_domain::{TelegramId, UserEvent, UserEventKind};
use rollcall_repository::{RepositoryError, UserEventRepository};

use crate::{
    base::{
        connection::AnyConnection,
        error::Failure,
        schema::user_events,
        statement::{Columns, statement},
        timestamp::UtcMicros,
    },
    row::user::telegram_id,
    users::store::DieselUserRepository,
};

#[async_trait]
impl UserEventRepository for DieselUserRepository {
    async fn claim_events(
        &self,
        now: DateTime<Utc>,
        until: DateTime<Utc>,
        limit: u32,
    ) -> Result<Vec<UserEvent>, RepositoryError> {
        self.database
            .write("claim events", move |connection| {
                let claim = Claim { now: now.into(), until: until.into(), limit: limit.into() };
                let rows: Vec<Row> = match connection {
                    AnyConnection::Sqlite(connection) => claim.load(connection)?,
                    AnyConnection::Postgres(connection) => claim.load(connection)?,
                };
                let mut events =
                    rows.into_iter().map(Row::into_event).collect::<Result<Vec<_>, _>>()?;
                events.sort_unstable_by_key(|event| (event.at, *event));
                Ok(events)
            })
            .await
    }

    async fn forget_delivered(&self, events: &[UserEvent]) -> Result<(), RepositoryError> {
        let events = in_order(events);
        self.database
            .write("forget delivered events", move |connection| {
                connection.transaction(|connection| {
                    for &(id, at, event) in &events {
                        diesel::delete(user_events::table.find((id, at, event)))
                            .execute(connection)?;
                    }
                    Ok(())
                })
            })
            .await
    }

    async fn release_events(&self, events: &[UserEvent]) -> Result<(), RepositoryError> {
        let events = in_order(events);
        self.database
            .write("release events", move |connection| {
                connection.transaction(|connection| {
                    for &(id, at, event) in &events {
                        diesel::update(user_events::table.find((id, at, event)))
                            .set(user_events::claimed_until.eq(None::<UtcMicros>))
                            .execute(connection)?;
                    }
                    Ok(())
                })
            })
            .await
    }

    async fn forget_events(
        &self,
        recorded_before: DateTime<Utc>,
        limit: u32,
    ) -> Result<usize, RepositoryError> {
        self.database
            .write("forget old events", move |connection| {
                let forget = Forget { before: recorded_before.into(), limit: limit.into() };
                Ok(match connection {
                    AnyConnection::Sqlite(connection) => forget.execute(connection)?,
                    AnyConnection::Postgres(connection) => forget.execute(connection)?,
                })
            })
            .await
    }

    async fn count_events(&self) -> Result<u64, RepositoryError> {
        self.database
            .read("count events", |connection| {
                let number: i64 = user_events::table.count().get_result(connection)?;
                Ok(number.unsigned_abs())
            })
            .await
    }

    async fn oldest_event(&self) -> Result<Option<DateTime<Utc>>, RepositoryError> {
        self.database
            .read("find the oldest event", |connection| {
                let oldest: Option<UtcMicros> =
                    user_events::table.select(min(user_events::recorded_at)).first(connection)?;
                Ok(oldest.map(Into::into))
            })
            .await
    }
}

/// The keys of events, in the order in which they are locked.
fn in_order(events: &[UserEvent]) -> Vec<(i64, UtcMicros, &'static str)> {
    let mut events = events.to_vec();
    events.sort_unstable();
    let key = |it: UserEvent| (it.telegram_id.get(), it.at.into(), it.kind.name());
    events.into_iter().map(key).collect()
}

/// A claimed row.
#[derive(Queryable, Selectable)]
#[diesel(table_name = user_events)]
struct Row {
    telegram_id: i64,
    at: UtcMicros,
    event: String,
}

impl Row {
    fn into_event(self) -> Result<UserEvent, Failure> {
        let kind = UserEventKind::from_name(&self.event).ok_or_else(|| Failure::Corrupt {
            table: "user_events",
            column: "event",
            key: format!("({}, {})", self.telegram_id, self.at.to_text()),
            reason: "no event has this name".to_owned(),
        })?;
        let telegram_id: TelegramId = telegram_id("user_events", self.telegram_id)?;
        Ok(UserEvent { telegram_id, at: self.at.into(), kind })
    }
}

statement! {
    /// Claims the events recorded first.
    struct Claim -> Columns<Row> {
        now: UtcMicros as Timestamp,
        until: UtcMicros as Timestamp,
        limit: i64 as BigInt,
    }
    Sqlite => "
        UPDATE user_events SET claimed_until = :until
        WHERE (telegram_id, at, event) IN (
            SELECT telegram_id, at, event FROM user_events
            WHERE claimed_until IS NULL OR claimed_until < :now
            ORDER BY recorded_at
            LIMIT :limit)
        RETURNING telegram_id, at, event",
    Pg => "
        UPDATE user_events AS stored SET claimed_until = :until
        FROM (
            SELECT telegram_id, at, event FROM user_events
            WHERE claimed_until IS NULL OR claimed_until < :now
            ORDER BY recorded_at
            LIMIT :limit
            FOR UPDATE SKIP LOCKED) AS due
        WHERE stored.telegram_id = due.telegram_id AND stored.at = due.at AND stored.event = due.event
        RETURNING stored.telegram_id, stored.at, stored.event",
}

statement! {
    /// Deletes the events recorded first, before a time.
    struct Forget {
        before: UtcMicros as Timestamp,
        limit: i64 as BigInt,
    }
    Sqlite => "
        DELETE FROM user_events WHERE (telegram_id, at, event) IN (
            SELECT telegram_id, at, event FROM user_events
            WHERE recorded_at < :before
            ORDER BY recorded_at
            LIMIT :limit)",
    Pg => "
        DELETE FROM user_events AS stored USING (
            SELECT telegram_id, at, event FROM user_events
            WHERE recorded_at < :before
            ORDER BY recorded_at
            LIMIT :limit
            FOR UPDATE SKIP LOCKED) AS old
        WHERE stored.telegram_id = old.telegram_id AND stored.at = old.at AND stored.event = old.event",
}
