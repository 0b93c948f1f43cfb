//! `manage broadcast report`.

use std::{
    io::{self, IsTerminal, Write},
    path::PathBuf,
};

use anyhow::bail;
use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget};
use rollcall_domain::{AuditAction, grouped};
use rollcall_service::{BroadcastService, RECIPIENTS_HEADER, recipient_line};

use super::number::Number;
use crate::{
    manage::{
        export::{File, unless_read_only},
        output::progress_bar,
    },
    services::Services,
    shutdown::Shutdown,
};

/// How many recipients are read at once.
const PART: u32 = 5_000;

#[derive(Args, Debug)]
pub struct Report {
    #[command(flatten)]
    number: Number,
    /// Write CSV, which is the only format
    #[arg(long)]
    csv: bool,
    /// Output file, created only once the report is complete [default: the standard output]
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Overwrite FILE if it exists
    #[arg(long, requires = "output")]
    force: bool,
}

impl Report {
    pub(super) async fn run(self, services: &Services) -> anyhow::Result<()> {
        let broadcasts = services.broadcasts();
        let broadcast = broadcasts.find(self.number.id).await?;
        let output =
            self.output.as_deref().map(|path| File::create(path, self.force)).transpose()?;
        let what = format!("csv: recipients of broadcast {}", broadcast.id);
        unless_read_only(
            services.accounts().audit_command(AuditAction::ExportedUsers, &what).await,
            "this report is not recorded in the audit log",
        )?;
        let bar = progress_bar("recipients");
        bar.set_length(broadcasts.sums(broadcast.id).await?.all());
        let Some(mut file) = output else {
            if io::stdout().is_terminal() {
                bar.set_draw_target(ProgressDrawTarget::hidden());
            }
            let written = write(&broadcasts, broadcast.id, &mut io::stdout(), &bar).await;
            bar.finish_and_clear();
            return written.map(drop);
        };
        let shutdown = Shutdown::on_signals()?;
        let written = tokio::select! {
            written = write(&broadcasts, broadcast.id, &mut file.text, &bar) => written?,
            () = shutdown.requested() => bail!("interrupted; {} was not written", file.path.display()),
        };
        let path = file.finish()?;
        bar.finish_and_clear();
        eprintln!("Wrote {} recipients to {}", grouped(written), path.display());
        Ok(())
    }
}

/// Returns the number of recipients written.
async fn write(
    broadcasts: &BroadcastService,
    id: i64,
    output: &mut impl Write,
    bar: &ProgressBar,
) -> anyhow::Result<u64> {
    output.write_all(RECIPIENTS_HEADER.as_bytes())?;
    let (mut after, mut written) = (None, 0);
    loop {
        let part = broadcasts.recipients(id, after, PART).await?;
        let Some(last) = part.last() else { break };
        after = Some(last.telegram_id);
        written += u64::try_from(part.len())?;
        output.write_all(part.iter().map(recipient_line).collect::<String>().as_bytes())?;
        // More may be added meanwhile.
        bar.set_length(bar.length().unwrap_or_default().max(written));
        bar.set_position(written);
    }
    output.flush()?;
    Ok(written)
}
