//! The statements as PostgreSQL spells them: each column travels as one array, so that a statement
//! is the same text, and prepared once, whatever the size of the batch.

use std::{
    borrow::Cow,
    collections::{BTreeMap, HashSet},
};

use chrono::{DateTime, Months, NaiveDate, NaiveDateTime, Utc};
use diesel::{
    PgConnection,
    connection::LoadConnection,
    dsl::{exists, max, min, sql},
    pg::Pg,
    prelude::*,
    query_builder::{AstPass, Query, QueryFragment, QueryId},
    sql_types::{Array, BigInt, Bool, Date, Integer, Nullable, SmallInt, Text, Timestamp},
    upsert::excluded,
};
use rollcall_domain::{
    Figure, Interaction, InteractionKind, LatestDay, Neighbours, QuarantinedUpdate,
    ReachabilityChange, Registration, StartPayload, Sums, TelegramId, TelegramUser,
    UnreachableReason, Username, month,
};
use rollcall_repository::Batch;

use super::{
    ActiveDay, Blocks, ChangeKey, Changes, Holder, Known, OldAndNew, PastDay, Seen, Statements,
    Upserted, room_for_labels,
};
use crate::{
    error::Failure,
    quarantine::quarantine_row,
    reach::reach_row,
    row::{UpsertedSqlType, UserRow, UserSqlType, upserted_columns, user_columns},
    schema::{
        active_days, activity_state, erased_sums, quarantine, reach_history, sources, starts,
        telegram_users,
    },
    source_sums::{self, COLUMNS},
    sqlstate::Examining,
    timestamp::UtcMicros,
};

/// A connection to PostgreSQL, which may have each statement tried out first.
pub(crate) trait Postgres: LoadConnection<Backend = Pg> {}

impl Postgres for PgConnection {}
impl Postgres for Examining<'_> {}

impl<C: Postgres> Statements for C {
    statements_alike!();

    fn remember(&mut self, blocks: &Blocks, now: DateTime<Utc>) -> QueryResult<Vec<Known>> {
        let (blocks, updates) = blocks.iter().unzip();
        Remember { blocks, updates, now: naive(now) }.load(self)
    }

    /// Two statements: most users are known, and to touch a row that is there is less work than to
    /// insert one and fall back. The second one does both, for who is new may come to two
    /// processes at once.
    fn upsert(&mut self, users: &[Seen]) -> QueryResult<Vec<Upserted>> {
        let touch_all = TouchAll {
            telegram_id: users.iter().map(|seen| seen.user.telegram_id.get()).collect(),
            last_seen: users.iter().map(|seen| naive(seen.user.last_seen)).collect(),
            interactions: users.iter().map(|seen| seen.interactions).collect(),
        };
        let mut rows: Vec<Upserted> = touch_all.load(self)?;
        if rows.len() < users.len() {
            let known: HashSet<i64> = rows.iter().map(|(row, ..)| row.telegram_id).collect();
            let is_new = |seen: &&Seen| !known.contains(&seen.user.telegram_id.get());
            rows.extend(insert_or_touch(self, users.iter().filter(is_new))?);
        }
        Ok(rows)
    }

    fn lock_ahead(&mut self, users: &[i64], keys: &[&str]) -> QueryResult<()> {
        LockUsernames { buckets: buckets(keys) }.execute(self)?;
        LockRows { users: users.to_vec(), keys: keys.to_vec() }.execute(self).map(drop)
    }

    /// Two transactions that give one name to two users would not see each other's rows, so the
    /// names are locked. The locks are shared out over a few buckets, since PostgreSQL has memory
    /// for a few thousand advisory locks only.
    fn lock_usernames(&mut self, keys: &[&str]) -> QueryResult<bool> {
        TryLockUsernames { buckets: buckets(keys) }.get_result(self)
    }

    fn holders(&mut self, keys: &[&str]) -> QueryResult<Vec<Holder>> {
        Holders { keys: keys.to_vec() }.load(self)
    }

    /// One statement, for each is a round trip.
    fn finish(&mut self, changes: &Changes) -> QueryResult<()> {
        let Changes { users, losers, sums, other_names, profile_changes } = changes;
        let (losers, lost_at) = losers.iter().map(|&(id, at)| (id.get(), naive(at))).unzip();
        let columns = Columns::of(users.iter().copied());
        let (sums, source_sums) = (SumColumns::of(sums), SourceColumns::of(sums));
        let finish = Finish { columns, losers, lost_at, sums, source_sums };
        let rows = if other_names.is_empty() && profile_changes.is_empty() {
            finish.execute(self)
        } else {
            FinishWithNames(NoteNames::of(other_names, profile_changes), finish).execute(self)
        };
        rows.map(drop)
    }

    fn add_sums(&mut self, sums: &Sums) -> QueryResult<()> {
        AddSums(SumColumns::of(sums), SourceColumns::of(sums)).execute(self).map(drop)
    }

    fn note_names(
        &mut self,
        users: &[i64],
        changes: &BTreeMap<ChangeKey, OldAndNew>,
    ) -> QueryResult<()> {
        NoteNames::of(users, changes).execute(self).map(drop)
    }

    fn add_days(&mut self, days: &[ActiveDay]) -> QueryResult<()> {
        AddDays {
            telegram_id: days.iter().map(|(id, ..)| id.get()).collect(),
            day: days.iter().map(|(_, day, _)| *day).collect(),
            interactions: days.iter().map(|(.., interactions)| *interactions).collect(),
        }
        .execute(self)
        .map(drop)
    }
}

/// Inserts users who are thought to be new, and touches those who are not.
fn insert_or_touch<'a>(
    connection: &mut impl Postgres,
    seen: impl Iterator<Item = &'a Seen> + Clone,
) -> QueryResult<Vec<Upserted>> {
    let users = seen.clone().map(|seen| &seen.user);
    let created_at = users.clone().map(|user| naive(user.created_at)).collect();
    let last_seen = users.clone().map(|user| naive(user.last_seen)).collect();
    let source = users.map(|user| user.source.as_ref().map(StartPayload::as_str)).collect();
    let source_label = seen.clone().map(|seen| seen.source_label).collect();
    let columns = Columns::of(seen.map(|Seen { user, interactions, .. }| {
        (user, LatestDay::first(user.active_day(), *interactions))
    }));
    Upsert { columns, created_at, last_seen, source, source_label }.load(connection)
}

/// Records a call alone that changes nothing of its user but the time: one statement, which is a
/// transaction by itself, and so one round trip instead of five. Answers nothing, and has changed
/// nothing, where there is more to it.
pub(super) fn touch(
    connection: &mut PgConnection,
    batch: &Batch,
) -> Result<Option<Registration>, Failure> {
    let Batch { interactions, quarantined } = batch;
    let [interaction @ Interaction { update_id: None, chat: None, event: None, .. }] =
        interactions.as_slice()
    else {
        return Ok(None);
    };
    if !quarantined.is_empty() || interaction.kind == InteractionKind::Command {
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
        figure: Figure::Kind.name(),
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

/// The locks of usernames, sorted.
fn buckets(keys: &[&str]) -> Vec<i32> {
    let mut buckets: Vec<i32> = keys.iter().map(|key| bucket(key)).collect();
    buckets.sort_unstable();
    buckets.dedup();
    buckets
}

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
    profile_seen: Vec<Option<NaiveDateTime>>,
    active_day: Vec<NaiveDate>,
    has_private_chat: Vec<bool>,
    obstacle: Vec<Option<&'a str>>,
    blocked_at: Vec<Option<NaiveDateTime>>,
    unblocked_at: Vec<Option<NaiveDateTime>>,
    day_interactions: Vec<i32>,
    days_of_month: Vec<i16>,
    active_days: Vec<i32>,
}

impl<'a> Columns<'a> {
    fn of(rows: impl Iterator<Item = (&'a TelegramUser, LatestDay)> + Clone) -> Self {
        let users = rows.clone().map(|(user, _)| user);
        let latest = rows.map(|(_, latest)| latest);
        let days_of_month = |latest: LatestDay| i16::try_from(latest.days_of_month);
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
            profile_seen: users.clone().map(|user| user.profile_seen.map(naive)).collect(),
            active_day: users.clone().map(|user| user.active_day()).collect(),
            has_private_chat: users
                .clone()
                .map(|user| user.reachability.has_private_chat)
                .collect(),
            obstacle: users
                .clone()
                .map(|user| user.reachability.obstacle.map(UnreachableReason::name))
                .collect(),
            blocked_at: users.clone().map(|user| user.reachability.blocked_at.map(naive)).collect(),
            unblocked_at: users.map(|user| user.reachability.unblocked_at.map(naive)).collect(),
            day_interactions: latest.clone().map(|latest| latest.interactions).collect(),
            days_of_month: latest.clone().map(|it| days_of_month(it).unwrap_or(i16::MAX)).collect(),
            active_days: latest.map(|it| i32::try_from(it.days_ever).unwrap_or(i32::MAX)).collect(),
        }
    }

    /// Writes the columns as arguments of `UNNEST`.
    fn push<'b>(&'b self, out: &mut AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        push!(
            out,
            Array<BigInt> = &self.telegram_id,
            ", ",
            Array<Text> = &self.first_name,
            ", ",
            Array<Nullable<Text>> = &self.last_name,
            ", ",
            Array<Nullable<Text>> = &self.username,
            ", ",
            Array<Nullable<Text>> = &self.language_code,
            ", ",
            Array<Bool> = &self.is_bot,
            ", ",
            Array<Timestamp> = &self.updated_at,
            ", ",
            Array<Nullable<Timestamp>> = &self.profile_seen,
            ", ",
            Array<Date> = &self.active_day,
            ", ",
            Array<Bool> = &self.has_private_chat,
            ", ",
            Array<Nullable<Text>> = &self.obstacle,
            ", ",
            Array<Nullable<Timestamp>> = &self.blocked_at,
            ", ",
            Array<Nullable<Timestamp>> = &self.unblocked_at,
            ", ",
            Array<Integer> = &self.day_interactions,
            ", ",
            Array<SmallInt> = &self.days_of_month,
            ", ",
            Array<Integer> = &self.active_days,
        );
        Ok(())
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
        push!(
            out,
            "INSERT INTO recent_updates AS stored (block, updates, recorded_at) \
             SELECT block, updates, ",
            Timestamp = &self.now,
            " FROM UNNEST(",
            Array<BigInt> = &self.blocks,
            ", ",
            Array<BigInt> = &self.updates,
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

impl<C> RunQueryDsl<C> for Remember {}

#[derive(QueryId)]
struct TouchAll {
    /// Sorted, and the others in the same order.
    telegram_id: Vec<i64>,
    last_seen: Vec<NaiveDateTime>,
    interactions: Vec<i32>,
}

impl QueryFragment<Pg> for TouchAll {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        push!(
            out,
            "UPDATE telegram_users AS stored SET previous_seen = stored.last_seen, \
             last_seen = GREATEST(stored.last_seen, seen.at), \
             day_interactions = stored.day_interactions + \
             CASE stored.active_day WHEN seen.at::date THEN seen.interactions ELSE 0 END \
             FROM UNNEST(",
            Array<BigInt> = &self.telegram_id,
            ", ",
            Array<Timestamp> = &self.last_seen,
            ", ",
            Array<Integer> = &self.interactions,
            ") AS seen (id, at, interactions) WHERE stored.telegram_id = seen.id RETURNING ",
        );
        out.push_sql(concat!(user_columns!(), upserted_columns!()));
        Ok(())
    }
}

impl Query for TouchAll {
    type SqlType = UpsertedSqlType;
}

impl<C> RunQueryDsl<C> for TouchAll {}

struct Upsert<'a> {
    columns: Columns<'a>,
    created_at: Vec<NaiveDateTime>,
    last_seen: Vec<NaiveDateTime>,
    source: Vec<Option<&'a str>>,
    source_label: Vec<Option<i32>>,
}

impl QueryFragment<Pg> for Upsert<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql(
            "INSERT INTO telegram_users AS stored (telegram_id, first_name, last_name, username, \
             language_code, is_bot, updated_at, profile_seen, active_day, has_private_chat, obstacle, \
             blocked_at, unblocked_at, day_interactions, days_of_month, active_days, created_at, \
             last_seen, source, source_label) SELECT * FROM UNNEST(",
        );
        self.columns.push(&mut out)?;
        push!(
            out,
            ", ",
            Array<Timestamp> = &self.created_at,
            ", ",
            Array<Timestamp> = &self.last_seen,
            ", ",
            Array<Nullable<Text>> = &self.source,
            ", ",
            Array<Nullable<Integer>> = &self.source_label,
            ") ON CONFLICT (telegram_id) DO UPDATE SET previous_seen = stored.last_seen, \
             last_seen = GREATEST(stored.last_seen, excluded.last_seen), \
             day_interactions = stored.day_interactions + CASE stored.active_day \
             WHEN excluded.active_day THEN excluded.day_interactions ELSE 0 END RETURNING ",
        );
        out.push_sql(concat!(user_columns!(), upserted_columns!()));
        Ok(())
    }
}

impl Query for Upsert<'_> {
    type SqlType = UpsertedSqlType;
}

impl QueryId for Upsert<'_> {
    type QueryId = Upsert<'static>;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl<C> RunQueryDsl<C> for Upsert<'_> {}

struct Touch<'a> {
    telegram_id: i64,
    first_name: &'a str,
    last_name: Option<&'a str>,
    username: Option<&'a str>,
    language_code: Option<&'a str>,
    is_bot: bool,
    last_seen: NaiveDateTime,
    active_day: NaiveDate,
    figure: &'static str,
    kind: &'static str,
}

impl QueryFragment<Pg> for Touch<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        push!(
            out,
            "WITH touched AS (UPDATE telegram_users SET previous_seen = last_seen, \
             profile_seen = NULL, day_interactions = day_interactions + 1, last_seen = ",
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
            " AND obstacle IS NULL RETURNING *), \
             counted AS (INSERT INTO activity_sums AS counted SELECT ",
            Text = self.figure,
            ", active_day, ",
            Text = self.kind,
            ", (pg_backend_pid() % 16)::smallint, 1 FROM touched \
             ON CONFLICT (figure, day, label, slot) DO UPDATE SET value = counted.value + 1) \
             SELECT ",
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

impl<C> RunQueryDsl<C> for Touch<'_> {}

struct Finish<'a> {
    columns: Columns<'a>,
    losers: Vec<i64>,
    lost_at: Vec<NaiveDateTime>,
    sums: SumColumns<'a>,
    source_sums: SourceColumns<'a>,
}

impl Finish<'_> {
    /// Writes the statement, but for the `WITH` in front.
    fn push<'b>(&'b self, out: &mut AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        push!(
            out,
            "cleared AS (UPDATE telegram_users AS stored SET username = NULL, \
             updated_at = GREATEST(stored.updated_at, lost.at) FROM UNNEST(",
            Array<BigInt> = &self.losers,
            ", ",
            Array<Timestamp> = &self.lost_at,
            ") AS lost (telegram_id, at) WHERE stored.telegram_id = lost.telegram_id), \
             summed AS (",
        );
        self.sums.push(out)?;
        push!(out, "), summed_sources AS (");
        self.source_sums.push(out)?;
        push!(
            out,
            ") UPDATE telegram_users AS stored SET first_name = new.first_name, \
             last_name = new.last_name, username = new.username, \
             language_code = new.language_code, is_bot = new.is_bot, \
             updated_at = new.updated_at, profile_seen = new.profile_seen, \
             active_day = new.active_day, \
             has_private_chat = new.has_private_chat, obstacle = new.obstacle, \
             blocked_at = new.blocked_at, unblocked_at = new.unblocked_at, \
             day_interactions = new.day_interactions, days_of_month = new.days_of_month, \
             active_days = new.active_days FROM UNNEST(",
        );
        self.columns.push(out)?;
        push!(
            out,
            ") AS new (telegram_id, first_name, last_name, username, language_code, is_bot, \
             updated_at, profile_seen, active_day, has_private_chat, obstacle, blocked_at, \
             unblocked_at, day_interactions, days_of_month, active_days) \
             WHERE stored.telegram_id = new.telegram_id",
        );
        Ok(())
    }
}

impl QueryFragment<Pg> for Finish<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("WITH ");
        self.push(&mut out)
    }
}

impl QueryId for Finish<'_> {
    type QueryId = Finish<'static>;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl<C> RunQueryDsl<C> for Finish<'_> {}

struct FinishWithNames<'a>(NoteNames<'a>, Finish<'a>);

impl QueryFragment<Pg> for FinishWithNames<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        let Self(names, finish) = self;
        out.push_sql("WITH changed AS (");
        names.push_changes(&mut out)?;
        out.push_sql("), pending AS (");
        names.push_pending(&mut out)?;
        out.push_sql("), ");
        finish.push(&mut out)
    }
}

impl QueryId for FinishWithNames<'_> {
    type QueryId = FinishWithNames<'static>;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl<C> RunQueryDsl<C> for FinishWithNames<'_> {}

/// Sums to add, a column each.
struct SumColumns<'a> {
    figure: Vec<&'static str>,
    day: Vec<NaiveDate>,
    label: Vec<Cow<'a, str>>,
    value: Vec<i64>,
}

impl<'a> SumColumns<'a> {
    fn of(sums: &'a Sums) -> Self {
        let sums = || source_sums::others(sums);
        Self {
            figure: sums().map(|(figure, ..)| figure.name()).collect(),
            day: sums().map(|(_, day, ..)| day).collect(),
            label: sums().map(|(_, _, label, _)| label.text()).collect(),
            value: sums().map(|(.., value)| value).collect(),
        }
    }

    /// Writes the statement that adds them. Each connection adds to a slot of its own, or one that
    /// few others share, so that processes do not wait for each other's commits.
    fn push<'b>(&'b self, out: &mut AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        push!(
            out,
            "INSERT INTO activity_sums AS stored (figure, day, label, slot, value) \
             SELECT figure, day, label, (pg_backend_pid() % 16)::smallint, value FROM UNNEST(",
            Array<Text> = &self.figure,
            ", ",
            Array<Date> = &self.day,
            ", ",
            Array<Text> = &self.label,
            ", ",
            Array<BigInt> = &self.value,
            ") AS new (figure, day, label, value) ON CONFLICT (figure, day, label, slot) \
             DO UPDATE SET value = stored.value + excluded.value",
        );
        Ok(())
    }
}

/// Sums of deep links to add, a column each.
struct SourceColumns<'a> {
    day: Vec<NaiveDate>,
    source: Vec<Cow<'a, str>>,
    values: [Vec<i64>; COLUMNS],
}

impl<'a> SourceColumns<'a> {
    fn of(sums: &'a Sums) -> Self {
        let (mut day, mut source, mut columns) =
            (Vec::new(), Vec::new(), <[Vec<i64>; _]>::default());
        for sum in source_sums::of_sources(sums) {
            day.push(sum.day);
            source.push(sum.source);
            for (column, value) in columns.iter_mut().zip(sum.values) {
                column.push(value);
            }
        }
        Self { day, source, values: columns }
    }

    /// Writes the statement that adds them, as [`SumColumns::push`] does.
    fn push<'b>(&'b self, out: &mut AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        push!(
            out,
            "INSERT INTO source_sums AS stored SELECT day, source, \
             (pg_backend_pid() % 16)::smallint, starts, new_users, reachable, day_1, day_7, day_30 \
             FROM UNNEST(",
            Array<Date> = &self.day,
            ", ",
            Array<Text> = &self.source,
        );
        for column in &self.values {
            push!(out, ", ", Array<BigInt> = column);
        }
        push!(
            out,
            ") AS new (day, source, starts, new_users, reachable, day_1, day_7, day_30) \
             ON CONFLICT (day, source, slot) DO UPDATE SET \
             starts = stored.starts + excluded.starts, \
             new_users = stored.new_users + excluded.new_users, \
             reachable = stored.reachable + excluded.reachable, \
             day_1 = stored.day_1 + excluded.day_1, day_7 = stored.day_7 + excluded.day_7, \
             day_30 = stored.day_30 + excluded.day_30",
        );
        Ok(())
    }
}

/// One statement, for each is a round trip.
struct AddSums<'a>(SumColumns<'a>, SourceColumns<'a>);

impl QueryFragment<Pg> for AddSums<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        push!(out, "WITH summed AS (");
        self.0.push(&mut out)?;
        push!(out, ") ");
        self.1.push(&mut out)
    }
}

impl QueryId for AddSums<'_> {
    type QueryId = AddSums<'static>;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl<C> RunQueryDsl<C> for AddSums<'_> {}

#[derive(QueryId)]
struct AddDays {
    telegram_id: Vec<i64>,
    day: Vec<NaiveDate>,
    interactions: Vec<i32>,
}

impl QueryFragment<Pg> for AddDays {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        push!(
            out,
            "INSERT INTO active_days AS stored (telegram_id, day, interactions) \
             SELECT * FROM UNNEST(",
            Array<BigInt> = &self.telegram_id,
            ", ",
            Array<Date> = &self.day,
            ", ",
            Array<Integer> = &self.interactions,
            ") ON CONFLICT (telegram_id, day) \
             DO UPDATE SET interactions = stored.interactions + excluded.interactions",
        );
        Ok(())
    }
}

impl<C> RunQueryDsl<C> for AddDays {}

#[derive(QueryId)]
struct LockUsernames {
    /// Sorted.
    buckets: Vec<i32>,
}

impl QueryFragment<Pg> for LockUsernames {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        push!(
            out,
            "SELECT pg_advisory_xact_lock(",
            Integer = &USERNAME_LOCKS,
            ", bucket) FROM UNNEST(",
            Array<Integer> = &self.buckets,
            ") AS bucket",
        );
        Ok(())
    }
}

impl<C> RunQueryDsl<C> for LockUsernames {}

#[derive(QueryId)]
struct TryLockUsernames {
    buckets: Vec<i32>,
}

impl QueryFragment<Pg> for TryLockUsernames {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        push!(
            out,
            "SELECT bool_and(pg_try_advisory_xact_lock(",
            Integer = &USERNAME_LOCKS,
            ", bucket)) FROM UNNEST(",
            Array<Integer> = &self.buckets,
            ") AS bucket",
        );
        Ok(())
    }
}

impl Query for TryLockUsernames {
    type SqlType = Bool;
}

impl<C> RunQueryDsl<C> for TryLockUsernames {}

/// The rows of users, and of those who hold a username with one of the keys.
struct LockRows<'a> {
    users: Vec<i64>,
    keys: Vec<&'a str>,
}

impl QueryFragment<Pg> for LockRows<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        push!(
            out,
            "SELECT FROM telegram_users WHERE telegram_id = ANY(",
            Array<BigInt> = &self.users,
            ") OR lower(username COLLATE \"C\") = ANY(",
            Array<Text> = &self.keys,
            ") ORDER BY telegram_id FOR UPDATE",
        );
        Ok(())
    }
}

impl QueryId for LockRows<'_> {
    type QueryId = LockRows<'static>;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl<C> RunQueryDsl<C> for LockRows<'_> {}

struct Holders<'a> {
    keys: Vec<&'a str>,
}

impl QueryFragment<Pg> for Holders<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        push!(
            out,
            "SELECT telegram_id, username, last_seen, profile_seen FROM telegram_users \
             WHERE lower(username COLLATE \"C\") = ANY(",
            Array<Text> = &self.keys,
            ") FOR UPDATE NOWAIT",
        );
        Ok(())
    }
}

impl Query for Holders<'_> {
    type SqlType = (BigInt, Text, Timestamp, Nullable<Timestamp>);
}

impl QueryId for Holders<'_> {
    type QueryId = Holders<'static>;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl<C> RunQueryDsl<C> for Holders<'_> {}

/// How profiles changed, a column each, and whose names are to be taken into the search.
struct NoteNames<'a> {
    /// Sorted.
    pending: Vec<i64>,
    telegram_id: Vec<i64>,
    at: Vec<NaiveDateTime>,
    field: Vec<&'static str>,
    old_value: Vec<Option<&'a str>>,
    new_value: Vec<Option<&'a str>>,
}

impl<'a> NoteNames<'a> {
    fn of(pending: &[i64], changes: &'a BTreeMap<ChangeKey, OldAndNew>) -> Self {
        Self {
            pending: pending.to_vec(),
            telegram_id: changes.keys().map(|(id, ..)| id.get()).collect(),
            at: changes.keys().map(|(_, at, _)| naive(*at)).collect(),
            field: changes.keys().map(|(.., field)| field.name()).collect(),
            old_value: changes.values().map(|(old, _)| old.as_deref()).collect(),
            new_value: changes.values().map(|(_, new)| new.as_deref()).collect(),
        }
    }

    /// Writes the statement that notes how profiles changed.
    fn push_changes<'b>(&'b self, out: &mut AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        push!(
            out,
            "INSERT INTO profile_changes \
             (telegram_id, at, field, old_value, new_value) SELECT * FROM UNNEST(",
            Array<BigInt> = &self.telegram_id,
            ", ",
            Array<Timestamp> = &self.at,
            ", ",
            Array<Text> = &self.field,
            ", ",
            Array<Nullable<Text>> = &self.old_value,
            ", ",
            Array<Nullable<Text>> = &self.new_value,
            ") ON CONFLICT (telegram_id, at, field) DO UPDATE SET new_value = excluded.new_value",
        );
        Ok(())
    }

    /// Writes the statement that notes whose names are to be taken into the search.
    fn push_pending<'b>(&'b self, out: &mut AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        push!(
            out,
            "INSERT INTO search_pending SELECT * FROM UNNEST(",
            Array<BigInt> = &self.pending,
            // Not DO NOTHING: this locks the row, although it changes nothing, so that nobody takes
            // the old names and is done.
            ") ON CONFLICT (telegram_id) DO UPDATE SET telegram_id = excluded.telegram_id \
             WHERE FALSE",
        );
        Ok(())
    }
}

impl QueryFragment<Pg> for NoteNames<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("WITH changed AS (");
        self.push_changes(&mut out)?;
        out.push_sql(") ");
        self.push_pending(&mut out)
    }
}

impl QueryId for NoteNames<'_> {
    type QueryId = NoteNames<'static>;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl<C> RunQueryDsl<C> for NoteNames<'_> {}
