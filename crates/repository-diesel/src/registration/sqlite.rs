//! The statements as SQLite spells them: rows travel as one JSON text, so that a statement is the
//! same text, and prepared once, whatever the size of the batch.

use chrono::{DateTime, Utc};
use diesel::{
    SqliteConnection,
    prelude::*,
    query_builder::{AstPass, Query, QueryFragment, QueryId},
    sql_types::{BigInt, Text, Timestamp},
    sqlite::Sqlite,
    upsert::excluded,
};
use rollcall_domain::{
    Obstacle, Reach, ReachChange, SetAside, StartPayload, TelegramId, TelegramUser, Username,
};

use super::{Count, Holder, Statements};
use crate::{
    quarantine::quarantine_row,
    reach::reach_row,
    row::{UserRow, UserSqlType},
    schema::{quarantine, reach_history, starts, telegram_users},
    timestamp::UtcMicros,
};

impl Statements for SqliteConnection {
    statements_alike!();

    fn remember(&mut self, update_ids: &[i64], now: DateTime<Utc>) -> QueryResult<Vec<i64>> {
        let now = text(now);
        Remember(json(update_ids.iter().map(|update_id| (update_id, &now)))?).load(self)
    }

    fn upsert(&mut self, users: &[TelegramUser]) -> QueryResult<Vec<UserRow>> {
        Upsert(json(users.iter().map(|user| {
            (
                user.telegram_id.get(),
                &user.first_name,
                &user.last_name,
                user.username.as_ref().map(Username::as_str),
                &user.language_code,
                user.is_bot,
                text(user.created_at),
                text(user.updated_at),
                text(user.last_seen),
                user.active_day().to_string(),
                reach(user),
                user.source.as_ref().map(StartPayload::as_str),
            )
        }))?)
        .load(self)
    }

    fn update(&mut self, users: &[&TelegramUser]) -> QueryResult<()> {
        let rows = json(users.iter().map(|user| {
            (
                user.telegram_id.get(),
                &user.first_name,
                &user.last_name,
                user.username.as_ref().map(Username::as_str),
                &user.language_code,
                user.is_bot,
                text(user.updated_at),
                user.active_day().to_string(),
                reach(user),
            )
        }))?;
        Update(rows).execute(self).map(drop)
    }

    /// Nothing to wait for: the transaction is SQLite's only writer.
    fn lock_usernames(&mut self, _keys: &[&str]) -> QueryResult<()> {
        Ok(())
    }

    fn holders(&mut self, keys: &[&str]) -> QueryResult<Vec<Holder>> {
        Holders(json(keys.iter())?).load(self)
    }

    fn clear_usernames(&mut self, losers: &[(TelegramId, DateTime<Utc>)]) -> QueryResult<()> {
        let rows = json(losers.iter().map(|&(id, at)| (id.get(), text(at))))?;
        ClearUsernames(rows).execute(self).map(drop)
    }

    fn count(&mut self, counts: &[Count]) -> QueryResult<()> {
        let rows = counts.iter().map(|(day, kind, count)| (day.to_string(), kind, count));
        CountInteractions(json(rows)?).execute(self).map(drop)
    }
}

/// A JSON array with an element for each row.
fn json<T: serde::Serialize>(rows: impl Iterator<Item = T>) -> QueryResult<String> {
    serde_json::to_string(&rows.collect::<Vec<_>>())
        .map_err(|error| diesel::result::Error::SerializationError(error.into()))
}

/// Whether and since when the user can be reached, in the order of the columns.
fn reach(user: &TelegramUser) -> (bool, Option<&'static str>, Option<String>, Option<String>) {
    let Reach { has_private_chat, obstacle, blocked_at, unblocked_at } = user.reach;
    (has_private_chat, obstacle.map(Obstacle::name), blocked_at.map(text), unblocked_at.map(text))
}

fn text(at: DateTime<Utc>) -> String {
    UtcMicros::from(at).to_text()
}

/// Defines a statement whose only parameter is a JSON array. Its text never changes, so Diesel
/// keeps it prepared.
macro_rules! statement_over_json {
    ($name:ident, [$before:literal, $after:literal]) => {
        #[derive(QueryId)]
        struct $name(String);

        impl QueryFragment<Sqlite> for $name {
            fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
                out.push_sql($before);
                out.push_bind_param::<Text, _>(&self.0)?;
                out.push_sql($after);
                Ok(())
            }
        }

        impl RunQueryDsl<SqliteConnection> for $name {}
    };
}

statement_over_json!(
    Remember,
    [
        "INSERT INTO recent_updates (update_id, recorded_at) \
         SELECT value ->> 0, value ->> 1 FROM json_each(",
        ") WHERE true ON CONFLICT (update_id) DO NOTHING RETURNING update_id"
    ]
);

impl Query for Remember {
    type SqlType = BigInt;
}

statement_over_json!(
    Upsert,
    [
        "INSERT INTO telegram_users (telegram_id, first_name, last_name, username, language_code, \
         is_bot, created_at, updated_at, last_seen, active_day, has_private_chat, obstacle, \
         blocked_at, unblocked_at, source) \
         SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, \
         value ->> 6, value ->> 7, value ->> 8, value ->> 9, value ->> 10 ->> 0, \
         value ->> 10 ->> 1, value ->> 10 ->> 2, value ->> 10 ->> 3, value ->> 11 FROM json_each(",
        ") WHERE true ON CONFLICT (telegram_id) DO UPDATE SET \
         previous_seen = last_seen, last_seen = max(last_seen, excluded.last_seen) \
         RETURNING telegram_id, first_name, last_name, username, language_code, is_bot, \
         created_at, updated_at, last_seen, active_day, previous_seen, has_private_chat, \
         obstacle, blocked_at, unblocked_at, source"
    ]
);

impl Query for Upsert {
    type SqlType = UserSqlType;
}

statement_over_json!(
    Update,
    [
        "UPDATE telegram_users SET first_name = value ->> 1, last_name = value ->> 2, \
         username = value ->> 3, language_code = value ->> 4, is_bot = value ->> 5, \
         updated_at = value ->> 6, active_day = value ->> 7, has_private_chat = value ->> 8 ->> 0, \
         obstacle = value ->> 8 ->> 1, blocked_at = value ->> 8 ->> 2, \
         unblocked_at = value ->> 8 ->> 3 FROM json_each(",
        ") WHERE telegram_id = value ->> 0"
    ]
);

statement_over_json!(
    Holders,
    [
        "SELECT telegram_id, username, last_seen FROM telegram_users \
         WHERE lower(username) IN (SELECT value FROM json_each(",
        "))"
    ]
);

impl Query for Holders {
    type SqlType = (BigInt, Text, Timestamp);
}

statement_over_json!(
    ClearUsernames,
    [
        "UPDATE telegram_users SET username = NULL, updated_at = max(updated_at, value ->> 1) \
         FROM json_each(",
        ") WHERE telegram_id = value ->> 0"
    ]
);

statement_over_json!(
    CountInteractions,
    [
        "INSERT INTO interactions_by_day (day, kind, interactions) \
         SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each(",
        ") WHERE true ON CONFLICT (day, kind) DO UPDATE SET \
         interactions = interactions + excluded.interactions"
    ]
);
