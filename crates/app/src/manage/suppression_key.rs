//! `manage suppression-key`.

use std::{io::Write, path::PathBuf, process::ExitCode};

use anyhow::bail;
use clap::Args;
use rollcall_repository_diesel::Database;

use super::{key_file, output::stdout};

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
        key_file::create(&self.file, &format!("{}\n", key.to_hex()))?;
        let path = self.file.display();
        writeln!(
            stdout(),
            "Wrote the key to {path}. Set SUPPRESSION_KEY_FILE to that file for the bot and for \
             manage, then restart the bot: it deletes the copy in the database. Back the file up \
             apart from the database."
        )?;
        Ok(ExitCode::SUCCESS)
    }
}
