//! The bot: migrates its database, takes updates, and stops when it is told to.

use std::{process::ExitCode, sync::Arc};

use anyhow::ensure;
use clap::Parser;
use rollcall_domain::{Clock, SystemClock, TelegramId};
use rollcall_repository::BotRepository;
use rollcall_repository_diesel::{
    Database, DatabaseUrl, DieselBotRepository, DieselUserRepository, MigrationState,
};
use rollcall_service::UserService;
use rollcall_telegram::Bot;

use crate::{
    demo,
    environment::Environment,
    maintenance,
    settings::{DatabaseArguments, TelegramArguments},
    shutdown::Shutdown,
};

/// Registers everybody who talks to a Telegram bot, and answers them.
///
/// Needs the bot's token in TELEGRAM_BOT_TOKEN; everything else has a default. It creates and
/// migrates its database by itself. Ctrl-C or SIGTERM ends it, after what is under way.
#[derive(Parser)]
#[command(name = "bot", version)]
pub struct Arguments {
    /// Show the bot at work on a simulated Telegram, with a temporary database; needs no token,
    /// and ignores TELEGRAM_BOT_TOKEN and DATABASE_URL
    #[arg(long)]
    demo: bool,
    #[command(flatten)]
    database: DatabaseArguments,
    #[command(flatten)]
    telegram: TelegramArguments,
}

/// Runs the bot until a signal ends it.
///
/// # Errors
/// When a setting is wrong, the database cannot be used, or Telegram does not accept the token.
pub async fn run(arguments: Arguments, environment: &Environment) -> anyhow::Result<ExitCode> {
    let shutdown = Shutdown::on_signals()?;
    if arguments.demo {
        demo::run(shutdown).await?;
    } else {
        let settings = arguments.telegram.settings(environment)?;
        let database_url = arguments.database.database_url(environment)?;
        serve(settings, database_url, shutdown).await?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Runs a bot on a database until it is to end.
pub(crate) async fn serve(
    settings: rollcall_telegram::Settings,
    database_url: DatabaseUrl,
    shutdown: Shutdown,
) -> anyhow::Result<()> {
    let (bot, database) = tokio::select! {
        started = start(settings, database_url) => started?,
        () = shutdown.clone().requested() => return Ok(()),
    };
    let users = UserService::new(DieselUserRepository::new(database), SystemClock);
    tokio::select! {
        result = bot.poll(users.clone(), Arc::new(SystemClock), shutdown.requested()) => result?,
        never = maintenance::run(users) => match never {},
    }
    log::info!("stopped");
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
