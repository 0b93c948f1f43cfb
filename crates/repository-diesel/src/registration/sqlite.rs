//! The statements as SQLite spells them: each row is a statement, prepared once, for here that costs
//! no round trip.

use std::{borrow::Cow, collections::BTreeMap};

use chrono::{DateTime, Months, NaiveDate, Utc};
use diesel::{
    SqliteConnection,
    dsl::{exists, max, min, sql},
    prelude::*,
    query_builder::{AstPass, Query, QueryFragment, QueryId},
    sql_types::{BigInt, Bool, Integer, Nullable, Text, Timestamp},
    sqlite::Sqlite,
    upsert::excluded,
};
use rollcall_domain::{
    LatestDay, Neighbours, QuarantinedUpdate, Reachability, ReachabilityChange, StartPayload, Sums,
    TelegramId, TelegramUser, UnreachableReason, Username, month,
};

use super::{
    ActiveDay, Blocks, ChangeKey, Changes, Holder, Known, OldAndNew, PastDay, Seen, Statements,
    Upserted, room_for_labels,
};
use crate::{
    quarantine::quarantine_row,
    reach::reach_row,
    row::{UpsertedSqlType, UserRow, upserted_columns, user_columns},
    schema::{
        active_days, activity_state, erased_sums, quarantine, reach_history, sources, starts,
        telegram_users,
    },
    source_sums::{self, COLUMNS, SourceSum},
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
    fn upsert(&mut self, users: &[Seen]) -> QueryResult<Vec<Upserted>> {
        let upsert = |Seen { user, interactions, source_label }: &Seen| {
            let touch = Touch {
                telegram_id: user.telegram_id.get(),
                last_seen: text(user.last_seen),
                interactions: *interactions,
            };
            let known = touch.get_result(self).optional()?;
            let new = || LatestDay::first(user.active_day(), *interactions);
            known.map_or_else(
                || Insert(Columns::of(user, new()), *source_label).get_result(self),
                Ok,
            )
        };
        users.iter().map(upsert).collect()
    }

    /// Nothing to wait for: the transaction is SQLite's only writer.
    fn lock_ahead(&mut self, _users: &[i64], _keys: &[&str]) -> QueryResult<()> {
        Ok(())
    }

    fn lock_usernames(&mut self, _keys: &[&str]) -> QueryResult<bool> {
        Ok(true)
    }

    fn holders(&mut self, keys: &[&str]) -> QueryResult<Vec<Holder>> {
        let keys = serde_json::to_string(keys)
            .map_err(|error| diesel::result::Error::SerializationError(error.into()))?;
        Holders(keys).load(self)
    }

    fn finish(&mut self, changes: &Changes) -> QueryResult<()> {
        let Changes { users, losers, sums, other_names, profile_changes } = changes;
        self.note_names(other_names, profile_changes)?;
        for (user, latest) in users {
            Update(Columns::of(user, *latest)).execute(self)?;
        }
        for &(id, at) in losers {
            ClearUsername { telegram_id: id.get(), at: at.into() }.execute(self)?;
        }
        self.add_sums(sums)
    }

    fn add_sums(&mut self, sums: &Sums) -> QueryResult<()> {
        for (figure, day, label, value) in source_sums::others(sums) {
            let figure = figure.name();
            AddSum { figure, day: day.to_string(), label: label.text(), value }.execute(self)?;
        }
        for SourceSum { day, source, values } in source_sums::of_sources(sums) {
            AddSourceSum { day: day.to_string(), source, values }.execute(self)?;
        }
        Ok(())
    }

    fn note_names(
        &mut self,
        users: &[i64],
        changes: &BTreeMap<ChangeKey, OldAndNew>,
    ) -> QueryResult<()> {
        for &telegram_id in users {
            AddPending { telegram_id }.execute(self)?;
        }
        for ((id, at, field), (old_value, new_value)) in changes {
            let change = AddChange {
                telegram_id: id.get(),
                at: (*at).into(),
                field: field.name(),
                old_value,
                new_value,
            };
            change.execute(self)?;
        }
        Ok(())
    }

    fn add_days(&mut self, days: &[ActiveDay]) -> QueryResult<()> {
        for &(id, day, interactions) in days {
            AddDay { telegram_id: id.get(), day: day.to_string(), interactions }.execute(self)?;
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
    profile_seen: Option<UtcMicros>,
    /// In the database's form, of which the first part is the day.
    last_seen: String,
    has_private_chat: bool,
    obstacle: Option<&'static str>,
    blocked_at: Option<UtcMicros>,
    unblocked_at: Option<UtcMicros>,
    source: Option<&'a str>,
    day_interactions: i32,
    days_of_month: i32,
    active_days: i32,
}

impl<'a> Columns<'a> {
    fn of(user: &'a TelegramUser, latest: LatestDay) -> Self {
        let Reachability { has_private_chat, obstacle, blocked_at, unblocked_at } =
            user.reachability;
        Self {
            telegram_id: user.telegram_id.get(),
            first_name: &user.first_name,
            last_name: user.last_name.as_deref(),
            username: user.username.as_ref().map(Username::as_str),
            language_code: user.language_code.as_deref(),
            is_bot: user.is_bot,
            created_at: user.created_at.into(),
            updated_at: user.updated_at.into(),
            profile_seen: user.profile_seen.map(Into::into),
            last_seen: text(user.last_seen),
            has_private_chat,
            obstacle: obstacle.map(UnreachableReason::name),
            blocked_at: blocked_at.map(Into::into),
            unblocked_at: unblocked_at.map(Into::into),
            source: user.source.as_ref().map(StartPayload::as_str),
            day_interactions: latest.interactions,
            days_of_month: i32::try_from(latest.days_of_month).unwrap_or(i32::MAX),
            active_days: i32::try_from(latest.days_ever).unwrap_or(i32::MAX),
        }
    }
}

/// The day of a time in the database's form.
fn day(text: &str) -> &str {
    text.split(' ').next().unwrap_or_default()
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
            "SELECT telegram_id, username, last_seen, profile_seen FROM telegram_users \
             WHERE lower(username) IN (SELECT value FROM json_each(",
            Text = &self.0,
            "))",
        );
        Ok(())
    }
}

impl RunQueryDsl<SqliteConnection> for Holders {}

impl Query for Holders {
    type SqlType = (BigInt, Text, Timestamp, Nullable<Timestamp>);
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
    /// In the database's form, of which the first part is the day.
    last_seen: String,
    interactions: i32,
}

impl QueryFragment<Sqlite> for Touch {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        push!(
            out,
            "UPDATE telegram_users SET previous_seen = last_seen, last_seen = max(last_seen, ",
            Text = &self.last_seen,
            "), day_interactions = day_interactions + CASE active_day WHEN ",
            Text = day(&self.last_seen),
            " THEN ",
            Integer = &self.interactions,
            " ELSE 0 END WHERE telegram_id = ",
            BigInt = &self.telegram_id,
            " RETURNING ",
        );
        out.push_sql(concat!(user_columns!(), upserted_columns!()));
        Ok(())
    }
}

impl Query for Touch {
    type SqlType = UpsertedSqlType;
}

impl RunQueryDsl<SqliteConnection> for Touch {}

/// With the number of the label that the user's source has.
struct Insert<'a>(Columns<'a>, Option<i32>);

impl QueryFragment<Sqlite> for Insert<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        let Self(user, source_label) = self;
        push!(
            out,
            "INSERT INTO telegram_users (telegram_id, first_name, last_name, username, \
             language_code, is_bot, created_at, updated_at, profile_seen, last_seen, active_day, \
             has_private_chat, obstacle, blocked_at, unblocked_at, source, source_label, \
             day_interactions, days_of_month, active_days) VALUES (",
            BigInt = &user.telegram_id, ", ",
            Text = user.first_name, ", ",
            Nullable<Text> = &user.last_name, ", ",
            Nullable<Text> = &user.username, ", ",
            Nullable<Text> = &user.language_code, ", ",
            Bool = &user.is_bot, ", ",
            Timestamp = &user.created_at, ", ",
            Timestamp = &user.updated_at, ", ",
            Nullable<Timestamp> = &user.profile_seen, ", ",
            Text = &user.last_seen, ", ",
            Text = day(&user.last_seen), ", ",
            Bool = &user.has_private_chat, ", ",
            Nullable<Text> = &user.obstacle, ", ",
            Nullable<Timestamp> = &user.blocked_at, ", ",
            Nullable<Timestamp> = &user.unblocked_at, ", ",
            Nullable<Text> = &user.source, ", ",
            Nullable<Integer> = source_label, ", ",
            Integer = &user.day_interactions, ", ",
            Integer = &user.days_of_month, ", ",
            Integer = &user.active_days,
            ") RETURNING ",
        );
        out.push_sql(concat!(user_columns!(), upserted_columns!()));
        Ok(())
    }
}

impl Query for Insert<'_> {
    type SqlType = UpsertedSqlType;
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
            ", profile_seen = ", Nullable<Timestamp> = &user.profile_seen,
            ", active_day = ", Text = day(&user.last_seen),
            ", day_interactions = ", Integer = &user.day_interactions,
            ", days_of_month = ", Integer = &user.days_of_month,
            ", active_days = ", Integer = &user.active_days,
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

struct AddSum<'a> {
    figure: &'static str,
    day: String,
    label: Cow<'a, str>,
    value: i64,
}

impl QueryFragment<Sqlite> for AddSum<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        push!(
            out,
            "INSERT INTO activity_sums (figure, day, label, slot, value) VALUES (",
            Text = self.figure,
            ", ",
            Text = &self.day,
            ", ",
            Text = &*self.label,
            ", 0, ",
            BigInt = &self.value,
            ") ON CONFLICT (figure, day, label, slot) DO UPDATE SET value = value + excluded.value",
        );
        Ok(())
    }
}

impl QueryId for AddSum<'_> {
    type QueryId = AddSum<'static>;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl RunQueryDsl<SqliteConnection> for AddSum<'_> {}

struct AddSourceSum<'a> {
    day: String,
    source: Cow<'a, str>,
    values: [i64; COLUMNS],
}

impl QueryFragment<Sqlite> for AddSourceSum<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        push!(
            out,
            "INSERT INTO source_sums VALUES (",
            Text = &self.day,
            ", ",
            Text = &*self.source,
            ", 0",
        );
        for value in &self.values {
            push!(out, ", ", BigInt = value);
        }
        push!(
            out,
            ") ON CONFLICT (day, source, slot) DO UPDATE SET starts = starts + excluded.starts, \
             new_users = new_users + excluded.new_users, \
             reachable = reachable + excluded.reachable, day_1 = day_1 + excluded.day_1, \
             day_7 = day_7 + excluded.day_7, day_30 = day_30 + excluded.day_30",
        );
        Ok(())
    }
}

impl QueryId for AddSourceSum<'_> {
    type QueryId = AddSourceSum<'static>;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl RunQueryDsl<SqliteConnection> for AddSourceSum<'_> {}

#[derive(QueryId)]
struct AddDay {
    telegram_id: i64,
    day: String,
    interactions: i32,
}

impl QueryFragment<Sqlite> for AddDay {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        push!(
            out,
            "INSERT INTO active_days (telegram_id, day, interactions) VALUES (",
            BigInt = &self.telegram_id,
            ", ",
            Text = &self.day,
            ", ",
            Integer = &self.interactions,
            ") ON CONFLICT (telegram_id, day) \
             DO UPDATE SET interactions = interactions + excluded.interactions",
        );
        Ok(())
    }
}

impl RunQueryDsl<SqliteConnection> for AddDay {}

#[derive(QueryId)]
struct AddPending {
    telegram_id: i64,
}

impl QueryFragment<Sqlite> for AddPending {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        push!(
            out,
            "INSERT INTO search_pending VALUES (",
            BigInt = &self.telegram_id,
            ") ON CONFLICT DO NOTHING",
        );
        Ok(())
    }
}

impl RunQueryDsl<SqliteConnection> for AddPending {}

struct AddChange<'a> {
    telegram_id: i64,
    at: UtcMicros,
    field: &'static str,
    old_value: &'a Option<String>,
    new_value: &'a Option<String>,
}

impl QueryFragment<Sqlite> for AddChange<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        push!(
            out,
            "INSERT INTO profile_changes (telegram_id, at, field, old_value, new_value) VALUES (",
            BigInt = &self.telegram_id, ", ",
            Timestamp = &self.at, ", ",
            Text = self.field, ", ",
            Nullable<Text> = self.old_value, ", ",
            Nullable<Text> = self.new_value,
            ") ON CONFLICT (telegram_id, at, field) \
             DO UPDATE SET new_value = excluded.new_value",
        );
        Ok(())
    }
}

impl QueryId for AddChange<'_> {
    type QueryId = AddChange<'static>;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl RunQueryDsl<SqliteConnection> for AddChange<'_> {}
