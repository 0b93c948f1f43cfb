//! Creating, listing, describing and deleting labels.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use diesel::{dsl::count_star, prelude::*};
use rollcall_domain::{Admin, AuditAction, LabelKind, LabelName, Segment, TelegramId, UserLabel};
use rollcall_repository::{CreatedLabel, DeletedLabel, NewAuditEntry};

use super::{
    row::{LabelRow, title, users},
    users as of_users,
};
use crate::{
    admin::audit::entry::add_entry,
    base::{
        connection::AnyConnection,
        error::Failure,
        schema::{label_numbers, labels, user_labels},
        transaction::Transaction,
    },
    segments::segment,
    users::lock::lock,
};

/// Who changes a label, and when.
#[derive(Clone)]
pub(crate) struct Author {
    pub(crate) by: Option<Admin>,
    pub(crate) at: DateTime<Utc>,
}

impl Author {
    pub(super) fn entry(
        &self,
        action: AuditAction,
        old: Option<String>,
        new: Option<String>,
    ) -> NewAuditEntry {
        NewAuditEntry { at: self.at, admin: self.by.clone(), action, about: None, old, new }
    }
}

/// See [`LabelRepository::labels`](rollcall_repository::LabelRepository::labels).
pub(crate) fn list(
    connection: &mut AnyConnection,
    kind: LabelKind,
) -> Result<Vec<UserLabel>, Failure> {
    let rows: Vec<LabelRow> = labels::table
        .filter(labels::kind.eq(kind.name()))
        .order(labels::name)
        .select(LabelRow::as_select())
        .load(connection)?;
    let mut all: Vec<_> = rows.into_iter().map(LabelRow::into_label).collect::<Result<_, _>>()?;
    // PostgreSQL sorts by its locale.
    all.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(all)
}

/// See [`LabelRepository::count_labelled_users`](rollcall_repository::LabelRepository::count_labelled_users).
pub(super) fn count(
    connection: &mut AnyConnection,
    labels: &[i32],
) -> Result<BTreeMap<i32, u64>, Failure> {
    let counts: Vec<(i32, i64)> = user_labels::table
        .filter(user_labels::label.eq_any(labels))
        .group_by(user_labels::label)
        .select((user_labels::label, count_star()))
        .load(connection)?;
    let count = |(label, users): (i32, i64)| (label, users.try_into().unwrap_or_default());
    Ok(counts.into_iter().map(count).collect())
}

/// See [`LabelRepository::create_label`](rollcall_repository::LabelRepository::create_label). Runs in
/// a transaction.
pub(crate) fn create(
    connection: &mut AnyConnection,
    kind: LabelKind,
    name: &LabelName,
    description: &str,
    author: &Author,
) -> Result<CreatedLabel, Failure> {
    // One transaction at a time creates labels, so there are never too many.
    diesel::update(label_numbers::table)
        .set(label_numbers::last_label.eq(label_numbers::last_label))
        .execute(connection)?;
    let of_kind = || labels::table.filter(labels::kind.eq(kind.name()));
    let known: Option<LabelRow> = of_kind()
        .filter(labels::name.eq(name.as_str()))
        .select(LabelRow::as_select())
        .first(connection)
        .optional()?;
    if let Some(known) = known {
        return Ok(CreatedLabel::Known(known.into_label()?));
    }
    let others: i64 = of_kind().count().get_result(connection)?;
    if usize::try_from(others).is_ok_and(|others| others >= kind.most()) {
        return Ok(CreatedLabel::Full);
    }
    diesel::update(label_numbers::table)
        .set(label_numbers::last_label.eq(label_numbers::last_label + 1))
        .execute(connection)?;
    let id = label_numbers::table.select(label_numbers::last_label).first(connection)?;
    let row = LabelRow {
        id,
        kind: kind.name().to_owned(),
        name: name.to_string(),
        description: description.to_owned(),
        created_at: author.at.into(),
    };
    let label = UserLabel {
        id,
        kind,
        name: name.clone(),
        description: description.to_owned(),
        created_at: DateTime::from(row.created_at),
    };
    diesel::insert_into(labels::table).values(row).execute(connection)?;
    add_entry(connection, &author.entry(AuditAction::CreatedLabel, None, Some(title(&label))))?;
    Ok(CreatedLabel::New(label))
}

/// See [`LabelRepository::describe_label`](rollcall_repository::LabelRepository::describe_label). Runs
/// in a transaction.
pub(super) fn describe(
    connection: &mut AnyConnection,
    label: &UserLabel,
    description: &str,
    author: &Author,
) -> Result<bool, Failure> {
    let found = diesel::update(labels::table.find(label.id))
        .set(labels::description.eq(description))
        .execute(connection)?;
    if found > 0 && description != label.description {
        let value = |text: &str| Some(format!("{}: {text}", title(label)));
        let entry = author.entry(
            AuditAction::DescribedLabel,
            value(&label.description),
            value(description),
        );
        add_entry(connection, &entry)?;
    }
    Ok(found > 0)
}

/// Locks a label before its users, as adding it to users does. Until the transaction ends, no other one
/// adds it.
pub(crate) fn lock_label(connection: &mut AnyConnection, label: i32) -> QueryResult<()> {
    if let AnyConnection::Postgres(connection) = connection {
        let lock = labels::table.find(label).select(labels::id).for_update();
        lock.first::<i32>(connection).optional()?;
    }
    Ok(())
}

/// See [`LabelRepository::delete_label`](rollcall_repository::LabelRepository::delete_label). Runs in
/// a transaction.
pub(super) fn delete(
    connection: &mut AnyConnection,
    label: &UserLabel,
    number: u64,
    limit: u32,
    author: &Author,
) -> Result<DeletedLabel, Failure> {
    // No segment is saved before the transaction ends.
    segment::lock(connection)?;
    let names_it = |segment: &Segment| segment.filter.names_label(label.kind, &label.name);
    let using = segment::all(connection)?.into_iter().filter(names_it);
    let using: Vec<LabelName> = using.map(|segment| segment.name).collect();
    if !using.is_empty() {
        return Ok(DeletedLabel::Used(using));
    }
    lock_label(connection, label.id)?;
    let removed = of_users::remove_some(connection, label.id, limit)?;
    if u32::try_from(removed).is_ok_and(|removed| removed >= limit) {
        return Ok(DeletedLabel::Shrunk);
    }
    // From here on, no other transaction adds the label to users.
    let deleted = diesel::delete(labels::table.find(label.id)).execute(connection)?;
    diesel::delete(user_labels::table.filter(user_labels::label.eq(label.id)))
        .execute(connection)?;
    if deleted > 0 {
        let old = format!("{}: {}", title(label), users(number));
        add_entry(connection, &author.entry(AuditAction::DeletedLabel, Some(old), None))?;
    }
    Ok(DeletedLabel::Deleted)
}

/// See [`LabelRepository::label_user`](rollcall_repository::LabelRepository::label_user). Runs in a
/// transaction.
pub(super) fn label_user(
    connection: &mut AnyConnection,
    label: &UserLabel,
    id: TelegramId,
    is_added: bool,
    author: &Author,
) -> Result<Option<bool>, Failure> {
    if !lock(connection, id.get())? {
        return Ok(None);
    }
    let known: i64 = labels::table.find(label.id).count().get_result(connection)?;
    if known == 0 {
        return Ok(None);
    }
    let changed = of_users::change(
        &mut Transaction::from(&mut *connection),
        label.id,
        &[id.get()],
        is_added,
    )?;
    if changed.is_empty() {
        return Ok(Some(false));
    }
    let entry = match is_added {
        true => author.entry(AuditAction::AddedLabel, None, Some(title(label))),
        false => author.entry(AuditAction::RemovedLabel, Some(title(label)), None),
    };
    add_entry(connection, &NewAuditEntry { about: Some(id), ..entry })?;
    Ok(Some(true))
}
