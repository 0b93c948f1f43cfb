//! Passkeys as people use them: the real bot, a real browser with a virtual authenticator (the
//! domain `WebAuthn` of the DevTools protocol), and each database.
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

use std::{panic::resume_unwind, rc::Rc};

use rollcall_domain::{Profile, Role, SystemClock};
use rollcall_repository_diesel::{Database, DieselAdminRepository, DieselUserRepository};
use rollcall_service::{AdminService, UserService};
use rollcall_simulator::Simulator;
use rollcall_testkit::ThrowAwayDatabase;
use serde_json::{Value, json};
use tokio::task::LocalSet;

use browser::Browser;
use running::{RunningBot, database::tamper};

const PASSWORD: &str = "correct horse battery";

/// A bot with two people, and somebody at a browser on the same machine.
struct Office {
    browser: Rc<Browser>,
    _telegram: Simulator,
    database: ThrowAwayDatabase,
    bot: RunningBot,
    /// Where the web admin is, such as http://localhost:12345/admin.
    url: String,
}

#[tokio::test(flavor = "multi_thread")]
async fn people_sign_in_and_confirm_with_passkeys() {
    let Some(browser) = Browser::open().await else { return };
    let browser = Rc::new(browser);
    let tasks = LocalSet::new();
    let all = tasks.spawn_local(stories(Rc::clone(&browser)));
    let ended = tasks.run_until(all).await;
    // A story that fails is not to leave Chromium behind.
    Rc::into_inner(browser).unwrap().close().await;
    if let Err(error) = ended {
        resume_unwind(error.into_panic());
    }
}

async fn stories(browser: Rc<Browser>) {
    for database in ThrowAwayDatabase::of_each_kind() {
        println!("on {}", database.url());
        let office = Office::open(Rc::clone(&browser), database, "off").await;
        office.at_an_address_in_digits_there_are_none().await;
        let authenticator = office.get_an_authenticator().await;
        let code = office.a_passkey_is_added().await;
        office.it_is_added_once().await;
        office.it_signs_in(&authenticator).await;
        office.it_confirms_who_it_is().await;
        office.a_recovery_code_stands_in_without_scripts(&code).await;
        office.a_removed_passkey_is_asked_for_no_more().await;
        let (database, log) = office.close().await;
        for secret in [PASSWORD, &code, "clientDataJSON", "challenge"] {
            assert!(!log.contains(secret), "{secret} is logged");
        }
        let office = Office::open(Rc::clone(&browser), database, "on").await;
        office.where_a_factor_is_required_a_passkey_is_enough().await;
        office.lose(&authenticator).await;
        office.close().await;
    }
}

impl Office {
    async fn open(browser: Rc<Browser>, database: ThrowAwayDatabase, required: &str) -> Self {
        let telegram = Simulator::start().await.unwrap();
        let settings = [
            ("LISTEN_ADDR", "127.0.0.1:0"),
            ("REQUIRE_SECOND_FACTOR", required),
            ("RUST_LOG", "debug"),
        ];
        let bot = RunningBot::start(&telegram, &database, &settings).await;
        fill(&database).await;
        let log = bot.log();
        let url = log.split("the web admin is at ").nth(1).unwrap();
        let url = url.split_whitespace().next().unwrap().replace("127.0.0.1", "localhost");
        Self { browser, _telegram: telegram, database, bot, url }
    }

    async fn close(self) -> (ThrowAwayDatabase, String) {
        (self.database, self.bot.terminate().await)
    }

    async fn go(&self, path: &str) {
        self.browser.go(&format!("{}{path}", self.url)).await;
    }

    /// Gives a password to the sign-in page.
    async fn enter(&self, name: &str) {
        let Self { browser, .. } = self;
        browser.fill("#name", name).await;
        browser.fill("#password", PASSWORD).await;
        browser.press("Sign in").await;
    }

    /// Makes everybody prove their identity again, as after 15 minutes.
    fn let_time_pass(&self) {
        let long_ago = "UPDATE admin_sessions SET confirmed_at = '2026-01-01 00:00:00.000000'";
        tamper(&self.database, long_ago);
    }

    /// Plugs an authenticator in whose owner is there and proves who they are; answers its id.
    async fn get_an_authenticator(&self) -> Value {
        self.browser.devtools("WebAuthn.enable", json!({})).await;
        let options = json!({
            "protocol": "ctap2",
            "transport": "internal",
            "hasResidentKey": true,
            "hasUserVerification": true,
            "isUserVerified": true,
            "automaticPresenceSimulation": true,
        });
        let added = self
            .browser
            .devtools("WebAuthn.addVirtualAuthenticator", json!({ "options": options }));
        added.await["authenticatorId"].clone()
    }

    async fn lose(&self, authenticator: &Value) {
        let lost = json!({ "authenticatorId": authenticator });
        self.browser.devtools("WebAuthn.removeVirtualAuthenticator", lost).await;
    }

    async fn is_no_wider_than_a_phone(&self) {
        let Self { browser, .. } = self;
        browser.be_wide(320).await;
        let wide = "return document.documentElement.scrollWidth";
        let shown = browser.script(wide, json!([])).await.as_u64().unwrap();
        assert!(shown <= 320, "{} is {shown} wide", browser.url().await);
        browser.devtools("Emulation.clearDeviceMetricsOverride", json!({})).await;
    }

    async fn at_an_address_in_digits_there_are_none(&self) {
        let Self { browser, .. } = self;
        browser.forget().await;
        browser.go(&format!("{}/account", self.url.replace("localhost", "127.0.0.1"))).await;
        self.enter("owner").await;
        browser.shows("#main", "Passkeys need https and a host name; set PUBLIC_URL").await;
        assert!(!browser.has("a[href$='/account/passkeys']").await);
        self.is_no_wider_than_a_phone().await;
    }

    /// Answers a recovery code.
    async fn a_passkey_is_added(&self) -> String {
        let Self { browser, .. } = self;
        browser.forget().await;
        self.go("/account").await;
        self.enter("owner").await;
        browser.shows("#main", "Off").await;
        browser.complaints().await;
        browser.press("Add a passkey").await;
        browser.shows("h1", "Add a passkey").await;
        self.is_no_wider_than_a_phone().await;
        let suggested = "return document.querySelector('#name').value";
        assert_eq!(browser.script(suggested, json!([])).await, "Chrome on Linux");
        browser.fill("#name", "My laptop").await;
        browser.click("form[data-passkey] button").await;
        browser.shows("h1", "Recovery codes").await;
        let codes = browser.texts(".codes code").await;
        assert_eq!(codes.len(), 10);
        browser.press("I have stored them").await;
        browser.shows(".factors", "My laptop").await;
        browser.shows(".factors", "never used").await;
        self.is_no_wider_than_a_phone().await;
        assert_eq!(browser.complaints().await, [""; 0]);
        codes[0].clone()
    }

    async fn it_is_added_once(&self) {
        let Self { browser, .. } = self;
        browser.press("Add a passkey").await;
        browser.click("form[data-passkey] button").await;
        browser.shows("[role=alert]", "This device has a passkey of yours already.").await;
    }

    async fn it_signs_in(&self, authenticator: &Value) {
        let Self { browser, .. } = self;
        browser.forget().await;
        self.go("/users?sort=id").await;
        self.enter("owner").await;
        browser.shows("h1", "Second factor").await;
        assert!(!browser.has("#proof").await, "there is no app");
        self.is_no_wider_than_a_phone().await;
        // A finger that is not the owner's.
        let verified = async |is_verified: bool| {
            let verified =
                json!({ "authenticatorId": authenticator, "isUserVerified": is_verified });
            browser.devtools("WebAuthn.setUserVerified", verified).await;
        };
        verified(false).await;
        browser.press("Use a passkey").await;
        browser.shows("[role=alert]", "It was cancelled, or took too long.").await;
        verified(true).await;
        browser.press("Use a passkey").await;
        browser.comes_to("/admin/users?sort=id").await;
        browser.shows("nav", "Audit log").await;
        self.go("/account").await;
        browser.shows(".factors", "last used").await;
        self.go("/audit?action=used_passkey").await;
        browser.shows(".log", "My laptop").await;
    }

    async fn it_confirms_who_it_is(&self) {
        let Self { browser, .. } = self;
        self.let_time_pass();
        self.go("/users?sort=id").await;
        browser.click("tbody tr:first-child td.pick input").await;
        browser.press("Delete chosen").await;
        browser.shows("h1", "Delete 1 user?").await;
        browser.press("Delete for ever").await;
        browser.shows("h1", "Confirm that it is you").await;
        self.is_no_wider_than_a_phone().await;
        browser.press("Use a passkey").await;
        browser.shows("[role=status]", "Deleted 1 user.").await;
    }

    async fn a_recovery_code_stands_in_without_scripts(&self, code: &str) {
        let Self { browser, .. } = self;
        browser.forget().await;
        browser.run_scripts(false).await;
        self.go("/account").await;
        self.enter("owner").await;
        browser.shows("h1", "Second factor").await;
        browser.press("Use a recovery code").await;
        browser.fill("#recovery", code).await;
        browser.click("details button").await;
        browser.shows("#main", "9 recovery codes are left.").await;
        browser.run_scripts(true).await;
    }

    async fn a_removed_passkey_is_asked_for_no_more(&self) {
        let Self { browser, .. } = self;
        self.let_time_pass();
        self.go("/account").await;
        browser.click("form[action$='/passkeys/remove'] button").await;
        browser.shows("h1", "Confirm that it is you").await;
        browser.press("Use a passkey").await;
        browser.shows("#factor ~ p .state", "Off").await;
        browser.forget().await;
        self.go("/audit?action=removed_passkey").await;
        self.enter("owner").await;
        browser.shows(".log", "My laptop").await;
    }

    async fn where_a_factor_is_required_a_passkey_is_enough(&self) {
        let Self { browser, .. } = self;
        browser.forget().await;
        self.go("/users").await;
        self.enter("viewer").await;
        browser.shows("h1", "Set up a second factor").await;
        browser.press("Use a passkey instead").await;
        browser.shows("h1", "Add a passkey").await;
        browser.click("form[data-passkey] button").await;
        browser.shows("h1", "Recovery codes").await;
        browser.press("I have stored them").await;
        browser.shows(".factors", "your only one").await;
        assert!(!browser.has("form[action$='/passkeys/remove']").await);
        self.go("/users").await;
        browser.shows("nav", "Users").await;
    }
}

/// Accounts named for their roles, and people; only the first time.
async fn fill(database: &ThrowAwayDatabase) {
    let storage = Database::open(database.url().parse().unwrap()).await.unwrap();
    let admins =
        AdminService::new(DieselAdminRepository::new(storage.clone()), SystemClock, [].into());
    if !admins.accounts().await.unwrap().is_empty() {
        return;
    }
    for role in Role::ALL {
        let name = role.name().parse().unwrap();
        admins.create_account(&name, PASSWORD, role, None).await.unwrap();
    }
    let users = UserService::new(DieselUserRepository::new(storage), SystemClock);
    for n in 1..=2 {
        let person = Profile::new((1000 + n).try_into().unwrap(), "Person");
        users.get_or_create_user(&person).await.unwrap();
    }
}
