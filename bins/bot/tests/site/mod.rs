//! The web admin of a running bot, with a browser.

use std::{panic::resume_unwind, rc::Rc};

use rollcall_domain::{Profile, Role, SystemClock};
use rollcall_repository_diesel::{Database, DieselAdminRepository, DieselUserRepository};
use rollcall_service::{AdminService, UserService};
use rollcall_simulator::Simulator;
use rollcall_testkit::ThrowAwayDatabase;
use serde_json::json;
use tokio::task::LocalSet;

use crate::{
    browser::Browser,
    running::{RunningBot, database::tamper},
};

pub(crate) const PASSWORD: &str = "correct horse battery";

/// A bot with two users and an account for each role, and an admin at a browser.
pub(crate) struct Site {
    pub(crate) browser: Rc<Browser>,
    pub(crate) telegram: Simulator,
    pub(crate) database: ThrowAwayDatabase,
    bot: RunningBot,
    /// The web admin's address, such as http://127.0.0.1:12345/admin.
    pub(crate) url: String,
}

/// Runs a story with a browser, if there is one. All stories share it, because it starts slowly.
pub(crate) async fn with_browser(story: impl AsyncFnOnce(Rc<Browser>) + 'static) {
    let Some(browser) = Browser::open().await else { return };
    let browser = Rc::new(browser);
    let tasks = LocalSet::new();
    let shared = Rc::clone(&browser);
    let running = tasks.spawn_local(async move { story(shared).await });
    let ended = tasks.run_until(running).await;
    // Also after a failure, Chromium must not be left running.
    Rc::into_inner(browser).unwrap().close().await;
    if let Err(error) = ended {
        resume_unwind(error.into_panic());
    }
}

impl Site {
    /// Starts a bot with these settings, and fills its database the first time.
    pub(crate) async fn open(
        browser: Rc<Browser>,
        database: ThrowAwayDatabase,
        settings: &[(&str, &str)],
    ) -> Self {
        Self::open_at(Simulator::start().await.unwrap(), browser, database, settings).await
    }

    /// The same on a simulated Telegram.
    pub(crate) async fn open_at(
        telegram: Simulator,
        browser: Rc<Browser>,
        database: ThrowAwayDatabase,
        settings: &[(&str, &str)],
    ) -> Self {
        let usual = [("LISTEN_ADDR", "127.0.0.1:0"), ("RUST_LOG", "debug")];
        let bot = RunningBot::start(&telegram, &database, &[&usual, settings].concat()).await;
        fill(&database).await;
        let log = bot.log();
        let url = log.split("the web admin is at ").nth(1).unwrap();
        let url = url.split_whitespace().next().unwrap().to_owned();
        Self { browser, telegram, database, bot, url }
    }

    /// Stops the bot. Returns its database and its log.
    pub(crate) async fn close(self) -> (ThrowAwayDatabase, String) {
        let log = self.bot.terminate().await;
        (self.database, log)
    }

    pub(crate) async fn go(&self, path: &str) {
        self.browser.go(&format!("{}{path}", self.url)).await;
    }

    /// Fills in and sends the sign-in page.
    pub(crate) async fn enter(&self, name: &str) {
        let Self { browser, .. } = self;
        browser.fill("#name", name).await;
        browser.fill("#password", PASSWORD).await;
        browser.press("Sign in").await;
    }

    /// Makes every session old enough to need a new confirmation, as after 15 minutes.
    pub(crate) fn let_time_pass(&self) {
        let long_ago = "UPDATE admin_sessions SET confirmed_at = '2026-01-01 00:00:00.000000'";
        tamper(&self.database, long_ago);
    }

    pub(crate) async fn fits_on_a_phone(&self) {
        let Self { browser, .. } = self;
        browser.be_wide(320).await;
        let wide = "return document.documentElement.scrollWidth";
        let shown = browser.script(wide, json!([])).await.as_u64().unwrap();
        assert!(shown <= 320, "{} is {shown} wide", browser.url().await);
        browser.devtools("Emulation.clearDeviceMetricsOverride", json!({})).await;
    }
}

/// Adds an account for each role, named for it, and two users, if there are no accounts.
async fn fill(database: &ThrowAwayDatabase) {
    let admins = admins(database).await;
    if !admins.accounts().await.unwrap().is_empty() {
        return;
    }
    for role in Role::ALL {
        let name = role.name().parse().unwrap();
        admins.create_account(&name, PASSWORD, role, None).await.unwrap();
    }
    let storage = Database::open(database.url().parse().unwrap()).await.unwrap();
    let users = UserService::new(DieselUserRepository::new(storage), SystemClock);
    for n in 1..=2 {
        let user = Profile::new((1000 + n).try_into().unwrap(), "Person");
        users.get_or_create_user(&user).await.unwrap();
    }
}

pub(crate) async fn admins(database: &ThrowAwayDatabase) -> AdminService {
    let storage = Database::open(database.url().parse().unwrap()).await.unwrap();
    AdminService::new(DieselAdminRepository::new(storage), SystemClock, [].into())
}
