//! `manage suppression-key`.

use std::{
    fs::OpenOptions, io::Write, os::unix::fs::OpenOptionsExt, path::PathBuf, process::ExitCode,
};

use anyhow::{Context, bail};
use clap::Args;
use rollcall_repository_diesel::Database;

use super::output::stdout;

/// Only its owner may read the file.
const MODE: u32 = 0o600;

#[derive(Args)]
pub struct WriteKey {
    /// The file, which must not exist
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

impl WriteKey {
    /// Writes the key that the database keeps, or a new one for a database without erased users.
    pub(super) async fn run(self, database: &Database) -> anyhow::Result<ExitCode> {
        let Some(key) = database.suppression_key_to_move().await? else {
            bail!(
                "the database does not keep the key: users were erased with that of another \
                 SUPPRESSION_KEY_FILE, which is still needed"
            );
        };
        let path = self.file.display();
        let file = OpenOptions::new().write(true).create_new(true).mode(MODE).open(&self.file);
        let mut file = file.with_context(|| format!("cannot create {path}"))?;
        file.write_all(format!("{}\n", key.to_hex()).as_bytes())
            .and_then(|()| file.sync_all())
            .with_context(|| format!("cannot write {path}"))?;
        writeln!(
            stdout(),
            "Wrote the key to {path}. Set SUPPRESSION_KEY_FILE to that file for the bot and for \
             manage, then restart the bot: it deletes the copy in the database. Back the file up \
             apart from the database."
        )?;
        Ok(ExitCode::SUCCESS)
    }
}
