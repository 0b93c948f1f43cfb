//! The categories of broadcasts, and the users that have opted out of them.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use diesel::{
    dsl::exists,
    pg::Pg,
    prelude::*,
    sql_types::{BigInt, Text, Timestamp},
    sqlite::Sqlite,
};
use rollcall_domain::{
    ArmResponse, AuditAction, InvalidLabelName, LabelName, OPT_OUT_COUNTS_FOR, RecipientState,
    SYSTEM_CATEGORY, TelegramId,
};
use rollcall_repository::{BroadcastCategory, NewAuditEntry};

use super::{plan::Author, responses::Responses, sender::lock};
use crate::{
    admin::audit::entry::add_entry,
    base::{
        connection::{AnyConnection, either},
        error::Failure,
        schema::{
            broadcast_categories, broadcast_recipients, broadcasts, opt_outs, telegram_users,
        },
        statement::statement,
        timestamp::UtcMicros,
        transaction::Transaction,
    },
};

statement! {
    /// Opts a user who exists out of a category that exists, and on PostgreSQL keeps the user from being
    /// deleted until that is stored.
    struct OptOut<'a> {
        telegram_id: i64 as BigInt,
        category: &'a str as Text,
        at: UtcMicros as Timestamp,
    }
    Sqlite => "
        INSERT INTO opt_outs (telegram_id, category, at)
        SELECT telegram_id, name, :at FROM telegram_users, broadcast_categories
        WHERE telegram_id = :telegram_id AND name = :category
        ON CONFLICT (telegram_id, category) DO NOTHING",
    Pg => "
        INSERT INTO opt_outs (telegram_id, category, at)
        SELECT telegram_id, name, :at FROM telegram_users, broadcast_categories
        WHERE telegram_id = :telegram_id AND name = :category
        FOR KEY SHARE OF telegram_users
        ON CONFLICT (telegram_id, category) DO NOTHING",
}

statement! {
    struct OptIn<'a> -> (Timestamp,) {
        telegram_id: i64 as BigInt,
        category: &'a str as Text,
    }
    Sqlite | Pg => "
        DELETE FROM opt_outs WHERE telegram_id = :telegram_id AND category = :category
        RETURNING at",
}

/// See [`BroadcastRepository::broadcast_categories`](rollcall_repository::BroadcastRepository::broadcast_categories).
pub(super) fn list(connection: &mut AnyConnection) -> Result<Vec<BroadcastCategory>, Failure> {
    let rows: Vec<(String, Option<i32>)> = broadcast_categories::table.load(connection)?;
    let category = |(name, cap): (String, Option<i32>)| {
        let name = category_name("broadcast_categories", &name)?;
        Ok(BroadcastCategory { name, weekly_cap: cap.and_then(|cap| cap.try_into().ok()) })
    };
    let mut all: Vec<BroadcastCategory> =
        rows.into_iter().map(category).collect::<Result<_, Failure>>()?;
    // PostgreSQL sorts by its locale.
    all.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(all)
}

/// See [`BroadcastRepository::add_category`](rollcall_repository::BroadcastRepository::add_category).
/// Runs in a transaction.
pub(super) fn add(
    connection: &mut AnyConnection,
    name: &LabelName,
    weekly_cap: Option<u32>,
    author: &Author,
) -> Result<bool, Failure> {
    lock(connection)?;
    let cap = weekly_cap.map(|cap| i32::try_from(cap).unwrap_or(i32::MAX));
    let known = broadcast_categories::table.find(name.as_str());
    let before: Option<Option<i32>> =
        known.select(broadcast_categories::weekly_cap).first(connection).optional()?;
    if before == Some(cap) {
        return Ok(false);
    }
    let weekly_cap = broadcast_categories::weekly_cap.eq(cap);
    if before.is_some() {
        diesel::update(known).set(weekly_cap).execute(connection)?;
    } else {
        diesel::insert_into(broadcast_categories::table)
            .values((broadcast_categories::name.eq(name.as_str()), weekly_cap))
            .execute(connection)?;
    }
    let title = |cap: Option<i32>| match cap {
        Some(cap) => format!("{name}: at most {cap} a week"),
        None => name.to_string(),
    };
    let entry = author.entry(AuditAction::SetBroadcastCategory, title(cap));
    add_entry(connection, &NewAuditEntry { old: before.map(title), ..entry })?;
    Ok(before.is_none())
}

/// See [`BroadcastRepository::set_opt_out`](rollcall_repository::BroadcastRepository::set_opt_out).
/// Runs in a transaction.
pub(super) fn set_opt_out(
    connection: &mut AnyConnection,
    id: TelegramId,
    category: &LabelName,
    is_out: bool,
    at: DateTime<Utc>,
) -> QueryResult<bool> {
    if category.as_str() == SYSTEM_CATEGORY {
        return Ok(false);
    }
    let (telegram_id, category) = (id.get(), category.as_str());
    let known = opt_outs::table.find((telegram_id, category));
    if is_out {
        let opt_out = OptOut { telegram_id, category, at: at.into() };
        if either!(connection => opt_out.execute(connection)?) == 0 {
            return diesel::select(exists(known)).get_result(connection);
        }
        count_opt_out(connection, telegram_id, category, at, 1)?;
        return Ok(true);
    }
    let opt_in = OptIn { telegram_id, category };
    let since: Option<(UtcMicros,)> = either!(connection => opt_in.load(connection)?).pop();
    if let Some((since,)) = since {
        count_opt_out(connection, telegram_id, category, since.into(), -1)?;
        return Ok(true);
    }
    let of_user = telegram_users::table.find(telegram_id);
    let of_category = broadcast_categories::table.find(category);
    diesel::select(exists(of_user).and(exists(of_category))).get_result(connection)
}

/// Adds to the opt-outs of the broadcasts that count an opt-out at this time.
fn count_opt_out(
    connection: &mut AnyConnection,
    telegram_id: i64,
    category: &str,
    at: DateTime<Utc>,
    change: i64,
) -> QueryResult<()> {
    // A recipient that is claimed or unknown may have the message.
    let had = [RecipientState::Sent, RecipientState::Claimed, RecipientState::Unknown];
    let since = UtcMicros::from(at - OPT_OUT_COUNTS_FOR);
    // In one order, so that two transactions do not wait for each other.
    let counting: Vec<(i64, Option<String>)> = broadcast_recipients::table
        .inner_join(broadcasts::table.on(broadcasts::id.eq(broadcast_recipients::broadcast)))
        .filter(broadcast_recipients::telegram_id.eq(telegram_id))
        .filter(broadcast_recipients::state.eq_any(had.map(RecipientState::name)))
        .filter(broadcast_recipients::at.gt(since))
        .filter(broadcasts::category.eq(category))
        .order(broadcasts::id)
        .select((broadcasts::id, broadcast_recipients::arm))
        .load(connection)?;
    let mut responses = Responses::default();
    for (id, arm) in counting {
        diesel::update(broadcasts::table.find(id))
            .set(broadcasts::opt_outs.eq(broadcasts::opt_outs + change))
            .execute(connection)?;
        responses.add_of(id, arm.as_deref(), ArmResponse::OptedOut, change);
    }
    responses.store(&mut Transaction::from(connection))
}

/// See [`BroadcastRepository::opt_outs`](rollcall_repository::BroadcastRepository::opt_outs).
pub(super) fn opt_outs(
    connection: &mut AnyConnection,
    id: TelegramId,
) -> Result<BTreeSet<LabelName>, Failure> {
    let names: Vec<String> = opt_outs::table
        .filter(opt_outs::telegram_id.eq(id.get()))
        .select(opt_outs::category)
        .load(connection)?;
    names.iter().map(|name| category_name("opt_outs", name)).collect()
}

fn category_name(table: &'static str, name: &str) -> Result<LabelName, Failure> {
    name.parse().map_err(|error: InvalidLabelName| Failure::Corrupt {
        table,
        column: if table == "opt_outs" { "category" } else { "name" },
        key: name.to_owned(),
        reason: error.to_string(),
    })
}
