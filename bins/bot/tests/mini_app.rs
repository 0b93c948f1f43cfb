//! The Mini App: owners sign in to the web admin inside Telegram.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

#[allow(dead_code, reason = "not every file of tests needs all of it")]
mod browser;
#[macro_use]
mod running;
#[allow(dead_code, reason = "not every file of tests needs all of it")]
mod site;

use std::net::IpAddr;

use chrono::TimeDelta;
use reqwest::redirect::Policy;
use rollcall_domain::{AuditAction, Clock, SystemClock};
use rollcall_repository_diesel::{Database, DieselAdminRepository};
use rollcall_service::{AdminService, AuditFilter};
use rollcall_simulator::{Person, Simulator};
use rollcall_testkit::{MiniAppData, ThrowAwayDatabase};
use running::{RunningBot, chat::ask};
use serde_json::json;
use site::{Site, with_browser};

stories!(
    a_button_opens_the_web_admin_where_it_has_https,
    fresh_data_of_an_owner_signs_in_once,
    all_other_data_is_refused,
    a_second_factor_is_still_asked_for,
);

const OWNER: i64 = 99;
const OWNERS: (&str, &str) = ("ADMIN_TELEGRAM_IDS", "99");
const LISTEN: (&str, &str) = ("LISTEN_ADDR", "127.0.0.1:0");

fn boss() -> Person {
    Person::new(OWNER, "Boss").language_code("en")
}

/// Data of the owner, opened just now.
fn data(query: u32) -> MiniAppData {
    MiniAppData { user: OWNER, at: SystemClock.now(), query }
}

/// The address of the web admin.
fn url(bot: &RunningBot) -> String {
    let log = bot.log();
    let url = log.split("the web admin is at ").nth(1).unwrap();
    url.split_whitespace().next().unwrap().to_owned()
}

/// Posts data as the page does.
async fn post(url: &str, data: &str) -> reqwest::Response {
    let client = reqwest::Client::builder().redirect(Policy::none()).build().unwrap();
    let form = [("init_data", data)];
    let body = form.map(|(name, value)| format!("{name}={}", encoded(value))).concat();
    let request = client.post(format!("{url}/telegram")).body(body);
    let request = request.header("Content-Type", "application/x-www-form-urlencoded");
    request.header("Sec-Fetch-Site", "same-origin").send().await.unwrap()
}

fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

/// The session cookie of a response.
fn session(response: &reqwest::Response) -> Option<String> {
    let cookies = response.headers().get_all("set-cookie").iter();
    let mut cookies = cookies.map(|it| it.to_str().unwrap().split(';').next().unwrap().to_owned());
    cookies.find(|cookie| cookie.contains("rollcall_session="))
}

async fn admins(database: &ThrowAwayDatabase) -> AdminService {
    let storage = Database::open_existing(database.url().parse().unwrap()).await.unwrap();
    let owners = [OWNER.try_into().unwrap()].into();
    AdminService::new(DieselAdminRepository::new(storage), SystemClock, owners)
}

async fn entries(database: &ThrowAwayDatabase, action: AuditAction) -> usize {
    let filter = AuditFilter::all().action(action);
    admins(database).await.audit_log(&filter, None, 100).await.unwrap().len()
}

async fn a_button_opens_the_web_admin_where_it_has_https(database: ThrowAwayDatabase) {
    let telegram = Simulator::start().await.unwrap();
    let https = ("PUBLIC_URL", "https://example.org/rollcall");
    let bot = RunningBot::start(&telegram, &database, &[OWNERS, LISTEN, https]).await;
    let answer = ask(&telegram, &boss(), "/admin").await;
    let link = answer.text.lines().nth(1).unwrap();
    let rows = answer.json.pointer("/reply_markup/inline_keyboard").unwrap();
    let app = json!({
        "text": "Open here",
        "web_app": { "url": "https://example.org/rollcall/admin/telegram" },
    });
    assert_eq!(*rows, json!([[app, { "text": "Open in browser", "url": link }]]));
    assert!(answer.text.contains("In Telegram Web, use"), "{}", answer.text);
    bot.terminate().await;

    for plain in [&[][..], &[("PUBLIC_URL", "http://localhost:8080")]] {
        let settings = [&[OWNERS, LISTEN], plain].concat();
        let bot = RunningBot::start(&telegram, &database, &settings).await;
        let answer = ask(&telegram, &boss(), "/admin").await;
        assert_eq!(answer.buttons(), []);
        assert!(!answer.text.contains("Telegram Web"), "{}", answer.text);
        bot.terminate().await;
    }
}

async fn fresh_data_of_an_owner_signs_in_once(database: ThrowAwayDatabase) {
    let telegram = Simulator::start().await.unwrap();
    let bot = RunningBot::start(&telegram, &database, &[OWNERS, LISTEN]).await;
    ask(&telegram, &boss(), "/id").await;
    let url = url(&bot);
    let signed = data(1).signed(telegram.token());
    let response = post(&url, &signed).await;
    assert_eq!(response.status(), 303);
    assert_eq!(response.headers()["location"].to_str().unwrap(), "/admin");
    let client = reqwest::Client::new();
    let page = client.get(format!("{url}/admins")).header("Cookie", session(&response).unwrap());
    assert!(page.send().await.unwrap().text().await.unwrap().contains("Boss"));
    // The sign-in was on a new device.
    let notice = telegram.wait_for_message(OWNER).await.unwrap().text;
    assert!(notice.contains("127.0.0.1"), "{notice}");

    // The same data, also in another order, and by another process.
    let mut turned: Vec<_> = signed.split('&').collect();
    turned.rotate_left(2);
    let again = RunningBot::start_until(
        &database,
        &[
            OWNERS,
            LISTEN,
            ("TELEGRAM_API_URL", &telegram.url()),
            ("TELEGRAM_BOT_TOKEN", telegram.token()),
            ("WEBHOOK_URL", "http://127.0.0.1:9/hook"),
            ("WEBHOOK_SECRET", "Right-Secret_123"),
        ],
        "ready: @",
    )
    .await;
    for url in [&url, &self::url(&again)] {
        for data in [signed.clone(), turned.join("&")] {
            let response = post(url, &data).await;
            assert_eq!(response.status(), 401);
            assert_eq!(session(&response), None);
            let page = response.text().await.unwrap();
            assert!(page.contains("was used before"), "{page}");
        }
    }
    assert_eq!(post(&url, &data(2).signed(telegram.token())).await.status(), 303);
    assert_eq!(entries(&database, AuditAction::SignedIn).await, 2);
    again.terminate().await;
    let log = bot.terminate().await;
    let (_, hash) = signed.split_once("hash=").unwrap();
    assert!(!log.contains(&hash[..64]), "{log}");
}

async fn all_other_data_is_refused(database: ThrowAwayDatabase) {
    let telegram = Simulator::start().await.unwrap();
    let bot = RunningBot::start(&telegram, &database, &[OWNERS, LISTEN]).await;
    let url = url(&bot);
    let token = telegram.token();
    let moved =
        |seconds| MiniAppData { at: SystemClock.now() + TimeDelta::seconds(seconds), ..data(1) };
    let good = data(1).signed(token);
    let (hash, rest) = good.split_once('&').unwrap();
    let forged = format!("hash={}&{rest}", "0".repeat(64));
    let others = MiniAppData { user: 666, ..data(1) }.signed(token);
    let (_, others_rest) = others.split_once('&').unwrap();
    for wrong in [
        String::new(),
        "hash".to_owned(),
        rest.to_owned(),
        forged,
        // The owner's id with the hash of another user's data, and the other way round.
        format!("{hash}&{others_rest}"),
        format!("{good}&{hash}"),
        format!("{good}&user=%7B%22id%22%3A99%7D"),
        data(1).signed("123456789:another-bots-token"),
        moved(-301).signed(token),
        moved(90).signed(token),
        others,
        "%ff%fe&&&===".to_owned(),
        "user=x&".repeat(1000),
    ] {
        let response = post(&url, &wrong).await;
        assert_eq!(response.status(), 401, "{wrong}");
        assert_eq!(session(&response), None, "{wrong}");
    }
    // From another site, and without the field.
    let client = reqwest::Client::new();
    let from = |site| {
        let body = format!("init_data={}", encoded(&good));
        let request = client.post(format!("{url}/telegram")).body(body);
        let request = request.header("Content-Type", "application/x-www-form-urlencoded");
        request.header("Sec-Fetch-Site", site).send()
    };
    assert_eq!(from("cross-site").await.unwrap().status(), 403);
    assert_eq!(entries(&database, AuditAction::SignedIn).await, 0);
    // Nothing of this used the good data up.
    assert_eq!(post(&url, &good).await.status(), 303);
    // The page is in no frame and loads nothing from elsewhere.
    let page = client.get(format!("{url}/telegram")).send().await.unwrap();
    let policy = page.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert!(policy.contains("frame-ancestors 'none'") && !policy.contains("telegram"), "{policy}");
    assert!(!page.text().await.unwrap().contains("telegram.org"));
    bot.terminate().await;
}

async fn a_second_factor_is_still_asked_for(database: ThrowAwayDatabase) {
    let telegram = Simulator::start().await.unwrap();
    let settings = [OWNERS, LISTEN, ("REQUIRE_SECOND_FACTOR", "on")];
    let bot = RunningBot::start(&telegram, &database, &settings).await;
    let url = url(&bot);
    let client = reqwest::Client::builder().redirect(Policy::none()).build().unwrap();
    let leads_to = async |cookie: &str| {
        let request = client.get(format!("{url}/users")).header("Cookie", cookie);
        let response = request.send().await.unwrap();
        let location = response.headers().get("location").map(|it| it.to_str().unwrap().to_owned());
        (response.status().as_u16(), location.unwrap_or_default())
    };
    // Without a factor, the session can only set one up.
    let response = post(&url, &data(1).signed(telegram.token())).await;
    let (status, location) = leads_to(&session(&response).unwrap()).await;
    assert!(status == 303 && location.contains("/account/second-factor"), "{status} {location}");

    // With one, the session has to confirm it.
    let admins = admins(&database).await;
    let home: IpAddr = "192.0.2.1".parse().unwrap();
    let link = admins.create_link(OWNER.try_into().unwrap()).await.unwrap().unwrap();
    let other = admins.sign_in_by_link(link.as_str(), home).await.unwrap();
    let offered = admins.offer_second_factor(other.token.as_str()).await.unwrap().unwrap();
    let app = rollcall_testkit::Authenticator::new(&offered.secret());
    let code = app.code(SystemClock.now());
    admins.enable_second_factor(other.token.as_str(), &code).await.unwrap();
    let response = post(&url, &data(2).signed(telegram.token())).await;
    let (status, location) = leads_to(&session(&response).unwrap()).await;
    assert!(status == 303 && location.contains("/confirm"), "{status} {location}");
    assert_eq!(entries(&database, AuditAction::PassedFirstFactor).await, 1);
    bot.terminate().await;
}

/// The page that Telegram opens, in a browser: with a script, without one, and with old data.
#[tokio::test(flavor = "multi_thread")]
async fn the_page_signs_in_with_the_data_in_its_address() {
    with_browser(async |browser| {
        for database in [Some(ThrowAwayDatabase::sqlite()), ThrowAwayDatabase::postgres()] {
            let Some(database) = database else { continue };
            let site = Site::open(browser.clone(), database, &[OWNERS]).await;
            let address = |data: &str| {
                let data = encoded(data);
                format!("/telegram#tgWebAppData={data}&tgWebAppVersion=8.0&tgWebAppPlatform=ios")
            };
            let signed = data(1).signed(site.telegram.token());

            site.browser.run_scripts(false).await;
            site.go(&address(&signed)).await;
            site.browser.shows("h1", "Sign in").await;
            site.browser.shows(".panel", "use the link in the same message").await;
            site.browser.run_scripts(true).await;

            site.go("/sign-in").await;
            site.go(&address(&signed)).await;
            site.browser.shows("h1", "Dashboard").await;
            let shown = site.browser.url().await;
            assert_eq!(shown, site.url, "the data is gone from the address");
            assert_eq!(site.browser.complaints().await, Vec::<String>::new());

            site.browser.forget().await;
            site.go("/sign-in").await;
            site.go(&address(&signed)).await;
            site.browser.shows("[role=alert]", "was used before").await;
            assert!(site.browser.url().await.ends_with("/admin/telegram"));
            // Chromium's line about the status.
            assert_eq!(site.browser.complaints().await.len(), 1);
            site.fits_on_a_phone().await;

            site.go("/telegram").await;
            site.browser.shows("h1", "Sign in").await;
            assert!(!site.browser.has("[role=alert]").await);
            let (_, log) = site.close().await;
            let (_, hash) = signed.split_once("hash=").unwrap();
            assert!(!log.contains(&hash[..64]));
        }
    })
    .await;
}

/// Anyone can read the demo's token in the source, and sign data with it.
#[tokio::test(flavor = "multi_thread")]
async fn a_demo_takes_no_data_of_telegram() {
    const OWNER_OF_DEMO: i64 = 4_400_000_000_000_000;
    let database = ThrowAwayDatabase::sqlite();
    let demo = RunningBot::demo(&database, &[LISTEN]).await;
    let token = Simulator::builder().start().await.unwrap().token().to_owned();
    let data = MiniAppData { user: OWNER_OF_DEMO, at: SystemClock.now(), query: 1 };
    let refused = post(&url(&demo), &data.signed(&token)).await;
    assert_eq!(refused.status(), 401);
    assert_eq!(session(&refused), None);
}
