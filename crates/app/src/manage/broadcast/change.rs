//! `manage broadcast start`, `pause`, `resume` and `cancel`.

use std::{
    io::{IsTerminal, Write},
    time::Duration,
};

use anyhow::bail;
use clap::Args;
use rollcall_domain::{Broadcast, BroadcastState, Clock, RecipientState, SystemClock, grouped};
use rollcall_service::{BroadcastChange, BroadcastError, BroadcastService, SenderLease};
use tokio::time::{Instant, sleep};

use super::{
    audience::{audience, index_names_of},
    forecast::{both_ways, lines},
    number::{Number, standing_as_json, title},
    times::planned,
};
use crate::{
    environment::Environment,
    manage::output::{confirmed_until_stopped, print_json, second, stdout},
    services::Services,
};

/// How long a running bot may take to begin: it looks every second, and a new one takes over ten
/// seconds after the last sign of life.
const PATIENCE: Duration = Duration::from_secs(3);
const LOOK_EVERY: Duration = Duration::from_millis(100);

#[derive(Args, Debug)]
pub struct Start {
    #[command(flatten)]
    number: Number,
    /// Start it without a question
    #[arg(long)]
    yes: bool,
    /// Start it now, although it has a time. Users still wait for a local time and for quiet hours
    #[arg(long)]
    now: bool,
    /// Print the number and the state as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Args, Debug)]
pub struct Change {
    #[command(flatten)]
    number: Number,
    /// Print the number and the state as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Args, Debug)]
pub struct Cancel {
    #[command(flatten)]
    number: Number,
    /// Cancel it without a question
    #[arg(long)]
    yes: bool,
    /// Print the number and the state as JSON
    #[arg(long)]
    json: bool,
}

impl Start {
    pub(super) async fn run(
        self,
        services: &Services,
        environment: &Environment,
    ) -> anyhow::Result<()> {
        let broadcasts = services.broadcasts();
        let broadcast = broadcasts.find(self.number.id).await?;
        let change = self.change(&broadcast);
        if let (BroadcastChange::Schedule, BroadcastState::Scheduled, Some(time)) =
            (change, broadcast.state, planned(&broadcast.plan))
        {
            bail!("{} is scheduled already, for {time}; --now starts it now", title(&broadcast));
        }
        if !self.yes {
            self.ask(services, &broadcast, change, environment).await?;
        }
        index_names_of(services, &broadcast.plan).await?;
        let lease = broadcasts.lease().await?;
        let changed = match broadcasts.change(broadcast.id, change, None).await {
            Err(error @ BroadcastError::Past(_)) => bail!("{error}; --now starts it now"),
            changed => changed?,
        };
        if self.json {
            return print_json(&standing_as_json(&changed));
        }
        let (id, title) = (changed.id, title(&changed));
        match (changed.state, planned(&changed.plan)) {
            (BroadcastState::Scheduled, Some(time)) => {
                writeln!(stdout(), "Scheduled {title} for {time}. A bot has to run then.")?;
            }
            _ => {
                writeln!(
                    stdout(),
                    "Started {title}. A running bot begins within seconds; `manage broadcast show {id}` \
                     shows how far it is."
                )?;
                warn_without_bot(&broadcasts, &lease).await?;
            }
        }
        Ok(())
    }

    /// Whether it begins now, or at its time.
    fn change(&self, broadcast: &Broadcast) -> BroadcastChange {
        match broadcast.plan.starts_at {
            Some(_) if !self.now => BroadcastChange::Schedule,
            _ => BroadcastChange::Start,
        }
    }

    /// Shows what would happen, and asks for it. An error is a no.
    async fn ask(
        &self,
        services: &Services,
        broadcast: &Broadcast,
        change: BroadcastChange,
        environment: &Environment,
    ) -> anyhow::Result<()> {
        let (id, state) = (broadcast.id, broadcast.state);
        if !matches!(state, BroadcastState::Draft | BroadcastState::Scheduled) {
            bail!(BroadcastError::State { id, change, state });
        }
        if !std::io::stdin().is_terminal() {
            bail!("nothing was started: without a terminal, --yes has to confirm it");
        }
        let size = services.broadcasts().size(&broadcast.plan).await?;
        let mut out = stdout();
        writeln!(out, "This starts {}, category {}.", title(broadcast), broadcast.plan.category)?;
        let both = both_ways(size.messages, &broadcast.plan, environment)?;
        for line in audience(size).into_iter().chain(lines(&broadcast.plan, both)) {
            writeln!(out, "{line}")?;
        }
        drop(out);
        let question = match planned(&broadcast.plan).filter(|_| !self.now) {
            Some(time) => format!("Schedule it for {time}? [y/N] "),
            None => "Start it now? [y/N] ".to_owned(),
        };
        if !confirmed_until_stopped(question).await? {
            bail!("nothing was started");
        }
        Ok(())
    }
}

/// Warns if no bot begins with what there is to send. A bot that sends renews its lease.
async fn warn_without_bot(
    broadcasts: &BroadcastService,
    before: &SenderLease,
) -> anyhow::Result<()> {
    let end = Instant::now() + PATIENCE;
    while broadcasts.lease().await?.renewals == before.renewals {
        if Instant::now() >= end {
            eprintln!(
                "No bot has begun within {} seconds. If none runs on this database, start one: it goes on \
                 by itself.",
                PATIENCE.as_secs()
            );
            break;
        }
        sleep(LOOK_EVERY).await;
    }
    Ok(())
}

impl Change {
    pub(super) async fn pause(self, broadcasts: &BroadcastService) -> anyhow::Result<()> {
        let changed = broadcasts.change(self.number.id, BroadcastChange::Pause, None).await?;
        if self.json {
            return print_json(&standing_as_json(&changed));
        }
        let far = far(broadcasts, &changed).await?;
        writeln!(
            stdout(),
            "Paused {}: {far}. `manage broadcast resume {}` goes on.",
            title(&changed),
            changed.id
        )?;
        Ok(())
    }

    pub(super) async fn resume(self, broadcasts: &BroadcastService) -> anyhow::Result<()> {
        let lease = broadcasts.lease().await?;
        let changed = broadcasts.change(self.number.id, BroadcastChange::Resume, None).await?;
        if self.json {
            return print_json(&standing_as_json(&changed));
        }
        let far = far(broadcasts, &changed).await?;
        writeln!(stdout(), "Resumed {}: {far}.", title(&changed))?;
        if let Some(at) = changed.expires_at().filter(|at| *at <= SystemClock.now()) {
            eprintln!(
                "Its time ended at {} UTC, so all users that are left are skipped.",
                second(at)
            );
        }
        if changed.state == BroadcastState::Scheduled {
            return Ok(());
        }
        warn_without_bot(broadcasts, &lease).await
    }
}

impl Cancel {
    pub(super) async fn run(self, broadcasts: &BroadcastService) -> anyhow::Result<()> {
        let broadcast = broadcasts.find(self.number.id).await?;
        if !self.yes {
            let (id, state, change) = (broadcast.id, broadcast.state, BroadcastChange::Cancel);
            if state.has_ended() {
                bail!(BroadcastError::State { id, change, state });
            }
            if !std::io::stdin().is_terminal() {
                bail!("nothing was cancelled: without a terminal, --yes has to confirm it");
            }
            let far = far(broadcasts, &broadcast).await?;
            let question = format!(
                "Cancel {}? It cannot be resumed. So far, {far}. [y/N] ",
                title(&broadcast)
            );
            if !confirmed_until_stopped(question).await? {
                bail!("nothing was cancelled");
            }
        }
        let changed = broadcasts.change(broadcast.id, BroadcastChange::Cancel, None).await?;
        if self.json {
            return print_json(&standing_as_json(&changed));
        }
        let far = far(broadcasts, &changed).await?;
        writeln!(stdout(), "Cancelled {}: {far}.", title(&changed))?;
        Ok(())
    }
}

/// How far a broadcast is, in a clause.
async fn far(broadcasts: &BroadcastService, broadcast: &Broadcast) -> anyhow::Result<String> {
    let sums = broadcasts.sums(broadcast.id).await?;
    if sums.all() == 0 {
        return Ok("no message was sent".to_owned());
    }
    let (sent, left) = (sums.of(RecipientState::Sent), sums.all() - sums.settled());
    Ok(format!(
        "{} of {} messages were sent, {} are left",
        grouped(sent),
        grouped(sums.all()),
        grouped(left)
    ))
}
