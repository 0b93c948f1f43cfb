//! `manage count`.

use std::{
    io::Write,
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use anyhow::bail;
use clap::Args;
use indicatif::ProgressStyle;
use rollcall_domain::{FIELDS, FilterField, Selection};
use rollcall_service::AudienceService;
use serde_json::json;

use super::{
    filter::FilterArgument,
    output::{print_json, progress_bar, stdout},
};
use crate::shutdown::Shutdown;

#[derive(Args, Debug)]
#[command(after_help = terms())]
pub struct CountUsers {
    #[command(flatten)]
    filter: FilterArgument,
    /// Print {"count": N}
    #[arg(long)]
    json: bool,
}

/// The terms of filters, for the help.
fn terms() -> String {
    let term = |field: &FilterField| format!("\n  {:31} {}", field.example, field.meaning);
    let terms: String = FIELDS.iter().map(term).collect();
    format!("Terms, joined by blanks (and), `or`, `-` (not) and parentheses:{terms}")
}

impl CountUsers {
    pub(super) async fn run(self, audience: AudienceService) -> anyhow::Result<ExitCode> {
        let selection = self.filter.selection(&audience).await?;
        let count = exactly(&audience, &selection).await?;
        if self.json {
            print_json(&json!({ "count": count }))?;
        } else {
            writeln!(stdout(), "{count}")?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// Counts the users of a selection, with a bar on a terminal, until Ctrl-C is pressed.
pub(super) async fn exactly(
    audience: &AudienceService,
    selection: &Selection,
) -> anyhow::Result<u64> {
    let bar = progress_bar("");
    bar.set_message("counting…");
    bar.set_length(1000);
    if let Ok(style) = ProgressStyle::with_template("[{bar:40}] {percent}% {msg}") {
        bar.set_style(style.progress_chars("=> "));
    }
    let goes_on = Arc::new(AtomicBool::new(true));
    let progress = {
        let (bar, goes_on) = (bar.clone(), goes_on.clone());
        move |users: u64, thousandths: u16| {
            if thousandths > 0 {
                bar.set_message(format!("{users} users so far"));
            }
            bar.set_position(thousandths.into());
            goes_on.load(Ordering::Relaxed)
        }
    };
    let shutdown = Shutdown::on_signals()?;
    let counted = tokio::select! {
        counted = audience.count(selection, Arc::new(progress)) => counted?,
        () = shutdown.requested() => {
            goes_on.store(false, Ordering::Relaxed);
            None
        }
    };
    bar.finish_and_clear();
    let Some(count) = counted else { bail!("interrupted; the users were not counted") };
    Ok(count)
}
