//! `manage tag` and `manage group`.

pub(super) mod ids;
mod print;

use std::{path::PathBuf, process::ExitCode};

use anyhow::bail;
use chrono_tz::Tz;
use clap::{Args, Subcommand};
use indicatif::ProgressBar;
use rollcall_domain::{
    Filter, InvalidLabelName, LabelKind, LabelName, UserFilter, UserLabel, UserSort,
};
use rollcall_service::{LabelProgress, LabelService};

use super::{
    filter::{read_filter, read_zone},
    output::progress_bar,
};
use crate::{services::Services, shutdown::Shutdown};

/// The commands for labels of one kind.
#[derive(Debug, Subcommand)]
pub enum Labels {
    /// Add a label to users; a new one is created
    ///
    /// The change is made in small parts, so a running bot never waits for it. `undo` undoes it within
    /// an hour.
    Add(Add),
    /// Remove a label from users
    Remove(Remove),
    /// List all labels of this kind with their number of users
    List(List),
    /// Change the description of a label
    Describe(Describe),
    /// Remove a label from all users and delete it; this cannot be undone
    Delete(Delete),
    /// Complete the latest change by --filter that was interrupted within the last hour
    Resume,
    /// Undo the latest `add` or `remove` of the last hour
    ///
    /// Only users that the change really changed are changed back. Repeat it to undo the change before.
    Undo,
}

#[derive(Args, Debug)]
pub struct Add {
    #[command(flatten)]
    name: Name,
    /// What it is for; replaces the description
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    #[command(flatten)]
    users: Users,
    #[command(flatten)]
    zone: Zone,
}

#[derive(Args, Debug)]
pub struct Remove {
    #[command(flatten)]
    name: Name,
    #[command(flatten)]
    users: Users,
    #[command(flatten)]
    zone: Zone,
}

#[derive(Args, Debug)]
pub struct List {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Args, Debug)]
pub struct Describe {
    #[command(flatten)]
    name: Name,
    /// What it is for, up to 1,000 characters
    #[arg(value_name = "TEXT")]
    description: String,
}

#[derive(Args, Debug)]
pub struct Delete {
    #[command(flatten)]
    name: Name,
}

#[derive(Args, Debug)]
struct Name {
    /// 1 to 32 of a-z, 0-9, _ and -. Write `--` before a name that begins with -
    #[arg(value_name = "NAME", value_parser = read_name)]
    name: LabelName,
}

/// Parses the name of a label.
pub(super) fn read_name(text: &str) -> Result<LabelName, InvalidLabelName> {
    text.parse()
}

/// The users to change.
#[derive(Args, Debug)]
#[group(required = true, multiple = false)]
struct Users {
    /// All users that a filter selects, such as 'lang:de seen<14d'
    #[arg(long, value_name = "FILTER", allow_hyphen_values = true, value_parser = read_filter)]
    filter: Option<Filter>,
    /// File with one Telegram id per line, up to a million; - for the standard input
    #[arg(long, value_name = "FILE")]
    ids: Option<PathBuf>,
}

/// The time zone of a filter's days.
#[derive(Args, Debug)]
struct Zone {
    /// Time zone of the filter's days, such as Europe/Berlin
    #[arg(long, value_name = "ZONE", default_value = "UTC", requires = "filter", value_parser = read_zone)]
    zone: Tz,
}

struct Change {
    name: LabelName,
    users: Users,
    zone: Tz,
    is_added: bool,
    description: Option<String>,
}

impl From<Add> for Change {
    fn from(Add { name: Name { name }, description, users, zone: Zone { zone } }: Add) -> Self {
        Self { name, users, zone, is_added: true, description }
    }
}

impl From<Remove> for Change {
    fn from(Remove { name: Name { name }, users, zone: Zone { zone } }: Remove) -> Self {
        Self { name, users, zone, is_added: false, description: None }
    }
}

impl Labels {
    pub(super) async fn run(
        self,
        kind: LabelKind,
        services: &Services,
    ) -> anyhow::Result<ExitCode> {
        let labels = services.labels();
        match self {
            Self::Add(add) => Change::from(add).run(kind, &labels, services).await?,
            Self::Remove(remove) => Change::from(remove).run(kind, &labels, services).await?,
            Self::List(List { json }) => print::list(kind, &labels.count(kind).await?, json)?,
            Self::Describe(Describe { name: Name { name }, description }) => {
                labels.describe(kind, &name, &description, None).await?;
                print::described(kind, &name)?;
            }
            Self::Delete(Delete { name: Name { name } }) => {
                let users = until_stopped(labels.delete(kind, &name, None)).await?;
                print::deleted(kind, &name, users)?;
            }
            Self::Resume => resume(kind, &labels, services).await?,
            Self::Undo => undo(kind, &labels).await?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl Change {
    async fn run(
        self,
        kind: LabelKind,
        labels: &LabelService,
        services: &Services,
    ) -> anyhow::Result<()> {
        let bar = progress_bar("users");
        let show = |progress: LabelProgress| bar.set_position(progress.seen);
        let Some(filter) = &self.users.filter else {
            // Read first, so that a wrong file changes nothing.
            let ids = self.users.ids.as_deref().map(ids::read).transpose()?.unwrap_or_default();
            let label = self.label(kind, labels).await?;
            bar.set_length(ids.len().try_into()?);
            let change = labels.change_ids(&label, &ids, self.is_added, None, &show);
            let change = until_stopped(change).await?;
            bar.finish_and_clear();
            return print::changed(&change, Some(ids.len().try_into()?));
        };
        // Checked first, so that a wrong filter changes nothing.
        labels.check(filter, self.zone).await?;
        let label = self.label(kind, labels).await?;
        bar.set_length(all_users(services).await?);
        let change = labels.change_matching(&label, filter, self.zone, self.is_added, None, &show);
        let change = until_stopped(change).await?;
        bar.finish_and_clear();
        print::changed(&change, None)
    }

    /// The label; one that is added to users is created if it is new.
    async fn label(&self, kind: LabelKind, labels: &LabelService) -> anyhow::Result<UserLabel> {
        if !self.is_added {
            return Ok(labels.find(kind, &self.name).await?);
        }
        let description = self.description.as_deref();
        let (label, is_new) =
            labels.create(kind, &self.name, description.unwrap_or_default(), None).await?;
        if let Some(description) = description.filter(|_| !is_new) {
            labels.describe(kind, &self.name, description, None).await?;
        }
        Ok(label)
    }
}

/// How many users there are in all.
async fn all_users(services: &Services) -> anyhow::Result<u64> {
    let (filter, sort) = (UserFilter::new(), UserSort::default());
    Ok(services.directory().users(&filter, sort, None, 1).await?.count.number())
}

async fn resume(kind: LabelKind, labels: &LabelService, services: &Services) -> anyhow::Result<()> {
    let bar = progress_bar("users");
    bar.set_length(all_users(services).await?);
    let show = |progress: LabelProgress| bar.set_position(progress.seen);
    let change = until_stopped(labels.resume(kind, &show)).await?;
    bar.finish_and_clear();
    print::changed(&change, None)
}

async fn undo(kind: LabelKind, labels: &LabelService) -> anyhow::Result<()> {
    let bar = progress_bar("users");
    let show = |progress: LabelProgress| show_of_all(&bar, progress);
    let change = until_stopped(labels.undo(kind, None, &show)).await?;
    bar.finish_and_clear();
    print::undone(&change)
}

fn show_of_all(bar: &ProgressBar, LabelProgress { seen, changed }: LabelProgress) {
    bar.set_length(changed);
    bar.set_position(seen.min(changed));
}

/// Works until it is done or Ctrl-C is pressed. Each part that was done stays.
async fn until_stopped<T, E: Into<anyhow::Error>>(
    work: impl Future<Output = Result<T, E>>,
) -> anyhow::Result<T> {
    let shutdown = Shutdown::on_signals()?;
    tokio::select! {
        done = work => done.map_err(Into::into),
        () = shutdown.requested() => bail!("interrupted; run the same command again to complete it"),
    }
}
