//! `manage distribute`.

use std::{io::Write, process::ExitCode};

use anyhow::Context;
use clap::Args;
use rollcall_domain::grouped;
use rollcall_repository_diesel::{Database, Distributed};

use super::output::{progress_bar, stdout};

#[derive(Args)]
#[command(after_help = "\
Examples:
  manage distribute --dry-run                           which tables would be distributed?
  manage distribute --shards 16                         for four servers, with room for sixteen")]
pub struct Distribute {
    /// Into how many parts the users are divided; a bot has a connection for each
    ///
    /// A part is on one server, so there are at least as many as servers, and at most 64.
    #[arg(long, value_name = "NUMBER", default_value_t = 8)]
    shards: u32,
    /// Only show which tables would be distributed
    #[arg(long)]
    dry_run: bool,
}

impl Distribute {
    pub(super) async fn run(self, database: &Database) -> anyhow::Result<ExitCode> {
        let bar = progress_bar("tables");
        let shown = bar.clone();
        let progress = move |done, all| {
            shown.set_length(all);
            shown.set_position(done);
        };
        let distributed = database.distribute(self.shards, self.dry_run, progress).await;
        bar.finish_and_clear();
        let url = database.url();
        match distributed.with_context(|| format!("cannot distribute {url}"))? {
            Distributed::Already => writeln!(stdout(), "{url} is distributed already.")?,
            Distributed::Tables(tables) => {
                let number = grouped(u64::try_from(tables.len())?);
                if self.dry_run {
                    writeln!(stdout(), "Would distribute {number} tables: {}.", tables.join(", "))?;
                } else {
                    writeln!(stdout(), "Distributed {number} tables of {url}.")?;
                }
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}
