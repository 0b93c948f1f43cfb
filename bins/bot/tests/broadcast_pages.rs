//! Broadcasts in a browser: writing one, watching it go out, and stopping it.
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

use std::{rc::Rc, time::Duration};

use rollcall_domain::{
    Chat, ChatKind, Clock, Interaction, InteractionKind, Profile, Role, SystemClock,
};
use rollcall_repository_diesel::{Database, DieselUserRepository};
use rollcall_service::{BroadcastService, UserService};
use rollcall_simulator::{Person, Simulator};
use rollcall_testkit::{ThrowAwayDatabase, png};
use serde_json::json;
use tokio::time::{sleep, timeout};

use browser::Browser;
use running::database::tamper;
use site::{Site, with_browser};

/// The admin who signs in through Telegram.
const OWNER: i64 = 7;
/// How many users the bot can write to; with one message a second, a broadcast to all is long enough to
/// be stopped.
const USERS: i64 = 300;

#[tokio::test(flavor = "multi_thread")]
async fn a_broadcast_is_written_watched_paused_and_cancelled() {
    with_browser(async |browser| {
        for database in ThrowAwayDatabase::of_each_kind() {
            let site = open(&browser, database).await;
            site.go("/broadcasts").await;
            site.enter(Role::Owner.name()).await;
            browser.shows(".empty", "A broadcast sends one message to all users").await;
            site.fits_on_a_phone().await;
            write(&site).await;
            watch(&site).await;
            stop(&site).await;
            let complaints = browser.complaints().await;
            // The page that asks for a confirmation.
            let is_asked = |it: &String| it.contains("/broadcasts/1/start - ");
            assert_eq!(complaints.iter().filter(|it| !is_asked(it)).count(), 0, "{complaints:?}");
            browser.forget().await;
            site.close().await;
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broadcast_is_written_and_started_without_scripts() {
    with_browser(async |browser| {
        let site = open(&browser, ThrowAwayDatabase::sqlite()).await;
        browser.run_scripts(false).await;
        site.telegram.write(&Person::new(OWNER, "Boss"), "/admin");
        let answer = site.telegram.wait_for_message(OWNER).await.unwrap().text;
        let link = answer.split_whitespace().find(|it| it.contains("/link/")).unwrap();
        browser.go(link).await;
        browser.press("Sign in").await;
        browser.shows("h1", "Dashboard").await;
        site.go("/broadcasts/new?filter=id:1001").await;
        browser.shows("#audience", "Goes to 1 user.").await;
        browser.fill("#text0", "Hello <i>{last_name}</i>").await;
        browser.press("Add a language").await;
        browser.fill("#language1", "de").await;
        browser.fill("#text1", "Hallo").await;
        browser.click("#preview + .row button").await;
        browser.shows(".unfilled-note", "This user has no value for {last_name}").await;
        browser.shows_all("#preview .bubble i mark", &["{last_name}", "{last_name}"]).await;
        browser.press("Send a test to me").await;
        browser.shows("[role=status]", "The test was sent to you.").await;
        let messages = site.telegram.requests_to("sendMessage");
        let is_test = |it: &str| it.starts_with("Hello <i>") || it == "Hallo";
        let tests = messages.iter().filter(|it| it.params["text"].as_str().is_some_and(is_test));
        let to: Vec<_> = tests.map(|it| it.params["chat_id"].as_i64().unwrap()).collect();
        assert_eq!(to, [OWNER]);
        browser.fill("#name", "Without scripts").await;
        browser.press("Save draft").await;
        browser.shows("h1", "Without scripts").await;
        browser.press("Start…").await;
        browser.shows("h1", "Start broadcast").await;
        browser.press("Start now").await;
        browser.shows(".message.good", "Started.").await;
        // The page loads itself again.
        browser.shows(".head .state", "Finished").await;
        browser.shows(".outcome-table th", "Sent").await;
        browser.run_scripts(true).await;
        browser.forget().await;
        site.close().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_is_picked_seen_and_sent() {
    with_browser(async |browser| {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("picture.png");
        std::fs::write(&file, png(300, 200, [9, 90, 190])).unwrap();
        let (file, shape) = (file.to_str().unwrap(), "PNG, 300 × 200 pixels, 59 KiB");
        for has_scripts in [true, false] {
            let site = open(&browser, ThrowAwayDatabase::sqlite()).await;
            let is_shown = async |selector: &str| {
                let shown = "return document.querySelector(arguments[0])?.naturalWidth === 300";
                let is_shown =
                    async || browser.script(shown, json!([selector])).await == json!(true);
                browser.until(selector, is_shown).await;
            };
            site.go("/broadcasts").await;
            site.enter(Role::Owner.name()).await;
            browser.shows("h1", "Broadcasts").await;
            browser.run_scripts(has_scripts).await;
            site.go("/broadcasts/new?filter=id:1001").await;
            browser.type_into("#file", file).await;
            browser.fill("#text0", "Hello {first_name}").await;
            if !has_scripts {
                browser.click("#preview + .row button").await;
            }
            browser.shows("#picked p", shape).await;
            browser.shows("#preview .bubble", "Hello <Ann> 1").await;
            if has_scripts {
                is_shown("#preview .bubble img").await;
                // It is not sent again while one types.
                let left = "return document.querySelector('#file').files.length";
                assert_eq!(browser.script(left, json!([])).await, json!(0));
                browser.fill("#text0", "Bye {first_name}").await;
                browser.shows("#preview .bubble", "Bye <Ann> 1").await;
                is_shown("#preview .bubble img").await;
                site.fits_on_a_phone().await;
            }
            // Without a name, the form is shown again with the picture.
            browser.press("Save draft").await;
            browser.shows("#name-wrong", "Expected a name").await;
            browser.shows("#picked p", shape).await;
            browser.fill("#name", "Picture").await;
            browser.press("Save draft").await;
            browser.shows("h1", "Picture").await;
            browser.run_scripts(true).await;
            is_shown(".bubble img").await;
            site.fits_on_a_phone().await;
            browser.forget().await;
            site.close().await;
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn variants_are_written_pressed_and_the_winner_goes_out() {
    with_browser(async |browser| {
        for database in ThrowAwayDatabase::of_each_kind() {
            let site = open(&browser, database).await;
            site.go("/broadcasts/new").await;
            site.enter(Role::Owner.name()).await;
            write_variants(&site).await;
            let storage = Database::open(site.database.url().parse().unwrap()).await.unwrap();
            let service = BroadcastService::new(DieselUserRepository::new(storage), SystemClock);
            wait(async || service.find(1).await.unwrap().tested_at.is_some()).await;
            press_b(&site).await;
            win(&site, &service).await;
            assert_eq!(browser.complaints().await, Vec::<String>::new());
            browser.forget().await;
            site.close().await;
        }
    })
    .await;
}

/// Writes two variants that a part of the users tests, and starts it.
async fn write_variants(site: &Site) {
    let Site { browser, .. } = site;
    browser.fill("#text0", "Our sale begins!").await;
    browser.fill("#buttons", "Shop = press:Thanks!").await;
    browser.press("Try several messages").await;
    browser.press("Add a variant").await;
    browser.fill("#text_b0", "<b>20%</b> off!").await;
    browser.shows_all("#preview h3", &["Variant A", "Variant B"]).await;
    browser.shows("#preview .bubble b", "20%").await;
    browser.type_into("#winner", "Test them first").await;
    browser.fill("#test-part", "20").await;
    browser.fill("#name", "Sale").await;
    browser.shows("#audience", "Goes to 300 users.").await;
    site.fits_on_a_phone().await;
    browser.press("Save draft").await;
    browser.shows("h1", "Sale").await;
    browser.shows_all("[aria-labelledby=message] h3", &["Variant A", "Variant B"]).await;
    browser.press("Start…").await;
    browser.shows(".figure", "300 users").await;
    browser.shows("dl", "20%").await;
    site.fits_on_a_phone().await;
    browser.press("Start now").await;
    browser.shows(".head .state", "Sending").await;
}

/// A user who has variant B presses its button.
async fn press_b(site: &Site) {
    let Site { browser, telegram, .. } = site;
    let messages = telegram.requests_to("sendMessage");
    let is_b = |text: &str| text.starts_with("<b>20%");
    let b = messages.iter().find(|it| it.params["text"].as_str().is_some_and(is_b)).unwrap();
    let user = b.params["chat_id"].as_i64().unwrap();
    let message = telegram.messages_to(user).pop().unwrap();
    telegram.press(&Person::new(user, "Ann"), &message, &message.button("Shop").unwrap());
    let answers = telegram.wait_for_requests("answerCallbackQuery", 1).await.unwrap();
    assert_eq!(answers[0].params["text"], "Thanks!");
    browser.shows("[aria-label=Variants] tbody tr:nth-child(2) td:nth-child(3)", "1").await;
    browser.shows("#progress", "The one with the most presses wins at ").await;
    browser.shows_all("[aria-labelledby=pick] button", &["Variant A", "Variant B"]).await;
    site.fits_on_a_phone().await;
}

/// The time of the test is over: all others get variant B.
async fn win(site: &Site, service: &BroadcastService) {
    let Site { browser, telegram, database, .. } = site;
    let waiting: Vec<i64> = {
        let messages = telegram.requests_to("sendMessage");
        let to = messages.iter().map(|it| it.params["chat_id"].as_i64().unwrap());
        let tested: Vec<i64> = to.collect();
        (1_001..=1_000 + USERS).filter(|id| !tested.contains(id)).collect()
    };
    assert!(waiting.len() > 200, "{}", waiting.len());
    tamper(database, "UPDATE broadcasts SET tested_at = '2026-01-01 00:00:00.000000'");
    wait(async || service.find(1).await.unwrap().state.has_ended()).await;
    browser.shows(".head .state", "Finished").await;
    browser.shows("#progress", "The winner is B (most presses)").await;
    browser.shows_all("[aria-label=Variants] tbody th", &["A", "B", "Winner: B"]).await;
    for id in waiting {
        assert_eq!(telegram.texts_to(id), ["20% off!"], "{id}");
    }
    site.fits_on_a_phone().await;
}

/// Waits until something is so. A sender looks at least every 30 seconds whether a winner is due.
async fn wait(is_so: impl AsyncFn() -> bool) {
    let so = async {
        while !is_so().await {
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(Duration::from_secs(90), so).await.unwrap();
}

async fn open(browser: &Rc<Browser>, database: ThrowAwayDatabase) -> Site {
    let telegram = Simulator::builder().every_chat_open().start().await.unwrap();
    let owner = OWNER.to_string();
    let settings = [("BROADCAST_LEASE", "1"), ("ADMIN_TELEGRAM_IDS", owner.as_str())];
    let site = Site::open_at(telegram, Rc::clone(browser), database, &settings).await;
    let storage = Database::open(site.database.url().parse().unwrap()).await.unwrap();
    let users = UserService::new(DieselUserRepository::new(storage), SystemClock);
    let interaction = |n: i64| {
        let profile = Profile::new((1_000 + n).try_into().unwrap(), &format!("<Ann> {n}"));
        let mut it = Interaction::new(SystemClock.now(), profile, InteractionKind::Text);
        it.chat = Some(Chat { id: 1_000 + n, kind: ChatKind::Private });
        it
    };
    users.register(&(1..=USERS).map(interaction).collect::<Vec<_>>()).await.unwrap();
    site
}

/// Writes a broadcast to two users, with a preview while it is typed.
async fn write(site: &Site) {
    let Site { browser, .. } = site;
    browser.press("Write the first one").await;
    browser.shows("h1", "New broadcast").await;
    browser.type_into("#filter", "id:1001,1002 blo").await;
    browser.shows(".completion", "blocked").await;
    browser.fill("#filter", "id:1001,1002").await;
    browser.shows("#audience", "Goes to 2 users.").await;
    browser.type_into("#text0", "Hello <storng>").await;
    browser.shows("#text0-wrong", "did you mean <strong>?").await;
    browser.shows_all("#text0-wrong mark", &["<storng>"]).await;
    browser.fill("#text0", "Hello ").await;
    browser.script("document.querySelector('#text0').setSelectionRange(6, 6)", json!([])).await;
    browser.click("[data-wrap=b]").await;
    browser.click("[data-insert]").await;
    browser.shows("#preview .bubble b", "<Ann> ").await;
    browser.shows_all("#text0-wrong mark", &[]).await;
    browser.fill("#buttons", "Shop = https://example.org").await;
    browser.shows("#preview .keys", "Shop").await;
    site.fits_on_a_phone().await;
    browser.fill("#name", "Hello to both").await;
    browser.press("Save draft").await;
    browser.shows("h1", "Hello to both").await;
    browser.shows("[role=status]", "Nothing was sent yet.").await;
    assert!(!browser.has("[data-progress]").await);
}

/// Starts it, and sees it finished without a reload by hand.
async fn watch(site: &Site) {
    let Site { browser, telegram, .. } = site;
    site.let_time_pass();
    browser.press("Start…").await;
    browser.shows("h1", "Start broadcast Hello to both?").await;
    browser.shows(".figure", "2 users").await;
    site.fits_on_a_phone().await;
    browser.press("Start now").await;
    browser.shows("h1", "Confirm").await;
    browser.fill("#proof", site::PASSWORD).await;
    browser.press("Continue").await;
    browser.shows(".head .state", "Finished").await;
    browser.shows("#progress .figure", "2 of 2 recipients done").await;
    browser.shows_all(".outcome-table tbody th", &["Sent"]).await;
    let messages = telegram.requests_to("sendMessage");
    let mut to: Vec<_> = messages.iter().map(|it| it.params["chat_id"].as_i64().unwrap()).collect();
    to.sort_unstable();
    assert_eq!(to, [1001, 1002]);
    assert!(messages[0].params["text"].as_str().unwrap().starts_with("Hello <b>&lt;Ann&gt; "));
    site.fits_on_a_phone().await;
}

/// Copies it for everyone, and stops it.
async fn stop(site: &Site) {
    let Site { browser, .. } = site;
    browser.press("Copy as new").await;
    browser.shows("h1", "New broadcast").await;
    browser.fill("#name", "Hello to all").await;
    browser.fill("#filter", "").await;
    browser.press("Rate, time limit and crashes").await;
    browser.fill("#rate", "1").await;
    browser.press("Save draft").await;
    browser.shows("h1", "Hello to all").await;
    browser.press("Start…").await;
    browser.shows(".figure", "users").await;
    browser.press("Start now").await;
    browser.shows(".head .state", "Sending").await;
    // The numbers and the rate come by themselves.
    browser.shows("#progress .pace", "remaining").await;
    browser.press("Pause").await;
    browser.shows(".head .state", "Paused").await;
    browser.shows("p.message", "An owner paused it.").await;
    browser.press("Resume").await;
    browser.shows(".head .state", "Sending").await;
    site.go("/broadcasts").await;
    browser.shows(".broadcasts .state", "Sending").await;
    browser.shows_all(".broadcasts th a", &["Hello to all", "Hello to both"]).await;
    site.fits_on_a_phone().await;
    browser.press("Pause").await;
    browser.shows(".head .state", "Paused").await;
    browser.press("Cancel…").await;
    browser.shows("h1", "Cancel broadcast Hello to all?").await;
    browser.click("[name=sure]").await;
    browser.click(".danger.primary").await;
    browser.shows(".head .state", "Cancelled").await;
    browser.shows(".outcome-table", "They did not get the message.").await;
}
