//! The bot's command line.

use std::process::ExitCode;

use clap::Parser;

use crate::{
    demo,
    environment::Environment,
    serve::serve,
    settings::{DatabaseArguments, EXPOSED_TOKEN, HttpArguments, NhlArguments, TelegramArguments},
    shutdown::Shutdown,
};

/// Registers everybody who talks to a Telegram bot, and answers them.
///
/// Needs the bot's token in TELEGRAM_BOT_TOKEN; everything else has a default. It creates and
/// migrates its database by itself. Ctrl-C or SIGTERM ends it, after what is under way.
#[derive(Parser)]
#[command(name = "bot", version)]
pub struct Arguments {
    /// Show the bot and its web admin at work on a simulated Telegram, with a temporary database of
    /// made-up people; needs no token, and of the settings takes LISTEN_ADDR only
    #[arg(long)]
    demo: bool,
    /// Replace whatever else uses this bot: delete its webhook, overwrite its command menus, and answer
    /// its users. Without it, the first start on a database refuses a bot that is already in use
    #[arg(long, conflicts_with = "demo")]
    take_over: bool,
    #[command(flatten)]
    database: DatabaseArguments,
    #[command(flatten)]
    telegram: TelegramArguments,
    #[command(flatten)]
    http: HttpArguments,
    #[command(flatten)]
    nhl: NhlArguments,
}

/// Runs the bot until a signal ends it.
///
/// # Errors
/// When a setting is wrong, the database cannot be used, or Telegram does not accept the token.
pub async fn run(arguments: Arguments, environment: &Environment) -> anyhow::Result<ExitCode> {
    let shutdown = Shutdown::on_signals()?;
    if let Some(warning) = environment.warning() {
        log::warn!("{warning}");
    }
    if arguments.demo {
        let address = arguments.http.without_webhook(environment)?.address;
        demo::run(address, shutdown).await?;
    } else {
        let settings = arguments.telegram.settings(environment)?;
        let owners = arguments.telegram.admins(environment)?;
        let http = arguments.http.settings(environment, &settings.api_url)?;
        let database_url = arguments.database.writable_database_url(environment)?;
        let nhl = arguments.nhl.settings(environment)?;
        if let Some(proxy) = arguments.telegram.proxy(environment, &settings.api_url)? {
            log::info!("Telegram is reached through the proxy {proxy}");
        }
        if let Some(warning) = http.warning() {
            log::warn!("{warning}");
        }
        if settings.is_token_exposed() {
            log::warn!("{EXPOSED_TOKEN}");
        }
        if let Some(proxy) = nhl.as_ref().and_then(|nhl| nhl.proxy.as_ref()) {
            log::info!("the NHL's API is reached through the proxy {proxy}");
        }
        serve(settings, arguments.take_over, owners, http, nhl, database_url, shutdown).await?;
    }
    Ok(ExitCode::SUCCESS)
}
