//! Changes of many users at once. Each step is a transaction of its own, and the change's row shows
//! how far it is, so that another process can go on with it.

use chrono::{DateTime, Utc};
use diesel::{
    pg::Pg,
    prelude::*,
    sql_types::{BigInt, Text},
    sqlite::Sqlite,
};
use rollcall_domain::{Admin, AuditAction, LabelKind, TelegramId};
use rollcall_repository::{LabelChange, LabelChoice, LabelStep, NewAuditEntry, NewLabelChange};

use super::{
    label::Author,
    row::{ChangeRow, DONE, LabelRow, RUNNING, read_change, summary},
    users::{as_json, change},
};
use crate::{
    admin::audit::entry::add_entry,
    base::{
        connection::{AnyConnection, either},
        error::Failure,
        schema::{label_changes, label_numbers, labels},
        statement::statement,
        timestamp::UtcMicros,
        transaction::Transaction,
    },
};

/// The most changes that are listed.
const LISTED: i64 = 1_000;

statement! {
    /// Remembers the users that a change has changed, for undoing it.
    struct Remember<'a> {
        change: i64 as BigInt,
        ids: &'a str as Text,
    }
    Sqlite => "
        INSERT INTO label_changed_users (telegram_id, change)
        SELECT value, :change FROM json_each(:ids) WHERE true
        ON CONFLICT DO NOTHING",
    Pg => "
        INSERT INTO label_changed_users (telegram_id, change)
        SELECT value::bigint, :change FROM jsonb_array_elements_text(:ids::jsonb)
        ON CONFLICT DO NOTHING",
}

/// See [`LabelRepository::begin_label_change`](rollcall_repository::LabelRepository::begin_label_change).
/// Runs in a transaction.
pub(super) fn begin(
    connection: &mut AnyConnection,
    new: &NewLabelChange,
    at: DateTime<Utc>,
) -> Result<LabelChange, Failure> {
    diesel::update(label_numbers::table)
        .set(label_numbers::last_change.eq(label_numbers::last_change + 1))
        .execute(connection)?;
    let id = label_numbers::table.select(label_numbers::last_change).first(connection)?;
    let (filter, zone) = match &new.choice {
        LabelChoice::Ids => (None, "UTC".to_owned()),
        LabelChoice::Filter { text, zone } => (Some(text.clone()), zone.clone()),
    };
    let row = ChangeRow {
        id,
        started_at: at.into(),
        touched_at: at.into(),
        admin: new.by.as_ref().map(Admin::to_string),
        label: new.label.id,
        is_added: new.is_added,
        filter,
        zone,
        users: 0,
        last_id: 0,
        state: RUNNING.to_owned(),
    };
    let label = LabelRow {
        id: new.label.id,
        kind: new.label.kind.name().to_owned(),
        name: new.label.name.to_string(),
        description: new.label.description.clone(),
        created_at: new.label.created_at.into(),
    };
    diesel::insert_into(label_changes::table).values(&row).execute(connection)?;
    row.into_change(label)
}

/// See [`LabelRepository::label_changes`](rollcall_repository::LabelRepository::label_changes).
pub(super) fn list(
    connection: &mut AnyConnection,
    kind: LabelKind,
) -> Result<Vec<LabelChange>, Failure> {
    let rows: Vec<(ChangeRow, LabelRow)> = label_changes::table
        .inner_join(labels::table.on(labels::id.eq(label_changes::label)))
        .filter(labels::kind.eq(kind.name()))
        .order(label_changes::id.desc())
        .limit(LISTED)
        .select((ChangeRow::as_select(), LabelRow::as_select()))
        .load(connection)?;
    rows.into_iter().map(|(change, label)| change.into_change(label)).collect()
}

/// See [`LabelRepository::continue_label_change`](rollcall_repository::LabelRepository::continue_label_change).
/// Runs in a transaction.
pub(super) fn go_on(
    connection: &mut AnyConnection,
    step: &LabelStep,
    at: DateTime<Utc>,
) -> Result<Option<LabelChange>, Failure> {
    let after = step.after.map_or(0, TelegramId::get);
    let last = step.last.map_or(after, TelegramId::get);
    let place = label_changes::table
        .filter(label_changes::id.eq(step.change))
        .filter(label_changes::last_id.eq(after))
        .filter(label_changes::state.eq(RUNNING));
    let moved = diesel::update(place)
        .set((label_changes::last_id.eq(last), label_changes::touched_at.eq(UtcMicros::from(at))))
        .execute(connection)?;
    let Some(stored) = read_change(connection, step.change)? else { return Ok(None) };
    if moved == 0 {
        return Ok(Some(stored));
    }
    let ids: Vec<i64> = step.ids.iter().map(|id| id.get()).collect();
    let changed =
        change(&mut Transaction::from(&mut *connection), stored.label.id, &ids, stored.is_added)?;
    if !changed.is_empty() {
        let ids = &as_json(&changed);
        let remember = || Remember { change: step.change, ids };
        either!(connection => remember().execute(connection)?);
    }
    let number = i64::try_from(changed.len()).unwrap_or(i64::MAX);
    diesel::update(label_changes::table.find(step.change))
        .set((
            label_changes::users.eq(label_changes::users + number),
            label_changes::state.eq(if step.is_last { DONE } else { RUNNING }),
        ))
        .execute(connection)?;
    let Some(change) = read_change(connection, step.change)? else { return Ok(None) };
    if step.is_last {
        add_entry(connection, &entry(&change, at, ""))?;
    }
    Ok(Some(change))
}

/// The audit entry of a change that has ended.
pub(super) fn entry(change: &LabelChange, at: DateTime<Utc>, remark: &str) -> NewAuditEntry {
    let author = Author { by: change.by.clone(), at };
    let action = match change.is_added {
        true => AuditAction::AddedLabel,
        false => AuditAction::RemovedLabel,
    };
    author.entry(action, None, Some(format!("{}{remark}", summary(change))))
}
