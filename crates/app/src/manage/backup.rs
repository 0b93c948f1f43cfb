//! `manage backup`.

use std::{io::Write, path::PathBuf, process::ExitCode};

use anyhow::Context;
use clap::Args;
use rollcall_repository_diesel::Database;

use super::output::stdout;

#[derive(Args)]
#[command(after_help = "\
Examples:
  manage backup /backups/rollcall-monday.db             while the bot runs or not")]
pub struct Backup {
    /// The copy, which must not exist
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

impl Backup {
    pub(super) async fn run(self, database: &Database) -> anyhow::Result<ExitCode> {
        let path = self.file.display();
        database.back_up(&self.file).await.with_context(|| format!("cannot back up to {path}"))?;
        let key = database.file_key().map(|key| format!(", encrypted with the key {}", key.name()));
        writeln!(stdout(), "Copied {} to {path}{}.", database.url(), key.unwrap_or_default())?;
        Ok(ExitCode::SUCCESS)
    }
}
