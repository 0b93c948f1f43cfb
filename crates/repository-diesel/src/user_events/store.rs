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
use rollcall_domain::{EventRefusal, TelegramId, UserEvent, UserEventKind};
use rollcall_repository::{RepositoryError, UserEventRepository};

use crate::{
    base::{
        connection::either,
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
                let rows: Vec<Row> = match connection.distributed() {
                    Some(connection) => {
                        let Claim { now, until, limit } = claim;
                        ClaimSharded { now, until, limit }.load(connection)?
                    }
                    None => either!(connection => claim.load(connection)?),
                };
                let mut events =
                    rows.into_iter().map(Row::into_event).collect::<Result<Vec<_>, _>>()?;
                events.sort_unstable_by_key(|event| (event.at, *event));
                Ok(events)
            })
            .await
    }

    async fn forget_delivered(&self, events: &[UserEvent]) -> Result<(), RepositoryError> {
        let mut events = events.to_vec();
        events.sort_unstable();
        self.database
            .write("forget delivered events", move |connection| {
                connection.transaction(|connection| {
                    for &event in &events {
                        diesel::delete(user_events::table.find(key(event))).execute(connection)?;
                    }
                    Ok(())
                })
            })
            .await
    }

    async fn postpone_events(
        &self,
        events: &[(UserEvent, EventRefusal)],
        now: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> Result<(), RepositoryError> {
        let mut events = events.to_vec();
        events.sort_unstable_by_key(|(event, _)| *event);
        let (now, until): (UtcMicros, UtcMicros) = (now.into(), until.into());
        self.database
            .write("postpone events", move |connection| {
                connection.transaction(|connection| {
                    for &(event, refusal) in &events {
                        diesel::update(user_events::table.find(key(event)))
                            .set((
                                user_events::claimed_until.eq(Some(until)),
                                user_events::refused_at.eq(Some(now)),
                                user_events::refusal.eq(Some(refusal.name())),
                            ))
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
                Ok(match connection.distributed() {
                    Some(connection) => {
                        let Forget { before, limit } = forget;
                        ForgetSharded { before, limit }.execute(connection)?
                    }
                    None => either!(connection => forget.execute(connection)?),
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

    async fn last_refusal(&self) -> Result<Option<(DateTime<Utc>, EventRefusal)>, RepositoryError> {
        self.database
            .read("find the last refusal of an event", |connection| {
                let last: Option<(Option<UtcMicros>, Option<String>)> = user_events::table
                    .filter(user_events::refused_at.is_not_null())
                    .select((user_events::refused_at, user_events::refusal))
                    .order(user_events::refused_at.desc())
                    .first(connection)
                    .optional()?;
                let Some((Some(at), Some(name))) = last else { return Ok(None) };
                let refusal = EventRefusal::from_name(&name).ok_or_else(|| Failure::Corrupt {
                    table: "user_events",
                    column: "refusal",
                    key: format!("refused_at {}", at.to_text()),
                    reason: "no refusal has this name".to_owned(),
                })?;
                Ok(Some((at.into(), refusal)))
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

/// The key of an event's row. Rows are locked in its order.
fn key(event: UserEvent) -> (i64, UtcMicros, &'static str) {
    (event.telegram_id.get(), event.at.into(), event.kind.name())
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

statement! {
    /// Claims the events recorded first. Citus skips no locked rows, so an event that another process claims
    /// meanwhile is looked at again, and left to that process.
    struct ClaimSharded -> Columns<Row> {
        now: UtcMicros as Timestamp,
        until: UtcMicros as Timestamp,
        limit: i64 as BigInt,
    }
    Pg => "
        UPDATE user_events AS stored SET claimed_until = :until
        FROM (
            SELECT telegram_id, at, event FROM user_events
            WHERE claimed_until IS NULL OR claimed_until < :now
            ORDER BY recorded_at
            LIMIT :limit) AS due
        WHERE stored.telegram_id = due.telegram_id AND stored.at = due.at AND stored.event = due.event
        AND (stored.claimed_until IS NULL OR stored.claimed_until < :now)
        RETURNING stored.telegram_id, stored.at, stored.event",
}

statement! {
    struct ForgetSharded {
        before: UtcMicros as Timestamp,
        limit: i64 as BigInt,
    }
    Pg => "
        DELETE FROM user_events AS stored USING (
            SELECT telegram_id, at, event FROM user_events
            WHERE recorded_at < :before
            ORDER BY recorded_at
            LIMIT :limit) AS old
        WHERE stored.telegram_id = old.telegram_id AND stored.at = old.at AND stored.event = old.event",
}
