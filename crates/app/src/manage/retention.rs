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
        if retention == Retention::default() {
            bail!(
                "nothing has a limit; set RETENTION_INACTIVE, RETENTION_NOTES or RETENTION_AUDIT, \
                 such as RETENTION_INACTIVE=24mo"
            );
        }
        let service = services.retention(services.accounts(), retention);
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
