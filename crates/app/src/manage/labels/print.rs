//! What `manage tag` and `manage group` print.

use std::io::Write;

use rollcall_domain::{LabelKind, LabelName, UserLabel, grouped};
use rollcall_service::LabelChange;
use serde_json::{Value, json};

use crate::manage::output::{print_json, rfc3339, safe, stdout};

pub(super) fn list(
    kind: LabelKind,
    labels: &[(UserLabel, u64)],
    is_json: bool,
) -> anyhow::Result<()> {
    if is_json {
        let labels: Vec<Value> = labels.iter().map(as_json).collect();
        return print_json(&json!({ format!("{}s", kind.name()): labels }));
    }
    let mut out = stdout();
    if labels.is_empty() {
        let name = kind.name();
        writeln!(out, "There are no {name}s yet. `manage {name} add` creates one.")?;
        return Ok(());
    }
    writeln!(out, "{:>11}  {:32}  DESCRIPTION", "USERS", "NAME")?;
    for (label, users) in labels {
        let line = format!(
            "{:>11}  {:32}  {}",
            grouped(*users),
            label.name.as_str(),
            safe(&label.description)
        );
        writeln!(out, "{}", line.trim_end())?;
    }
    let (number, most) = (labels.len().try_into()?, kind.most().try_into()?);
    writeln!(out, "{} of {} {}s", grouped(number), grouped(most), kind.name())?;
    Ok(())
}

fn as_json((label, users): &(UserLabel, u64)) -> Value {
    json!({
        "name": label.name.as_str(),
        "description": label.description,
        "users": users,
        "created_at": rfc3339(label.created_at),
    })
}

/// `given` is the number of ids in a file.
pub(super) fn changed(change: &LabelChange, given: Option<u64>) -> anyhow::Result<()> {
    let (users, title) = (number(change.users), title(&change.label));
    let mut out = stdout();
    match (change.is_added, change.label.kind) {
        (true, LabelKind::Tag) => writeln!(out, "Added {title} to {users}.")?,
        (false, LabelKind::Tag) => writeln!(out, "Removed {title} from {users}.")?,
        (true, LabelKind::Group) => writeln!(out, "Added {users} to {title}.")?,
        (false, LabelKind::Group) => writeln!(out, "Removed {users} from {title}.")?,
    }
    match given.map_or(0, |given| given.saturating_sub(change.users)) {
        0 => {}
        1 => writeln!(out, "There was nothing to change for 1 other id.")?,
        rest => writeln!(out, "There was nothing to change for {} other ids.", grouped(rest))?,
    }
    Ok(())
}

pub(super) fn undone(change: &LabelChange) -> anyhow::Result<()> {
    let (users, title) = (number(change.users), title(&change.label));
    match change.is_added {
        true => writeln!(stdout(), "Undone: removed {title} from {users}.")?,
        false => writeln!(stdout(), "Undone: added {title} to {users}.")?,
    }
    Ok(())
}

pub(super) fn described(kind: LabelKind, name: &LabelName) -> anyhow::Result<()> {
    Ok(writeln!(stdout(), "Changed the description of {} {name}.", kind.name())?)
}

pub(super) fn deleted(kind: LabelKind, name: &LabelName, users: u64) -> anyhow::Result<()> {
    let users = number(users);
    match kind {
        LabelKind::Tag => writeln!(stdout(), "Deleted tag {name}, which {users} had.")?,
        LabelKind::Group => writeln!(stdout(), "Deleted group {name}, which had {users}.")?,
    }
    Ok(())
}

fn title(label: &UserLabel) -> String {
    format!("{} {}", label.kind.name(), label.name)
}

fn number(users: u64) -> String {
    let noun = if users == 1 { "user" } else { "users" };
    format!("{} {noun}", grouped(users))
}
