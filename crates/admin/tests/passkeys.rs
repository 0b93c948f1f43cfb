//! Passkeys, as a browser sees them.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[allow(dead_code, reason = "not every file of tests needs all of it")]
mod site;

use axum::http::{Method, StatusCode};
use rollcall_domain::{AuditAction, Role};
use rollcall_service::AuditFilter;
use rollcall_testkit::SoftPasskey;

use site::{Answer, FORM_TOKEN, Site, encoded};

const LOCAL: &str = "http://localhost:8080";
const PAGE: &str = "/admin/account/passkeys";
const QUARTER_OF_AN_HOUR: i64 = 15 * 60;
const NEED: &str = "Passkeys need HTTPS and a host name. Set PUBLIC_URL to";

#[tokio::test(flavor = "multi_thread")]
async fn a_passkey_is_added_used_and_removed() {
    let site = Site::with_people(1).await;
    let token = site.sign_in(Role::Owner).await;
    let account = site.get("/admin/account", &token).await.body;
    assert!(account.contains(&format!("href=\"{PAGE}\" data-passkey-sites=\"{LOCAL}\"")));
    let page = site.get(PAGE, &token).await;
    assert!(page.body.contains(&format!("data-passkey=\"{PAGE}/challenge\"")), "{}", page.body);
    let laptop = SoftPasskey::default();
    let codes = add(&site, &token, "<b>Laptop", &laptop).await;
    assert_eq!(codes.status, StatusCode::OK, "{}", codes.body);
    assert_eq!(codes.body.matches("<li><code>").count(), 10);
    let account = site.get("/admin/account", &token).await.body;
    assert!(account.contains("&#60;b&#62;Laptop") && account.contains("never used"), "{account}");
    assert!(account.contains("10 recovery codes are left."));
    site.clock.advance(1);
    assert_eq!(
        add(&site, &token, "Key", &SoftPasskey::default()).await.location(),
        "/admin/account"
    );

    let half = site.sign_in(Role::Owner).await;
    let asked = site.get("/admin/users?q=person", &half).await.location();
    let page = site.get(&asked, &half).await;
    assert!(page.body.contains("Use a passkey") && page.body.contains("Use a recovery code"));
    assert!(!page.body.contains("Code from your authenticator app"), "{}", page.body);
    let (fields, answer) = (page.form("/admin/confirm"), sign(&site, &half, &laptop).await);
    let foreign = sign(&site, &half, &SoftPasskey::default()).await;
    let give = async |token: &str, answer: &str| {
        let mut fields = fields.clone();
        fields.retain(|(name, _)| name != "passkey");
        site.post("/admin/confirm", token, &encoded(&fields, &[("passkey", answer)])).await
    };
    for wrong in [&answer, &foreign, ""] {
        let refused = give(&half, wrong).await;
        assert_eq!(refused.status, StatusCode::UNAUTHORIZED, "{wrong}");
        assert!(refused.body.contains("The passkey could not be verified"), "{}", refused.body);
        assert_eq!(refused.form("/admin/confirm"), fields, "the requested page is kept");
    }
    let right = sign(&site, &half, &laptop).await;
    let signed_in = give(&half, &right).await;
    assert_eq!(signed_in.location(), "/admin/users?q=person");
    let token = signed_in.token();
    let other = site.sign_in(Role::Owner).await;
    assert_eq!(give(&other, &right).await.status, StatusCode::UNAUTHORIZED, "replayed");

    // What was sent goes on after the passkey.
    site.clock.advance(QUARTER_OF_AN_HOUR);
    let account = site.get("/admin/account", &token).await;
    let (name, id) = account.form(&format!("{PAGE}/remove")).pop().unwrap();
    assert_eq!(name, "id");
    let asked = site.post(&format!("{PAGE}/remove"), &token, &format!("id={id}")).await;
    assert_eq!(asked.status, StatusCode::UNAUTHORIZED);
    let answer = sign(&site, &token, &laptop).await;
    let mut fields = asked.form("/admin/confirm");
    fields.retain(|(name, _)| name != "passkey");
    let body = encoded(&fields, &[("passkey", &answer)]);
    let go_on = site.post("/admin/confirm", &token, &body).await;
    let body = encoded(&go_on.form(&format!("{PAGE}/remove")), &[]);
    let removed = site.post(&format!("{PAGE}/remove"), &token, &body).await;
    assert_eq!(removed.location(), "/admin/account");
    let account = site.get("/admin/account", &token).await.body;
    assert!(!account.contains("Laptop") && account.contains("Key"), "{account}");
    for (action, value) in [
        (AuditAction::AddedPasskey, "- > Key"),
        (AuditAction::RemovedPasskey, "<b>Laptop > -"),
        (AuditAction::UsedPasskey, "- > <b>Laptop"),
    ] {
        let filter = AuditFilter::all().action(action);
        let log = site.admins.audit_log(&filter, None, 1).await.unwrap();
        let (old, new) = (log[0].old.as_deref(), log[0].new.as_deref());
        assert_eq!(format!("{} > {}", old.unwrap_or("-"), new.unwrap_or("-")), value);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn where_there_can_be_no_passkeys_a_line_says_why() {
    let site = Site::with_people(1).await;
    let token = site.sign_in(Role::Viewer).await;
    let at = async |host: &str, path: &str| {
        let cookie = format!("rollcall_form={FORM_TOKEN}; rollcall_session={token}");
        let headers = [("host", host), ("cookie", cookie.as_str())];
        site.bare(&Method::GET, path, "", &headers).await.body
    };
    for host in ["127.0.0.1:8080", "[::1]:8080", "192.0.2.1"] {
        for path in ["/admin/account", PAGE] {
            let page = at(host, path).await;
            assert!(page.contains(NEED), "{host} {path}: {page}");
            assert!(!page.contains("data-passkey"), "{host} {path}");
        }
    }
    assert!(!at("localhost:8080", "/admin/account").await.contains(NEED));
    for (origin, is_fine) in [
        ("https://bot.example.org", true),
        ("https://192.0.2.1", false),
        ("http://bot.example.org", false),
    ] {
        let site = Site::at("", Some(origin)).await;
        site.make_accounts().await;
        let headers = [("host", "10.0.0.7:8080"), ("origin", origin)];
        let form = format!("name=viewer&password={}", site::PASSWORD);
        let token = site.bare(&Method::POST, "/admin/sign-in", &form, &headers).await.token();
        let cookie = format!("__Host-rollcall_session={token}; rollcall_session={token}");
        let headers = [headers[0], ("cookie", cookie.as_str())];
        let page = site.bare(&Method::GET, "/admin/account", "", &headers).await.body;
        assert_eq!(page.contains("data-passkey-sites=\"https://bot.example.org\""), is_fine);
        assert_eq!(page.contains(NEED), !is_fine, "{origin}: {page}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_signed_is_asked_for_by_a_page_of_ours_only() {
    let site = Site::with_people(1).await;
    let token = site.sign_in(Role::Owner).await;
    let ask = async |path: &str, headers: &[(&str, &str)]| {
        site.request_with(&Method::POST, path, Some(&token), "", headers).await
    };
    for path in [format!("{PAGE}/challenge"), "/admin/confirm/challenge".to_owned()] {
        let evil = [("origin", "https://evil.example"), ("sec-fetch-site", "cross-site")];
        assert_eq!(ask(&path, &evil).await.status, StatusCode::FORBIDDEN);
        for origin in ["http://127.0.0.1:8080", "http://localhost:8081", "null"] {
            let headers = [("origin", origin), ("sec-fetch-site", "same-origin")];
            let refused = ask(&path, &headers).await;
            assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{origin}");
            assert!(refused.body.contains("cannot be used at this address"), "{}", refused.body);
        }
    }
    let offered = ask(&format!("{PAGE}/challenge"), &here()).await;
    assert_eq!(offered.header("content-type").as_deref(), Some("application/json"));
    assert_eq!(offered.header("cache-control").as_deref(), Some("no-store"));
    assert!(offered.body.contains(r#""rp":{"name":"Rollcall","id":"localhost"}"#));
    let none = ask("/admin/confirm/challenge", &here()).await;
    assert_eq!(none.status, StatusCode::BAD_REQUEST, "there is none to sign with");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_passkey_for_another_host_is_not_asked_for() {
    let site = Site::with_people(1).await;
    let token = site.sign_in(Role::Owner).await;
    add(&site, &token, "Laptop", &SoftPasskey::default()).await;
    let half = site.sign_in(Role::Owner).await;
    let cookie = format!("rollcall_session={half}");
    let headers = [("host", "127.0.0.1:8080"), ("cookie", cookie.as_str())];
    let page = site.bare(&Method::GET, "/admin/confirm?next=/admin", "", &headers).await.body;
    assert!(page.contains("Your passkeys work only at localhost."), "{page}");
    assert!(page.contains("Recovery code") && !page.contains("data-passkey"), "{page}");
    let cookie = format!("rollcall_session={token}");
    let headers = [("host", "127.0.0.1:8080"), ("cookie", cookie.as_str())];
    let account = site.bare(&Method::GET, "/admin/account", "", &headers).await.body;
    assert!(account.contains("for localhost"), "{account}");
}

#[tokio::test(flavor = "multi_thread")]
async fn where_a_factor_is_required_a_passkey_is_one_and_the_last_one_stays() {
    let site = Site::requiring_second_factor().await;
    let token = site.sign_in(Role::Viewer).await;
    let set_up = site.get("/admin/account/second-factor", &token).await.body;
    assert!(set_up.contains("Use a passkey instead") && set_up.contains(PAGE), "{set_up}");
    let page = site.get(PAGE, &token).await.body;
    assert!(page.contains("Every admin needs a second factor here."), "{page}");
    add(&site, &token, "Laptop", &SoftPasskey::default()).await;
    let account = site.get("/admin/account", &token).await;
    assert!(account.body.contains("your only factor"), "{}", account.body);
    assert!(!account.body.contains(&format!("{PAGE}/remove")));
    let id = site.admins.second_factors(&"viewer".parse().unwrap()).await.unwrap().passkeys[0].id;
    let refused = site.post(&format!("{PAGE}/remove"), &token, &format!("id={id}")).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    assert!(refused.body.contains("your only second factor"), "{}", refused.body);
    add(&site, &token, "Key", &SoftPasskey::default()).await;
    let removed = site.post(&format!("{PAGE}/remove"), &token, &format!("id={id}")).await;
    assert_eq!(removed.location(), "/admin/account");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_a_passkey_is_explained() {
    let site = Site::with_people(1).await;
    let token = site.sign_in(Role::Owner).await;
    for (name, answer, words) in [
        ("", "{}", "The name of a passkey must have 1 to 64 visible characters."),
        ("\0", "{}", "The name of a passkey must have 1 to 64 visible characters."),
        ("Laptop", "{}", "The passkey could not be verified"),
        ("Laptop", "", "The passkey could not be verified"),
    ] {
        let body = encoded(&[], &[("name", name), ("passkey", answer)]);
        let refused = site.post(PAGE, &token, &body).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST);
        assert!(refused.body.contains(words), "{name:?} {answer}: {}", refused.body);
    }
}

/// What a browser at localhost says of itself.
fn here() -> [(&'static str, &'static str); 2] {
    [("origin", LOCAL), ("sec-fetch-site", "same-origin")]
}

/// Adds a passkey, as the page's script does.
async fn add(site: &Site, token: &str, name: &str, passkey: &SoftPasskey) -> Answer {
    let path = format!("{PAGE}/challenge");
    let asked = site.request_with(&Method::POST, &path, Some(token), "", &here()).await;
    assert_eq!(asked.status, StatusCode::OK, "{}", asked.body);
    let answer = passkey.create(&asked.body, LOCAL);
    site.post(PAGE, token, &encoded(&[], &[("name", name), ("passkey", &answer)])).await
}

/// Has a passkey sign what the server asks, as the page's script does.
async fn sign(site: &Site, token: &str, passkey: &SoftPasskey) -> String {
    let path = "/admin/confirm/challenge";
    let asked = site.request_with(&Method::POST, path, Some(token), "", &here()).await;
    assert_eq!(asked.status, StatusCode::OK, "{}", asked.body);
    passkey.get(&asked.body, LOCAL)
}
