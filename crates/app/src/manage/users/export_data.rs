//! `manage users export-data`.

use std::{io::Write, path::PathBuf};

use anyhow::bail;
use clap::Args;
use rollcall_domain::{AuditAction, TelegramId};

use crate::{
    manage::{
        export::{File, unless_read_only},
        output::stdout,
    },
    services::Services,
};

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  manage users export-data 123456789 | less
  manage users export-data 123456789 --output copy.json")]
pub struct ExportData {
    /// The user's Telegram id
    #[arg(value_name = "ID")]
    id: TelegramId,
    /// Output file, created only once the copy is complete [default: the standard output]
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Overwrite FILE if it exists
    #[arg(long, requires = "output")]
    force: bool,
}

impl ExportData {
    pub(super) async fn run(self, services: &Services) -> anyhow::Result<()> {
        let output =
            self.output.as_deref().map(|path| File::create(path, self.force)).transpose()?;
        // Also what is left of a user who was erased, and a quarantined update of an unknown one.
        if !services.personal_data().has_any(self.id).await? {
            bail!("nothing is stored about the id {}", self.id);
        }
        unless_read_only(
            services.accounts().audit_command_each(AuditAction::CopiedUserData, &[self.id]).await,
            "this copy is not recorded in the audit log",
        )?;
        let mut copy = services.personal_data().copy(self.id);
        let Some(mut file) = output else {
            while let Some(part) = copy.next().await? {
                stdout().write_all(&part)?;
            }
            return Ok(());
        };
        while let Some(part) = copy.next().await? {
            file.text.write_all(&part)?;
        }
        let path = file.finish()?;
        eprintln!("Wrote everything that is stored about {} to {}", self.id, path.display());
        Ok(())
    }
}
