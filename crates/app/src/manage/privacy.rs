//! `manage privacy`.

use std::io::Write;

use anyhow::bail;
use chrono::{DateTime, Utc};
use clap::{Args, Subcommand};
use rollcall_domain::{AuditAction, Clock, PrivacyRequest, RequestKind, SystemClock, TelegramId};
use serde_json::{Value, json};

use super::{
    output::{print_json, rfc3339, second, stdout},
    table::Table,
};
use crate::services::Services;

/// The most requests that are listed.
const MOST: u32 = 1_000;

#[derive(Debug, Subcommand)]
pub enum Privacy {
    /// What people asked about their data: copies and erasures, with the day on which they are due
    ///
    /// The bot records /mydata and /deletemydata, and finishes them by itself. Add requests that reach
    /// you elsewhere. Names and ids are not kept: one code stands for one person.
    #[command(subcommand)]
    Requests(Requests),
}

#[derive(Debug, Subcommand)]
pub enum Requests {
    /// List the open requests, those first that are due first
    List(List),
    /// Add a request that reached you elsewhere; it is due in 30 days
    Add(Add),
    /// Mark a request as done
    Done(Done),
}

#[derive(Args, Debug)]
pub struct List {
    /// List the finished requests, too; they are forgotten after a year
    #[arg(long)]
    all: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  manage privacy requests add 123456789 --kind copy
  manage privacy requests add 123456789 --kind telegram   Telegram asks to erase this user")]
pub struct Add {
    /// The person's Telegram id
    #[arg(value_name = "ID")]
    id: TelegramId,
    /// What is asked: copy, erasure, or telegram if Telegram asks to erase the user
    #[arg(long, value_name = "copy|erasure|telegram")]
    kind: RequestKind,
}

#[derive(Args, Debug)]
pub struct Done {
    /// The number of the request, as listed
    number: i64,
}

impl Privacy {
    pub(super) async fn run(self, services: Services) -> anyhow::Result<()> {
        let Self::Requests(command) = self;
        match command {
            Requests::List(command) => command.run(&services).await,
            Requests::Add(command) => command.run(&services).await,
            Requests::Done(command) => command.run(&services).await,
        }
    }
}

impl List {
    async fn run(self, services: &Services) -> anyhow::Result<()> {
        let requests = services.privacy_requests();
        let mut listed = requests.open(MOST).await?;
        if self.all {
            listed.extend(requests.done(MOST).await?);
        }
        if self.json {
            return print_json(&listed.iter().map(as_json).collect());
        }
        let mut table = Table::new(["NUMBER", "KIND", "ASKED", "DUE", "DONE", "CODE"], 6);
        let now = SystemClock.now();
        for request in &listed {
            table.row(cells(request, now));
        }
        if table.is_empty() {
            writeln!(stdout(), "There are no open requests.")?;
        } else {
            table.print(&mut stdout())?;
        }
        Ok(())
    }
}

fn cells(request: &PrivacyRequest, now: DateTime<Utc>) -> [String; 6] {
    let done = match request.done_at {
        Some(at) => second(at),
        None if request.due_at < now => "overdue".to_owned(),
        None => "-".to_owned(),
    };
    [
        request.id.to_string(),
        request.kind.to_string(),
        second(request.asked_at),
        request.due_at.date_naive().to_string(),
        done,
        request.person.clone(),
    ]
}

fn as_json(request: &PrivacyRequest) -> Value {
    json!({
        "number": request.id,
        "kind": request.kind.name(),
        "asked_at": rfc3339(request.asked_at),
        "due_at": rfc3339(request.due_at),
        "done_at": request.done_at.map(rfc3339),
        "code": request.person,
    })
}

impl Add {
    async fn run(self, services: &Services) -> anyhow::Result<()> {
        let Self { id, kind } = self;
        let number = services.privacy_requests().add(id, kind).await?;
        let what = format!("{number}: {kind}");
        services.accounts().audit_command(AuditAction::AddedPrivacyRequest, &what).await?;
        writeln!(stdout(), "Added request {number}.")?;
        Ok(())
    }
}

impl Done {
    async fn run(self, services: &Services) -> anyhow::Result<()> {
        let Self { number } = self;
        if !services.privacy_requests().finish(number).await? {
            bail!("there is no open request {number}; `manage privacy requests list` lists them");
        }
        let what = number.to_string();
        services.accounts().audit_command(AuditAction::FinishedPrivacyRequest, &what).await?;
        writeln!(stdout(), "Request {number} is done.")?;
        Ok(())
    }
}
