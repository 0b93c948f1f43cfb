//! `manage import`.

use std::{
    fs::File,
    io::{self, Read, Write},
    path::{Path, PathBuf},
    process::ExitCode,
    time::Instant,
};

use anyhow::{Context, bail};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use rollcall_domain::{AuditAction, grouped};
use rollcall_service::{Format, ImportReport, Imported};

use super::{
    export::format_of,
    output::{safe, stdout},
};
use crate::services::Services;

/// How many refused lines are listed with the reason.
const LISTED: usize = 20;

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  manage import users.csv --dry-run                     check a file first
  manage import users.csv
  zcat users.jsonl.gz | manage import - --format jsonl

Exits with 1 if nothing was imported, or if lines were skipped.")]
pub struct ImportUsers {
    /// File to import; - for the standard input
    file: PathBuf,
    /// csv or jsonl [default: by the extension of FILE]
    #[arg(long)]
    format: Option<Format>,
    /// Change nothing; only report what would change
    #[arg(long)]
    dry_run: bool,
}

impl ImportUsers {
    pub(super) async fn run(self, services: Services) -> anyhow::Result<ExitCode> {
        let (transfer, directory) = (services.transfer(), services.directory());
        let admins = services.accounts();
        let started = Instant::now();
        let bar = progress_bar();
        let (input, format) = self.open(&bar)?;
        let shown = bar.clone();
        let progress = move |imported| {
            // PostgreSQL may build indexes at the end.
            let is_read = shown.length().is_some_and(|length| shown.position() >= length);
            let rest = if is_read { "; finishing" } else { "" };
            shown.set_message(format!("{}{rest}", counts(imported)));
        };
        let report = transfer.import(input, format, self.dry_run, progress).await;
        bar.finish_and_clear();
        let report =
            report.with_context(|| format!("nothing was imported from {}", self.name()))?;
        if !self.dry_run {
            let what = counts(report.imported);
            admins.audit_command(AuditAction::ImportedUsers, &what).await?;
            // A running bot would also add new names to the search index.
            while directory.index_names().await? {}
        }
        self.report(&mut stdout(), &report, started)?;
        Ok(if report.refused_count == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }

    fn open(&self, bar: &ProgressBar) -> anyhow::Result<(Box<dyn Read + Send>, Format)> {
        if self.is_standard_input() {
            let Some(format) = self.format else {
                bail!("pass --format csv or --format jsonl for the standard input");
            };
            return Ok((Box::new(bar.wrap_read(io::stdin())), format));
        }
        let format = self.format.map_or_else(|| format_of(&self.file), Ok)?;
        let name = || format!("cannot read {}", self.file.display());
        let file = File::open(&self.file).with_context(name)?;
        bar.set_length(file.metadata().with_context(name)?.len());
        Ok((Box::new(bar.wrap_read(file)), format))
    }

    fn is_standard_input(&self) -> bool {
        self.file == Path::new("-")
    }

    fn name(&self) -> String {
        match self.is_standard_input() {
            true => "the standard input".to_owned(),
            false => self.file.display().to_string(),
        }
    }

    fn report(
        &self,
        out: &mut impl Write,
        report: &ImportReport,
        started: Instant,
    ) -> anyhow::Result<()> {
        let ImportReport { imported, refused, refused_count } = report;
        for line in refused.iter().take(LISTED) {
            writeln!(out, "line {}: {}", line.line, safe(&line.reason))?;
        }
        let listed = u64::try_from(refused.len().min(LISTED))?;
        if let Some(more) = refused_count.checked_sub(listed).filter(|more| *more > 0) {
            writeln!(out, "… and {} more", grouped(more))?;
        }
        let seconds = started.elapsed().as_secs_f64();
        let done = if self.dry_run { "Dry run" } else { "Done" };
        let refused = grouped(*refused_count);
        writeln!(
            out,
            "{done}: {}, {refused} refused, in {seconds:.1} seconds.",
            counts(*imported)
        )?;
        Ok(())
    }
}

fn counts(Imported { created, updated, unchanged, tagged, suppressed }: Imported) -> String {
    let tags = match tagged {
        0 => String::new(),
        1 => ", 1 tag added".to_owned(),
        more => format!(", {} tags added", grouped(more)),
    };
    let erased = match suppressed {
        0 => String::new(),
        some => format!(", {} left out because they were erased", grouped(some)),
    };
    let [created, updated, unchanged] = [created, updated, unchanged].map(grouped);
    format!("{created} created, {updated} updated, {unchanged} unchanged{tags}{erased}")
}

/// A bar on the standard error that shows how much of the file is read.
fn progress_bar() -> ProgressBar {
    let template = "[{bar:40}] {bytes} of {total_bytes}, {eta} left: {msg}";
    // The default style, if the template is wrong.
    let style = ProgressStyle::with_template(template).unwrap_or(ProgressStyle::default_bar());
    ProgressBar::new(0).with_style(style.progress_chars("=> "))
}
