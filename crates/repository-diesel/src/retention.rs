//! Deleting what is older than an owner wants to keep.

use async_trait::async_trait;
use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use diesel::{
    Connection,
    dsl::min,
    pg::Pg,
    prelude::*,
    sql_types::{BigInt, Date, Timestamp},
    sqlite::Sqlite,
};
use rollcall_domain::{Figure, InteractionKind};
use rollcall_repository::{Cutoffs, Expired, RepositoryError, RetentionRepository};

use crate::{
    base::{
        connection::AnyConnection,
        error::Failure,
        schema::{activity_sums, audit_head, audit_log, notes, telegram_users},
        statement::statement,
        timestamp::UtcMicros,
    },
    users::{delete::delete, lock::lock, store::DieselUserRepository},
};

#[async_trait]
impl RetentionRepository for DieselUserRepository {
    async fn expired(&self, before: Cutoffs) -> Result<Expired, RepositoryError> {
        self.database.run_long_read(move |connection| Ok(expired(connection, before)?)).await
    }

    async fn business_customers(&self) -> Result<u64, RepositoryError> {
        self.database.run_long_read(|connection| Ok(business_customers(connection)?)).await
    }

    async fn delete_inactive(&self, day: NaiveDate, limit: u32) -> Result<usize, RepositoryError> {
        self.database
            .write("delete inactive users", move |connection| {
                let ids = inactive(connection, day, limit)?;
                if ids.is_empty() {
                    return Ok(0);
                }
                connection.transaction(|connection| delete_inactive(connection, &ids, day))
            })
            .await
    }

    async fn delete_notes(&self, at: DateTime<Utc>, limit: u32) -> Result<usize, RepositoryError> {
        self.database
            .write("delete old notes", move |connection| {
                Ok(delete_notes(connection, at.into(), limit)?)
            })
            .await
    }

    async fn delete_audit_entries(
        &self,
        at: DateTime<Utc>,
        limit: u32,
    ) -> Result<usize, RepositoryError> {
        self.database
            .write("delete old audit entries", move |connection| {
                let delete = |connection: &mut _| delete_audit_entries(connection, at, limit);
                Ok(connection.transaction(delete)?)
            })
            .await
    }
}

fn expired(connection: &mut AnyConnection, before: Cutoffs) -> QueryResult<Expired> {
    let number = |count: i64| count.try_into().unwrap_or_default();
    let mut expired = Expired::default();
    if let Some(day) = before.inactive {
        let inactive = telegram_users::table.filter(telegram_users::active_day.lt(day));
        expired.users = number(inactive.count().get_result(connection)?);
    }
    if let Some(at) = before.notes {
        let old = notes::table.filter(notes::written_at.lt(UtcMicros::from(at)));
        expired.notes = number(old.count().get_result(connection)?);
    }
    if let Some(at) = before.audit {
        let old = audit_log::table.filter(audit_log::at.lt(UtcMicros::from(at)));
        expired.audit_entries = number(old.count().get_result(connection)?);
    }
    Ok(expired)
}

fn business_customers(connection: &mut AnyConnection) -> QueryResult<u64> {
    let kinds = [InteractionKind::BusinessMessage, InteractionKind::EditedBusinessMessage];
    let first: Option<NaiveDate> = activity_sums::table
        .filter(activity_sums::figure.eq(Figure::Kind.name()))
        .filter(activity_sums::label.eq_any(kinds.map(InteractionKind::name)))
        .select(min(activity_sums::day))
        .first(connection)?;
    let Some(day) = first else { return Ok(0) };
    let count = CountCustomers { day, at: day.and_time(NaiveTime::MIN).and_utc().into() };
    let customers: i64 = match connection {
        AnyConnection::Sqlite(connection) => count.get_result(connection)?,
        AnyConnection::Postgres(connection) => count.get_result(connection)?,
    };
    Ok(customers.try_into().unwrap_or_default())
}

statement! {
    /// The users who may be known only from messages to a business account, of which the first came on
    /// `day`, which began `at`.
    struct CountCustomers -> BigInt {
        day: NaiveDate as Date,
        at: UtcMicros as Timestamp,
    }
    Sqlite => "
        WITH business AS MATERIALIZED (
            SELECT day, sum(value) AS messages FROM activity_sums
            WHERE figure = 'kind' AND day >= :day
                AND label IN ('business_message', 'edited_business_message')
            GROUP BY day)
        SELECT count(*) FROM telegram_users AS stored
        WHERE active_day >= :day AND created_at >= :at
            AND NOT has_private_chat AND source IS NULL
            AND day_interactions <= coalesce(
                (SELECT messages FROM business WHERE day = active_day), 0)
            AND NOT EXISTS (
                SELECT * FROM active_days AS past
                WHERE past.telegram_id = stored.telegram_id AND past.interactions > coalesce(
                    (SELECT messages FROM business WHERE business.day = past.day), 0))
            AND NOT EXISTS (
                SELECT * FROM starts WHERE starts.telegram_id = stored.telegram_id)
            AND NOT EXISTS (
                SELECT * FROM command_uses WHERE command_uses.telegram_id = stored.telegram_id)
            AND NOT EXISTS (
                SELECT * FROM uncounted_users
                WHERE uncounted_users.telegram_id = stored.telegram_id)",
    Pg => "
        WITH business AS MATERIALIZED (
            SELECT day, sum(value) AS messages FROM activity_sums
            WHERE figure = 'kind' AND day >= :day
                AND label IN ('business_message', 'edited_business_message')
            GROUP BY day)
        SELECT count(*) FROM telegram_users AS stored
        LEFT JOIN business ON business.day = stored.active_day
        WHERE active_day >= :day AND created_at >= :at
            AND NOT has_private_chat AND source IS NULL
            AND day_interactions <= coalesce(business.messages, 0)
            AND NOT EXISTS (
                SELECT FROM active_days AS past LEFT JOIN business ON business.day = past.day
                WHERE past.telegram_id = stored.telegram_id
                    AND past.interactions > coalesce(business.messages, 0))
            AND NOT EXISTS (
                SELECT FROM starts WHERE starts.telegram_id = stored.telegram_id)
            AND NOT EXISTS (
                SELECT FROM command_uses WHERE command_uses.telegram_id = stored.telegram_id)
            AND NOT EXISTS (
                SELECT FROM uncounted_users
                WHERE uncounted_users.telegram_id = stored.telegram_id)",
}

/// Users that were inactive for longest, sorted by id.
fn inactive(connection: &mut AnyConnection, day: NaiveDate, limit: u32) -> QueryResult<Vec<i64>> {
    let mut ids: Vec<i64> = telegram_users::table
        .filter(telegram_users::active_day.lt(day))
        .order((telegram_users::active_day, telegram_users::telegram_id))
        .select(telegram_users::telegram_id)
        .limit(limit.into())
        .load(connection)?;
    ids.sort_unstable();
    Ok(ids)
}

/// Deletes those of the users who are still inactive once they are locked.
fn delete_inactive(
    connection: &mut AnyConnection,
    ids: &[i64],
    day: NaiveDate,
) -> Result<usize, Failure> {
    for &id in ids {
        lock(connection, id)?;
    }
    let ids: Vec<i64> = telegram_users::table
        .filter(telegram_users::telegram_id.eq_any(ids))
        .filter(telegram_users::active_day.lt(day))
        .order(telegram_users::telegram_id)
        .select(telegram_users::telegram_id)
        .load(connection)?;
    Ok(delete(connection, &ids)?.len())
}

fn delete_notes(connection: &mut AnyConnection, at: UtcMicros, limit: u32) -> QueryResult<usize> {
    let old: Vec<i64> = notes::table
        .filter(notes::written_at.lt(at))
        .order(notes::telegram_id)
        .select(notes::telegram_id)
        .limit(limit.into())
        .load(connection)?;
    // Checked again, because it may have been written meanwhile.
    let old = notes::table.filter(notes::telegram_id.eq_any(old)).filter(notes::written_at.lt(at));
    diesel::delete(old).execute(connection)
}

/// Deletes entries in the order of their ids, so that the rest begins after the last deleted one.
fn delete_audit_entries(
    connection: &mut AnyConnection,
    at: DateTime<Utc>,
    limit: u32,
) -> QueryResult<usize> {
    // Locks the log.
    diesel::update(audit_head::table)
        .set(audit_head::removed_hash.eq(audit_head::removed_hash))
        .execute(connection)?;
    let oldest: Vec<(i64, UtcMicros, Option<Vec<u8>>)> = audit_log::table
        .order(audit_log::id)
        .select((audit_log::id, audit_log::at, audit_log::hash))
        .limit(limit.into())
        .load(connection)?;
    let is_old = |(_, entry, _): &(i64, UtcMicros, _)| DateTime::<Utc>::from(*entry) < at;
    let old: Vec<_> = oldest.into_iter().take_while(is_old).collect();
    let Some((last, ..)) = old.last() else { return Ok(0) };
    let deleted =
        diesel::delete(audit_log::table.filter(audit_log::id.le(*last))).execute(connection)?;
    // Entries from before the chain have no hash.
    if let Some(hash) = old.iter().rev().find_map(|(.., hash)| hash.clone()) {
        diesel::update(audit_head::table)
            .set(audit_head::removed_hash.eq(hash))
            .execute(connection)?;
    }
    Ok(deleted)
}
