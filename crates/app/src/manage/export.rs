//! `manage export`.

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
    process::{ExitCode, Stdio},
};

use anyhow::{Context, bail};
use chrono::NaiveDate;
use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget};
use rollcall_domain::{
    AuditAction, Days, InvalidFilter, ReachabilityFilter, SearchTerm, SortKey, UserFilter,
    UserSort, grouped, read_day, read_language, read_number, read_search, read_source,
};
use rollcall_service::{
    AdminService, DirectoryService, Export, Format, InvalidDayRange, ServiceError,
};

use super::{age::Age, filter::FurtherFilter, output::progress_bar};
use crate::{services::Services, shutdown::Shutdown, values::OneOf};

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  manage export --output users.csv --bom                all users, for a spreadsheet
  manage export --reach reachable --language de -o de.jsonl
  manage export --last-seen-until 2026-10-31 | head     users not seen since October
  manage export -o users.csv.age --encrypt-to age1…     only the holder of the key can read it")]
pub struct ExportUsers {
    /// csv, where a ' precedes text that a spreadsheet would take for a formula, or jsonl, with one
    /// JSON object per line [default: by the extension of FILE, else csv]
    #[arg(long)]
    format: Option<Format>,
    /// Start a CSV file with a byte order mark, which Excel needs to detect UTF-8
    #[arg(long)]
    bom: bool,
    /// Output file, created only once the export is complete [default: the standard output]
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Overwrite FILE if it exists
    #[arg(long, requires = "output")]
    force: bool,
    /// Encrypt to a recipient of age, such as age1… or an SSH public key; may be repeated. Needs the
    /// program age
    #[arg(long, value_name = "RECIPIENT")]
    encrypt_to: Vec<String>,
    #[command(flatten)]
    filter: Filter,
    #[command(flatten)]
    further: FurtherFilter,
}

/// The users to export.
#[derive(Args, Debug)]
#[command(next_help_heading = "Filters")]
struct Filter {
    /// Users whose name, @username or id contains this text
    #[arg(long, value_name = "TEXT", value_parser = read_search)]
    search: Option<SearchTerm>,
    /// Users with this language, such as en; "" for users without a known language
    #[arg(long, value_name = "CODE", value_parser = read_language)]
    language: Option<String>,
    /// Users who joined through this deep link; "" for users who joined without one
    #[arg(long, value_name = "PAYLOAD", value_parser = source)]
    source: Option<String>,
    /// Users the bot can write to, or cannot
    #[arg(long, value_parser = OneOf(&REACH))]
    reach: Option<ReachabilityFilter>,
    /// Users first seen on this UTC day or later
    #[arg(long, value_name = "DAY", value_parser = read_day)]
    first_seen_since: Option<NaiveDate>,
    /// Users first seen on this UTC day or earlier
    #[arg(long, value_name = "DAY", value_parser = read_day)]
    first_seen_until: Option<NaiveDate>,
    /// Users last seen on this UTC day or later
    #[arg(long, value_name = "DAY", value_parser = read_day)]
    last_seen_since: Option<NaiveDate>,
    /// Users last seen on this UTC day or earlier
    #[arg(long, value_name = "DAY", value_parser = read_day)]
    last_seen_until: Option<NaiveDate>,
    /// Users active on at least this many days
    #[arg(long, value_name = "DAYS", value_parser = read_number)]
    min_active_days: Option<u32>,
    /// Users active on at most this many days
    #[arg(long, value_name = "DAYS", value_parser = read_number)]
    max_active_days: Option<u32>,
    /// Users that are bots themselves, or are not
    #[arg(long, value_name = "true|false", value_parser = OneOf(&[("true", true), ("false", false)]))]
    bot: Option<bool>,
}

const REACH: [(&str, ReachabilityFilter); 3] = [
    ("reachable", ReachabilityFilter::Reachable),
    ("unreachable", ReachabilityFilter::Unreachable),
    ("blocked", ReachabilityFilter::Blocked),
];

/// Reads a deep link; "" stands for none.
fn source(text: &str) -> Result<String, InvalidFilter> {
    if text.is_empty() { Ok(String::new()) } else { read_source(text) }
}

impl Filter {
    fn read(&self) -> anyhow::Result<UserFilter> {
        let range = |name, first: Option<NaiveDate>, last: Option<NaiveDate>| {
            if let Some((first, last)) = first.zip(last).filter(|(first, last)| last < first) {
                bail!("--{name}-since: {}", InvalidDayRange::Reversed { first, last });
            }
            Ok(Days { first, last })
        };
        Ok(UserFilter {
            language: self.language.clone(),
            source: self.source.clone(),
            reachability: self.reach,
            first_seen: range("first-seen", self.first_seen_since, self.first_seen_until)?,
            last_seen: range("last-seen", self.last_seen_since, self.last_seen_until)?,
            min_active_days: self.min_active_days,
            max_active_days: self.max_active_days,
            is_bot: self.bot,
            search: self.search.clone(),
        })
    }
}

impl ExportUsers {
    pub(super) async fn run(self, services: Services) -> anyhow::Result<ExitCode> {
        let (transfer, directory) = (services.transfer(), services.directory());
        let admins = services.accounts();
        let (filter, format) = (self.filter.read()?, self.format()?);
        if self.bom && format != Format::Csv {
            bail!("--bom works only with CSV");
        }
        if self.further.has_other_days()
            && (filter.first_seen.is_set() || filter.last_seen.is_set())
        {
            bail!(
                "--first-seen-… and --last-seen-… are days of UTC, which --zone does not change; write \
                 the days into --filter instead, such as joined>=2026-01-31"
            );
        }
        if !self.encrypt_to.is_empty() {
            Age::check(&self.encrypt_to)?;
        }
        let output =
            self.output.as_deref().map(|path| File::create(path, self.force)).transpose()?;
        let sort = UserSort { key: SortKey::Id, descending: false };
        let audience = services.audience();
        let selection = self.further.selection(&audience, &filter).await?;
        if selection.node().compares_names() {
            index_names(&directory).await?;
        }
        let count = audience.users(&selection, sort, None, 1).await?.count;
        let summary = match self.further.filter() {
            None => filter.summary(),
            Some(further) => rollcall_domain::Filter::from(&filter).and(further.clone()).summary(),
        };
        let what = format!("{format}: {summary}");
        unless_read_only(
            admins.audit_command(AuditAction::ExportedUsers, &what).await,
            "this export is not recorded in the audit log",
        )?;

        let bar = progress_bar("users");
        bar.set_length(count.number());
        let export = match self.further.filter() {
            None => transfer.export(filter, format),
            Some(_) => transfer.export_selection(selection, format),
        };
        let mut export = if self.bom { export.with_byte_order_mark() } else { export };
        let Some(mut file) = output else {
            let users = if self.encrypt_to.is_empty() {
                to_standard_output(&mut export, &bar).await?
            } else {
                let age = Age::start(&self.encrypt_to, Stdio::inherit())?;
                encrypt(&mut export, age, &bar).await?
            };
            record_end(&admins, &what, users).await?;
            return Ok(ExitCode::SUCCESS);
        };
        let shutdown = Shutdown::on_signals()?;
        let written = async {
            if self.encrypt_to.is_empty() {
                return write(&mut export, &mut file.text, &bar).await;
            }
            let output = file.text.as_file().try_clone()?;
            encrypt(&mut export, Age::start(&self.encrypt_to, output.into())?, &bar).await
        };
        let users = tokio::select! {
            written = written => written?,
            () = shutdown.requested() => bail!("interrupted; {} was not written", file.path.display()),
        };
        let path = file.finish()?;
        bar.finish_and_clear();
        record_end(&admins, &what, users).await?;
        eprintln!("Exported {} users to {}", grouped(users), path.display(),);
        Ok(ExitCode::SUCCESS)
    }

    fn format(&self) -> anyhow::Result<Format> {
        let Some(path) = self.output.as_deref().filter(|_| self.format.is_none()) else {
            return Ok(self.format.unwrap_or(Format::Csv));
        };
        // users.csv.age is a CSV file when it is decrypted.
        match path.extension() {
            Some(extension) if extension == "age" => format_of(&path.with_extension("")),
            _ => format_of(path),
        }
    }
}

/// Adds new names to the search index, as a running bot does.
pub(super) async fn index_names(directory: &DirectoryService) -> Result<(), ServiceError> {
    let indexed = async {
        while directory.index_names().await? {}
        Ok(())
    };
    unless_read_only(indexed.await, "recently changed names may not be found")
}

/// Adds to the audit log how many users an export wrote. A read-only database was reported before.
async fn record_end(admins: &AdminService, what: &str, users: u64) -> Result<(), ServiceError> {
    let what = format!("{what}; {} users", grouped(users));
    match admins.audit_command(AuditAction::ExportedUsers, &what).await {
        Err(error) if error.is_read_only() => Ok(()),
        written => written,
    }
}

/// Continues if a write failed only because the database is read-only, and prints the consequence.
pub(super) fn unless_read_only(
    written: Result<(), ServiceError>,
    consequence: &str,
) -> Result<(), ServiceError> {
    match written {
        Err(error) if error.is_read_only() => {
            eprintln!("The database is read-only: {consequence}.");
            Ok(())
        }
        written => written,
    }
}

/// Infers the format from a file's extension.
pub(super) fn format_of(path: &Path) -> anyhow::Result<Format> {
    let extension = path.extension().and_then(|extension| extension.to_str());
    extension.and_then(|name| name.parse().ok()).with_context(|| {
        format!("cannot infer the format from the file name {}; pass --format", path.display())
    })
}

async fn to_standard_output(export: &mut Export, bar: &ProgressBar) -> anyhow::Result<u64> {
    if io::IsTerminal::is_terminal(&io::stdout()) {
        bar.set_draw_target(ProgressDrawTarget::hidden());
    }
    let written = write(export, &mut io::stdout(), bar).await;
    bar.finish_and_clear();
    match written {
        // The reading program has closed the pipe, such as `head`.
        Err(error) if is_broken_pipe(&error) => Ok(bar.position()),
        written => written,
    }
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

/// Writes by way of `age`. If that ends before it has read everything, its error is the reason.
async fn encrypt(export: &mut Export, mut age: Age, bar: &ProgressBar) -> anyhow::Result<u64> {
    let written = write(export, &mut age, bar).await;
    age.finish()?;
    bar.finish_and_clear();
    written
}

/// Returns the number of users written.
async fn write(
    export: &mut Export,
    output: &mut impl Write,
    bar: &ProgressBar,
) -> anyhow::Result<u64> {
    let mut users = 0;
    while let Some(part) = export.next().await? {
        output.write_all(&part.text)?;
        users += part.users;
        // The count may have been an estimate, or a lower bound.
        bar.set_length(bar.length().unwrap_or_default().max(users));
        bar.set_position(users);
    }
    output.flush()?;
    Ok(users)
}

/// A file that appears only once it is complete.
pub(super) struct File {
    pub(super) path: PathBuf,
    pub(super) text: tempfile::NamedTempFile,
    force: bool,
}

impl File {
    pub(super) fn create(path: &Path, force: bool) -> anyhow::Result<Self> {
        if path.exists() && !force {
            bail!("{} already exists; pass --force to overwrite it", path.display());
        }
        let folder = match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        let text = tempfile::NamedTempFile::new_in(folder)
            .with_context(|| format!("cannot write into {}", folder.display()))?;
        Ok(Self { path: path.to_owned(), text, force })
    }

    pub(super) fn finish(self) -> anyhow::Result<PathBuf> {
        let Self { path, text, force } = self;
        let kept = if force { text.persist(&path) } else { text.persist_noclobber(&path) };
        kept.with_context(|| format!("cannot write {}", path.display()))?;
        Ok(path)
    }
}
