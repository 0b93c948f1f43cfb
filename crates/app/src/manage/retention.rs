//! `manage retention`.

use std::{io::Write, process::ExitCode};

use anyhow::bail;
use clap::Args;
use rollcall_domain::grouped;
use rollcall_repository::Expired;
use rollcall_service::Retention;

use super::output::{progress_bar, stdout};
use crate::{environment::Environment, services::Services, settings::RetentionArguments};

#[derive(Args)]
pub struct Retain {
    /// Only show what would be deleted
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    retention: RetentionArguments,
}

impl Retain {
    pub(super) async fn run(
        self,
        services: &Services,
        environment: &Environment,
    ) -> anyhow::Result<ExitCode> {
        let retention = self.retention.settings(environment)?;
        let service = services.retention(services.accounts(), retention);
        if self.dry_run {
            report_customers(service.business_customers().await?)?;
        }
        if retention == Retention::default() {
            bail!(
                "nothing has a limit; set RETENTION_INACTIVE, RETENTION_NOTES or RETENTION_AUDIT, \
                 such as RETENTION_INACTIVE=24mo"
            );
        }
        let (what, found) = match self.dry_run {
            true => ("would be deleted", service.expired().await?),
            false => {
                let bar = progress_bar("users");
                bar.set_length(service.expired().await?.users);
                let deleted = service.delete_expired(&|users| bar.set_position(users)).await;
                bar.finish_and_clear();
                ("deleted", deleted?)
            }
        };
        report(retention, what, found)?;
        Ok(ExitCode::SUCCESS)
    }
}

/// The number of customers of business accounts, which is exact only if there are none.
fn report_customers(customers: u64) -> anyhow::Result<()> {
    let line = match customers {
        0 => "0 users are known only from messages to a business account".to_owned(),
        1 => "at most 1 user is known only from messages to a business account".to_owned(),
        many => {
            let many = grouped(many);
            format!("at most {many} users are known only from messages to a business account")
        }
    };
    writeln!(stdout(), "{line}")?;
    Ok(())
}

/// A line for each limit.
fn report(
    Retention { inactive, notes, audit }: Retention,
    what: &str,
    Expired { users, notes: old_notes, audit_entries }: Expired,
) -> anyhow::Result<()> {
    let mut out = stdout();
    let lines = [
        (inactive, users, "user", "users", "inactive for"),
        (notes, old_notes, "note", "notes", "last written before"),
        (audit, audit_entries, "audit entry", "audit entries", "older than"),
    ];
    for (period, count, one, many, why) in lines {
        if let Some(period) = period {
            let noun = if count == 1 { one } else { many };
            writeln!(out, "{} {noun} {what}: {why} {period}", grouped(count))?;
        }
    }
    Ok(())
}
