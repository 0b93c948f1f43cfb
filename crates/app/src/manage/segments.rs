//! `manage segments`.

use std::{io::Write, process::ExitCode, sync::Arc};

use anyhow::bail;
use chrono_tz::Tz;
use clap::Subcommand;
use rollcall_domain::{AuditAction, Filter, LabelName, Segment, Term, grouped};
use rollcall_service::{AdminService, AudienceService};
use serde_json::{Value, json};

use super::{
    filter::read_filter,
    output::{print_json, rfc3339, safe, second, stdout},
};

#[derive(Debug, Subcommand)]
pub enum Segments {
    /// List the saved segments
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Show a segment, and how many users are in it now
    Show {
        /// The segment's name
        name: LabelName,
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
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Delete a segment; its users stay
    Delete {
        /// The segment's name
        name: LabelName,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

impl Segments {
    pub(super) async fn run(
        self,
        audience: AudienceService,
        admins: AdminService,
    ) -> anyhow::Result<ExitCode> {
        match self {
            Self::List { json } => list(&audience.segments().await?, json)?,
            Self::Show { name, json } => show(&audience, &name, json).await?,
            Self::Save { name, filter, description, json } => {
                let (what, summary) = (format!("{name}: {}", text(&filter)), filter.summary());
                let old = audience.save_segment(name.clone(), filter, &description).await?;
                let entry = format!("{name}: {summary}");
                admins.audit_command(AuditAction::SavedSegment, &entry).await?;
                if json {
                    print_json(&json!({ "name": name.as_str(), "replaced": old.is_some() }))?;
                } else {
                    let done = if old.is_some() { "Replaced" } else { "Saved" };
                    writeln!(stdout(), "{done} segment {what}")?;
                }
            }
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
    })
}

fn list(segments: &[Segment], json: bool) -> anyhow::Result<()> {
    if json {
        return print_json(&segments.iter().map(as_json).collect());
    }
    let mut out = stdout();
    if segments.is_empty() {
        writeln!(out, "No segment is saved yet. Save one with `manage segments save`.")?;
        return Ok(());
    }
    for Segment { name, filter, description, .. } in segments {
        writeln!(out, "{:32}  {}", name.as_str(), text(filter))?;
        if !description.is_empty() {
            writeln!(out, "{:32}  {}", "", safe(description))?;
        }
    }
    Ok(())
}

async fn show(audience: &AudienceService, name: &LabelName, json: bool) -> anyhow::Result<()> {
    let filter = Filter::with(Term::Segment(vec![name.clone()]));
    let selection = audience.selection(&filter, Tz::UTC).await?;
    let segments = audience.segments().await?;
    let Some(segment) = segments.iter().find(|it| it.name == *name) else {
        bail!("there is no segment '{name}'");
    };
    let count = audience.count(&selection, Arc::new(|_, _| true)).await?.unwrap_or_default();
    if json {
        let mut value = as_json(segment);
        if let Value::Object(fields) = &mut value {
            fields.insert("users".to_owned(), json!(count));
        }
        return print_json(&value);
    }
    let mut out = stdout();
    writeln!(out, "Name         {name}")?;
    writeln!(out, "Filter       {}", text(&segment.filter))?;
    if !segment.description.is_empty() {
        writeln!(out, "Description  {}", safe(&segment.description))?;
    }
    writeln!(out, "Saved        {} UTC", second(segment.created_at))?;
    writeln!(out, "Users        {}", grouped(count))?;
    Ok(())
}
