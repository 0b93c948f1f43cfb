//! The bot and its web admin on a simulated Telegram, for owners without a token.

mod browser;
mod cast;
mod chats;
mod owner;
mod say;
mod visits;
mod welcome;
mod wishes;

use std::{
    convert::Infallible,
    io::{self, Write as _},
    net::SocketAddr,
    time::Duration,
};

use anyhow::Context;
use rollcall_conversation::{Greetings, PrivacyNotice};
use rollcall_domain::{Clock, SystemClock, grouped};
use rollcall_repository_diesel::{Database, DatabaseUrl};
use rollcall_service::{LastingLink, LeaseTimes, Retention};
use rollcall_simulator::{NhlApi, Simulator};

use self::{cast::Cast, say::say};
use crate::{
    environment::Environment,
    http,
    manage::demo_data::DemoData,
    refresh,
    serve::{ConversationSettings, Site, TelegramAdmins, serve},
    services::Services,
    settings::{DatabaseSettings, HttpSettings, NhlSettings, ScheduleSettings},
    shutdown::Shutdown,
};

/// The number of users at the start, and of the days over which they joined.
const PAST_USERS: u64 = 3000;
const PAST_DAYS: u32 = 180;
/// Settings of a real bot. Owners wonder whether the demo uses them.
const NOT_USED: [&str; 4] =
    ["TELEGRAM_BOT_TOKEN", "TELEGRAM_BOT_TOKEN_FILE", "DATABASE_URL", "DATABASE_URL_FILE"];
/// How long the bot may take to start.
const START: Duration = Duration::from_secs(60 * 60);

/// A demo of the bot.
pub(crate) struct Demo {
    /// Where the web admin is; `None` for a demo without one.
    pub(crate) address: Option<SocketAddr>,
    /// Whether the chats are printed.
    pub(crate) is_verbose: bool,
    /// Whether the link opens by itself, if there is a screen.
    pub(crate) opens_browser: bool,
}

impl Demo {
    /// Runs the real bot over HTTP against a simulated Telegram with some of the earlier users
    /// of a temporary database, until the process should stop.
    pub(crate) async fn run(
        self,
        environment: &Environment,
        shutdown: Shutdown,
    ) -> anyhow::Result<()> {
        let folder = tempfile::tempdir().context("cannot create a temporary folder")?;
        let database_url = DatabaseUrl::sqlite(folder.path().join("demo.db"));
        say("This is a demo: the users, Telegram and the NHL are simulated.")?;
        say(&format!("The database is temporary: {database_url}. Press Ctrl-C to stop."))?;
        let not_used: Vec<&str> =
            NOT_USED.into_iter().filter(|name| environment.get(name).is_some()).collect();
        if !not_used.is_empty() {
            say(&format!("The demo does not use your {}.", not_used.join(" and ")))?;
        }
        let site = self.site()?;
        let owner = owner::ID.try_into()?;
        let (link, token) = LastingLink::new(owner)?;
        let listening = site.listener.as_ref().map(|it| it.local_addr()).transpose()?;
        let url =
            listening.map(|it| format!("{}/link/{}", site.settings.admin_url(it), token.as_str()));

        let api = NhlApi::start().await.context("cannot start the simulated NHL")?;
        api.generate_season();
        let nhl = || anyhow::Ok(NhlSettings { url: api.url().parse()?, proxy: None });
        tokio::select! {
            filled = fill(&database_url, nhl()?) => filled?,
            () = shutdown.clone().requested() => return Ok(()),
        }
        let users = grouped(PAST_USERS);
        say(&format!("{users} fake users joined in the last {PAST_DAYS} days."))?;

        // The users of the past never wrote to this Telegram, and get broadcasts.
        let builder = Simulator::builder().wait_timeout(START).every_chat_open();
        let simulator = builder.start().await.context("cannot start the simulated Telegram")?;
        let conversation = ConversationSettings {
            schedule: Some(ScheduleSettings { nhl: Some(nhl()?) }),
            greetings: Greetings::default(),
            notice: PrivacyNotice::default(),
            lease: LeaseTimes::default(),
            forward: None,
            events: None,
            retention: Retention::default(),
        };
        let served = serve(
            telegram(&simulator)?,
            true,
            TelegramAdmins { owners: [owner].into(), are_counted: true, link: Some(link) },
            site,
            conversation,
            DatabaseSettings {
                url: database_url.clone(),
                read_url: None,
                keys: None,
                suppression_key: None,
                registers_business_customers: false,
            },
            shutdown,
        );
        let printed = async {
            match self.is_verbose {
                true => chats::print(simulator.subscribe()).await,
                false => std::future::pending().await,
            }
        };
        let services = Services::new(Database::open_existing(database_url).await?);
        let cast = Cast::of(&services, PAST_USERS).await?;
        let before = services.activity().get_stats().await?.total_users;
        tokio::select! {
            result = served => result?,
            result = printed => result?,
            result = self.play(&simulator, cast, url, environment) => match result? {},
        }
        let registered = services.activity().get_stats().await?.total_users.saturating_sub(before);
        let received = simulator.fetched();
        let users = if registered == 1 { "user" } else { "users" };
        say(&format!(
            "The bot received {received} updates and registered {registered} new {users}."
        ))
    }

    /// Waits for the bot, shows the link, and plays the users from then on.
    async fn play(
        &self,
        simulator: &Simulator,
        cast: Cast,
        url: Option<String>,
        environment: &Environment,
    ) -> anyhow::Result<Infallible> {
        simulator.wait_until_polled().await?;
        write!(io::stdout().lock(), "{}", welcome::welcome(url.as_deref(), self.is_verbose))?;
        let opens = self.opens_browser && browser::has_screen(environment);
        // Some desktops report back only when the browser is closed.
        let opened = async {
            if let Some(url) = url.filter(|_| opens)
                && !browser::open(&url).await
            {
                say("No browser could be opened: open the link yourself.")?;
            }
            std::future::pending().await
        };
        tokio::select! {
            result = opened => result,
            never = visits::run(simulator, cast) => match never {},
            never = owner::read_stats(simulator) => match never {},
        }
    }

    /// Listens at the address, or at another port if that one is in use.
    fn site(&self) -> anyhow::Result<Site> {
        let settings = HttpSettings { address: self.address, ..HttpSettings::default() };
        let Some(address) = self.address else { return Ok(Site { settings, listener: None }) };
        let listener = match http::listen("LISTEN_ADDR", address) {
            Err(error) if is_in_use(&error) => {
                let another = SocketAddr::new(address.ip(), 0);
                let listener = http::listen("LISTEN_ADDR", another)?;
                let used = listener.local_addr()?;
                say(&format!("{address} is in use by another program; the demo uses {used}."))?;
                listener
            }
            listener => listener?,
        };
        Ok(Site { settings, listener: Some(listener) })
    }
}

fn is_in_use(error: &anyhow::Error) -> bool {
    let error = error.downcast_ref::<io::Error>();
    error.is_some_and(|error| error.kind() == io::ErrorKind::AddrInUse)
}

/// The settings of the bot at the simulated Telegram, which has no limits.
fn telegram(simulator: &Simulator) -> anyhow::Result<rollcall_telegram::Settings> {
    Ok(rollcall_telegram::Settings {
        token: simulator.token().parse()?,
        api_url: simulator.url().parse()?,
        proxy: None,
        send_rate: 0,
    })
}

/// Adds earlier users and the schedule, before the bot claims the database.
async fn fill(database_url: &DatabaseUrl, nhl: NhlSettings) -> anyhow::Result<()> {
    let services = Services::new(Database::open(database_url.clone()).await?);
    services.database().migrate().await?;
    let now = SystemClock.now();
    DemoData::new(PAST_USERS, PAST_DAYS).fill(&services, now).await?;
    owner::add(&services.user_repository(), PAST_DAYS, now).await?;
    refresh::once(services.schedule(), nhl.client()?).await;
    Ok(())
}
