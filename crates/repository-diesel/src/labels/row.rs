//! Rows of `labels` and `label_changes`.

use diesel::prelude::*;
use rollcall_domain::{Filter, LabelKind, LabelName, TelegramId, UserLabel, grouped};
use rollcall_repository::{LabelChange, LabelChangeState, LabelChoice};

use crate::base::{
    connection::AnyConnection,
    error::Failure,
    schema::{label_changes, labels},
    timestamp::UtcMicros,
};

/// A row of `labels`.
#[derive(Insertable, Queryable, Selectable)]
#[diesel(table_name = labels)]
pub(super) struct LabelRow {
    pub(super) id: i32,
    pub(super) kind: String,
    pub(super) name: String,
    pub(super) description: String,
    pub(super) created_at: UtcMicros,
}

impl LabelRow {
    pub(super) fn into_label(self) -> Result<UserLabel, Failure> {
        Ok(UserLabel {
            id: self.id,
            kind: kind(&self.kind, self.id)?,
            name: name(self.name, self.id)?,
            description: self.description,
            created_at: self.created_at.into(),
        })
    }
}

pub(super) fn kind(text: &str, id: impl ToString) -> Result<LabelKind, Failure> {
    LabelKind::from_name(text).ok_or_else(|| corrupt("kind", id, "no kind has this name"))
}

pub(crate) fn name(text: String, id: impl ToString) -> Result<LabelName, Failure> {
    text.parse().map_err(|error| corrupt("name", id, error))
}

fn corrupt(column: &'static str, id: impl ToString, reason: impl ToString) -> Failure {
    Failure::Corrupt { table: "labels", column, key: id.to_string(), reason: reason.to_string() }
}

/// A row of `label_changes`.
#[derive(Insertable, Queryable, Selectable)]
#[diesel(table_name = label_changes)]
pub(super) struct ChangeRow {
    pub(super) id: i64,
    pub(super) started_at: UtcMicros,
    pub(super) touched_at: UtcMicros,
    pub(super) admin: Option<String>,
    pub(super) label: i32,
    pub(super) is_added: bool,
    pub(super) filter: Option<String>,
    pub(super) zone: String,
    pub(super) users: i64,
    pub(super) last_id: i64,
    pub(super) state: String,
}

pub(super) const RUNNING: &str = "running";
pub(super) const DONE: &str = "done";
pub(super) const UNDOING: &str = "undoing";

impl ChangeRow {
    pub(super) fn into_change(self, label: LabelRow) -> Result<LabelChange, Failure> {
        let state = match self.state.as_str() {
            RUNNING => LabelChangeState::Running,
            DONE => LabelChangeState::Done,
            UNDOING => LabelChangeState::Undoing,
            _ => {
                return Err(Failure::Corrupt {
                    table: "label_changes",
                    column: "state",
                    key: self.id.to_string(),
                    reason: "no state has this name".to_owned(),
                });
            }
        };
        Ok(LabelChange {
            id: self.id,
            started_at: self.started_at.into(),
            touched_at: self.touched_at.into(),
            label: label.into_label()?,
            by: self.admin.and_then(|by| by.parse().ok()),
            is_added: self.is_added,
            choice: match self.filter {
                Some(text) => LabelChoice::Filter { text, zone: self.zone },
                None => LabelChoice::Ids,
            },
            users: self.users.try_into().unwrap_or_default(),
            last: TelegramId::try_from(self.last_id).ok(),
            state,
        })
    }
}

/// The state of a change as it is stored.
pub(super) fn stored(state: LabelChangeState) -> &'static str {
    match state {
        LabelChangeState::Running => RUNNING,
        LabelChangeState::Done => DONE,
        LabelChangeState::Undoing => UNDOING,
    }
}

/// A change and its label; `None` if one of them is gone.
pub(super) fn read_change(
    connection: &mut AnyConnection,
    id: i64,
) -> Result<Option<LabelChange>, Failure> {
    let found: Option<(ChangeRow, LabelRow)> = label_changes::table
        .inner_join(labels::table.on(labels::id.eq(label_changes::label)))
        .filter(label_changes::id.eq(id))
        .select((ChangeRow::as_select(), LabelRow::as_select()))
        .first(connection)
        .optional()?;
    found.map(|(change, label)| change.into_change(label)).transpose()
}

/// A label for the audit log: `tag vip`.
pub(super) fn title(label: &UserLabel) -> String {
    format!("{} {}", label.kind.name(), label.name)
}

/// A change for the audit log: how many users, which label, and how they were chosen, without names.
pub(super) fn summary(change: &LabelChange) -> String {
    let choice = match &change.choice {
        LabelChoice::Ids => "given ids".to_owned(),
        LabelChoice::Filter { text, zone } => {
            let filter = text.parse().unwrap_or_else(|_| Filter::everyone()).summary();
            match zone.as_str() {
                "UTC" => format!("filter {filter}"),
                zone => format!("filter {filter} (days of {zone})"),
            }
        }
    };
    format!("{}: {}: {choice}", users(change.users), title(&change.label))
}

pub(super) fn users(number: u64) -> String {
    let noun = if number == 1 { "user" } else { "users" };
    format!("{} {noun}", grouped(number))
}
