//! The bot: migrates its database, takes updates, and stops when it is told to.

use std::{process::ExitCode, sync::Arc};

use anyhow::bail;
use clap::Parser;
use rollcall_domain::{Clock, SystemClock, TelegramId};
use rollcall_repository::BotRepository;
use rollcall_repository_diesel::{
    Database, DatabaseUrl, DieselBotRepository, DieselUserRepository,
};
use rollcall_service::UserService;
use rollcall_telegram::Bot;

use crate::{
    demo,
    environment::Environment,
    settings::{DatabaseArguments, TelegramArguments},
    shutdown,
};

/// Registers everybody who talks to a Telegram bot, and answers them.
///
/// Needs the bot's token in TELEGRAM_BOT_TOKEN; everything else has a default. It creates and
/// migrates its database by itself. Ctrl-C or SIGTERM ends it, after what is under way.
#[derive(Debug, Parser)]
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
    let shutdown = shutdown::requested()?;
    if arguments.demo {
        demo::run(shutdown).await?;
    } else {
        let settings = arguments.telegram.settings(environment)?;
        let database_url = arguments.database.database_url(environment)?;
        serve(settings, database_url, shutdown).await?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Runs a bot on a database until `shutdown` resolves.
pub(crate) async fn serve(
    settings: rollcall_telegram::Settings,
    database_url: DatabaseUrl,
    shutdown: impl Future<Output = ()>,
) -> anyhow::Result<()> {
    let mut shutdown = std::pin::pin!(shutdown);
    let database = Database::open(database_url).await?;
    for migration in database.migrate().await? {
        log::info!("applied the migration {migration}");
    }
    let bot = tokio::select! {
        bot = Bot::connect_patiently(settings) => bot?,
        () = &mut shutdown => return Ok(()),
    };
    claim(&database, bot.id()).await?;
    let users = UserService::new(DieselUserRepository::new(database), SystemClock);
    bot.poll(users, Arc::new(SystemClock), shutdown).await?;
    log::info!("stopped");
    Ok(())
}

/// Makes sure that the database is this bot's: two bots number their updates alike.
async fn claim(database: &Database, bot: TelegramId) -> anyhow::Result<()> {
    let owner = DieselBotRepository::new(database.clone()).claim(bot, SystemClock.now()).await?;
    if owner != bot {
        bail!(
            "the database {} belongs to the bot {owner}, and the token is of the bot {bot}; \
             give each bot a DATABASE_URL of its own",
            database.url()
        );
    }
    Ok(())
}
