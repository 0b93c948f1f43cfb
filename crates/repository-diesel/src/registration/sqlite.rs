//! The statements as SQLite spells them: each row is a statement, prepared once, for here that costs
//! no round trip.

use chrono::{DateTime, Utc};
use diesel::{
    SqliteConnection,
    prelude::*,
    query_builder::{AstPass, Query, QueryFragment, QueryId},
    sql_types::{BigInt, Bool, Nullable, Text, Timestamp},
    sqlite::Sqlite,
    upsert::excluded,
};
use rollcall_domain::{
    Obstacle, Reach, ReachChange, SetAside, StartPayload, TelegramId, TelegramUser, Username,
};

use super::{Blocks, Changes, Holder, Known, Statements, Upserted};
use crate::{
    quarantine::quarantine_row,
    reach::reach_row,
    row::{UserRow, UserSqlType, user_columns},
    schema::{quarantine, reach_history, starts, telegram_users},
    timestamp::UtcMicros,
};

impl Statements for SqliteConnection {
    statements_alike!();

    fn remember(&mut self, blocks: &Blocks, now: DateTime<Utc>) -> QueryResult<Vec<Known>> {
        let now = UtcMicros::from(now);
        let remember = |(&block, &updates)| Remember { block, updates, now }.get_result(self);
        blocks.iter().map(remember).collect()
    }

    /// A statement for each row: here it costs no round trip, and less than rows within one text.
    /// Two for who is new: nobody else writes meanwhile, and an insert that falls back on an update
    /// does the work of both for everybody.
    fn upsert(&mut self, users: &[TelegramUser]) -> QueryResult<Vec<Upserted>> {
        let upsert = |user: &TelegramUser| {
            let (telegram_id, last_seen) = (user.telegram_id.get(), user.last_seen.into());
            let known = Touch { telegram_id, last_seen }.get_result(self).optional()?;
            known.map_or_else(|| Insert(Columns::of(user)).get_result(self), Ok)
        };
        users.iter().map(upsert).collect()
    }

    /// Nothing to wait for: the transaction is SQLite's only writer.
    fn lock_usernames(&mut self, _keys: &[&str]) -> QueryResult<()> {
        Ok(())
    }

    fn holders(&mut self, keys: &[&str]) -> QueryResult<Vec<Holder>> {
        let keys = serde_json::to_string(keys)
            .map_err(|error| diesel::result::Error::SerializationError(error.into()))?;
        Holders(keys).load(self)
    }

    fn finish(&mut self, Changes { users, losers, counts }: &Changes) -> QueryResult<()> {
        for user in users {
            Update(Columns::of(user)).execute(self)?;
        }
        for &(id, at) in losers {
            ClearUsername { telegram_id: id.get(), at: at.into() }.execute(self)?;
        }
        for &(day, kind, interactions) in counts {
            CountInteractions { day: day.to_string(), kind, interactions }.execute(self)?;
        }
        Ok(())
    }
}

/// A user as parameters.
struct Columns<'a> {
    telegram_id: i64,
    first_name: &'a str,
    last_name: Option<&'a str>,
    username: Option<&'a str>,
    language_code: Option<&'a str>,
    is_bot: bool,
    created_at: UtcMicros,
    updated_at: UtcMicros,
    /// In the database's form, of which the first part is the day.
    last_seen: String,
    has_private_chat: bool,
    obstacle: Option<&'static str>,
    blocked_at: Option<UtcMicros>,
    unblocked_at: Option<UtcMicros>,
    source: Option<&'a str>,
}

impl<'a> Columns<'a> {
    fn of(user: &'a TelegramUser) -> Self {
        let Reach { has_private_chat, obstacle, blocked_at, unblocked_at } = user.reach;
        Self {
            telegram_id: user.telegram_id.get(),
            first_name: &user.first_name,
            last_name: user.last_name.as_deref(),
            username: user.username.as_ref().map(Username::as_str),
            language_code: user.language_code.as_deref(),
            is_bot: user.is_bot,
            created_at: user.created_at.into(),
            updated_at: user.updated_at.into(),
            last_seen: text(user.last_seen),
            has_private_chat,
            obstacle: obstacle.map(Obstacle::name),
            blocked_at: blocked_at.map(Into::into),
            unblocked_at: unblocked_at.map(Into::into),
            source: user.source.as_ref().map(StartPayload::as_str),
        }
    }

    fn active_day(&self) -> &str {
        self.last_seen.split(' ').next().unwrap_or_default()
    }
}

fn text(at: DateTime<Utc>) -> String {
    UtcMicros::from(at).to_text()
}

/// The only statement over a list, which travels as one JSON text.
#[derive(QueryId)]
struct Holders(String);

impl QueryFragment<Sqlite> for Holders {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        push!(
            out,
            "SELECT telegram_id, username, last_seen FROM telegram_users \
             WHERE lower(username) IN (SELECT value FROM json_each(",
            Text = &self.0,
            "))",
        );
        Ok(())
    }
}

impl RunQueryDsl<SqliteConnection> for Holders {}

impl Query for Holders {
    type SqlType = (BigInt, Text, Timestamp);
}

#[derive(QueryId)]
struct ClearUsername {
    telegram_id: i64,
    at: UtcMicros,
}

impl QueryFragment<Sqlite> for ClearUsername {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        push!(
            out,
            "UPDATE telegram_users SET username = NULL, updated_at = max(updated_at, ",
            Timestamp = &self.at,
            ") WHERE telegram_id = ",
            BigInt = &self.telegram_id,
        );
        Ok(())
    }
}

impl RunQueryDsl<SqliteConnection> for ClearUsername {}

#[derive(QueryId)]
struct Remember {
    block: i64,
    updates: i64,
    now: UtcMicros,
}

impl QueryFragment<Sqlite> for Remember {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        push!(
            out,
            "INSERT INTO recent_updates (block, updates, recorded_at) VALUES (",
            BigInt = &self.block,
            ", ",
            BigInt = &self.updates,
            ", ",
            Timestamp = &self.now,
            ") ON CONFLICT (block) DO UPDATE SET previous_updates = updates, \
             updates = updates | excluded.updates, \
             recorded_at = CASE updates | excluded.updates WHEN updates \
             THEN recorded_at ELSE excluded.recorded_at END \
             RETURNING block, previous_updates",
        );
        Ok(())
    }
}

impl Query for Remember {
    type SqlType = (BigInt, Nullable<BigInt>);
}

impl RunQueryDsl<SqliteConnection> for Remember {}

#[derive(QueryId)]
struct Touch {
    telegram_id: i64,
    last_seen: UtcMicros,
}

impl QueryFragment<Sqlite> for Touch {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        push!(
            out,
            "UPDATE telegram_users SET previous_seen = last_seen, last_seen = max(last_seen, ",
            Timestamp = &self.last_seen,
            ") WHERE telegram_id = ",
            BigInt = &self.telegram_id,
            " RETURNING ",
        );
        out.push_sql(concat!(user_columns!(), ", previous_seen"));
        Ok(())
    }
}

impl Query for Touch {
    type SqlType = (UserSqlType, Nullable<Timestamp>);
}

impl RunQueryDsl<SqliteConnection> for Touch {}

struct Insert<'a>(Columns<'a>);

impl QueryFragment<Sqlite> for Insert<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        let Self(user) = self;
        push!(
            out,
            "INSERT INTO telegram_users (telegram_id, first_name, last_name, username, \
             language_code, is_bot, created_at, updated_at, last_seen, active_day, \
             has_private_chat, obstacle, blocked_at, unblocked_at, source) VALUES (",
            BigInt = &user.telegram_id, ", ",
            Text = user.first_name, ", ",
            Nullable<Text> = &user.last_name, ", ",
            Nullable<Text> = &user.username, ", ",
            Nullable<Text> = &user.language_code, ", ",
            Bool = &user.is_bot, ", ",
            Timestamp = &user.created_at, ", ",
            Timestamp = &user.updated_at, ", ",
            Text = &user.last_seen, ", ",
            Text = user.active_day(), ", ",
            Bool = &user.has_private_chat, ", ",
            Nullable<Text> = &user.obstacle, ", ",
            Nullable<Timestamp> = &user.blocked_at, ", ",
            Nullable<Timestamp> = &user.unblocked_at, ", ",
            Nullable<Text> = &user.source,
            ") RETURNING ",
        );
        out.push_sql(concat!(user_columns!(), ", previous_seen"));
        Ok(())
    }
}

impl Query for Insert<'_> {
    type SqlType = (UserSqlType, Nullable<Timestamp>);
}

impl QueryId for Insert<'_> {
    type QueryId = Insert<'static>;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl RunQueryDsl<SqliteConnection> for Insert<'_> {}

struct Update<'a>(Columns<'a>);

impl QueryFragment<Sqlite> for Update<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        let Self(user) = self;
        push!(
            out,
            "UPDATE telegram_users SET first_name = ", Text = user.first_name,
            ", last_name = ", Nullable<Text> = &user.last_name,
            ", username = ", Nullable<Text> = &user.username,
            ", language_code = ", Nullable<Text> = &user.language_code,
            ", is_bot = ", Bool = &user.is_bot,
            ", updated_at = ", Timestamp = &user.updated_at,
            ", active_day = ", Text = user.active_day(),
            ", has_private_chat = ", Bool = &user.has_private_chat,
            ", obstacle = ", Nullable<Text> = &user.obstacle,
            ", blocked_at = ", Nullable<Timestamp> = &user.blocked_at,
            ", unblocked_at = ", Nullable<Timestamp> = &user.unblocked_at,
            " WHERE telegram_id = ", BigInt = &user.telegram_id,
        );
        Ok(())
    }
}

impl QueryId for Update<'_> {
    type QueryId = Update<'static>;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl RunQueryDsl<SqliteConnection> for Update<'_> {}

#[derive(QueryId)]
struct CountInteractions {
    day: String,
    kind: &'static str,
    interactions: i64,
}

impl QueryFragment<Sqlite> for CountInteractions {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        push!(
            out,
            "INSERT INTO interactions_by_day (day, kind, interactions) VALUES (",
            Text = &self.day,
            ", ",
            Text = self.kind,
            ", ",
            BigInt = &self.interactions,
            ") ON CONFLICT (day, kind) DO UPDATE \
             SET interactions = interactions + excluded.interactions",
        );
        Ok(())
    }
}

impl RunQueryDsl<SqliteConnection> for CountInteractions {}
