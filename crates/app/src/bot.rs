//! The bot's command line.

use std::process::ExitCode;

use clap::Parser;
use rollcall_conversation::PrivacyNotice;

use crate::{
    demo::Demo,
    describe::Describe,
    environment::Environment,
    serve::{ConversationSettings, Site, TelegramAdmins, serve},
    settings::{
        BehindWay, DatabaseArguments, DatabaseSettings, EXPOSED_TOKEN, EventsArguments,
        ForwardArguments, ForwardSettings, GreetingArguments, HttpArguments, PrivacyArguments,
        RetentionArguments, ScheduleArguments, SettingError, TELEGRAM_API_URL, TelegramArguments,
    },
    shutdown::Shutdown,
};

/// Run a Telegram bot that records everyone who uses it
///
/// Needs the bot's token in TELEGRAM_BOT_TOKEN; every other setting has a default. The bot creates
/// and migrates its database by itself. Ctrl-C or SIGTERM stops it after the work in progress.
#[derive(Parser)]
#[command(
    name = "bot",
    version,
    args_conflicts_with_subcommands = true,
    after_help = "\
Examples:
  bot --demo                                            try it without a token
  TELEGRAM_BOT_TOKEN=… bot                              run a bot, and its web admin at :8080
  TELEGRAM_BOT_TOKEN=… bot --listen-addr localhost:8090
  bot completions bash > ~/.local/share/bash-completion/completions/bot"
)]
pub struct Arguments {
    #[command(subcommand)]
    describe: Option<Describe>,
    /// Try the bot and its web admin on a simulated Telegram, with a temporary database of fake
    /// users. Prints a link that signs you in as the owner until the demo stops, and opens it in the
    /// browser of a desktop. Needs no token. Of all settings it uses only LISTEN_ADDR; if that port is
    /// in use, it takes another one
    #[arg(long, conflicts_with_all = NOT_FOR_THE_DEMO)]
    demo: bool,
    /// With --demo: print the chats between the simulated users and the bot
    #[arg(long, requires = "demo")]
    verbose: bool,
    /// With --demo: do not open a browser. Without DISPLAY or WAYLAND_DISPLAY, none is opened anyway
    #[arg(long, requires = "demo")]
    no_open: bool,
    /// Replace whatever else uses this bot: delete its webhook, overwrite its command menus, and answer
    /// its users. Without it, the first start on a database refuses a bot that is already in use
    #[arg(long)]
    take_over: bool,
    #[command(flatten)]
    database: DatabaseArguments,
    #[command(flatten)]
    telegram: TelegramArguments,
    #[command(flatten)]
    forward: ForwardArguments,
    #[command(flatten)]
    events: EventsArguments,
    #[command(flatten)]
    http: HttpArguments,
    #[command(flatten)]
    schedule: ScheduleArguments,
    #[command(flatten)]
    retention: RetentionArguments,
    #[command(flatten)]
    greeting: GreetingArguments,
    #[command(flatten)]
    privacy: PrivacyArguments,
}

/// Flags that the demo would ignore: groups of settings, and all flags for HTTP but LISTEN_ADDR.
const NOT_FOR_THE_DEMO: [&str; 18] = [
    "take_over",
    "DatabaseArguments",
    "TelegramArguments",
    "ForwardArguments",
    "EventsArguments",
    "ScheduleArguments",
    "RetentionArguments",
    "GreetingArguments",
    "PrivacyArguments",
    "webhook_url",
    "webhook_secret",
    "public_url",
    "trusted_proxies",
    "forwarded_header",
    "require_second_factor",
    "admin_allow",
    "metrics_addr",
    "security_contact",
];

impl Arguments {
    /// Describes the program, if that is the command. `None` if the bot is to run.
    pub fn describe(&self) -> Option<anyhow::Result<ExitCode>> {
        self.describe.as_ref().map(Describe::run::<Self>)
    }
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
        let demo = Demo {
            address: arguments.http.address(environment)?,
            is_verbose: arguments.verbose,
            opens_browser: !arguments.no_open,
        };
        demo.run(environment, shutdown).await?;
    } else {
        let settings = arguments.telegram.settings(environment)?;
        let telegram_admins = TelegramAdmins {
            owners: arguments.telegram.admins(environment)?,
            are_counted: arguments.telegram.counts_admins(environment)?,
            link: None,
        };
        let http = arguments.http.settings(environment, &settings.api_url)?;
        let database = DatabaseSettings {
            url: arguments.database.writable_database_url(environment)?,
            read_url: arguments.database.read_url(environment)?,
            keys: arguments.database.database_keys(environment)?,
            suppression_key: arguments.database.suppression_key(environment)?,
            registers_business_customers: arguments
                .database
                .registers_business_customers(environment)?,
        };
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
        let forward = arguments.forward.settings(environment)?;
        let events = arguments.events.settings(environment)?;
        if let Some(ForwardSettings { way: BehindWay::Proxy { address, .. }, .. }) = &forward {
            if settings.api_url.is_at(*address) {
                let reason = "it is API_PROXY_ADDR, which is for your own bot; expected the server \
                              behind it, such as https://api.telegram.org";
                return Err(SettingError::Wrong(TELEGRAM_API_URL, reason.to_owned()).into());
            }
            if !address.ip().is_loopback() {
                log::warn!(
                    "API_PROXY_ADDR is not on this machine only: the bot's token and all messages \
                     travel there unencrypted; put a reverse proxy with https in front"
                );
            }
        }
        let lease = arguments.telegram.lease_times(environment)?;
        let (contact, url) = arguments.privacy.settings(environment)?;
        let retention = arguments.retention.settings(environment)?;
        let notice = PrivacyNotice {
            contact,
            url,
            has_bot_behind: forward.is_some(),
            sends_events: events.is_some(),
            inactive: retention.inactive,
            registers_business_customers: database.registers_business_customers,
        };
        let conversation =
            ConversationSettings { schedule, greetings, notice, lease, forward, events, retention };
        // First of all: the owner has to free a port that is in use.
        let site = Site::open(http)?;
        serve(
            settings,
            arguments.take_over,
            telegram_admins,
            site,
            conversation,
            database,
            shutdown,
        )
        .await?;
    }
    Ok(ExitCode::SUCCESS)
}
