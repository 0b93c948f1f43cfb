//! `manage demo-data`: fake users, for demonstrations and measurements.

mod arrivals;
mod chance;
mod commands;
mod labels;
mod life;
mod names;
mod people;
mod period;
mod segments;
mod uses;

use std::{io::Write, process::ExitCode, sync::Arc, time::Instant};

use anyhow::bail;
use chrono::{DateTime, Utc};
use clap::Args;
use rollcall_domain::{Clock, grouped};
use rollcall_repository::{BotRepository, DemoRepository, History};
use rollcall_repository_diesel::DieselUserRepository;
use tokio::sync::mpsc;

pub(crate) use self::{
    chance::{happens, pick, weighted},
    names::FakeName,
    period::hour_share,
};
use self::{labels::Chosen, people::People};
use super::{
    migrations,
    output::{progress_bar, stdout},
};
use crate::{services::Services, values::whole};

/// How many users are stored at once. Memory holds a few times as many.
const CHUNK: usize = 10_000;

#[derive(Args, Debug)]
pub struct DemoData {
    /// Number of users, up to 50 million; up to 100,000 also get segments with a past
    #[arg(long, default_value_t = 10_000, value_parser = whole(1..=50_000_000_u64))]
    users: u64,
    /// Number of days over which they join, ending today; up to 3660
    #[arg(long, default_value_t = 180, value_parser = whole(1..=3660_u32))]
    days: u32,
    /// The same seed creates the same users
    #[arg(long, default_value_t = 1, value_parser = whole(0..=u64::MAX))]
    seed: u64,
}

impl DemoData {
    /// This number of users, who join within this number of days.
    pub(crate) fn new(users: u64, days: u32) -> Self {
        Self { users, days, seed: 1 }
    }

    pub(super) async fn run(
        self,
        services: Services,
        clock: &impl Clock,
    ) -> anyhow::Result<ExitCode> {
        migrations::apply(services.database()).await?;
        let started = Instant::now();
        let active_days = self.fill(&services, clock.now()).await?;
        writeln!(
            stdout(),
            "Created {} users with {} active days in {:.1} seconds.\n\
             To look at them, run `manage stats` or `manage users list`.",
            grouped(self.users),
            grouped(active_days),
            started.elapsed().as_secs_f64()
        )?;
        Ok(ExitCode::SUCCESS)
    }

    /// Fills a migrated database with users who joined until now; returns the sum of their active days.
    ///
    /// # Errors
    /// If the database contains real users or belongs to a bot, or if it fails.
    pub(crate) async fn fill(
        &self,
        services: &Services,
        now: DateTime<Utc>,
    ) -> anyhow::Result<u64> {
        let repository = services.user_repository();
        if !repository.begin_demo().await? {
            bail!(refusal(services).await?);
        }
        let people = People::new(self.users, self.days, self.seed, now);
        let (active_days, chosen) = self.store(people, &repository).await?;
        chosen.label(&services.labels()).await?;
        services.database().tidy().await?;
        if self.users <= segments::MOST_USERS {
            segments::fill(services, now).await?;
        }
        Ok(active_days)
    }

    /// Stores users while the next ones are generated; returns the sum of their active days, and who of
    /// them gets tags and is in groups.
    async fn store(
        &self,
        people: People,
        repository: &DieselUserRepository,
    ) -> anyhow::Result<(u64, Chosen)> {
        let progress = progress_bar("users");
        progress.set_length(self.users);
        let (sender, mut chunks) = mpsc::channel(1);
        let made_up = tokio::task::spawn_blocking(move || make_up(people, &sender));
        let (mut active_days, mut chosen) = (0, Chosen::default());
        while let Some(chunk) = chunks.recv().await {
            let users = u64::try_from(chunk.len())?;
            active_days += chunk.iter().map(|history| history.days.len()).sum::<usize>();
            chosen.choose(&chunk);
            repository.load(chunk).await?;
            progress.inc(users);
        }
        progress.finish_and_clear();
        let people = made_up.await?;
        repository.count_minutes(&people.minutes()).await?;
        repository.count_uses(&people.uses()).await?;
        Ok((active_days.try_into()?, chosen))
    }
}

/// Generates users until all are sent, or the receiver is gone.
fn make_up(mut people: People, chunks: &mpsc::Sender<Arc<[History]>>) -> People {
    loop {
        let chunk: Arc<[History]> = people.by_ref().take(CHUNK).collect();
        if chunk.is_empty() || chunks.blocking_send(chunk).is_err() {
            return people;
        }
    }
}

/// Explains why a database is refused.
async fn refusal(services: &Services) -> anyhow::Result<String> {
    let url = services.database().url();
    let only = "demo data can only be added to an empty database, or to one with demo data";
    Ok(match services.bot_repository().owner().await? {
        Some(bot) => format!("the database {url} belongs to the bot {bot}; {only}"),
        None => format!("the database {url} contains real users; {only}"),
    })
}
