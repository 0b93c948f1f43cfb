//! A bot in its first days, in a browser: the page before the first user, and what happens just now.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

#[expect(dead_code, reason = "each test file uses its own part of it")]
mod browser;
#[macro_use]
mod running;
#[expect(dead_code, reason = "each test file uses its own part of it")]
mod site;

use std::rc::Rc;

use chrono::TimeDelta;
use rollcall_domain::{Clock, Interaction, InteractionKind, Profile, Role, SystemClock};
use rollcall_repository::UserRepository;
use rollcall_repository_diesel::{Database, DieselUserRepository};
use rollcall_simulator::{Person, Simulator};
use rollcall_testkit::ThrowAwayDatabase;
use serde_json::json;
use tokio::task::spawn_blocking;

use browser::Browser;
use running::RunningBot;
use site::{PASSWORD, admins, with_browser};

const BOSS: i64 = 99;

/// A bot without users, and its owner at a browser.
struct Visit {
    browser: Rc<Browser>,
    telegram: Simulator,
    bot: RunningBot,
    /// The web admin's address.
    url: String,
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_days_of_a_bot() {
    with_browser(async |browser| {
        the_first_user_brings_the_dashboard(Rc::clone(&browser)).await;
        a_user_who_is_left_out_reloads_no_page(Rc::clone(&browser)).await;
        after_three_days_nothing_is_shown_of_the_time_before(Rc::clone(&browser)).await;
    })
    .await;
}

impl Visit {
    async fn begin(
        browser: Rc<Browser>,
        database: &ThrowAwayDatabase,
        settings: &[(&str, &str)],
    ) -> Self {
        let telegram = Simulator::start().await.unwrap();
        let usual = [("LISTEN_ADDR", "127.0.0.1:0")];
        let bot = RunningBot::start(&telegram, database, &[&usual, settings].concat()).await;
        let name = "ada".parse().unwrap();
        admins(database).await.create_account(&name, PASSWORD, Role::Owner, None).await.unwrap();
        let log = bot.log();
        let url = log.split("the web admin is at ").nth(1).unwrap();
        let url = url.split_whitespace().next().unwrap().to_owned();
        browser.go(&url).await;
        browser.fill("#name", "ada").await;
        browser.fill("#password", PASSWORD).await;
        browser.press("Sign in").await;
        Self { browser, telegram, bot, url }
    }

    async fn writes(&self, id: i64, name: &str) {
        let update = self.telegram.write(&Person::new(id, name), "Hello");
        self.telegram.wait_until_confirmed(update).await.unwrap();
    }

    /// Marks the page, so that it can be seen whether the browser has loaded another one.
    async fn mark(&self) {
        self.browser.script("window.isMarked = true", json!([])).await;
    }

    async fn is_marked(&self) -> bool {
        self.browser.script("return window.isMarked === true", json!([])).await == json!(true)
    }
}

async fn the_first_user_brings_the_dashboard(browser: Rc<Browser>) {
    let database = ThrowAwayDatabase::sqlite();
    let visit = Visit::begin(browser, &database, &[]).await;
    let Visit { browser, bot, .. } = &visit;
    browser.shows("h2", "No users yet").await;
    assert!(!browser.has(".tiles").await);
    visit.writes(1815, "Ada").await;
    browser.shows(".tiles .big", "1").await;
    browser.shows("#now .newest", "Ada").await;
    browser.shows(".count", "1 day (UTC)").await;
    assert!(!browser.texts("h2").await.contains(&"No users yet".to_owned()));

    // The panel goes on by itself, on the same page.
    visit.mark().await;
    visit.writes(7, "Grete").await;
    browser.shows("#now .newest", "Grete").await;
    let interactions = "return [...document.querySelectorAll('#now .hit title')]\
         .map((it) => Number(it.textContent.split(': ').at(-1))).reduce((a, b) => a + b)";
    assert_eq!(browser.script(interactions, json!([])).await, 2);
    visit.writes(7, "Grete").await;
    let is_counted = async || browser.script(interactions, json!([])).await == 3;
    browser.until("three interactions", is_counted).await;
    assert!(visit.is_marked().await, "the page was not loaded again");
    assert!(browser.complaints().await.is_empty());
    // Without scripts, a reload shows it.
    browser.run_scripts(false).await;
    visit.writes(8, "Emmy").await;
    browser.go(&visit.url).await;
    browser.shows("#now .newest", "Emmy").await;
    browser.run_scripts(true).await;
    assert!(!bot.log().contains("WARN"), "{}", bot.log());
    visit.end().await;
}

async fn a_user_who_is_left_out_reloads_no_page(browser: Rc<Browser>) {
    let database = ThrowAwayDatabase::sqlite();
    let settings = [("COUNT_ADMINS", "off"), ("ADMIN_TELEGRAM_IDS", "99")];
    let visit = Visit::begin(browser, &database, &settings).await;
    let Visit { browser, .. } = &visit;
    browser.shows("h2", "No users yet").await;
    visit.writes(BOSS, "Boss").await;
    browser.shows("#now .newest", "Boss").await;
    browser.shows(".tiles .big", "0").await;
    // The next events change the panel, not the page.
    visit.mark().await;
    visit.writes(1815, "Ada").await;
    browser.shows("#now .newest", "Ada").await;
    assert!(visit.is_marked().await);
    // The list has all users, and the figures have those who count.
    browser.go(&format!("{}/users", visit.url)).await;
    browser.shows("#count", "2 users").await;
    browser.go(&visit.url).await;
    browser.shows(".tiles .big", "1").await;
    visit.end().await;
}

async fn after_three_days_nothing_is_shown_of_the_time_before(browser: Rc<Browser>) {
    let database = ThrowAwayDatabase::sqlite();
    let visit = Visit::begin(browser, &database, &[]).await;
    let Visit { browser, .. } = &visit;
    let storage = Database::open(database.url().parse().unwrap()).await.unwrap();
    let users = DieselUserRepository::new(storage);
    let now = SystemClock.now();
    let interaction = |n: i64| {
        let profile = Profile::new((1000 + n).try_into().unwrap(), "Person").language_code("en");
        Interaction::new(now - TimeDelta::days(n % 3), profile, InteractionKind::Text)
    };
    let interactions: Vec<Interaction> = (0..30).map(interaction).collect();
    spawn_blocking(move || users.register(&interactions.into(), now).unwrap()).await.unwrap();
    browser.go(&visit.url).await;
    browser.shows(".count", "3 days (UTC)").await;
    for (subject, rows) in [("active", 3), ("growth", 3), ("lifecycle", 3)] {
        browser.click(&format!("#{subject} summary")).await;
        assert_eq!(browser.texts(&format!("#{subject} tbody tr")).await.len(), rows, "{subject}");
    }
    let trends = browser.texts(".tiles .trend").await.join("\n");
    assert!(trends.contains("new"), "{trends}");
    assert!(!browser.has(".tiles .trend [aria-hidden]").await, "nothing has an arrow: {trends}");
    assert!(!browser.texts(".charts").await.join("").contains("NaN"));
    for width in [390, 820, 1024, 1280] {
        browser.be_wide(width).await;
        browser.go(&visit.url).await;
        browser.shows(".count", "3 days (UTC)").await;
        assert!(browser.layout_faults().await.is_empty(), "at {width}");
    }
    browser.devtools("Emulation.clearDeviceMetricsOverride", json!({})).await;
    visit.end().await;
}

impl Visit {
    async fn end(self) {
        self.browser.forget().await;
        self.bot.terminate().await;
    }
}
