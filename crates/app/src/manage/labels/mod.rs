//! `manage tag` and `manage group`.

mod ids;
mod print;

use std::{path::PathBuf, process::ExitCode};

use anyhow::bail;
use clap::{Args, Subcommand};
use indicatif::ProgressBar;
use rollcall_domain::{InvalidLabelName, LabelKind, LabelName, UserLabel};
use rollcall_service::{LabelProgress, LabelService};

use super::output::progress_bar;
use crate::{services::Services, shutdown::Shutdown};

#[derive(Debug, Subcommand)]
pub enum Tags {
    /// Add a tag to users; a new tag is created
    ///
    /// The change is made in small parts, so a running bot never waits for it. `manage tag undo`
    /// undoes it within an hour.
    Add(Add),
    /// Remove a tag from users
    Remove(Remove),
    /// List all tags with their number of users
    List(List),
    /// Change the description of a tag
    Describe(Describe),
    /// Remove a tag from all users and delete it; this cannot be undone
    Delete(Delete),
    /// Undo the latest `tag add` or `tag remove` of the last hour
    ///
    /// Only users that the change really changed are changed back. Repeat it to undo the change before.
    Undo,
}

#[derive(Debug, Subcommand)]
pub enum Groups {
    /// Add users to a group; a new group is created
    ///
    /// The change is made in small parts, so a running bot never waits for it. `manage group undo`
    /// undoes it within an hour.
    Add(Add),
    /// Remove users from a group
    Remove(Remove),
    /// List all groups with their number of users
    List(List),
    /// Change the description of a group
    Describe(Describe),
    /// Remove all users from a group and delete it; this cannot be undone
    Delete(Delete),
    /// Undo the latest `group add` or `group remove` of the last hour
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
}

#[derive(Args, Debug)]
pub struct Remove {
    #[command(flatten)]
    name: Name,
    #[command(flatten)]
    users: Users,
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
    #[arg(value_name = "NAME", value_parser = name)]
    name: LabelName,
}

fn name(text: &str) -> Result<LabelName, InvalidLabelName> {
    text.parse()
}

/// The users to change.
#[derive(Args, Debug)]
struct Users {
    /// File with one Telegram id per line, up to a million; - for the standard input
    #[arg(long, value_name = "FILE", required = true)]
    ids: PathBuf,
}

/// A command about labels of one kind.
enum Command {
    Change(Change),
    List(List),
    Describe(Describe),
    Delete(Delete),
    Undo,
}

struct Change {
    name: LabelName,
    users: Users,
    is_added: bool,
    description: Option<String>,
}

impl From<Add> for Command {
    fn from(Add { name: Name { name }, description, users }: Add) -> Self {
        Self::Change(Change { name, users, is_added: true, description })
    }
}

impl From<Remove> for Command {
    fn from(Remove { name: Name { name }, users }: Remove) -> Self {
        Self::Change(Change { name, users, is_added: false, description: None })
    }
}

impl Tags {
    pub(super) async fn run(self, services: &Services) -> anyhow::Result<ExitCode> {
        let command = match self {
            Self::Add(add) => add.into(),
            Self::Remove(remove) => remove.into(),
            Self::List(list) => Command::List(list),
            Self::Describe(describe) => Command::Describe(describe),
            Self::Delete(delete) => Command::Delete(delete),
            Self::Undo => Command::Undo,
        };
        command.run(LabelKind::Tag, services).await
    }
}

impl Groups {
    pub(super) async fn run(self, services: &Services) -> anyhow::Result<ExitCode> {
        let command = match self {
            Self::Add(add) => add.into(),
            Self::Remove(remove) => remove.into(),
            Self::List(list) => Command::List(list),
            Self::Describe(describe) => Command::Describe(describe),
            Self::Delete(delete) => Command::Delete(delete),
            Self::Undo => Command::Undo,
        };
        command.run(LabelKind::Group, services).await
    }
}

impl Command {
    async fn run(self, kind: LabelKind, services: &Services) -> anyhow::Result<ExitCode> {
        let labels = services.labels();
        match self {
            Self::Change(change) => change.run(kind, &labels).await?,
            Self::List(List { json }) => print::list(kind, &labels.count(kind).await?, json)?,
            Self::Describe(Describe { name: Name { name }, description }) => {
                labels.describe(kind, &name, &description, None).await?;
                print::described(kind, &name)?;
            }
            Self::Delete(Delete { name: Name { name } }) => {
                let users = until_stopped(labels.delete(kind, &name, None)).await?;
                print::deleted(kind, &name, users)?;
            }
            Self::Undo => undo(kind, &labels).await?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl Change {
    async fn run(self, kind: LabelKind, labels: &LabelService) -> anyhow::Result<()> {
        // Read first, so that a wrong file changes nothing.
        let ids = ids::read(&self.users.ids)?;
        let label = self.label(kind, labels).await?;
        let bar = progress_bar("users");
        bar.set_length(ids.len().try_into()?);
        let show = |progress: LabelProgress| bar.set_position(progress.seen);
        let change = labels.change_ids(&label, &ids, self.is_added, None, &show);
        let change = until_stopped(change).await?;
        bar.finish_and_clear();
        print::changed(&change, Some(ids.len().try_into()?))
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
