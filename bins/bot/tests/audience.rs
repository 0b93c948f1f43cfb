//! All users of a filter, in a browser, on both databases: the exact count that follows the estimate and
//! ends with the page, and a tag for all that match, its progress, and undoing it.
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
use diesel::{
    Connection, PgConnection, RunQueryDsl, connection::SimpleConnection, dsl::sql,
    sql_types::BigInt,
};
use rollcall_domain::{Clock, Interaction, InteractionKind, Profile, Role, SystemClock};
use rollcall_repository_diesel::{Database, DieselUserRepository};
use rollcall_service::UserService;
use rollcall_simulator::Simulator;
use rollcall_testkit::ThrowAwayDatabase;
use serde_json::json;

use browser::Browser;
use running::RunningBot;
use site::{PASSWORD, admins, with_browser};

const USERS: i64 = 300;
/// All but two users.
const FILTER: &str = "filter=-id:1001,1002";
const COUNTED: &str = "#count";
const STATE: &str = "#changes .standing";

#[tokio::test(flavor = "multi_thread")]
async fn all_users_of_a_filter() {
    with_browser(async |browser| {
        for database in ThrowAwayDatabase::of_each_kind() {
            let visit = Visit::begin(Rc::clone(&browser), &database).await;
            visit.the_exact_number_follows_the_estimate().await;
            visit.leaving_the_page_ends_the_count(&database).await;
            visit.all_that_match_are_tagged_and_it_is_undone().await;
            visit.it_works_without_scripts().await;
            assert_eq!(browser.complaints().await, Vec::<String>::new());
            visit.bot.terminate().await;
        }
    })
    .await;
}

/// A bot with users, and an editor at a browser.
struct Visit {
    browser: Rc<Browser>,
    bot: RunningBot,
    _telegram: Simulator,
    /// The web admin's address.
    url: String,
}

impl Visit {
    async fn begin(browser: Rc<Browser>, database: &ThrowAwayDatabase) -> Self {
        let storage = Database::open(database.url().parse().unwrap()).await.unwrap();
        storage.migrate().await.unwrap();
        let users = UserService::new(DieselUserRepository::new(storage), SystemClock);
        let start = SystemClock.now() - TimeDelta::days(1);
        let written = (1..=USERS).map(|n| {
            let profile = Profile::new((1_000 + n).try_into().unwrap(), &format!("Person {n}"));
            Interaction::new(start, profile, InteractionKind::Text)
        });
        users.register(&written.collect::<Vec<_>>()).await.unwrap();
        let telegram = Simulator::start().await.unwrap();
        let settings = [("LISTEN_ADDR", "127.0.0.1:0")];
        let bot = RunningBot::start(&telegram, database, &settings).await;
        let name = "ada".parse().unwrap();
        admins(database).await.create_account(&name, PASSWORD, Role::Editor, None).await.unwrap();
        let log = bot.log();
        let url = log.split("the web admin is at ").nth(1).unwrap();
        let url = url.split_whitespace().next().unwrap().to_owned();
        browser.go(&url).await;
        browser.fill("#name", "ada").await;
        browser.fill("#password", PASSWORD).await;
        browser.press("Sign in").await;
        browser.shows(".account summary", "ada").await;
        Self { browser, bot, _telegram: telegram, url }
    }

    async fn go(&self, path: &str) {
        self.browser.go(&format!("{}{path}", self.url)).await;
    }

    async fn the_exact_number_follows_the_estimate(&self) {
        let html = "const [url, done] = arguments; return fetch(url).then((it) => it.text())";
        let list = format!("{}/users?{FILTER}", self.url);
        let html = self.browser.script(html, json!([list])).await;
        assert!(html.as_str().unwrap().contains("more than 50 users"), "the page is an estimate");
        self.go(&format!("/users?{FILTER}")).await;
        self.browser.shows(COUNTED, "298 users found").await;
        let shown = "return document.querySelector('a[data-count]').hidden";
        assert_eq!(self.browser.script(shown, json!([])).await, json!(true));
    }

    /// On PostgreSQL, where a lock keeps the count from its end.
    async fn leaving_the_page_ends_the_count(&self, database: &ThrowAwayDatabase) {
        if database.file().is_some() {
            return;
        }
        let mut lock = PgConnection::establish(database.url()).unwrap();
        lock.batch_execute("BEGIN; LOCK TABLE telegram_users IN ACCESS EXCLUSIVE MODE").unwrap();
        let again = "document.querySelector('a[data-count]').hidden = false; countExactly()";
        self.browser.script(again, json!([])).await;
        let mut waits = || {
            let waiting = sql::<BigInt>("SELECT COUNT(*) FROM pg_locks WHERE NOT granted");
            waiting.get_result::<i64>(&mut lock).unwrap() > 0
        };
        while !waits() {
            tokio::task::yield_now().await;
        }
        self.go("/account").await;
        self.browser.shows("h1", "Your account").await;
        assert!(!self.bot.has_said(STOPPED));
        lock.batch_execute("COMMIT").unwrap();
        self.bot.said(STOPPED).await;
    }

    async fn all_that_match_are_tagged_and_it_is_undone(&self) {
        let Self { browser, .. } = self;
        self.go(&format!("/users?{FILTER}")).await;
        browser.click("#bar-actions a[href*='/changes/new']").await;
        browser.shows("h1", "Tag or group all that match").await;
        browser.fill("#name", "VIP").await;
        browser.press("Preview").await;
        browser.shows("#name-wrong", "Expected a name").await;
        browser.fill("#name", "vip").await;
        browser.press("Preview").await;
        browser.shows("#question", "Add tag vip?").await;
        browser.shows(".counted", "298 users").await;
        browser.click("#begin").await;
        browser.shows("h1", "Bulk changes").await;
        // The page shows by itself how far the change is.
        browser.shows(STATE, "Complete").await;
        browser.shows("#changes .changed", "298 users").await;
        self.go("/users?filter=tag:vip").await;
        browser.shows(COUNTED, "298 users found").await;
        self.go("/tags").await;
        browser.shows(".labels .holders", "298").await;

        self.go("/changes").await;
        browser.press("Undo").await;
        browser.shows(".message", "The change is being undone.").await;
        browser.shows("#changes", "No tags or groups of many users were changed").await;
        self.go("/users?filter=tag:vip").await;
        browser.shows("#results", "No users match.").await;
    }

    async fn it_works_without_scripts(&self) {
        let Self { browser, .. } = self;
        browser.run_scripts(false).await;
        self.go(&format!("/users?{FILTER}")).await;
        browser.shows(COUNTED, "more than 50 users found").await;
        browser.press("Count exactly").await;
        browser.shows(".figure", "298 users").await;
        self.go(&format!("/changes/new?{FILTER}&kind=group&name=beta&do=add")).await;
        browser.click("#begin").await;
        browser.shows("h1", "Bulk changes").await;
        browser.shows(STATE, "Complete").await;
        browser.run_scripts(true).await;
    }
}

const STOPPED: &str = "an exact count was stopped before its end";
