//! `manage rekey`.

use std::{
    io::{IsTerminal, Write},
    os::unix::process::CommandExt,
    pin::pin,
    process::{self, ExitCode},
    sync::mpsc::TryRecvError,
    time::Duration,
};

use anyhow::{Context, bail};
use clap::Args;
use rollcall_domain::grouped;
use rollcall_repository_diesel::{
    Database, DatabaseKey, DatabaseKeys, DatabaseUrl, FileRekey, RekeyError, TextRekey,
};

use super::{
    migrations::refuse_pending,
    output::{confirmed_until_stopped, progress_bar, size, stdout},
};
use crate::{
    WrongUsage, colours,
    environment::Environment,
    settings::{DATABASE_KEY_FILE, DatabaseArguments},
    shutdown::Shutdown,
};

/// How often the progress is shown.
const TICK: Duration = Duration::from_millis(50);

#[derive(Args)]
#[command(after_help = "\
Examples:
  manage database-key /etc/rollcall/database.key        create a key, once, for DATABASE_KEY_FILE
  manage rekey                                          encrypt the database with it
  manage database-key /etc/rollcall/database.key --add  add a new key; then:
  manage rekey                                          change the key of the database
  manage rekey --decrypt                                decrypt it, to run without a key")]
pub struct Rekey {
    /// Decrypt the database instead. Unset DATABASE_KEY_FILE afterwards
    #[arg(long)]
    decrypt: bool,
    /// Do it without a question
    #[arg(long)]
    yes: bool,
}

impl Rekey {
    pub(super) async fn run(
        self,
        database: &DatabaseArguments,
        environment: &Environment,
    ) -> anyhow::Result<ExitCode> {
        let url = database.database_url(environment)?;
        let Some(keys) = database.database_keys(environment)? else {
            let needed = format!(
                "{DATABASE_KEY_FILE} is not set; expected a file with the key, which `manage \
                 database-key FILE` creates"
            );
            return Err(WrongUsage(needed).into());
        };
        match &url {
            DatabaseUrl::Sqlite { .. } => self.file(url, keys).await,
            DatabaseUrl::Postgres { .. } => self.texts(url, keys).await,
        }
    }

    /// Rewrites an SQLite file.
    async fn file(&self, url: DatabaseUrl, keys: DatabaseKeys) -> anyhow::Result<ExitCode> {
        let place = url.to_string();
        let decrypts = self.decrypt;
        let rekey = tokio::task::spawn_blocking(move || FileRekey::new(url, &keys, decrypts));
        let rekey = rekey.await.context("cannot look at the database")??;
        let (old, new) = (rekey.old().cloned(), rekey.new_key().cloned());
        let change = Change { place, old, new };
        if change.old == change.new {
            writeln!(stdout(), "{}; nothing was changed.", change.state())?;
            return Ok(ExitCode::SUCCESS);
        }
        if !self.yes && !agreed(&change.wish(rekey.bytes())).await? {
            return Ok(ExitCode::SUCCESS);
        }
        match run(&rekey).await {
            Ok(()) => writeln!(stdout(), "{}", change.done())?,
            Err(error) => {
                let is_stopped = matches!(error, RekeyError::Stopped);
                let nothing = format!("nothing was changed: {}", change.state());
                let error = anyhow::Error::new(error).context(nothing);
                return Err(if is_stopped { end(&error) } else { error });
            }
        }
        Ok(ExitCode::SUCCESS)
    }

    /// Rewrites the free texts of a PostgreSQL database.
    async fn texts(&self, url: DatabaseUrl, keys: DatabaseKeys) -> anyhow::Result<ExitCode> {
        let database = Database::open_existing_with_keys(url, Some(keys.clone())).await?;
        refuse_pending(&database).await?;
        let place = database.url().to_string();
        let name = keys.first().name();
        let mut rekey = TextRekey::new(database, &keys, self.decrypt);
        let pending = rekey.pending().await?;
        let wanted = match self.decrypt {
            true => "decrypted".to_owned(),
            false => format!("encrypted with the key {name}"),
        };
        if pending == 0 {
            writeln!(
                stdout(),
                "All notes and quarantined updates in {place} are {wanted}; nothing was changed."
            )?;
            return Ok(ExitCode::SUCCESS);
        }
        let texts = format!("{} notes and quarantined updates in {place}", grouped(pending));
        let wish = match self.decrypt {
            true => format!("This decrypts {texts}."),
            false => format!("This encrypts {texts} with the key {name}."),
        };
        if !self.yes && !agreed(&wish).await? {
            return Ok(ExitCode::SUCCESS);
        }
        let bar = progress_bar("texts");
        bar.set_length(pending);
        let stopped = Shutdown::on_signals()?.signal();
        let mut done = 0;
        while let Some(changed) = rekey.step().await? {
            done += changed;
            bar.set_position(done);
            if *stopped.borrow() {
                bar.finish_and_clear();
                bail!(
                    "interrupted; {} are {wanted}, and the rest is as it was. Run the same command \
                     again to go on",
                    grouped(done)
                );
            }
        }
        bar.finish_and_clear();
        let advice = if self.decrypt {
            format!(
                " Unset {DATABASE_KEY_FILE} for the bot, and run this again when it has restarted."
            )
        } else {
            String::new()
        };
        writeln!(
            stdout(),
            "{} notes and quarantined updates in {place} are {wanted}.{advice}",
            grouped(done)
        )?;
        Ok(ExitCode::SUCCESS)
    }
}

/// What is to change.
struct Change {
    place: String,
    old: Option<DatabaseKey>,
    new: Option<DatabaseKey>,
}

impl Change {
    /// How the database is encrypted before the change.
    fn state(&self) -> String {
        match &self.old {
            Some(key) => format!("{} is encrypted with the key {}", self.place, key.name()),
            None => format!("{} is not encrypted", self.place),
        }
    }

    fn wish(&self, bytes: u64) -> String {
        let place = format!("{} ({})", self.place, size(bytes));
        match (&self.old, &self.new) {
            (_, None) => format!("This decrypts {place}."),
            (None, Some(new)) => format!("This encrypts {place} with the key {}.", new.name()),
            (Some(old), Some(new)) => {
                format!("This changes the key of {place} from {} to {}.", old.name(), new.name())
            }
        }
    }

    fn done(&self) -> String {
        let place = &self.place;
        match (&self.old, &self.new) {
            (_, None) => {
                format!("Decrypted {place}. Unset {DATABASE_KEY_FILE} before you start the bot.")
            }
            (None, Some(new)) => format!("Encrypted {place} with the key {}.", new.name()),
            (Some(old), Some(new)) => {
                format!("Changed the key of {place} from {} to {}.", old.name(), new.name())
            }
        }
    }
}

/// Reports an error and ends the program at once. Its usual end would free memory of SQLCipher that the
/// thread uses which still copies. Another program in place of this one ends that thread first.
fn end(error: &anyhow::Error) -> anyhow::Error {
    eprintln!("{} {error:#}", colours::error());
    process::Command::new("false").exec().into()
}

/// Asks whether to do it. Without a terminal, the answer is no.
async fn agreed(wish: &str) -> anyhow::Result<bool> {
    if !std::io::stdin().is_terminal() {
        writeln!(stdout(), "{wish} Nothing was changed yet: --yes does it.")?;
        return Ok(false);
    }
    if !confirmed_until_stopped(format!("{wish} Continue? [y/N] ")).await? {
        bail!("nothing was changed");
    }
    Ok(true)
}

/// Does the work and shows its progress, until it is done or stopped by Ctrl-C.
async fn run(rekey: &FileRekey) -> Result<(), RekeyError> {
    let bar = progress_bar("bytes");
    bar.set_length(rekey.bytes());
    let mut stopped = pin!(async {
        match Shutdown::on_signals() {
            Ok(shutdown) => shutdown.requested().await,
            Err(_) => std::future::pending().await,
        }
    });
    let mut may_stop = true;
    let outcome = rekey.start();
    loop {
        tokio::select! {
            () = &mut stopped, if may_stop => {
                if rekey.stop() {
                    bar.finish_and_clear();
                    return Err(RekeyError::Stopped);
                }
                may_stop = false;
            }
            () = tokio::time::sleep(TICK) => bar.set_position(rekey.copied_bytes()),
        }
        match outcome.try_recv() {
            Ok(result) => {
                bar.finish_and_clear();
                return result;
            }
            Err(TryRecvError::Empty) => {}
            Err(TryRecvError::Disconnected) => return Err(RekeyError::Stopped),
        }
    }
}
