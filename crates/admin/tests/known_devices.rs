//! The cookie by which a browser is known to who signed in on it.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[allow(dead_code, reason = "not every file of tests needs all of it")]
mod site;

use axum::http::{Method, StatusCode};
use rollcall_domain::Role;

use site::{Answer, PASSWORD, Site};

const STEP: i64 = 30;

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_keeps_a_cookie_of_its_own_for_long() {
    for (prefix, origin, expected) in [
        ("", None, "rollcall_device Path=/; HttpOnly; SameSite=Strict; Max-Age=31536000"),
        (
            "",
            Some("https://bot.example.org"),
            "__Host-rollcall_device Path=/; HttpOnly; SameSite=Strict; Secure; Max-Age=31536000",
        ),
        (
            "/rollcall",
            Some("https://bot.example.org"),
            "rollcall_device Path=/rollcall; HttpOnly; SameSite=Strict; Secure; Max-Age=31536000",
        ),
    ] {
        let site = Site::at(prefix, origin).await;
        site.make_accounts().await;
        let path = format!("{prefix}/admin/sign-in");
        let form = format!("name=owner&password={PASSWORD}");
        let answer = site.request(&Method::POST, &path, None, &form).await;
        let cookie = device(&answer).unwrap();
        let (name, rest) = cookie.split_once('=').unwrap();
        assert_eq!(format!("{name} {}", rest.split_once("; ").unwrap().1), expected);
        assert!(!answer.token().is_empty(), "the session's cookie comes first");
        let again = site.request(&Method::GET, &path, None, "").await;
        assert_eq!(device(&again), None, "who is not signed in is given none");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_known_browser_signs_in_while_others_guess() {
    let site = Site::with_people(1).await;
    let known = value(&site.request(&Method::POST, "/admin/sign-in", None, &right()).await);
    for n in 0..50 {
        let guess = from(&site, n, "", "name=owner&password=wrong-password").await;
        assert_eq!(guess.status, StatusCode::UNAUTHORIZED, "{n}");
    }
    for unknown in ["", "x", &known.to_lowercase()] {
        let refused = from(&site, 60, unknown, &right()).await;
        assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS, "{unknown}");
        assert_eq!(device(&refused), None);
    }
    let signed_in = from(&site, 60, &known, &right()).await;
    assert_eq!(signed_in.status, StatusCode::SEE_OTHER);
    assert_ne!(value(&signed_in), known, "each time another one");
}

#[tokio::test(flavor = "multi_thread")]
async fn half_a_sign_in_makes_no_browser_known() {
    let site = Site::with_people(1).await;
    let (app, _) = site.turn_factor_on(&site.sign_in(Role::Owner).await).await;
    site.clock.advance(STEP);
    let half = site.request(&Method::POST, "/admin/sign-in", None, &right()).await;
    assert_eq!((half.status, device(&half)), (StatusCode::SEE_OTHER, None));
    let token = half.token();
    let wrong = site.post("/admin/confirm", &token, "proof=000000").await;
    assert_eq!((wrong.status, device(&wrong)), (StatusCode::UNAUTHORIZED, None));
    let whole = site.post("/admin/confirm", &token, &format!("proof={}", site.code(&app))).await;
    assert_eq!(whole.status, StatusCode::SEE_OTHER);
    assert!(device(&whole).is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_browser_that_ends_the_others_stays_known() {
    let site = Site::with_people(1).await;
    let token = site.sign_in(Role::Owner).await;
    let path = "/admin/account/second-factor";
    let page = site.get(path, &token).await;
    let secret = page.body.split(r#"<code class="secret">"#).nth(1).unwrap();
    let app = rollcall_testkit::Authenticator::new(secret.split('<').next().unwrap());
    let on = site.post(path, &token, &format!("code={}", site.code(&app))).await;
    let off = site.post("/admin/account/second-factor/off", &token, "").await;
    let ended = site.post("/admin/account/sessions/end-others", &token, "").await;
    let form =
        format!("current_password={PASSWORD}&new_password=n-e-w-one-1&same_password=n-e-w-one-1");
    let changed = site.post("/admin/account/password", &token, &form).await;
    let invited = {
        let link = site.post("/admin/invitations", &token, "role=viewer&life=day").await.body;
        let token = link.split("/admin/invitation/").nth(1).unwrap().split(['"', '<']).next();
        let path = format!("/admin/invitation/{}", token.unwrap());
        let form = "name=new&new_password=n-e-w-one-1&same_password=n-e-w-one-1";
        site.request(&Method::POST, &path, None, form).await
    };
    let link = site.admins.create_link(site::id(site::OWNER)).await.unwrap().unwrap();
    let link = format!("/admin/link/{}", link.as_str());
    let by_link = site.request(&Method::POST, &link, None, "").await;
    for answer in [&on, &off, &ended, &changed, &invited, &by_link] {
        assert!(device(answer).is_some(), "{} {}", answer.status, answer.body);
    }
    let everywhere = site.post("/admin/sign-out-everywhere", &token, "").await;
    assert_eq!(device(&everywhere), None);
}

/// The form of an owner who knows the password.
fn right() -> String {
    format!("name=owner&password={PASSWORD}")
}

/// Signs in from 198.51.100.`n`, with a cookie of a device.
async fn from(site: &Site, n: u8, device: &str, form: &str) -> Answer {
    let (cookie, address) = (format!("rollcall_device={device}"), format!("198.51.100.{n}"));
    let headers = [("cookie", cookie.as_str()), ("x-forwarded-for", address.as_str())];
    site.bare(&Method::POST, "/admin/sign-in", form, &headers).await
}

/// The cookie of a device that is set.
fn device(answer: &Answer) -> Option<String> {
    answer.cookies().into_iter().find(|cookie| cookie.contains("rollcall_device="))
}

/// Its value.
fn value(answer: &Answer) -> String {
    let cookie = device(answer).unwrap();
    cookie.split_once('=').unwrap().1.split(';').next().unwrap().to_owned()
}
