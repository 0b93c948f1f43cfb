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
#[expect(dead_code, reason = "each test file uses its own part of it")]
mod site;

use std::rc::Rc;

use rollcall_testkit::ThrowAwayDatabase;
use serde_json::{Value, json};

use browser::Browser;
use site::{PASSWORD, Site};

#[tokio::test(flavor = "multi_thread")]
async fn admins_sign_in_and_confirm_with_passkeys() {
    site::with_browser(stories).await;
}

async fn open(browser: Rc<Browser>, database: ThrowAwayDatabase, required: &str) -> Site {
    let mut site = Site::open(browser, database, &[("REQUIRE_SECOND_FACTOR", required)]).await;
    // Browsers allow passkeys only for host names.
    site.url = site.url.replace("127.0.0.1", "localhost");
    site
}

async fn stories(browser: Rc<Browser>) {
    for database in ThrowAwayDatabase::of_each_kind() {
        println!("on {}", database.url());
        let site = open(Rc::clone(&browser), database, "off").await;
        site.at_an_address_in_digits_there_are_none().await;
        let authenticator = site.get_an_authenticator().await;
        let code = site.a_passkey_is_added().await;
        site.it_is_added_once().await;
        site.it_signs_in(&authenticator).await;
        site.it_confirms_who_it_is().await;
        site.a_recovery_code_stands_in_without_scripts(&code).await;
        site.a_removed_passkey_is_asked_for_no_more().await;
        let (database, log) = site.close().await;
        for secret in [PASSWORD, &code, "clientDataJSON", "challenge"] {
            assert!(!log.contains(secret), "{secret} is logged");
        }
        let site = open(Rc::clone(&browser), database, "on").await;
        site.where_a_factor_is_required_a_passkey_is_enough().await;
        site.lose(&authenticator).await;
        site.close().await;
    }
}

impl Site {
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

    async fn at_an_address_in_digits_there_are_none(&self) {
        let Self { browser, .. } = self;
        browser.forget().await;
        browser.go(&format!("{}/account", self.url.replace("localhost", "127.0.0.1"))).await;
        self.enter("owner").await;
        browser.shows("#main", "Passkeys need HTTPS and a host name. Set PUBLIC_URL").await;
        assert!(!browser.has("a[href$='/account/passkeys']").await);
        self.fits_on_a_phone().await;
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
        self.fits_on_a_phone().await;
        let suggested = "return document.querySelector('#name').value";
        assert_eq!(browser.script(suggested, json!([])).await, "Chrome on Linux");
        browser.fill("#name", "My laptop").await;
        browser.click("form[data-passkey] button").await;
        browser.shows("h1", "Recovery codes").await;
        let codes = browser.texts(".codes code").await;
        assert_eq!(codes.len(), 10);
        browser.press("I have saved them").await;
        browser.shows(".factors", "My laptop").await;
        browser.shows(".factors", "never used").await;
        self.fits_on_a_phone().await;
        assert_eq!(browser.complaints().await, [""; 0]);
        codes[0].clone()
    }

    async fn it_is_added_once(&self) {
        let Self { browser, .. } = self;
        browser.press("Add a passkey").await;
        browser.click("form[data-passkey] button").await;
        browser.shows("[role=alert]", "This device already has a passkey for your account.").await;
    }

    async fn it_signs_in(&self, authenticator: &Value) {
        let Self { browser, .. } = self;
        browser.forget().await;
        self.go("/users?sort=id").await;
        self.enter("owner").await;
        browser.shows("h1", "Second factor").await;
        assert!(!browser.has("#proof").await, "there is no app");
        self.fits_on_a_phone().await;
        // A finger that is not the owner's.
        let verified = async |is_verified: bool| {
            let verified =
                json!({ "authenticatorId": authenticator, "isUserVerified": is_verified });
            browser.devtools("WebAuthn.setUserVerified", verified).await;
        };
        verified(false).await;
        browser.press("Use a passkey").await;
        browser.shows("[role=alert]", "Cancelled or timed out.").await;
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
        browser.press("Delete selected").await;
        browser.shows("h1", "Delete 1 user?").await;
        browser.press("Delete permanently").await;
        browser.shows("h1", "Confirm it’s you").await;
        self.fits_on_a_phone().await;
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
        browser.shows("h1", "Confirm it’s you").await;
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
        browser.press("I have saved them").await;
        browser.shows(".factors", "your only factor").await;
        assert!(!browser.has("form[action$='/passkeys/remove']").await);
        self.go("/users").await;
        browser.shows("nav", "Users").await;
    }
}
