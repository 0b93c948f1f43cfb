//! Which users have a label. A statement is about a whole part of users, whose ids are one JSON array.

use std::collections::BTreeMap;

use diesel::{
    pg::Pg,
    prelude::*,
    sql_types::{Array, BigInt, Integer, Text},
    sqlite::Sqlite,
};
use rollcall_domain::{LabelKind, LabelsOfUser, TelegramId};

use super::row::{kind, name};
use crate::{
    base::{
        connection::{AnyConnection, either},
        error::Failure,
        schema::{label_changed_users, user_labels},
        statement::statement,
        transaction::{Transaction, alike},
    },
    row::user::telegram_id,
    users::lock::lock_sharded,
};

/// The ids as a parameter. They are sorted, so that several processes lock rows in one order.
pub(super) fn as_json(ids: &[i64]) -> String {
    serde_json::Value::from(ids).to_string()
}

statement! {
    /// Adds a label to the users that exist, unless they have it; returns their ids. On PostgreSQL it
    /// keeps the users and the label from being deleted before that is stored.
    struct Add<'a> -> BigInt {
        label: i32 as Integer,
        ids: &'a str as Text,
    }
    Sqlite => "
        INSERT INTO user_labels (telegram_id, label)
        SELECT telegram_users.telegram_id, labels.id
        FROM labels CROSS JOIN json_each(:ids) CROSS JOIN telegram_users
        WHERE labels.id = :label AND telegram_users.telegram_id = value
        ON CONFLICT DO NOTHING
        RETURNING telegram_id",
    Pg => "
        INSERT INTO user_labels (telegram_id, label)
        SELECT telegram_users.telegram_id, labels.id FROM labels, telegram_users
        WHERE labels.id = :label AND telegram_users.telegram_id IN (
            SELECT value::bigint FROM jsonb_array_elements_text(:ids::jsonb))
        ORDER BY telegram_users.telegram_id
        FOR KEY SHARE
        ON CONFLICT DO NOTHING
        RETURNING telegram_id",
}

statement! {
    struct AddSharded<'a> -> BigInt {
        label: i32 as Integer,
        ids: &'a [i64] as Array<BigInt>,
    }
    Pg => "
        INSERT INTO user_labels (telegram_id, label)
        SELECT telegram_users.telegram_id, labels.id FROM labels, telegram_users
        WHERE labels.id = :label AND telegram_users.telegram_id = ANY(:ids)
        ON CONFLICT DO NOTHING
        RETURNING telegram_id",
}

statement! {
    struct RemoveSharded<'a> -> BigInt {
        label: i32 as Integer,
        ids: &'a [i64] as Array<BigInt>,
    }
    Pg => "
        DELETE FROM user_labels WHERE label = :label AND telegram_id = ANY(:ids)
        RETURNING telegram_id",
}

statement! {
    /// Removes a label from users that have it; returns their ids.
    struct Remove<'a> -> BigInt {
        label: i32 as Integer,
        ids: &'a str as Text,
    }
    Sqlite => "
        DELETE FROM user_labels
        WHERE label = :label AND telegram_id IN (SELECT value FROM json_each(:ids))
        RETURNING telegram_id",
    Pg => "
        WITH locked AS (
            SELECT telegram_id FROM user_labels
            WHERE label = :label AND telegram_id IN (
                SELECT value::bigint FROM jsonb_array_elements_text(:ids::jsonb))
            ORDER BY telegram_id FOR UPDATE)
        DELETE FROM user_labels USING locked
        WHERE user_labels.telegram_id = locked.telegram_id AND user_labels.label = :label
        RETURNING user_labels.telegram_id",
}

statement! {
    /// Removes a label from some of the users that have it.
    struct RemoveSome {
        label: i32 as Integer,
        limit: i64 as BigInt,
    }
    Sqlite => "
        DELETE FROM user_labels WHERE label = :label AND telegram_id IN (
            SELECT telegram_id FROM user_labels WHERE label = :label
            ORDER BY telegram_id LIMIT :limit)",
    Pg => "
        WITH part AS (
            SELECT telegram_id FROM user_labels WHERE label = :label
            ORDER BY telegram_id LIMIT :limit FOR UPDATE)
        DELETE FROM user_labels USING part
        WHERE user_labels.telegram_id = part.telegram_id AND user_labels.label = :label",
}

statement! {
    struct RemoveSomeSharded {
        label: i32 as Integer,
        limit: i64 as BigInt,
    }
    Pg => "
        WITH part AS (
            SELECT telegram_id FROM user_labels WHERE label = :label
            ORDER BY telegram_id LIMIT :limit)
        DELETE FROM user_labels USING part
        WHERE user_labels.telegram_id = part.telegram_id AND user_labels.label = :label",
}

statement! {
    struct LabelsOf<'a> -> (BigInt, Text, Text) {
        ids: &'a str as Text,
    }
    Sqlite => "
        SELECT user_labels.telegram_id, kind, name
        FROM json_each(:ids) CROSS JOIN user_labels CROSS JOIN labels
        WHERE user_labels.telegram_id = value AND labels.id = user_labels.label
        ORDER BY name",
    Pg => "
        SELECT user_labels.telegram_id, kind, name
        FROM user_labels JOIN labels ON labels.id = user_labels.label
        WHERE user_labels.telegram_id IN (
            SELECT value::bigint FROM jsonb_array_elements_text(:ids::jsonb))
        ORDER BY name",
}

/// Removes a label from some of the users that have it; returns from how many.
pub(super) fn remove_some(
    connection: &mut AnyConnection,
    label: i32,
    limit: u32,
) -> QueryResult<usize> {
    let limit = limit.into();
    match connection.distributed() {
        Some(connection) => RemoveSomeSharded { label, limit }.execute(connection),
        None => either!(connection => RemoveSome { label, limit }.execute(connection)),
    }
}

/// Adds a label to users, or removes it; returns those that this changed.
pub(crate) fn change(
    connection: &mut Transaction<'_>,
    label: i32,
    ids: &[i64],
    is_added: bool,
) -> QueryResult<Vec<i64>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    if let Transaction::Postgres(connection) = connection
        && let Some(shards) = connection.shards().cloned()
    {
        // Keeps the users from being deleted before that is stored.
        lock_sharded(connection, &shards, &ids.iter().copied().collect())?;
        return match is_added {
            true => AddSharded { label, ids }.load(connection),
            false => RemoveSharded { label, ids }.load(connection),
        };
    }
    let ids = &as_json(ids);
    alike!(connection => match is_added {
        true => Add { label, ids }.load(connection),
        false => Remove { label, ids }.load(connection),
    })
}

/// See [`LabelRepository::labels_of`](rollcall_repository::LabelRepository::labels_of).
pub(crate) fn labels_of(
    connection: &mut AnyConnection,
    ids: &[i64],
) -> Result<BTreeMap<TelegramId, LabelsOfUser>, Failure> {
    let ids = &as_json(ids);
    let rows: Vec<(i64, String, String)> =
        either!(connection => LabelsOf { ids }.load(connection)?);
    let mut all: BTreeMap<TelegramId, LabelsOfUser> = BTreeMap::new();
    for (id, kind_name, label) in rows {
        let labels = all.entry(telegram_id("user_labels", id)?).or_default();
        let names = match kind(&kind_name, &label)? {
            LabelKind::Tag => &mut labels.tags,
            LabelKind::Group => &mut labels.groups,
        };
        names.push(name(label, id)?);
    }
    Ok(all)
}

/// Deletes the labels of a user.
pub(crate) fn erase(connection: &mut AnyConnection, id: i64) -> QueryResult<()> {
    diesel::delete(user_labels::table.filter(user_labels::telegram_id.eq(id)))
        .execute(connection)?;
    diesel::delete(label_changed_users::table.filter(label_changed_users::telegram_id.eq(id)))
        .execute(connection)?;
    Ok(())
}
