//! The second factor, and proving one's identity again, as a browser sees it.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[allow(dead_code, reason = "not every file of tests needs all of it")]
mod site;

use axum::http::{Method, StatusCode};
use rollcall_admin::{Access, routes};
use rollcall_domain::{AuditAction, Role};
use rollcall_service::AuditFilter;
use rollcall_testkit::Authenticator;

use site::{PASSWORD, Site, encoded};

const STEP: i64 = 30;
const QUARTER_OF_AN_HOUR: i64 = 15 * 60;
const SET_UP: &str = "/admin/account/second-factor";

#[tokio::test(flavor = "multi_thread")]
async fn a_second_factor_is_set_up_with_an_app() {
    let site = Site::with_people(1).await;
    let (token, other) = (site.sign_in(Role::Viewer).await, site.sign_in(Role::Viewer).await);
    let account = site.get("/admin/account", &token).await.body;
    assert!(account.contains("Off") && account.contains(&format!("href=\"{SET_UP}\"")));
    let page = site.get(SET_UP, &token).await.body;
    assert!(page.contains(r#"<svg class="qr""#) && page.contains("QR code"));
    let secret = |page: &str| {
        let secret = page.split(r#"<code class="secret">"#).nth(1).unwrap();
        secret.split('<').next().unwrap().to_owned()
    };
    assert_eq!(secret(&page).split(' ').map(str::len).collect::<Vec<_>>(), [4; 8]);
    let wrong = site.post(SET_UP, &token, "code=000000").await;
    assert_eq!(wrong.status, StatusCode::BAD_REQUEST);
    assert!(wrong.body.contains("The code is wrong."), "{}", wrong.body);
    assert_eq!(secret(&wrong.body), secret(&page), "it need not be scanned again");

    let app = Authenticator::new(&secret(&page));
    let codes = site.post(SET_UP, &token, &format!("code={}", site.code(&app))).await;
    assert_eq!(codes.status, StatusCode::OK);
    assert_eq!(codes.body.matches("<li><code>").count(), 10);
    assert!(codes.body.contains("The second factor is on."));
    let account = site.get("/admin/account", &token).await.body;
    assert!(account.contains("10 recovery codes are left.") && account.contains(">On<"));
    assert_eq!(site.get(SET_UP, &token).await.location(), "/admin/account");
    assert_eq!(site.get("/admin/users", &other).await.status, StatusCode::SEE_OTHER, "it ended");
    let log = site.admins.audit_log(&AuditFilter::all(), None, 1).await.unwrap();
    assert_eq!(log.first().unwrap().action, AuditAction::EnabledSecondFactor);
}

#[tokio::test(flavor = "multi_thread")]
async fn signing_in_takes_both_factors() {
    let site = Site::with_people(3).await;
    let (app, codes) = site.turn_factor_on(&site.sign_in(Role::Owner).await).await;
    site.clock.advance(STEP);
    let half = site.sign_in(Role::Owner).await;
    for route in routes().iter().filter(|route| route.access != Access::Anybody) {
        let path = route.path.replace("{id}", "1").replace("{name}", "viewer");
        let what = format!("{} {path}", route.method);
        let answer = site.request(&route.method, &path, Some(&half), "id=1&sure=1").await;
        match (route.access, &route.method) {
            // What a passkey signs is no page, and there is no passkey.
            (Access::Begun, _) if path.ends_with("/challenge") => {
                assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{what}");
            }
            (Access::Begun, _) => assert!(answer.body.contains("Second factor"), "{what}"),
            (_, &Method::GET) => {
                assert!(answer.location().starts_with("/admin/confirm?next="), "{what}");
            }
            _ => assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{what}"),
        }
        assert!(!answer.body.contains("Person"), "{what} shows people");
    }
    assert_eq!(site.users.get_user_stats().await.unwrap().total_users, 3);

    let wanted = site.get("/admin/users?q=person", &half).await.location();
    let page = site.get(&wanted, &half).await;
    let fields = page.form("/admin/confirm");
    let code = site.code(&app);
    let give = async |token: &str, name: &str, value: &str| {
        site.post("/admin/confirm", token, &encoded(&fields, &[(name, value)])).await
    };
    let empty = give(&half, "proof", " ").await;
    assert_eq!(empty.status, StatusCode::BAD_REQUEST);
    let wrong = give(&half, "proof", "000000").await;
    assert_eq!(wrong.status, StatusCode::UNAUTHORIZED);
    assert!(wrong.body.contains("The code is wrong or was used already."), "{}", wrong.body);
    assert_eq!(wrong.form("/admin/confirm"), fields, "the requested page is kept");
    let right = give(&half, "proof", &code).await;
    assert_eq!(right.location(), "/admin/users?q=person");
    let token = right.token();
    assert_eq!(site.get("/admin/users", &token).await.status, StatusCode::OK);
    assert_eq!(
        site.get("/admin/users", &half).await.location(),
        "/admin/sign-in?next=%2Fadmin%2Fusers"
    );

    let half = site.sign_in(Role::Owner).await;
    assert_eq!(give(&half, "proof", &code).await.status, StatusCode::UNAUTHORIZED, "replayed");
    let by_recovery = give(&half, "proof", "&recovery=").await;
    assert_eq!(by_recovery.status, StatusCode::UNAUTHORIZED);
    let body = encoded(&fields, &[("proof", ""), ("recovery", &codes[0].to_uppercase())]);
    let recovered = site.post("/admin/confirm", &half, &body).await;
    assert_eq!(recovered.location(), "/admin/users?q=person");
    let account = site.get("/admin/account", &recovered.token()).await.body;
    assert!(account.contains("9 recovery codes are left."), "{account}");
}

#[tokio::test(flavor = "multi_thread")]
async fn guessing_codes_is_slowed_down() {
    let site = Site::with_people(1).await;
    let (app, _) = site.turn_factor_on(&site.sign_in(Role::Owner).await).await;
    site.clock.advance(STEP);
    for n in 0..5 {
        let half = site.sign_in(Role::Owner).await;
        let wrong = site.post("/admin/confirm", &half, "proof=000000").await;
        assert_eq!(wrong.status, StatusCode::UNAUTHORIZED, "{n}");
    }
    // A right password does not make the guesses forgotten.
    let half = site.sign_in(Role::Owner).await;
    let right = || format!("proof={}&next=/admin/users", site.code(&app));
    let slowed = site.post("/admin/confirm", &half, &right()).await;
    assert_eq!(slowed.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(slowed.header("retry-after").as_deref(), Some("30"));
    assert!(slowed.body.contains("Try again in 30 seconds."), "{}", slowed.body);
    assert!(slowed.body.contains(r#"name="next" value="/admin/users""#));
    site.clock.advance(30);
    let wrong = site.post("/admin/confirm", &half, "proof=000000").await;
    assert_eq!(wrong.status, StatusCode::UNAUTHORIZED);
    let slowed = site.post("/admin/confirm", &half, &right()).await;
    assert_eq!(slowed.header("retry-after").as_deref(), Some("60"));
    site.clock.advance(60);
    let done = site.post("/admin/confirm", &half, &right()).await;
    assert_eq!(done.location(), "/admin/users");
    let filter = AuditFilter::all().action(AuditAction::SecondFactorFailed);
    let log = site.admins.audit_log(&filter, None, 10).await.unwrap();
    assert_eq!(log.len(), 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_from_the_bot_is_one_factor() {
    let site = Site::with_people(1).await;
    let token = site.sign_in_by_link().await;
    let (app, _) = site.turn_factor_on(&token).await;
    site.clock.advance(STEP);
    let half = site.sign_in_by_link().await;
    assert!(site.get("/admin", &half).await.location().starts_with("/admin/confirm"));
    let right = site.post("/admin/confirm", &half, &format!("proof={}", site.code(&app))).await;
    let page = site.get("/admin/account", &right.token()).await;
    assert!(page.body.contains("telegram:7"), "{}", page.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_it_is_required_nothing_else_can_be_done_first() {
    let site = Site::requiring_second_factor().await;
    for token in [site.sign_in(Role::Owner).await, site.sign_in_by_link().await] {
        for route in routes() {
            let path = route.path.replace("{id}", "1").replace("{name}", "viewer");
            if let Access::Role(_) | Access::Confirmed(_) = route.access {
                let answer = site.request(&route.method, &path, Some(&token), "id=1").await;
                assert_eq!(answer.location(), SET_UP, "{} {path}", route.method);
            }
        }
        let page = site.get(SET_UP, &token).await.body;
        assert!(page.contains("Set one up to continue."));
        site.turn_factor_on(&token).await;
        assert_eq!(site.get("/admin/users", &token).await.status, StatusCode::OK);
        assert!(site.get("/admin/account", &token).await.body.contains("Set it up again"));
        site.post("/admin/account/second-factor/off", &token, "").await;
        assert_eq!(site.get("/admin/users", &token).await.location(), SET_UP);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_factor_is_set_up_and_changed_by_its_owner_only() {
    let site = Site::with_people(1).await;
    let token = site.sign_in(Role::Viewer).await;
    site.clock.advance(QUARTER_OF_AN_HOUR);
    // Somebody at a desk that was left is asked for the password.
    let asked = site.get(SET_UP, &token).await.location();
    assert_eq!(asked, "/admin/confirm?next=%2Fadmin%2Faccount%2Fsecond-factor");
    let page = site.get(&asked, &token).await;
    assert!(page.body.contains("Confirm it’s you") && page.body.contains("Password for viewer"));
    let body = encoded(&page.form("/admin/confirm"), &[("proof", PASSWORD)]);
    assert_eq!(site.post("/admin/confirm", &token, &body).await.location(), SET_UP);
    let (app, codes) = site.turn_factor_on(&token).await;

    // From then on, the password is not enough.
    site.clock.advance(QUARTER_OF_AN_HOUR);
    for path in ["/admin/account/recovery-codes", "/admin/account/second-factor/off"] {
        let asked = site.post(path, &token, "").await;
        assert_eq!(asked.status, StatusCode::UNAUTHORIZED, "{path}");
        assert!(asked.body.contains("Code from your authenticator app"), "{}", asked.body);
        let fields = asked.form("/admin/confirm");
        let wrong = encoded(&fields, &[("proof", PASSWORD)]);
        let wrong = site.post("/admin/confirm", &token, &wrong).await;
        assert_eq!(wrong.status, StatusCode::UNAUTHORIZED);
        assert_eq!(wrong.form("/admin/confirm"), fields);
    }
    let asked = site.post("/admin/account/recovery-codes", &token, "").await;
    let body = encoded(&asked.form("/admin/confirm"), &[("proof", &site.code(&app))]);
    let go_on = site.post("/admin/confirm", &token, &body).await;
    assert!(go_on.body.contains("data-go-on"), "{}", go_on.body);
    let body = encoded(&go_on.form("/admin/account/recovery-codes"), &[]);
    let renewed = site.post("/admin/account/recovery-codes", &token, &body).await;
    assert!(renewed.body.contains("Your previous codes no longer work."));
    assert!(!renewed.body.contains(&codes[0]));
    let off = site.post("/admin/account/second-factor/off", &token, "").await;
    assert_eq!(off.location(), "/admin/account");
    assert!(site.get("/admin/account", &token).await.body.contains(">Off<"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_undone_asks_who_it_is_again() {
    let site = Site::with_people(4).await;
    let token = site.sign_in(Role::Owner).await;
    site.clock.advance(QUARTER_OF_AN_HOUR);
    let sure = |route: &&rollcall_admin::Route| {
        route.access == Access::Confirmed(Role::Owner) && route.method == Method::POST
    };
    let mut asked = Vec::new();
    for route in routes().iter().filter(sure) {
        let path = route.path.replace("{name}", "viewer");
        let sent = "id=1&id=2&note=%26%22%3Cb%3E&form_token=0123";
        let answer = site.post(&path, &token, sent).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{path}");
        assert!(answer.body.contains("Confirm it’s you"), "{path}");
        let fields = answer.form("/admin/confirm");
        let kept: Vec<_> = fields.iter().filter(|(name, _)| name.starts_with("kept.")).collect();
        let kept = kept.iter().map(|(name, value)| format!("{name} {value}")).collect::<Vec<_>>();
        assert_eq!(kept, ["kept.id 1", "kept.id 2", "kept.note &\"<b>"], "{path}");
        assert!(fields.contains(&("action".to_owned(), path.clone())), "{path}");
        let wrong = encoded(&fields, &[("proof", "correct horsf")]);
        let wrong = site.post("/admin/confirm", &token, &wrong).await;
        assert!(wrong.body.contains("The password is wrong."), "{path}");
        assert_eq!(wrong.form("/admin/confirm"), fields, "{path}");
        // Not to be held up by the failures.
        site.clock.advance(3601);
        asked.push(path);
    }
    for expected in ["/admin/delete", "/admin/export", "/admin/admins/viewer/disable"] {
        assert!(asked.contains(&expected.to_owned()), "{expected}");
    }
    let total = site.users.get_user_stats().await.unwrap().total_users;
    assert_eq!(total, 4);
    assert!(site.admins.accounts().await.unwrap().iter().all(|account| !account.is_disabled));
    for action in [AuditAction::DeletedUser, AuditAction::ExportedUsers] {
        let filter = AuditFilter::all().action(action);
        assert_eq!(site.admins.audit_log(&filter, None, 10).await.unwrap(), []);
    }

    let asked = site.post("/admin/delete", &token, "id=1&id=2").await;
    let proof = encoded(&asked.form("/admin/confirm"), &[("proof", PASSWORD)]);
    let go_on = site.post("/admin/confirm", &token, &proof).await;
    assert_eq!(go_on.status, StatusCode::OK);
    assert_eq!(site.users.get_user_stats().await.unwrap().total_users, 4, "not before the form");
    let form = encoded(&go_on.form("/admin/delete"), &[]);
    let done = site.post("/admin/delete", &token, &form).await;
    assert_eq!(done.location(), "/admin/users?deleted=2");
    // For a while, the admin is not asked again.
    site.clock.advance(QUARTER_OF_AN_HOUR - 1);
    let export = site.post("/admin/export", &token, "format=csv").await;
    assert_eq!(export.header("content-type").unwrap(), "text/csv; charset=utf-8");
    site.clock.advance(1);
    assert_eq!(
        site.post("/admin/export", &token, "format=csv").await.status,
        StatusCode::UNAUTHORIZED
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_that_is_too_low_is_not_even_asked() {
    let site = Site::with_people(1).await;
    let token = site.sign_in(Role::Editor).await;
    site.clock.advance(QUARTER_OF_AN_HOUR);
    let refused = site.post("/admin/delete", &token, "id=1").await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_came_by_telegram_confirms_by_another_link() {
    let site = Site::with_people(2).await;
    let token = site.sign_in_by_link().await;
    site.clock.advance(QUARTER_OF_AN_HOUR);
    let asked = site.post("/admin/delete", &token, "id=1").await;
    assert!(asked.body.contains("Link from the bot"), "{}", asked.body);
    let fields = asked.form("/admin/confirm");
    let link = site.admins.create_link(site::id(site::OWNER)).await.unwrap().unwrap();
    let url = format!("http://localhost:8080/admin/link/{}", link.as_str());
    let proof = encoded(&fields, &[("proof", &url)]);
    let go_on = site.post("/admin/confirm", &token, &proof).await;
    assert!(go_on.body.contains("data-go-on"), "{}", go_on.body);
    site.clock.advance(QUARTER_OF_AN_HOUR);
    let again = site.post("/admin/confirm", &token, &proof).await;
    assert_eq!(again.status, StatusCode::UNAUTHORIZED);
    assert!(again.body.contains("This link does not work"), "{}", again.body);
    // Or the link is opened in the browser, and the page that asked goes on with the new session.
    let newer = site.sign_in_by_link().await;
    let go_on = site.post("/admin/confirm", &newer, &encoded(&fields, &[("proof", "")])).await;
    assert!(go_on.body.contains("data-go-on"), "{}", go_on.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn proving_an_identity_leads_nowhere_else() {
    let site = Site::with_people(1).await;
    for body in [
        "next=//evil.example",
        "action=https://evil.example/admin&kept.a=b",
        "action=//evil.example/admin&next=https://evil.example",
        "action=/administrator&kept.a=b",
    ] {
        let token = site.sign_in(Role::Owner).await;
        site.clock.advance(QUARTER_OF_AN_HOUR);
        let body = format!("proof={PASSWORD}&{body}");
        assert_eq!(site.post("/admin/confirm", &token, &body).await.location(), "/admin", "{body}");
    }
    let token = site.sign_in(Role::Owner).await;
    let done = site.get("/admin/confirm?next=//evil.example", &token).await;
    assert_eq!(done.location(), "/admin", "there is nothing to prove now");
}
