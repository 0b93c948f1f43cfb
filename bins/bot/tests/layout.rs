//! The layout of every page of the web admin, at five widths: with much data and with little.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

#[expect(dead_code, reason = "each test file uses its own part of it")]
mod browser;
#[macro_use]
mod running;

use std::panic::resume_unwind;

use chrono::TimeDelta;
use chrono_tz::Tz;
use rollcall_domain::{
    BroadcastContent, BroadcastPlan, Chat, ChatKind, Clock, DeliveryTimes, Experiment, Interaction,
    InteractionKind, OnUnknown, Picture, Profile, SystemClock,
};
use rollcall_repository_diesel::{Database, DieselUserRepository};
use rollcall_service::{BroadcastChange, BroadcastService, UserService};
use rollcall_simulator::{Person, Simulator};
use rollcall_testkit::ThrowAwayDatabase;
use serde_json::json;
use tokio::task::LocalSet;

use browser::Browser;
use running::RunningBot;

const WIDTHS: [u32; 5] = [390, 820, 1024, 1280, 1920];
const OWNER: i64 = 1;
/// Users of the database that is three days old.
const FEW: i64 = 40;

/// The pages, apart from that of a user.
const PAGES: [&str; 33] = [
    "",
    "?range=7",
    "/figures",
    "/users",
    "/users?sort=-active_days&filter=blocked+joined%3C90d+lang:en",
    "/users?filter=(used:/start+or+days%3E=5+or+source:ads_*)+-tag:none+seen%3E=2026-01-01+averyveryverylongword",
    "/users?filter=zzzzzz",
    "/users?filter=(lang:de+seen%3C14d+or+langg:averyveryverylongvaluethatisnotone+lang:en",
    "/segments",
    "/segments/german_regulars",
    "/segments/german_regulars/delete",
    "/segments/new?filter=lang:de+seen%3C14d+(used:/start+or+averyveryverylongword)",
    "/users/999999999",
    "/nothing",
    "/delete?all=1&filter=reachable",
    "/users/count?filter=lang:en",
    "/users/count?filter=langg:en",
    "/tags",
    "/changes",
    "/changes/new?filter=lang:en&kind=tag&name=english&do=add",
    "/changes/new?filter=langg:en&kind=tag&name=English&do=add",
    "/broadcasts",
    "/broadcasts/new?filter=lang:en&text=Hello+%3Cb%3E{first_name}%3C/b%3E+{last_name}&name=News",
    "/broadcasts/new?filter=langg:averyveryverylongword&text=%3Caveryveryverylongtag%3E",
    "/broadcasts/new?text=Hello&buttons=Shop+%3D+press&text_b=%3Cb%3EHi%3C/b%3E&text_c=x&winner=presses&hold_out=5",
    "/broadcasts/1",
    "/broadcasts/1/start",
    "/broadcasts/2/cancel",
    "/requests",
    "/audit",
    "/audit?by=nobody",
    "/admins",
    "/account",
];

#[tokio::test(flavor = "multi_thread")]
async fn the_demonstration_is_well_laid_out() {
    let Some(browser) = Browser::open().await else { return };
    let database = ThrowAwayDatabase::sqlite();
    let bot = RunningBot::demo(&database, &[("LISTEN_ADDR", "127.0.0.1:0")]).await;
    bot.said("/admin/link/").await;
    let log = bot.log();
    let link = log.split_whitespace().find(|it| it.contains("/admin/link/")).unwrap();
    visit(browser, link.to_owned()).await;
    bot.terminate().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_of_three_days_is_well_laid_out() {
    let Some(browser) = Browser::open().await else { return };
    let database = ThrowAwayDatabase::sqlite();
    fill(&database).await;
    let telegram = Simulator::start().await.unwrap();
    let owner = OWNER.to_string();
    let settings = [("LISTEN_ADDR", "127.0.0.1:0"), ("ADMIN_TELEGRAM_IDS", owner.as_str())];
    let bot = RunningBot::start(&telegram, &database, &settings).await;
    telegram.write(&Person::new(OWNER, "Boss"), "/admin");
    let answer = telegram.wait_for_message(OWNER).await.unwrap().text;
    let link = answer.split_whitespace().find(|it| it.contains("/link/")).unwrap();
    make_broadcasts(&database).await;
    visit(browser, link.to_owned()).await;
    bot.terminate().await;
}

/// A bot that began three days ago.
async fn fill(database: &ThrowAwayDatabase) {
    let storage = Database::open(database.url().parse().unwrap()).await.unwrap();
    storage.migrate().await.unwrap();
    let users = UserService::new(DieselUserRepository::new(storage), SystemClock);
    let start = SystemClock.now() - TimeDelta::days(3);
    let written = (0..FEW).map(|n| {
        let name = format!("A person whose name is rather long, number {n}");
        let profile = Profile::new((1000 + n).try_into().unwrap(), &name)
            .username(&format!("an_unusually_long_username_{n}"))
            .language_code("en");
        let at = start + TimeDelta::minutes(90 * n);
        let mut it = Interaction::new(at, profile, InteractionKind::Text);
        it.chat = Some(Chat { id: 1000 + n, kind: ChatKind::Private });
        it
    });
    users.register(&written.collect::<Vec<_>>()).await.unwrap();
}

/// A draft, and one that the bot has begun to send.
async fn make_broadcasts(database: &ThrowAwayDatabase) {
    let storage = Database::open(database.url().parse().unwrap()).await.unwrap();
    let broadcasts = BroadcastService::new(DieselUserRepository::new(storage), SystemClock);
    let text = format!("<b>{}</b> {{first_name|friend}}\n<pre>a b</pre>", "long".repeat(100));
    let plan = BroadcastPlan {
        name: "averyveryverylongnameofabroadcast ".repeat(2).trim().chars().take(64).collect(),
        category: "news".parse().unwrap(),
        filter: "(used:/start or days>=1 or averyveryverylongword) -blocked".parse().unwrap(),
        zone: Tz::UTC,
        content: BroadcastContent::Text {
            texts: [(String::new(), text.clone()), ("pt-br".to_owned(), text)].into(),
            buttons: "A button = https://example.org | Another button = /start again".to_owned(),
            picture: Picture::of_file_id("AgACAgIAAxkBAAIB"),
        },
        rate: Some(1),
        is_paid: true,
        on_unknown: OnUnknown::Resend,
        starts_at: None,
        lasts: TimeDelta::hours(24),
        times: DeliveryTimes::default(),
        has_opt_out_button: true,
        experiment: Experiment::default(),
    };
    broadcasts.create(&plan, None).await.unwrap();
    let started = broadcasts.create(&plan, None).await.unwrap();
    broadcasts.change(started.id, BroadcastChange::Start, None).await.unwrap();
}

/// Signs in by a link and looks at every page. A story that fails is not to leave Chromium behind.
async fn visit(browser: Browser, link: String) {
    let tasks = LocalSet::new();
    let browser = std::rc::Rc::new(browser);
    let look = tasks.spawn_local(look(std::rc::Rc::clone(&browser), link));
    let result = tasks.run_until(look).await;
    std::rc::Rc::into_inner(browser).unwrap().close().await;
    if let Err(error) = result {
        resume_unwind(error.into_panic());
    }
}

async fn look(browser: std::rc::Rc<Browser>, link: String) {
    browser.be_wide(1280).await;
    let base = link.split("/link/").next().unwrap().to_owned();
    let mut faults = Vec::new();
    for path in ["/sign-in", "/telegram"] {
        faults.extend(faults_at(&browser, &format!("{base}{path}")).await);
    }
    browser.go(&link).await;
    browser.press("Sign in").await;
    browser.shows("h1", "Dashboard").await;
    // The longest entries of the audit log: a note, before and after.
    browser.go(&format!("{base}/users?sort=-active_days")).await;
    let first = "return document.querySelector('tbody th a').getAttribute('href')";
    let user = browser.script(first, json!([])).await.as_str().unwrap().to_owned();
    let user = user.rsplit('/').next().unwrap().split('?').next().unwrap().to_owned();
    for note in ["Asked for games in Czech, ".repeat(20), "averyveryverylongword".repeat(10)] {
        browser.go(&format!("{base}/users/{user}")).await;
        browser.fill("#note-text", &note).await;
        browser.click("#note .primary").await;
        browser.shows("#note .message", "").await;
    }
    let pages = PAGES.map(str::to_owned);
    for path in pages.into_iter().chain([format!("/users/{user}")]) {
        faults.extend(faults_at(&browser, &format!("{base}{path}")).await);
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

async fn faults_at(browser: &Browser, url: &str) -> Vec<String> {
    let mut faults = Vec::new();
    for width in WIDTHS {
        browser.be_wide(width).await;
        browser.go(url).await;
        let page = url.split("/admin").nth(1).unwrap();
        let found = browser.layout_faults().await;
        faults.extend(found.iter().map(|it| format!("{page} at {width}: {it}")));
    }
    faults
}
