//! The bot's command line.

use std::process::ExitCode;

use clap::Parser;

use crate::{
    demo,
    environment::Environment,
    serve::{ConversationSettings, TelegramAdmins, serve},
    settings::{
        DatabaseArguments, EXPOSED_TOKEN, GreetingArguments, HttpArguments, ScheduleArguments,
        TelegramArguments,
    },
    shutdown::Shutdown,
};

/// Run a Telegram bot that records everyone who uses it
///
/// Needs the bot's token in TELEGRAM_BOT_TOKEN; every other setting has a default. The bot creates
/// and migrates its database by itself. Ctrl-C or SIGTERM stops it after the work in progress.
#[derive(Parser)]
#[command(name = "bot", version)]
pub struct Arguments {
    /// Try the bot and its web admin on a simulated Telegram, with a temporary database of fake
    /// users. Needs no token, and uses only the setting LISTEN_ADDR
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
    schedule: ScheduleArguments,
    #[command(flatten)]
    greeting: GreetingArguments,
}

/// Runs the bot until a signal stops it.
///
/// # Errors
/// If a setting is wrong, the database cannot be used, or Telegram does not accept the token.
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
        let telegram_admins = TelegramAdmins {
            owners: arguments.telegram.admins(environment)?,
            are_counted: arguments.telegram.counts_admins(environment)?,
        };
        let http = arguments.http.settings(environment, &settings.api_url)?;
        let database_url = arguments.database.writable_database_url(environment)?;
        let schedule = arguments.schedule.settings(environment)?;
        let greetings = arguments.greeting.settings(environment)?;
        if let Some(proxy) = arguments.telegram.proxy(environment, &settings.api_url)? {
            log::info!("using the proxy {proxy} for Telegram");
        }
        if let Some(warning) = http.warning() {
            log::warn!("{warning}");
        }
        if settings.is_token_exposed() {
            log::warn!("{EXPOSED_TOKEN}");
        }
        let nhl = schedule.as_ref().and_then(|schedule| schedule.nhl.as_ref());
        if let Some(proxy) = nhl.and_then(|nhl| nhl.proxy.as_ref()) {
            log::info!("using the proxy {proxy} for the NHL's API");
        }
        let conversation = ConversationSettings { schedule, greetings };
        serve(
            settings,
            arguments.take_over,
            telegram_admins,
            http,
            conversation,
            database_url,
            shutdown,
        )
        .await?;
    }
    Ok(ExitCode::SUCCESS)
}
