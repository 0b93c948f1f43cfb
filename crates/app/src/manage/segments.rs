//! `manage segments`.

use std::{io::Write, process::ExitCode};

use anyhow::bail;
use chrono_tz::Tz;
use clap::Subcommand;
use rollcall_domain::{
    AuditAction, Filter, LabelName, Segment, SegmentChanges, SegmentSize, UserFilter, UserSort,
    grouped,
};
use rollcall_service::{AudienceService, CountedSegment, SegmentPass};
use serde_json::{Value, json};

use super::{
    count::exactly,
    filter::{read_filter, read_zone},
    output::{print_json, progress_bar, rfc3339, safe, second, stdout},
    table::Table,
};
use crate::{services::Services, shutdown::Shutdown, values::whole};

#[derive(Debug, Subcommand)]
pub enum Segments {
    /// List the saved segments with their latest sizes
    ///
    /// The bot counts all segments once a day, soon after midnight UTC. WEEK is the change of the size
    /// within the seven days before.
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Show a segment, how many users are in it now, and its sizes of the last days
    Show {
        /// The segment's name
        name: LabelName,
        /// Number of days whose sizes are shown
        #[arg(long, default_value_t = 14, value_parser = whole(1..=3660_u32))]
        days: u32,
        /// Time zone whose days the filter means now, instead of the segment's own
        #[arg(long, value_name = "ZONE", value_parser = read_zone)]
        zone: Option<Tz>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Save a filter under a name, or replace the segment of this name
    Save {
        /// The name: 1 to 32 of a-z, 0-9, _ and -
        name: LabelName,
        /// The filter, such as 'lang:de reachable seen<14d'. See docs/filters.md
        #[arg(long, value_parser = read_filter, allow_hyphen_values = true)]
        filter: Filter,
        /// What the segment is for
        #[arg(long, default_value = "")]
        description: String,
        /// Time zone whose days the filter means, such as Europe/Berlin. Where another filter names the
        /// segment, it means the days of that filter
        #[arg(long, value_name = "ZONE", default_value = "UTC", value_parser = read_zone)]
        zone: Tz,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Count all segments now
    ///
    /// The bot does this once a day. A count of the same day is replaced. After Ctrl-C, the same
    /// command goes on where it was stopped.
    Refresh {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Delete a segment and its history; its users stay
    Delete {
        /// The segment's name
        name: LabelName,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

impl Segments {
    pub(super) async fn run(self, services: &Services) -> anyhow::Result<ExitCode> {
        let (audience, admins) = (services.audience(), services.accounts());
        match self {
            Self::List { json } => list(&services.segments().list().await?, json)?,
            Self::Show { name, days, zone, json } => {
                show(services, &audience, &name, days, zone, json).await?;
            }
            Self::Save { name, filter, description, zone, json } => {
                let (what, summary) = (format!("{name}: {}", text(&filter)), filter.summary());
                let old = audience.save_segment(name.clone(), filter, zone, &description).await?;
                let entry = format!("{name}: {summary}");
                admins.audit_command(AuditAction::SavedSegment, &entry).await?;
                if json {
                    print_json(&json!({ "name": name.as_str(), "replaced": old.is_some() }))?;
                } else {
                    let done = if old.is_some() { "Replaced" } else { "Saved" };
                    writeln!(stdout(), "{done} segment {what}")?;
                }
            }
            Self::Refresh { json } => refresh(services, json).await?,
            Self::Delete { name, json } => {
                let Segment { filter, .. } = audience.delete_segment(&name).await?;
                let entry = format!("{name}: {}", filter.summary());
                admins.audit_command(AuditAction::DeletedSegment, &entry).await?;
                if json {
                    print_json(&json!({ "name": name.as_str(), "filter": filter.to_string() }))?;
                } else {
                    writeln!(stdout(), "Deleted segment {name}: {}", text(&filter))?;
                }
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// A filter for people; the empty one in words.
fn text(filter: &Filter) -> String {
    if filter.is_everyone() { "everyone but bots".to_owned() } else { safe(&filter.to_string()) }
}

fn as_json(segment: &Segment) -> Value {
    json!({
        "name": segment.name.as_str(),
        "filter": segment.filter.to_string(),
        "description": segment.description,
        "created_at": rfc3339(segment.created_at),
        "zone": segment.zone.name(),
    })
}

fn with(value: Value, more: impl IntoIterator<Item = (&'static str, Value)>) -> Value {
    let mut value = value;
    if let Value::Object(fields) = &mut value {
        fields.extend(more.into_iter().map(|(name, value)| (name.to_owned(), value)));
    }
    value
}

fn size_as_json(size: &SegmentSize) -> Value {
    json!({
        "day": size.day.to_string(),
        "users": size.users,
        "joined": size.changes.map(|it| it.joined),
        "left": size.changes.map(|it| it.left),
    })
}

/// A change with its sign.
fn signed(change: i64) -> String {
    let sign = match change {
        0 => "",
        1.. => "+",
        _ => "-",
    };
    format!("{sign}{}", grouped(change.unsigned_abs()))
}

fn list(segments: &[CountedSegment], json: bool) -> anyhow::Result<()> {
    if json {
        let value = |counted: &CountedSegment| {
            let counted_at = [
                ("size", counted.size.as_ref().map(size_as_json).into()),
                ("week_change", counted.change().into()),
            ];
            with(as_json(&counted.segment), counted_at)
        };
        return print_json(&segments.iter().map(value).collect());
    }
    let mut out = stdout();
    if segments.is_empty() {
        writeln!(out, "No segment is saved yet. Save one with `manage segments save`.")?;
        return Ok(());
    }
    let unknown = || "-".to_owned();
    writeln!(out, "{:>11}  {:>9}  {:32}  FILTER", "USERS", "WEEK", "NAME")?;
    for counted in segments {
        let Segment { name, filter, description, .. } = &counted.segment;
        let users = counted.size.map_or_else(unknown, |size| grouped(size.users));
        let change = counted.change().map_or_else(unknown, signed);
        writeln!(out, "{users:>11}  {change:>9}  {:32}  {}", name.as_str(), text(filter))?;
        if !description.is_empty() {
            writeln!(out, "{:>11}  {:>9}  {:32}  {}", "", "", "", safe(description))?;
        }
    }
    match segments.iter().filter_map(|it| it.size).next() {
        Some(size) => writeln!(out, "Counted on {} (UTC).", size.day)?,
        None => writeln!(out, "They are not counted yet; `manage segments refresh` does it now.")?,
    }
    Ok(())
}

async fn show(
    services: &Services,
    audience: &AudienceService,
    name: &LabelName,
    days: u32,
    zone: Option<Tz>,
    json: bool,
) -> anyhow::Result<()> {
    let segments = audience.segments().await?;
    let Some(segment) = segments.iter().find(|it| it.name == *name) else {
        bail!("there is no segment '{name}'");
    };
    let zone = zone.unwrap_or(segment.zone);
    let selection = audience.selection(&segment.filter, zone).await?;
    let count = exactly(audience, &selection).await?;
    let sizes = services.segments().sizes(name, u64::from(days) - 1).await?;
    if json {
        let sizes: Vec<Value> = sizes.iter().map(size_as_json).collect();
        return print_json(&with(
            as_json(segment),
            [("users", json!(count)), ("sizes", json!(sizes))],
        ));
    }
    let mut out = stdout();
    writeln!(out, "Name         {name}")?;
    writeln!(out, "Filter       {}", text(&segment.filter))?;
    if !segment.description.is_empty() {
        writeln!(out, "Description  {}", safe(&segment.description))?;
    }
    writeln!(out, "Saved        {} UTC", second(segment.created_at))?;
    if let Some(at) = segment.changed_at {
        writeln!(out, "Changed      {} UTC", second(at))?;
    }
    writeln!(out, "Days of      {zone}")?;
    writeln!(out, "Users        {}", grouped(count))?;
    if sizes.is_empty() {
        return Ok(());
    }
    writeln!(out)?;
    let mut table = Table::new(["DAY", "USERS", "JOINED", "LEFT"], 1);
    for SegmentSize { day, users, changes } in sizes {
        let change = |of: fn(SegmentChanges) -> u64| {
            changes.map_or_else(|| "-".to_owned(), |changes| grouped(of(changes)))
        };
        let (joined, left) = (change(|it| it.joined), change(|it| it.left));
        table.row([day.to_string(), grouped(users), joined, left]);
    }
    table.print(&mut out)?;
    Ok(())
}

async fn refresh(services: &Services, json: bool) -> anyhow::Result<()> {
    let (filter, sort) = (UserFilter::new(), UserSort::default());
    let all = services.directory().users(&filter, sort, None, 1).await?.count.number();
    let bar = progress_bar("users");
    bar.set_length(all);
    let progress = |pass: &SegmentPass| bar.set_position(pass.users);
    let segments = services.segments();
    let shutdown = Shutdown::on_signals()?;
    let pass = tokio::select! {
        pass = segments.count_now(&progress) => pass?,
        () = shutdown.requested() => {
            bail!("interrupted; run the same command again to complete it");
        }
    };
    bar.finish_and_clear();
    while segments.forget_old().await? {}
    let Some(pass) = pass else {
        bail!("no segment was counted: there is none, or they are being changed");
    };
    let counted: Vec<CountedSegment> =
        segments.list().await?.into_iter().filter(|it| it.size.is_some()).collect();
    if json {
        return print_json(&json!({
            "day": pass.day.to_string(),
            "users": pass.users,
            "segments": counted.len(),
        }));
    }
    let noun = if counted.len() == 1 { "segment" } else { "segments" };
    writeln!(stdout(), "Counted {} {noun} among {} users.", counted.len(), grouped(pass.users))?;
    Ok(())
}
