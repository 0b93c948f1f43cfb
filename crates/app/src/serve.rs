//! A bot on its database: start, taking updates, and the end.

use std::sync::Arc;

use anyhow::ensure;
use rollcall_domain::{Clock, SystemClock, TelegramId};
use rollcall_repository::BotRepository;
use rollcall_repository_diesel::{
    Database, DatabaseUrl, DieselBotRepository, DieselUserRepository, MigrationState,
};
use rollcall_service::UserService;
use rollcall_telegram::{Bot, Webhook};
use tokio::net::TcpListener;

use crate::{http, maintenance, settings::WebhookSettings, shutdown::Shutdown};

/// Runs a bot on a database, by long polling where there is no webhook, until it is to end.
pub(crate) async fn serve(
    settings: rollcall_telegram::Settings,
    webhook: Option<WebhookSettings>,
    database_url: DatabaseUrl,
    shutdown: Shutdown,
) -> anyhow::Result<()> {
    // Before anything else is done: a port that is taken is the owner's to free.
    let webhook = match webhook {
        Some(WebhookSettings { webhook, address }) => Some((webhook, http::listen(address).await?)),
        None => None,
    };
    let (bot, database) = tokio::select! {
        started = start(settings, database_url) => started?,
        () = shutdown.clone().requested() => return Ok(()),
    };
    let users = UserService::new(DieselUserRepository::new(database), SystemClock);
    let taken = async {
        let users = users.clone();
        match webhook {
            Some((webhook, listener)) => receive(&bot, users, webhook, listener, shutdown).await?,
            None => bot.poll(users, Arc::new(SystemClock), shutdown.requested()).await?,
        }
        anyhow::Ok(())
    };
    tokio::select! {
        result = taken => result?,
        never = maintenance::run(users.clone()) => match never {},
    }
    log::info!("stopped");
    Ok(())
}

/// Takes updates by webhook until the bot is to end; then finishes what is under way. The webhook
/// stays set: other processes may serve it, and what comes meanwhile waits at Telegram.
async fn receive(
    bot: &Bot,
    users: UserService,
    webhook: Webhook,
    listener: TcpListener,
    shutdown: Shutdown,
) -> anyhow::Result<()> {
    let address = listener.local_addr()?;
    let receiver = bot.receiver(users, Arc::new(SystemClock), webhook.secret.clone());
    let router = http::webhook(webhook.url.path(), receiver.clone());
    let announced = async {
        tokio::select! {
            result = bot.set_webhook(&webhook) => result?,
            () = shutdown.clone().requested() => return anyhow::Ok(()),
        }
        log::info!(
            bot_id = bot.id().get(), address:%;
            "ready: @{} takes updates by webhook", bot.username()
        );
        Ok(())
    };
    let served = async {
        http::serve(listener, router, shutdown.clone()).await;
        Ok(())
    };
    tokio::select! {
        // At once, since Telegram may bring updates before it has answered.
        result = async { tokio::try_join!(announced, served) } => result.map(drop)?,
        error = receiver.failed() => return Err(error.into()),
    }
    receiver.finish().await;
    Ok(())
}

/// Opens the database, asks Telegram who the bot is, and migrates the database if it is the bot's.
async fn start(
    settings: rollcall_telegram::Settings,
    database_url: DatabaseUrl,
) -> anyhow::Result<(Bot, Database)> {
    let database = Database::open(database_url).await?;
    let bot = Bot::connect_patiently(settings).await?;
    let bots = DieselBotRepository::new(database.clone());
    // Looked at before it is migrated: another bot's database is left as it is.
    let is_pending = |(_, state): &(_, MigrationState)| *state == MigrationState::Pending;
    if !database.migrations().await?.iter().all(is_pending)
        && let Some(owner) = bots.owner().await?
    {
        refuse_another(owner, &bot, &database)?;
    }
    for migration in database.migrate().await? {
        log::info!("applied the migration {migration}");
    }
    refuse_another(bots.claim(bot.id(), SystemClock.now()).await?, &bot, &database)?;
    Ok((bot, database))
}

/// A database belongs to one bot: two bots number their updates alike.
fn refuse_another(owner: TelegramId, bot: &Bot, database: &Database) -> anyhow::Result<()> {
    ensure!(
        owner == bot.id(),
        "the database {} belongs to the bot {owner}, and the token is of the bot {}; \
         give each bot a DATABASE_URL of its own",
        database.url(),
        bot.id()
    );
    Ok(())
}
