//! `manage users erase`.

use std::{
    io::{IsTerminal, Write},
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use anyhow::bail;
use chrono_tz::Tz;
use clap::Args;
use rollcall_domain::{Filter, Selection, TelegramId, grouped};
use rollcall_service::{Deletion, DeletionService};

use crate::{
    WrongUsage,
    environment::Environment,
    manage::{
        count,
        export::index_names,
        filter::{read_filter, read_zone},
        labels::ids,
        output::{confirmed_until_stopped, progress_bar, stdout},
    },
    services::Services,
    settings::TelegramArguments,
    shutdown::Shutdown,
};

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  manage users erase 123456789                          delete one user, after a question
  manage users erase --filter 'blocked seen>=365d'      count them, and ask
  manage users erase --ids ids.txt --yes                delete them without a question")]
pub struct Delete {
    #[command(flatten)]
    users: Users,
    /// Time zone of the filter's days, such as Europe/Berlin
    #[arg(
        long,
        value_name = "ZONE",
        default_value = "UTC",
        requires = "filter",
        conflicts_with = "ids",
        value_parser = read_zone
    )]
    zone: Tz,
    /// Delete them without a question
    #[arg(long)]
    yes: bool,
}

/// The users to delete.
#[derive(Args, Debug)]
#[group(required = true, multiple = true)]
struct Users {
    /// Telegram ids
    #[arg(value_name = "ID", conflicts_with_all = ["filter", "ids", "all"])]
    id: Vec<TelegramId>,
    /// All users that a filter selects, such as 'blocked seen>=365d'
    #[arg(long, value_name = "FILTER", allow_hyphen_values = true, value_parser = read_filter)]
    filter: Option<Filter>,
    /// File with one Telegram id per line, up to a million; - for the standard input
    #[arg(long, value_name = "FILE", conflicts_with_all = ["filter", "all"])]
    ids: Option<PathBuf>,
    /// All users but bots; needed with an empty filter
    #[arg(long)]
    all: bool,
}

/// The users to delete, as they are found.
enum Chosen {
    Matching { selection: Selection, filter: String },
    Ids(Vec<TelegramId>),
}

impl Delete {
    pub(super) async fn run(
        self,
        services: &Services,
        environment: &Environment,
    ) -> anyhow::Result<()> {
        let owners = TelegramArguments::default().admins(environment)?;
        let deletion = services.deletion(services.admins(owners));
        let chosen = self.chosen(services).await?;
        let count = match &chosen {
            Chosen::Matching { selection, .. } => {
                count::exactly(&services.audience(), selection).await?
            }
            Chosen::Ids(ids) => deletion.count_existing(ids).await?,
        };
        if count == 0 {
            writeln!(stdout(), "{}", chosen.none_found())?;
            return Ok(());
        }
        if !self.yes && !agreed(count).await? {
            return Ok(());
        }
        let Deletion { users, owners, is_complete } = chosen.delete(&deletion, count).await?;
        if !is_complete {
            bail!(
                "interrupted; {} of {} were deleted. Run the same command again to delete the rest",
                grouped(users),
                number(count)
            );
        }
        if users > 0 || owners == 0 {
            writeln!(stdout(), "Deleted {}.", number(users))?;
        }
        if owners > 0 {
            let left = format!(
                "{} left, because owners of the bot are not deleted; remove them from \
                 ADMIN_TELEGRAM_IDS or with `manage admins remove` first",
                if owners == 1 {
                    "1 user was".to_owned()
                } else {
                    format!("{} were", number(owners))
                }
            );
            if users == 0 {
                bail!("{left}");
            }
            writeln!(stdout(), "{left}.")?;
        }
        Ok(())
    }

    async fn chosen(&self, services: &Services) -> anyhow::Result<Chosen> {
        if !self.users.id.is_empty() {
            return Ok(Chosen::Ids(self.users.id.clone()));
        }
        if let Some(path) = &self.users.ids {
            return Ok(Chosen::Ids(ids::read(path)?));
        }
        let filter = self.users.filter.clone().unwrap_or_default();
        let wrong = match (filter.is_everyone(), self.users.all) {
            (true, false) => {
                Some("the filter is empty and selects all users; add --all to delete them")
            }
            (false, true) => Some("--all selects all users; leave out --all or --filter"),
            _ => None,
        };
        if let Some(wrong) = wrong {
            return Err(WrongUsage(wrong.to_owned()).into());
        }
        let selection = services.audience().selection(&filter, self.zone).await?;
        if selection.node().compares_names() {
            index_names(&services.directory()).await?;
        }
        Ok(Chosen::Matching { selection, filter: filter.summary() })
    }
}

impl Chosen {
    /// That there are no users to delete.
    fn none_found(&self) -> &'static str {
        match self {
            Self::Matching { .. } => "No users match; nothing was deleted.",
            Self::Ids(_) => "No user has one of these ids; nothing was deleted.",
        }
    }

    async fn delete(&self, deletion: &DeletionService, count: u64) -> anyhow::Result<Deletion> {
        let bar = progress_bar("users");
        bar.set_length(count);
        let goes_on = Arc::new(AtomicBool::new(true));
        let shutdown = Shutdown::on_signals()?;
        let watch = tokio::spawn({
            let goes_on = goes_on.clone();
            async move {
                shutdown.requested().await;
                goes_on.store(false, Ordering::Relaxed);
            }
        });
        let progress = {
            let bar = bar.clone();
            move |deleted: u64| {
                bar.set_position(deleted);
                goes_on.load(Ordering::Relaxed)
            }
        };
        let deleted = match self {
            Self::Matching { selection, filter } => {
                deletion.delete_matching(selection, filter, &progress).await
            }
            Self::Ids(ids) => deletion.delete_ids(ids, &progress).await,
        };
        watch.abort();
        bar.finish_and_clear();
        Ok(deleted?)
    }
}

/// Asks whether so many users are to be deleted. Without a terminal, the answer is no.
async fn agreed(count: u64) -> anyhow::Result<bool> {
    if !std::io::stdin().is_terminal() {
        let users = number(count);
        writeln!(stdout(), "{users} would be deleted; nothing was changed. --yes deletes them.")?;
        return Ok(false);
    }
    let question = format!(
        "This deletes {} with everything that is stored about them. Continue? [y/N] ",
        number(count)
    );
    if !confirmed_until_stopped(question).await? {
        bail!("nothing was deleted");
    }
    Ok(true)
}

fn number(users: u64) -> String {
    let noun = if users == 1 { "user" } else { "users" };
    format!("{} {noun}", grouped(users))
}
