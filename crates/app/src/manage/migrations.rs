//! `manage migrate` and `manage showmigrations`.

use std::{io::Write, process::ExitCode};

use anyhow::bail;
use clap::Args;
use rollcall_repository_diesel::{Database, Migration, MigrationState};

use super::output::{confirmed, stdout};

#[derive(Args, Debug)]
pub struct Migrate {
    /// Revert the last applied migration and delete the data stored in it
    #[arg(long)]
    revert: bool,
    /// Skip the confirmation
    #[arg(long, requires = "revert")]
    yes: bool,
}

impl Migrate {
    pub(super) async fn run(self, database: Database) -> anyhow::Result<ExitCode> {
        if self.revert { revert(&database, self.yes).await } else { apply(&database).await }
    }
}

/// Applies all pending migrations and lists them.
pub(super) async fn apply(database: &Database) -> anyhow::Result<ExitCode> {
    let applied = database.migrate().await?;
    let mut out = stdout();
    for migration in &applied {
        writeln!(out, "Applied {migration}")?;
    }
    match applied.len() {
        0 => writeln!(out, "Nothing to apply: {} is up to date.", database.url())?,
        count => writeln!(out, "{} is up to date: {count} applied.", database.url())?,
    }
    Ok(ExitCode::SUCCESS)
}

async fn revert(database: &Database, sure: bool) -> anyhow::Result<ExitCode> {
    let Some(last) = last_applied(database).await? else {
        writeln!(stdout(), "Nothing to revert: {} has no applied migration.", database.url())?;
        return Ok(ExitCode::SUCCESS);
    };
    let question = format!(
        "This reverts {last} on {},\nand deletes the data in the tables and columns that it added. Continue? [y/N] ",
        database.url()
    );
    if !sure && !confirmed(&question)? {
        bail!("nothing was reverted");
    }
    if let Some(reverted) = database.revert().await? {
        writeln!(stdout(), "Reverted {reverted}")?;
    }
    Ok(ExitCode::SUCCESS)
}

async fn last_applied(database: &Database) -> anyhow::Result<Option<Migration>> {
    let migrations = database.migrations().await?;
    let is_applied = |(_, state): &(_, MigrationState)| *state == MigrationState::Applied;
    Ok(migrations.into_iter().rev().find(is_applied).map(|(migration, _)| migration))
}

/// Lists every migration with its state.
pub(super) async fn show(database: &Database) -> anyhow::Result<ExitCode> {
    for (migration, state) in database.migrations().await? {
        let mark = match state {
            MigrationState::Applied => 'X',
            MigrationState::Pending => ' ',
        };
        writeln!(stdout(), "[{mark}] {migration}")?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Fails if the database lacks migrations.
pub(super) async fn refuse_pending(database: &Database) -> anyhow::Result<()> {
    let migrations = database.migrations().await?;
    let pending = migrations.iter().filter(|it| is_pending(it)).count();
    if pending > 0 {
        bail!(
            "the database {} lacks {pending} of {} migrations; run `manage migrate`",
            database.url(),
            migrations.len()
        );
    }
    Ok(())
}

/// Whether the database lacks a migration.
pub(super) fn is_pending((_, state): &(Migration, MigrationState)) -> bool {
    *state == MigrationState::Pending
}
