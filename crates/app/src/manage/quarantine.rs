//! `manage quarantine`.

use std::{io::Write, process::ExitCode, time::Duration};

use anyhow::{Context, anyhow, bail};
use clap::Subcommand;
use rollcall_conversation::{COMMANDS, button_family};
use rollcall_domain::QuarantinedUpdate;
use rollcall_repository::QuarantineRepository;
use rollcall_service::{ServiceError, SubscriptionService, UserService};
use rollcall_telegram::{Forwarding, Reread, redeliver, reread, without_texts};
use serde_json::Value;

use super::output::{confirmed, print_json, safe, second, stdout};
use crate::{
    environment::Environment, services::Services, settings::ForwardArguments, values::whole,
};

/// How many updates are read at once.
const PART: u32 = 100;

#[derive(Subcommand)]
pub enum Quarantine {
    /// List the quarantined updates, without what users wrote
    List,
    /// Show one update: who sent it, and of texts only the length; all of it if your own bot refused it
    Show {
        /// Id of the update, as shown by `list`
        #[arg(value_parser = whole(0..=i64::MAX))]
        update_id: i64,
        /// Skip the confirmation
        #[arg(long)]
        yes: bool,
    },
    /// Read updates again after an upgrade: registers their users, once and with the time of the
    /// update, and removes updates that are now readable. Delivers those that your own bot did not
    /// accept to FORWARD_URL
    Replay {
        #[command(flatten)]
        forward: ForwardArguments,
        /// Ids of the updates; all if omitted
        #[arg(value_parser = whole(0..=i64::MAX))]
        update_ids: Vec<i64>,
    },
    /// Remove updates without reading them
    Drop {
        /// Ids of the updates
        #[arg(required_unless_present = "all", value_parser = whole(0..=i64::MAX))]
        update_ids: Vec<i64>,
        /// Remove all of them
        #[arg(long, conflicts_with = "update_ids")]
        all: bool,
        /// Skip the confirmation
        #[arg(long)]
        yes: bool,
    },
}

impl Quarantine {
    pub(super) async fn run(
        self,
        services: Services,
        environment: &Environment,
    ) -> anyhow::Result<ExitCode> {
        let quarantine = services.quarantine_repository();
        match self {
            Self::List => list(&quarantine).await?,
            Self::Show { update_id, yes } => show(&quarantine, update_id, yes).await?,
            Self::Replay { forward, update_ids } => {
                let forwarding = match forward.forwarding(environment)? {
                    Some(forwarding) => Some(forwarding),
                    None => subscribed(&services.subscriptions()).await?,
                };
                return replay(&quarantine, &services.users(), forwarding, update_ids).await;
            }
            Self::Drop { update_ids, all, yes } => drop(&quarantine, update_ids, all, yes).await?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// The webhook that the bot behind API_PROXY_ADDR has set, if it has.
async fn subscribed(subscriptions: &SubscriptionService) -> anyhow::Result<Option<Forwarding>> {
    let Some(webhook) = subscriptions.subscription().await?.webhook else { return Ok(None) };
    let secret = webhook.secret_token.as_deref().map(str::parse).transpose()?;
    Ok(Some(Forwarding { url: webhook.url.parse()?, secret, give_up_after: Duration::ZERO }))
}

async fn list(quarantine: &impl QuarantineRepository) -> anyhow::Result<()> {
    let mut out = stdout();
    if quarantine.count().await? == 0 {
        writeln!(out, "The quarantine is empty.")?;
        return Ok(());
    }
    writeln!(out, "{:>12}  {:19}  {:10}  REASON", "UPDATE", "RECEIVED", "REGISTERED")?;
    let mut after = i64::MIN;
    loop {
        let part = quarantine.list(after, PART).await?;
        let Some(last) = part.last() else { return Ok(()) };
        after = last.update_id;
        for QuarantinedUpdate { update_id, received_at, reason, registered, .. } in &part {
            let registered = if *registered { "yes" } else { "no" };
            let received = second(*received_at);
            writeln!(out, "{update_id:>12}  {received}  {registered:10}  {reason}")?;
        }
    }
}

async fn show(
    quarantine: &impl QuarantineRepository,
    update_id: i64,
    sure: bool,
) -> anyhow::Result<()> {
    let update = find(quarantine, update_id).await?;
    if !sure && !confirmed("This shows a user, and may show what they wrote. Continue? [y/N] ")? {
        bail!("not shown");
    }
    match serde_json::from_str::<Value>(&update.payload) {
        Ok(payload) => print_json(&payload),
        // Not JSON, or with half of a surrogate pair in a text.
        Err(_) => writeln!(stdout(), "{}", safe(&update.payload)).map_err(Into::into),
    }
}

async fn replay(
    quarantine: &impl QuarantineRepository,
    users: &UserService,
    forwarding: Option<Forwarding>,
    update_ids: Vec<i64>,
) -> anyhow::Result<ExitCode> {
    let (mut read, mut registered, mut left, mut refused) = (0, 0, 0, 0);
    let (mut delivered, mut undelivered) = (0, 0);
    let mut again = async |update: QuarantinedUpdate| -> anyhow::Result<()> {
        let Reread { interaction, fault, .. } = reread(&update, COMMANDS, &button_family);
        if let Some(interaction) = interaction.filter(|_| !update.registered) {
            // Recorded in the transaction of the registration, so that it never happens twice.
            let telegram_id = Some(interaction.telegram_id());
            let noted = QuarantinedUpdate { registered: true, telegram_id, ..update.clone() };
            match users.register_with(vec![interaction], vec![noted]).await {
                Ok(_) => registered += 1,
                // A row that is still corrupt does not stop the replay of other updates.
                Err(ServiceError::Repository(error)) if error.is_permanent() => {
                    let error = anyhow::Error::from(ServiceError::Repository(error));
                    log::error!(update_id = update.update_id; "the database still refuses an update: {error:#}");
                    refused += 1;
                    return Ok(());
                }
                Err(error) => return Err(error.into()),
            }
        }
        if update.undelivered {
            let result = match &forwarding {
                Some(forwarding) => redeliver(forwarding, &update).await.map_err(Into::into),
                None => Err(anyhow!("FORWARD_URL is not set")),
            };
            if let Err(error) = result {
                log::error!(update_id = update.update_id; "an update cannot be delivered to your own bot: {error:#}");
                undelivered += 1;
                return Ok(());
            }
            delivered += 1;
            if fault.is_some() {
                // Its texts are no longer needed.
                let payload = without_texts(&update.payload);
                quarantine.mark_delivered(update.update_id, &payload).await?;
            }
        }
        match fault {
            None => {
                quarantine.remove(update.update_id).await?;
                read += 1;
            }
            Some(_) => left += 1,
        }
        Ok(())
    };
    for &update_id in &update_ids {
        again(find(quarantine, update_id).await?).await?;
    }
    let mut after = i64::MIN;
    while update_ids.is_empty() {
        let part = quarantine.list(after, PART).await?;
        let Some(last) = part.last() else { break };
        after = last.update_id;
        for update in part {
            again(update).await?;
        }
    }
    writeln!(
        stdout(),
        "Readable and removed: {read}; still unreadable: {left}; users registered: {registered}."
    )?;
    if delivered + undelivered > 0 {
        writeln!(
            stdout(),
            "Delivered to your own bot: {delivered}; not accepted, and kept: {undelivered}."
        )?;
    }
    if refused > 0 {
        writeln!(stdout(), "Still refused by the database, and kept: {refused}.")?;
    }
    Ok(if refused + undelivered == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn drop(
    quarantine: &impl QuarantineRepository,
    update_ids: Vec<i64>,
    all: bool,
    sure: bool,
) -> anyhow::Result<()> {
    let removed = if all {
        drop_all(quarantine, sure).await?
    } else {
        let mut removed = 0;
        for update_id in update_ids {
            // Without reading it, because its key may be lost.
            if !quarantine.remove(update_id).await? {
                bail!("update {update_id} is not in the quarantine");
            }
            removed += 1;
        }
        removed
    };
    writeln!(stdout(), "Removed {removed}.")?;
    Ok(())
}

async fn drop_all(quarantine: &impl QuarantineRepository, sure: bool) -> anyhow::Result<u64> {
    let count = quarantine.count().await?;
    if !sure && !confirmed(&format!("This removes all {count} updates. Continue? [y/N] "))? {
        bail!("nothing was removed");
    }
    let mut removed = 0;
    loop {
        let part = quarantine.list(i64::MIN, PART).await?;
        if part.is_empty() {
            return Ok(removed);
        }
        for update in part {
            removed += u64::from(quarantine.remove(update.update_id).await?);
        }
    }
}

async fn find(
    quarantine: &impl QuarantineRepository,
    update_id: i64,
) -> anyhow::Result<QuarantinedUpdate> {
    let found = quarantine.find(update_id).await?;
    found.with_context(|| format!("update {update_id} is not in the quarantine"))
}
