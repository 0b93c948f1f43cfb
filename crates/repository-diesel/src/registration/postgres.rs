//! The statements as PostgreSQL spells them: each column travels as one array, so that a statement
//! is the same text, and prepared once, whatever the size of the batch.

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use diesel::{
    PgConnection,
    pg::Pg,
    prelude::*,
    query_builder::{AstPass, Query, QueryFragment, QueryId},
    sql_types::{Array, BigInt, Bool, Date, Integer, Nullable, Text, Timestamp},
    upsert::excluded,
};
use rollcall_domain::{
    Interaction, Obstacle, ReachChange, Registration, SetAside, StartPayload, TelegramId,
    TelegramUser, Username,
};
use rollcall_repository::Batch;

use super::{Blocks, Count, Holder, Known, Statements, Upserted};
use crate::{
    error::Failure,
    quarantine::quarantine_row,
    reach::reach_row,
    row::{UserRow, UserSqlType, user_columns},
    schema::{quarantine, reach_history, starts, telegram_users},
    timestamp::UtcMicros,
};

impl Statements for PgConnection {
    statements_alike!();

    fn remember(&mut self, blocks: &Blocks, now: DateTime<Utc>) -> QueryResult<Vec<Known>> {
        let (blocks, updates) = blocks.iter().unzip();
        Remember { blocks, updates, now: naive(now) }.load(self)
    }

    fn upsert(&mut self, users: &[TelegramUser]) -> QueryResult<Vec<Upserted>> {
        let created_at = users.iter().map(|user| naive(user.created_at)).collect();
        let last_seen = users.iter().map(|user| naive(user.last_seen)).collect();
        let source =
            users.iter().map(|user| user.source.as_ref().map(StartPayload::as_str)).collect();
        Upsert { columns: Columns::of(users.iter()), created_at, last_seen, source }.load(self)
    }

    fn update(&mut self, users: &[&TelegramUser]) -> QueryResult<()> {
        Update { columns: Columns::of(users.iter().copied()) }.execute(self).map(drop)
    }

    /// Two transactions that give one name to two users would not see each other's rows, so the
    /// names are locked. The locks are shared out over a few buckets, since PostgreSQL has memory
    /// for a few thousand advisory locks only.
    fn lock_usernames(&mut self, keys: &[&str]) -> QueryResult<()> {
        let mut buckets: Vec<i32> = keys.iter().map(|key| bucket(key)).collect();
        buckets.sort_unstable();
        buckets.dedup();
        LockUsernames { buckets }.execute(self).map(drop)
    }

    fn holders(&mut self, keys: &[&str]) -> QueryResult<Vec<Holder>> {
        Holders { keys: keys.to_vec() }.load(self)
    }

    fn clear_usernames(&mut self, losers: &[(TelegramId, DateTime<Utc>)]) -> QueryResult<()> {
        let (ids, at) = losers.iter().map(|&(id, at)| (id.get(), naive(at))).unzip();
        ClearUsernames { ids, at }.execute(self).map(drop)
    }

    fn count(&mut self, counts: &[Count]) -> QueryResult<()> {
        let days = counts.iter().map(|(day, ..)| *day).collect();
        let kinds = counts.iter().map(|(_, kind, _)| *kind).collect();
        let interactions = counts.iter().map(|(.., count)| *count).collect();
        CountInteractions { days, kinds, interactions }.execute(self).map(drop)
    }
}

/// Records a call alone that changes nothing of its user but the time: one statement, which is a
/// transaction by itself, and so one round trip instead of five. Answers nothing, and has changed
/// nothing, where there is more to it.
pub(super) fn touch(
    connection: &mut PgConnection,
    batch: &Batch,
) -> Result<Option<Registration>, Failure> {
    let Batch { interactions, set_aside } = batch;
    let [interaction @ Interaction { update_id: None, chat: None, event: None, .. }] =
        interactions.as_slice()
    else {
        return Ok(None);
    };
    if !set_aside.is_empty() {
        return Ok(None);
    }
    let told = TelegramUser::created_by(interaction);
    let touch = Touch {
        telegram_id: told.telegram_id.get(),
        first_name: &told.first_name,
        last_name: told.last_name.as_deref(),
        username: told.username.as_ref().map(Username::as_str),
        language_code: told.language_code.as_deref(),
        is_bot: told.is_bot,
        last_seen: naive(told.last_seen),
        active_day: told.active_day(),
        kind: interaction.kind.name(),
    };
    let row: Option<UserRow> = touch.get_result(connection).optional()?;
    row.map(|row| Ok(Registration { user: row.into_user()?, created: false })).transpose()
}

fn naive(at: DateTime<Utc>) -> NaiveDateTime {
    UtcMicros::from(at).naive()
}

/// How many advisory locks the usernames share.
const BUCKETS: u64 = 256;

/// The lock of a username: FNV-1a, which every version of every process computes alike.
fn bucket(key: &str) -> i32 {
    let hash = key.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    i32::try_from(hash % BUCKETS).unwrap_or_default()
}

/// First key of the usernames' advisory locks ("name" in ASCII); the second is the bucket.
const USERNAME_LOCKS: i32 = 0x6e61_6d65;

/// The columns that an upsert and an update share, one array each, all of one length.
struct Columns<'a> {
    telegram_id: Vec<i64>,
    first_name: Vec<&'a str>,
    last_name: Vec<Option<&'a str>>,
    username: Vec<Option<&'a str>>,
    language_code: Vec<Option<&'a str>>,
    is_bot: Vec<bool>,
    updated_at: Vec<NaiveDateTime>,
    active_day: Vec<NaiveDate>,
    has_private_chat: Vec<bool>,
    obstacle: Vec<Option<&'a str>>,
    blocked_at: Vec<Option<NaiveDateTime>>,
    unblocked_at: Vec<Option<NaiveDateTime>>,
}

impl<'a> Columns<'a> {
    fn of(users: impl Iterator<Item = &'a TelegramUser> + Clone) -> Self {
        Self {
            telegram_id: users.clone().map(|user| user.telegram_id.get()).collect(),
            first_name: users.clone().map(|user| user.first_name.as_str()).collect(),
            last_name: users.clone().map(|user| user.last_name.as_deref()).collect(),
            username: users
                .clone()
                .map(|user| user.username.as_ref().map(Username::as_str))
                .collect(),
            language_code: users.clone().map(|user| user.language_code.as_deref()).collect(),
            is_bot: users.clone().map(|user| user.is_bot).collect(),
            updated_at: users.clone().map(|user| naive(user.updated_at)).collect(),
            active_day: users.clone().map(|user| user.active_day()).collect(),
            has_private_chat: users.clone().map(|user| user.reach.has_private_chat).collect(),
            obstacle: users.clone().map(|user| user.reach.obstacle.map(Obstacle::name)).collect(),
            blocked_at: users.clone().map(|user| user.reach.blocked_at.map(naive)).collect(),
            unblocked_at: users.map(|user| user.reach.unblocked_at.map(naive)).collect(),
        }
    }

    /// Writes the columns as arguments of `UNNEST`.
    fn push<'b>(&'b self, out: &mut AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_bind_param::<Array<BigInt>, _>(&self.telegram_id)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Text>, _>(&self.first_name)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Nullable<Text>>, _>(&self.last_name)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Nullable<Text>>, _>(&self.username)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Nullable<Text>>, _>(&self.language_code)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Bool>, _>(&self.is_bot)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Timestamp>, _>(&self.updated_at)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Date>, _>(&self.active_day)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Bool>, _>(&self.has_private_chat)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Nullable<Text>>, _>(&self.obstacle)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Nullable<Timestamp>>, _>(&self.blocked_at)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Nullable<Timestamp>>, _>(&self.unblocked_at)
    }
}

#[derive(QueryId)]
struct Remember {
    /// Sorted.
    blocks: Vec<i64>,
    updates: Vec<i64>,
    now: NaiveDateTime,
}

impl QueryFragment<Pg> for Remember {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql(
            "INSERT INTO recent_updates AS stored (block, updates, recorded_at) \
             SELECT block, updates, ",
        );
        out.push_bind_param::<Timestamp, _>(&self.now)?;
        out.push_sql(" FROM UNNEST(");
        out.push_bind_param::<Array<BigInt>, _>(&self.blocks)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<BigInt>, _>(&self.updates)?;
        out.push_sql(
            ") AS new (block, updates) ON CONFLICT (block) DO UPDATE SET \
             previous_updates = stored.updates, updates = stored.updates | excluded.updates, \
             recorded_at = CASE stored.updates | excluded.updates WHEN stored.updates \
             THEN stored.recorded_at ELSE excluded.recorded_at END \
             RETURNING block, previous_updates",
        );
        Ok(())
    }
}

impl Query for Remember {
    type SqlType = (BigInt, Nullable<BigInt>);
}

impl RunQueryDsl<PgConnection> for Remember {}

struct Upsert<'a> {
    columns: Columns<'a>,
    created_at: Vec<NaiveDateTime>,
    last_seen: Vec<NaiveDateTime>,
    source: Vec<Option<&'a str>>,
}

impl QueryFragment<Pg> for Upsert<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql(
            "INSERT INTO telegram_users AS stored (telegram_id, first_name, last_name, username, \
             language_code, is_bot, updated_at, active_day, has_private_chat, obstacle, \
             blocked_at, unblocked_at, created_at, last_seen, source) \
             SELECT * FROM UNNEST(",
        );
        self.columns.push(&mut out)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Timestamp>, _>(&self.created_at)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Timestamp>, _>(&self.last_seen)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Nullable<Text>>, _>(&self.source)?;
        out.push_sql(
            ") ON CONFLICT (telegram_id) DO UPDATE SET previous_seen = stored.last_seen, \
             last_seen = GREATEST(stored.last_seen, excluded.last_seen) RETURNING ",
        );
        out.push_sql(concat!(user_columns!(), ", previous_seen"));
        Ok(())
    }
}

impl Query for Upsert<'_> {
    type SqlType = (UserSqlType, Nullable<Timestamp>);
}

impl QueryId for Upsert<'_> {
    type QueryId = Upsert<'static>;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl RunQueryDsl<PgConnection> for Upsert<'_> {}

struct Touch<'a> {
    telegram_id: i64,
    first_name: &'a str,
    last_name: Option<&'a str>,
    username: Option<&'a str>,
    language_code: Option<&'a str>,
    is_bot: bool,
    last_seen: NaiveDateTime,
    active_day: NaiveDate,
    kind: &'static str,
}

impl QueryFragment<Pg> for Touch<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        push!(
            out,
            "WITH touched AS (UPDATE telegram_users SET previous_seen = last_seen, last_seen = ",
            Timestamp = &self.last_seen,
            " WHERE telegram_id = ", BigInt = &self.telegram_id,
            " AND first_name = ", Text = self.first_name,
            " AND last_name IS NOT DISTINCT FROM ", Nullable<Text> = &self.last_name,
            " AND username IS NOT DISTINCT FROM ", Nullable<Text> = &self.username,
            " AND language_code IS NOT DISTINCT FROM COALESCE(",
            Nullable<Text> = &self.language_code,
            ", language_code) AND is_bot = ", Bool = &self.is_bot,
            " AND last_seen <= ", Timestamp = &self.last_seen,
            " AND active_day = ", Date = &self.active_day,
            " RETURNING *), counted AS (INSERT INTO interactions_by_day AS counted \
             SELECT active_day, ", Text = self.kind,
            ", 1 FROM touched ON CONFLICT (day, kind) DO UPDATE \
             SET interactions = counted.interactions + 1) SELECT ",
        );
        out.push_sql(concat!(user_columns!(), " FROM touched"));
        Ok(())
    }
}

impl Query for Touch<'_> {
    type SqlType = UserSqlType;
}

impl QueryId for Touch<'_> {
    type QueryId = Touch<'static>;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl RunQueryDsl<PgConnection> for Touch<'_> {}

struct Update<'a> {
    columns: Columns<'a>,
}

impl QueryFragment<Pg> for Update<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql(
            "UPDATE telegram_users AS stored SET first_name = new.first_name, \
             last_name = new.last_name, username = new.username, \
             language_code = new.language_code, is_bot = new.is_bot, \
             updated_at = new.updated_at, active_day = new.active_day, \
             has_private_chat = new.has_private_chat, obstacle = new.obstacle, \
             blocked_at = new.blocked_at, unblocked_at = new.unblocked_at FROM UNNEST(",
        );
        self.columns.push(&mut out)?;
        out.push_sql(
            ") AS new (telegram_id, first_name, last_name, username, language_code, is_bot, \
             updated_at, active_day, has_private_chat, obstacle, blocked_at, unblocked_at) \
             WHERE stored.telegram_id = new.telegram_id",
        );
        Ok(())
    }
}

impl QueryId for Update<'_> {
    type QueryId = Update<'static>;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl RunQueryDsl<PgConnection> for Update<'_> {}

#[derive(QueryId)]
struct LockUsernames {
    /// Sorted.
    buckets: Vec<i32>,
}

impl QueryFragment<Pg> for LockUsernames {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("SELECT pg_advisory_xact_lock(");
        out.push_bind_param::<Integer, _>(&USERNAME_LOCKS)?;
        out.push_sql(", bucket) FROM UNNEST(");
        out.push_bind_param::<Array<Integer>, _>(&self.buckets)?;
        out.push_sql(") AS bucket");
        Ok(())
    }
}

impl RunQueryDsl<PgConnection> for LockUsernames {}

struct Holders<'a> {
    keys: Vec<&'a str>,
}

impl QueryFragment<Pg> for Holders<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql(
            "SELECT telegram_id, username, last_seen FROM telegram_users \
             WHERE lower(username COLLATE \"C\") = ANY(",
        );
        out.push_bind_param::<Array<Text>, _>(&self.keys)?;
        out.push_sql(") ORDER BY telegram_id FOR UPDATE");
        Ok(())
    }
}

impl Query for Holders<'_> {
    type SqlType = (BigInt, Text, Timestamp);
}

impl QueryId for Holders<'_> {
    type QueryId = Holders<'static>;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl RunQueryDsl<PgConnection> for Holders<'_> {}

#[derive(QueryId)]
struct ClearUsernames {
    ids: Vec<i64>,
    at: Vec<NaiveDateTime>,
}

impl QueryFragment<Pg> for ClearUsernames {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql(
            "UPDATE telegram_users AS stored SET username = NULL, \
             updated_at = GREATEST(stored.updated_at, lost.at) FROM UNNEST(",
        );
        out.push_bind_param::<Array<BigInt>, _>(&self.ids)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Timestamp>, _>(&self.at)?;
        out.push_sql(") AS lost (telegram_id, at) WHERE stored.telegram_id = lost.telegram_id");
        Ok(())
    }
}

impl RunQueryDsl<PgConnection> for ClearUsernames {}

struct CountInteractions<'a> {
    days: Vec<NaiveDate>,
    kinds: Vec<&'a str>,
    interactions: Vec<i64>,
}

impl QueryFragment<Pg> for CountInteractions<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql(
            "INSERT INTO interactions_by_day AS counted (day, kind, interactions) \
             SELECT * FROM UNNEST(",
        );
        out.push_bind_param::<Array<Date>, _>(&self.days)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Text>, _>(&self.kinds)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<BigInt>, _>(&self.interactions)?;
        out.push_sql(
            ") ON CONFLICT (day, kind) DO UPDATE SET \
             interactions = counted.interactions + excluded.interactions",
        );
        Ok(())
    }
}

impl QueryId for CountInteractions<'_> {
    type QueryId = CountInteractions<'static>;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl RunQueryDsl<PgConnection> for CountInteractions<'_> {}
