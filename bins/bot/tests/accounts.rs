//! The accounts of admins and the second factor, as people use them: the real bot, a real browser,
//! and each database.
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
mod site;

use std::{net::IpAddr, rc::Rc};

use chrono::TimeDelta;
use rollcall_domain::{Clock, SystemClock};
use rollcall_service::Device;
use rollcall_simulator::Person;
use rollcall_testkit::{Authenticator, ThrowAwayDatabase};
use serde_json::json;

use browser::Browser;
use site::{PASSWORD, Site, admins};

/// The admin who may sign in by Telegram.
const BOSS: i64 = 99;

#[tokio::test(flavor = "multi_thread")]
async fn admins_manage_their_accounts() {
    site::with_browser(stories).await;
}

async fn open(browser: Rc<Browser>, database: ThrowAwayDatabase, required: &str) -> Site {
    let boss = BOSS.to_string();
    let settings = [("ADMIN_TELEGRAM_IDS", boss.as_str()), ("REQUIRE_SECOND_FACTOR", required)];
    Site::open(browser, database, &settings).await
}

async fn stories(browser: Rc<Browser>) {
    for database in ThrowAwayDatabase::of_each_kind() {
        println!("on {}", database.url());
        let site = open(Rc::clone(&browser), database, "off").await;
        site.a_password_is_changed().await;
        site.sessions_end_one_by_one_or_all_others_at_once().await;
        site.somebody_is_invited_changed_and_removed().await;
        let (app, codes) = site.a_second_factor_is_turned_on().await;
        site.signing_in_takes_a_code_once(&app, &codes).await;
        site.a_recovery_code_stands_in_without_scripts(&codes).await;
        site.what_was_sent_goes_on_after_the_question(&codes).await;
        site.guessing_is_slowed_down().await;
        site.who_comes_by_telegram_confirms_by_another_link().await;
        let (database, log) = site.close().await;
        for secret in [PASSWORD, &codes[0], "/link/", "otpauth"] {
            assert!(!log.contains(secret), "{secret} is logged");
        }
        let site = open(Rc::clone(&browser), database, "on").await;
        site.nothing_is_done_without_a_second_factor_where_it_is_required().await;
        site.close().await;
    }
}

impl Site {
    /// A link that the bot sends.
    async fn link(&self) -> String {
        let boss = Person::new(BOSS, "Boss");
        self.telegram.introduce(&boss);
        self.telegram.write(&boss, "/admin");
        loop {
            // Messages about new devices may come before it.
            let answer = self.telegram.wait_for_message(BOSS).await.unwrap().text;
            if let Some(link) = answer.split_whitespace().find(|it| it.starts_with("http")) {
                return link.to_owned();
            }
        }
    }

    async fn a_password_is_changed(&self) {
        let Self { browser, .. } = self;
        browser.forget().await;
        self.go("/account").await;
        self.enter("editor").await;
        browser.press("Change password").await;
        let change = async |current: &str, new: &str| {
            browser.fill("#current", current).await;
            browser.fill("#new", new).await;
            browser.fill("#same", new).await;
            browser.press("Change").await;
        };
        change("wrong horse", "battery staple").await;
        browser.shows("[role=alert]", "The current password is wrong.").await;
        change(PASSWORD, "battery staple").await;
        browser.shows("h1", "Your account").await;
        browser.click(".account summary").await;
        browser.press("Sign out").await;
        browser.comes_to("/admin/sign-in").await;
        self.enter("editor").await;
        browser.shows("[role=alert]", "The name or password is wrong.").await;
        browser.fill("#password", "battery staple").await;
        browser.press("Sign in").await;
        browser.shows(".account summary", "editor").await;
    }

    async fn sessions_end_one_by_one_or_all_others_at_once(&self) {
        let Self { browser, .. } = self;
        let admins = admins(&self.database).await;
        let elsewhere = async |name: &str| {
            let address: IpAddr = "2001:db8::7".parse().unwrap();
            let device = Device { name: name.to_owned(), ..Device::from(address) };
            let signed_in = admins.sign_in("viewer", PASSWORD, device).await.unwrap();
            signed_in.token.as_str().to_owned()
        };
        let is_open = async |token: &str| admins.session(token).await.unwrap().is_some();
        let (phone, laptop) =
            (elsewhere("Safari on iPhone").await, elsewhere("Edge on Windows").await);
        browser.forget().await;
        self.go("/account").await;
        self.enter("viewer").await;
        browser.shows(".sessions", "Chrome on Linux").await;
        browser.shows(".sessions", "Safari on iPhone").await;
        browser.shows(".sessions", "2001:db8::7").await;
        let phones = "const end = [...document.querySelectorAll('.sessions li')] \
            .find((it) => it.innerText.includes('iPhone')).querySelector('button'); end.click()";
        browser.script(phones, json!([])).await;
        browser
            .until("one has ended", async || browser.texts(".sessions li").await.len() == 2)
            .await;
        assert!(!is_open(&phone).await && is_open(&laptop).await);
        browser.press("End all other sessions").await;
        browser
            .until("this is left", async || browser.texts(".sessions li").await.len() == 1)
            .await;
        assert!(!is_open(&laptop).await);
        browser.shows(".sessions", "this session").await;
    }

    async fn somebody_is_invited_changed_and_removed(&self) {
        let Self { browser, .. } = self;
        browser.forget().await;
        self.go("/admins").await;
        self.enter("owner").await;
        browser.press("Create link").await;
        browser.shows("h1", "Invitation").await;
        let link = browser.texts(".secret").await.concat();
        assert!(link.starts_with(&format!("{}/invitation/", self.url)), "{link}");
        self.fits_on_a_phone().await;
        browser.press("Back to admins").await;
        browser.shows(".sessions", "viewer").await;

        browser.forget().await;
        browser.run_scripts(false).await;
        browser.go(&link).await;
        browser.shows("#main", "owner has invited you").await;
        browser.fill("#name", "Grace").await;
        browser.fill("#new", PASSWORD).await;
        browser.fill("#same", PASSWORD).await;
        browser.press("Create account").await;
        browser.shows(".account summary", "grace").await;
        browser.run_scripts(true).await;
        browser.forget().await;
        browser.go(&link).await;
        browser.shows("h1", "This invitation no longer works").await;

        self.go("/admins").await;
        self.enter("owner").await;
        browser.press("grace").await;
        browser.click("#role option[value=editor]").await;
        browser.press("Change role").await;
        browser.shows(".accounts tr:has(a[href$='/grace'])", "editor").await;
        browser.press("grace").await;
        browser.click("[name=sure]").await;
        browser.press("Remove account").await;
        browser
            .until("the list is without the account", async || {
                let accounts = browser.texts(".accounts").await.concat();
                accounts.contains("viewer") && !accounts.contains("grace")
            })
            .await;
        self.go("/audit?action=accepted_invitation").await;
        browser.shows(".log", "viewer, invited by owner").await;
        self.go("/audit?action=removed_admin").await;
        browser.shows(".log", "grace (editor)").await;
    }

    /// Answers the app, and the recovery codes.
    async fn a_second_factor_is_turned_on(&self) -> (Authenticator, Vec<String>) {
        let Self { browser, .. } = self;
        browser.forget().await;
        self.go("/users").await;
        self.enter("owner").await;
        browser.comes_to("/admin/users").await;
        browser.click(".account summary").await;
        browser.press("Your account").await;
        browser.shows("#main", "Off").await;
        browser.complaints().await;
        browser.press("Set up").await;
        browser.shows("h1", "Set up a second factor").await;
        let drawn = "const box = document.querySelector('svg.qr path').getBoundingClientRect(); \
                     return Math.round(box.width) > 150 && Math.abs(box.width - box.height) < 1";
        assert_eq!(browser.script(drawn, json!([])).await, true, "the QR code is there");
        let app = Authenticator::new(&browser.texts(".secret").await.concat());
        browser.fill("#code", "000000").await;
        browser.press("Turn on").await;
        browser.shows("[role=alert]", "The code is wrong").await;
        browser.fill("#code", &app.code(SystemClock.now())).await;
        browser.press("Turn on").await;
        browser.shows("h1", "Recovery codes").await;
        self.fits_on_a_phone().await;
        let codes = browser.texts(".codes code").await;
        assert_eq!(codes.len(), 10);
        // The policy stands: the picture is no exception to it. That a wrong code is answered with
        // an error is not what is looked for.
        let complaints = browser.complaints().await;
        assert!(complaints.iter().all(|it| !it.contains("Content Security")), "{complaints:?}");
        browser.press("I have saved them").await;
        browser.shows("#main", "10 recovery codes are left.").await;
        (app, codes)
    }

    async fn signing_in_takes_a_code_once(&self, app: &Authenticator, codes: &[String]) {
        let Self { browser, .. } = self;
        browser.click(".account summary").await;
        browser.press("Sign out").await;
        browser.comes_to("/admin/sign-in").await;
        self.go("/users?sort=id").await;
        self.enter("owner").await;
        browser.shows("h1", "Second factor").await;
        self.fits_on_a_phone().await;
        self.go("/audit").await;
        browser.shows("h1", "Second factor").await;
        assert!(!browser.has("nav").await);
        self.go("/users?sort=id").await;
        // The next one, which counts already: the present one has been used.
        let code = app.code(SystemClock.now() + TimeDelta::seconds(30));
        browser.type_into("#proof", &format!("{code}\u{e007}")).await;
        browser.comes_to("/admin/users?sort=id").await;
        browser.shows("nav", "Audit log").await;

        browser.forget().await;
        self.go("/users").await;
        self.enter("owner").await;
        browser.fill("#proof", &code).await;
        browser.press("Sign in").await;
        browser.shows("[role=alert]", "The code is wrong or was used already.").await;
        browser.press("Use a recovery code").await;
        browser.fill("#recovery", &codes[9]).await;
        browser.press("Sign in").await;
        browser.comes_to("/admin/users").await;
    }

    async fn a_recovery_code_stands_in_without_scripts(&self, codes: &[String]) {
        let Self { browser, .. } = self;
        browser.run_scripts(false).await;
        browser.forget().await;
        self.go("/account").await;
        self.enter("owner").await;
        browser.press("Use a recovery code").await;
        browser.fill("#recovery", &codes[0].to_uppercase()).await;
        browser.press("Sign in").await;
        browser.shows("#main", "8 recovery codes are left.").await;
        self.let_time_pass();
        browser.press("Get new recovery codes").await;
        browser.shows("h1", "Confirm it’s you").await;
        browser.press("Use a recovery code").await;
        browser.fill("#recovery", &codes[0]).await;
        browser.press("Continue").await;
        browser.shows("[role=alert]", "was used already").await;
        browser.press("Use a recovery code").await;
        browser.fill("#recovery", &codes[1]).await;
        browser.press("Continue").await;
        browser.shows("h1", "Confirmed").await;
        assert!(!browser.has(".codes").await, "nothing goes on by itself");
        // Where somebody changes their mind here, nothing has been done.
        browser.press("Back to the dashboard").await;
        browser.shows("h1", "Dashboard").await;
        self.go("/account").await;
        browser.shows("#main", "7 recovery codes are left.").await;
        browser.run_scripts(true).await;
    }

    async fn what_was_sent_goes_on_after_the_question(&self, codes: &[String]) {
        let Self { browser, .. } = self;
        self.let_time_pass();
        self.go("/users?sort=id").await;
        let folder = tempfile::tempdir().unwrap();
        let download = json!({ "behavior": "allow", "downloadPath": folder.path() });
        browser.devtools("Browser.setDownloadBehavior", download).await;
        browser.press("CSV").await;
        browser.shows("h1", "Confirm it’s you").await;
        self.fits_on_a_phone().await;
        browser.press("Use a recovery code").await;
        browser.fill("#recovery", &codes[2]).await;
        browser.press("Continue").await;
        let is_there = async || {
            let names = std::fs::read_dir(folder.path()).unwrap();
            names
                .map(|it| it.unwrap().path())
                .any(|it| it.extension().is_some_and(|it| it == "csv"))
        };
        browser.until("the file is downloaded", is_there).await;
        browser.shows("h1", "Confirmed").await;

        self.let_time_pass();
        self.go("/users?sort=id").await;
        browser.click("tbody tr:first-child td.pick input").await;
        browser.press("Delete selected").await;
        browser.shows("h1", "Delete 1 user?").await;
        browser.press("Delete permanently").await;
        browser.shows("h1", "Confirm it’s you").await;
        browser.press("Use a recovery code").await;
        browser.fill("#recovery", &codes[3]).await;
        browser.press("Continue").await;
        browser.shows("[role=status]", "Deleted 1 user.").await;
        self.go("/audit?action=confirmed").await;
        browser.shows(".log", "Confirmed their identity").await;
        self.go("/audit?action=used_recovery_code").await;
        browser.shows(".log", "5 left").await;
    }

    async fn guessing_is_slowed_down(&self) {
        let Self { browser, .. } = self;
        browser.forget().await;
        self.go("/users").await;
        self.enter("owner").await;
        for _ in 0..5 {
            browser.fill("#proof", "000000").await;
            browser.press("Sign in").await;
            browser.shows("[role=alert]", "The code is wrong").await;
            let fresh = "document.querySelector('[role=alert]').remove()";
            browser.script(fresh, json!([])).await;
        }
        browser.fill("#proof", "000000").await;
        browser.press("Sign in").await;
        browser.shows("[role=alert]", "Too many failed sign-ins. Try again in").await;
        browser.press("Cancel").await;
        browser.comes_to("/admin/sign-in").await;
    }

    async fn who_comes_by_telegram_confirms_by_another_link(&self) {
        let Self { browser, .. } = self;
        browser.forget().await;
        browser.go(&self.link().await).await;
        browser.press("Sign in").await;
        browser.shows(".account summary", "Boss").await;
        self.let_time_pass();
        self.go("/admins").await;
        browser.click("form[action$='viewer/disable'] button").await;
        browser.shows("h1", "Confirm it’s you").await;
        browser.fill("#proof", "https://example.org/admin/link/x").await;
        browser.press("Continue").await;
        browser.shows("[role=alert]", "This link does not work").await;
        browser.fill("#proof", &self.link().await).await;
        browser.press("Continue").await;
        browser.comes_to("/admin/admins").await;
        browser.shows(".accounts", "Disabled").await;
        browser.click("form[action$='viewer/enable'] button").await;
        browser
            .until("it is enabled", async || {
                !browser.texts(".accounts").await.concat().contains("Disabled")
            })
            .await;
    }

    async fn nothing_is_done_without_a_second_factor_where_it_is_required(&self) {
        let Self { browser, .. } = self;
        browser.forget().await;
        self.go("/users").await;
        self.enter("viewer").await;
        browser.shows("h1", "Set up a second factor").await;
        for path in ["", "/users", "/account"] {
            self.go(path).await;
            browser.shows("h1", "Set up a second factor").await;
            browser.shows("#main", "Set one up to continue").await;
        }
        let app = Authenticator::new(&browser.texts(".secret").await.concat());
        browser.fill("#code", &app.code(SystemClock.now())).await;
        browser.press("Turn on").await;
        browser.press("I have saved them").await;
        browser.shows("h1", "Your account").await;
        self.go("/users").await;
        browser.shows("nav", "Users").await;
    }
}
