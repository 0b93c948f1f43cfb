//! `manage database-key`.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context, anyhow};
use clap::Args;
use rollcall_repository_diesel::{DatabaseKey, DatabaseKeys};

use super::{key_file, output::stdout};

#[derive(Args)]
#[command(after_help = "\
Examples:
  manage database-key /etc/rollcall/database.key        create a file with a new key
  manage database-key /etc/rollcall/database.key --add  replace a key that others may know

After either, stop the bot, run `manage rekey` with DATABASE_KEY_FILE, and start the bot.")]
pub struct WriteKey {
    /// The file, which must not exist without --add
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Add a new key to the file, before those that it has. They stay as older keys
    #[arg(long)]
    add: bool,
}

impl WriteKey {
    /// Writes a new key. The database does not change.
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let path = self.file.display();
        let key = DatabaseKey::random()?;
        if self.add {
            add(&self.file, &key)?;
            writeln!(
                stdout(),
                "Added the key {} to {path}. Stop the bot and run `manage rekey`: it encrypts the \
                 database with the new key. Keep the older ones in the file as long as backups need \
                 them.",
                key.name()
            )?;
        } else {
            key_file::create(&self.file, &format!("{}\n", key.to_hex()))?;
            writeln!(
                stdout(),
                "Wrote the key {} to {path}. Set DATABASE_KEY_FILE to that file for the bot and for \
                 manage. A new database is then encrypted; for one that exists, stop the bot and run \
                 `manage rekey`. Back the file up apart from the database: without the key, nobody can \
                 read it.",
                key.name()
            )?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// Puts a key before those of a file. An interruption leaves the old file.
fn add(path: &Path, key: &DatabaseKey) -> anyhow::Result<()> {
    let cannot = |what: &str| format!("cannot {what} {}", path.display());
    let old = fs::read_to_string(path).with_context(|| cannot("read"))?;
    DatabaseKeys::from_text(&old).map_err(|error| anyhow!("{}: {error}", path.display()))?;
    // The target of a link is replaced, not the link.
    let path = path.canonicalize().with_context(|| cannot("find"))?;
    let mut new = path.clone().into_os_string();
    new.push(".new");
    let new = PathBuf::from(new);
    key_file::create(&new, &format!("{}\n{old}", key.to_hex()))?;
    fs::rename(&new, &path).with_context(|| cannot("replace"))?;
    Ok(())
}
