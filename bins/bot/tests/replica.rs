//! The web admin and the API of a bot that reads a replica of its database: what is read there, what an
//! admin sees of their own changes, and how it goes on without the replica.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

#[macro_use]
mod running;

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use reqwest::{Client, Response, header};
use rollcall_domain::{Role, SystemClock};
use rollcall_repository_diesel::{Database, DieselAdminRepository};
use rollcall_service::AdminService;
use rollcall_simulator::{Person, Simulator};
use rollcall_testkit::{ThrowAwayDatabase, ThrowAwayServer};
use running::RunningBot;

stories!(sqlite_has_no_replica,);

const PASSWORD: &str = "correct horse battery";
/// The cookie after a change.
const POSITION: &str = "rollcall_position";

/// A setting that makes no sense stops the bot, on either database.
async fn sqlite_has_no_replica(database: ThrowAwayDatabase) {
    let telegram = Simulator::start().await.unwrap();
    let url = if database.file().is_some() { "postgres://h/d" } else { "sqlite://a.db" };
    let (code, output) =
        RunningBot::fails(&telegram, &database, &[("DATABASE_READ_URL", url)]).await;
    assert_eq!(code, 1, "{output}");
    let expected = "expected the postgres:// URL of a replica of DATABASE_URL";
    assert!(output.contains("DATABASE_READ_URL: ") && output.contains(expected), "{output}");
}

/// A bot with a replica, and an owner at a browser.
struct Site {
    telegram: Simulator,
    bot: RunningBot,
    primary: ThrowAwayServer,
    standby: ThrowAwayServer,
    database: ThrowAwayDatabase,
    admins: AdminService,
    url: String,
    http: Client,
    cookies: BTreeMap<String, String>,
}

impl Site {
    /// With one user, Ada, who is on the replica, too.
    async fn start() -> Option<Self> {
        let primary = ThrowAwayServer::start()?;
        let database = primary.database();
        // Otherwise the bot may look at the replica before it has replayed the migrations.
        Database::open(database.url().parse().unwrap()).await.unwrap().migrate().await.unwrap();
        let standby = primary.standby();
        let telegram = Simulator::start().await.unwrap();
        let read_url = standby.url_of(&database);
        let settings = [("DATABASE_READ_URL", read_url.as_str()), ("LISTEN_ADDR", "127.0.0.1:0")];
        let bot = RunningBot::start(&telegram, &database, &settings).await;
        let log = bot.log();
        let url = log.split("the web admin is at ").nth(1).unwrap();
        let url = url.split_whitespace().next().unwrap().to_owned();
        let storage = Database::open(database.url().parse().unwrap()).await.unwrap();
        let storage = DieselAdminRepository::new(storage);
        let admins = AdminService::new(storage, SystemClock, [].into());
        let boss = "boss".parse().unwrap();
        admins.create_account(&boss, PASSWORD, Role::Owner, None).await.unwrap();
        let http = Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none());
        let (http, cookies) = (http.build().unwrap(), BTreeMap::new());
        let mut site =
            Self { telegram, bot, primary, standby, database, admins, url, http, cookies };
        site.register(1815, "Ada").await;
        site.send("/sign-in", &format!("name=boss&password={}", PASSWORD.replace(' ', "+"))).await;
        site.primary.await_replay(&site.standby);
        // Another browser of the same admin: this one has changed nothing.
        site.cookies.remove(POSITION);
        // The bot has found out that the replica can be read.
        site.bot.said("lists, figures and exports are read on the replica").await;
        Some(site)
    }

    async fn register(&self, id: i64, name: &str) {
        self.telegram.write(&Person::new(id, name), "hello");
        self.telegram.wait_until_drained().await.unwrap();
    }

    fn with_cookies(&self, request: reqwest::RequestBuilder) -> reqwest::RequestBuilder {
        let cookies = self.cookies.iter().map(|(name, value)| format!("{name}={value}"));
        request.header(header::COOKIE, cookies.collect::<Vec<_>>().join("; "))
    }

    /// The text of a page.
    async fn page(&self, path: &str) -> String {
        let request = self.with_cookies(self.http.get(format!("{}{path}", self.url)));
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 200, "{path}");
        response.text().await.unwrap()
    }

    /// Sends a form, and keeps the cookies of the response.
    async fn send(&mut self, path: &str, form: &str) -> Response {
        let request = self.http.post(format!("{}{path}", self.url));
        let request = self.with_cookies(request).body(form.to_owned());
        let request = request.header("sec-fetch-site", "same-origin");
        let kind = "application/x-www-form-urlencoded";
        let response = request.header(header::CONTENT_TYPE, kind).send().await.unwrap();
        for cookie in response.headers().get_all(header::SET_COOKIE) {
            let pair = cookie.to_str().unwrap().split(';').next().unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
        response
    }

    async fn lists(&self, name: &str) -> bool {
        self.page("/users").await.contains(name)
    }

    /// Lets the standby replay nothing from now on.
    async fn pause(&self) {
        self.primary.await_replay(&self.standby);
        self.standby.query(&self.database, "SELECT pg_wal_replay_pause()");
        let state = "SELECT pg_get_wal_replay_pause_state()";
        until(async || self.standby.query(&self.database, state) == "paused").await;
    }

    fn resume(&self) {
        self.standby.query(&self.database, "SELECT pg_wal_replay_resume()");
    }

    async fn metric(&self, line: &str) -> bool {
        let address = self.url.trim_end_matches("/admin");
        let response = self.http.get(format!("{address}/metrics")).send().await.unwrap();
        response.text().await.unwrap().contains(line)
    }
}

async fn until(is_so: impl AsyncFn() -> bool) {
    let begun = Instant::now();
    while !is_so().await {
        assert!(begun.elapsed() < Duration::from_secs(60));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_are_read_on_the_replica_and_own_changes_are_shown_at_once() {
    let Some(mut site) = Site::start().await else { return };
    assert!(site.lists("Ada").await);
    site.pause().await;
    site.register(7, "Zoe").await;
    assert!(!site.lists("Zoe").await, "the list is read on the replica");
    let count = site.page("/users/count").await;
    assert!(count.contains("1 user") && !count.contains("2 users"), "{count}");
    assert!(site.page("/users/7").await.contains("Zoe"), "one user is read on the primary");
    let exported = site.send("/export", "format=csv&all=on").await.text().await.unwrap();
    assert!(exported.contains("Ada") && !exported.contains("Zoe"), "{exported}");
    assert_eq!(site.cookies.get(POSITION), None, "an export changes nothing");
    assert!(site.metric("rollcall_replica_up 1").await);

    // After an own change, a browser sees it and what came before.
    site.send("/tags", "name=vip&description=&kind=tag").await;
    assert!(site.cookies.contains_key(POSITION));
    assert!(site.lists("Zoe").await, "after an own change");
    let own = site.cookies.remove(POSITION).unwrap();
    assert!(!site.lists("Zoe").await, "for others, the replica is read");

    // A program sees what was changed before its request.
    let (name, scopes) = ("shop".parse().unwrap(), "read".parse().unwrap());
    let key = site.admins.create_api_key(&name, scopes, None).await.unwrap().0;
    let api = format!("{}/api/v1/users", site.url.trim_end_matches("/admin"));
    let users = site.http.get(api).bearer_auth(key.as_str()).send().await.unwrap();
    assert!(users.text().await.unwrap().contains("Zoe"));

    // The lag is shown, but not to those who read the primary.
    const BEHIND: &str = "because the replica of the database is behind";
    until(async || site.page("/users").await.contains(BEHIND)).await;
    assert!(site.page("").await.contains(BEHIND));
    site.cookies.insert(POSITION.to_owned(), own);
    assert!(!site.page("/users").await.contains(BEHIND));
    site.resume();
    site.cookies.remove(POSITION);
    until(async || site.lists("Zoe").await).await;
    until(async || !site.page("/users").await.contains(BEHIND)).await;
    site.bot.terminate().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_go_on_without_the_replica() {
    let Some(site) = Site::start().await else { return };
    assert!(site.lists("Ada").await);
    site.standby.kill();
    site.register(7, "Zoe").await;
    for path in ["/users", "", "/users"] {
        let begun = Instant::now();
        site.page(path).await;
        assert!(begun.elapsed() < Duration::from_secs(1), "{path}: {:?}", begun.elapsed());
    }
    assert!(site.lists("Zoe").await);
    site.bot.said("cannot be read, so the primary is read instead: ").await;
    until(async || site.metric("rollcall_replica_up 0").await).await;
    site.standby.restart();
    site.bot.said(" is read again").await;
    site.pause().await;
    site.register(8, "Yan").await;
    assert!(!site.lists("Yan").await, "the replica is read again");
    site.resume();
    let log = site.bot.terminate().await;
    assert_eq!(log.matches("cannot be read, so the primary is read instead").count(), 1, "{log}");
    assert_eq!(log.matches(" is read again").count(), 1, "{log}");
    assert!(!log.contains("ERROR"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_replica_of_another_database_is_refused() {
    let Some(primary) = ThrowAwayServer::start() else { return };
    let Some(other) = ThrowAwayServer::start() else { return };
    let (database, namesake) = (primary.database(), other.database());
    let telegram = Simulator::start().await.unwrap();
    let settings = [("DATABASE_READ_URL", namesake.url())];
    let (code, output) = RunningBot::fails(&telegram, &database, &settings).await;
    assert_eq!(code, 1, "{output}");
    let expected = "DATABASE_READ_URL names another database than DATABASE_URL: its server has \
                    another system identifier; expected a replica of postgres:///";
    assert!(output.contains(expected), "{output}");
}
