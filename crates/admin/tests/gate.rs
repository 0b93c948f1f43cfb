//! Which requests reach the admin at all, and what of it each role sees.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[allow(dead_code, reason = "not every file of tests needs all of it")]
mod site;

use axum::{
    body::to_bytes,
    http::{Method, StatusCode},
};
use rollcall_admin::{Settings, routes};
use rollcall_domain::{AuditAction, Profile, Role};
use rollcall_service::AuditFilter;
use rollcall_testkit::ThrowAwayDatabase;

use site::{FORM_TOKEN, Site, id};

#[tokio::test(flavor = "multi_thread")]
async fn a_name_of_another_website_reaches_no_route() {
    let site = Site::with_people(1).await;
    let token = site.sign_in(Role::Owner).await;
    for route in routes() {
        let path = route.path.replace("{id}", "1").replace("{name}", "viewer");
        let headers = [("host", "rebound.evil.example:8080")];
        let answer = site.request_with(&route.method, &path, Some(&token), "id=1", &headers).await;
        let what = format!("{} {path}", route.method);
        assert_eq!(answer.status, StatusCode::MISDIRECTED_REQUEST, "{what}");
        assert!(!answer.body.contains("Person"), "{what}");
    }
    assert_eq!(site.users.get_user_stats().await.unwrap().total_users, 1);
    for host in ["127.0.0.1:8080", "[::1]", "LOCALHOST"] {
        let headers = [("host", host)];
        let answer =
            site.request_with(&Method::GET, "/admin/users", Some(&token), "", &headers).await;
        assert_eq!(answer.status, StatusCode::OK, "{host}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_allowed_networks_see_anything() {
    let settings = Settings {
        trusted_proxies: vec!["127.0.0.1/32".parse().unwrap()],
        allowed_networks: vec!["10.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()],
        ..Settings::default()
    };
    let site = Site::with(ThrowAwayDatabase::sqlite(), settings).await;
    for (client, status) in [
        ("10.1.2.3", StatusCode::OK),
        ("fd00::1", StatusCode::OK),
        ("::ffff:10.1.2.3", StatusCode::OK),
        ("192.0.2.1", StatusCode::FORBIDDEN),
        ("2001:db8::1", StatusCode::FORBIDDEN),
        ("127.0.0.1", StatusCode::FORBIDDEN),
    ] {
        let headers = [("x-forwarded-for", client)];
        let answer = site.bare(&Method::GET, "/admin/sign-in", "", &headers).await;
        assert_eq!(answer.status, status, "{client}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_asks_too_often_waits_alone() {
    let site = Site::with_people(0).await;
    let ask = async |client| {
        let headers = [("x-forwarded-for", client)];
        site.bare(&Method::GET, "/admin/sign-in", "", &headers).await
    };
    let mut refused = None;
    for _ in 0..5000 {
        let answer = ask("192.0.2.1").await;
        if answer.status == StatusCode::TOO_MANY_REQUESTS {
            refused = Some(answer);
            break;
        }
    }
    assert_eq!(refused.unwrap().header("retry-after").unwrap(), "1");
    assert_eq!(ask("192.0.2.2").await.status, StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread")]
async fn browsers_that_came_by_https_stay_with_it() {
    for (origin, expected) in [
        (Some("https://bot.example.org"), Some("max-age=31536000")),
        (Some("http://bot.example.org"), None),
        (None, None),
    ] {
        let site = Site::at("", origin).await;
        let answer = site.bare(&Method::GET, "/admin/sign-in", "", &[]).await;
        assert_eq!(answer.header("strict-transport-security").as_deref(), expected, "{origin:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn viewers_do_not_see_who_did_what_nor_removed_notes() {
    let site = Site::with_people(1).await;
    let editor = site.sign_in(Role::Editor).await;
    site.post("/admin/users/1/note", &editor, "note=owes+us+a+beer").await;
    site.post("/admin/users/1/note", &editor, "note=").await;
    let seen = site.get("/admin/users/1", &editor).await.body;
    assert!(seen.contains("Audit log") && seen.contains("owes us a beer"));
    let viewer = site.sign_in(Role::Viewer).await;
    let seen = site.get("/admin/users/1", &viewer).await;
    assert_eq!(seen.status, StatusCode::OK);
    for hidden in ["Audit log", "owes us a beer", "Changed a note", "editor"] {
        assert!(!seen.body.contains(hidden), "{hidden}");
    }
}

/// What the audit log says of an action, the latest first.
async fn logged(site: &Site, action: AuditAction) -> Vec<String> {
    let entries = site.admins.audit_log(&AuditFilter::all().action(action), None, 10).await;
    entries.unwrap().into_iter().map(|entry| entry.new.unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_audit_log_says_how_many_users_went_and_how_they_were_chosen() {
    let site = Site::with_people(3).await;
    let bot = Profile::new(id(1000), "Robot").is_bot(true);
    site.users.get_or_create_user(&bot).await.unwrap();
    let token = site.sign_in(Role::Owner).await;
    site.post("/admin/delete", &token, "id=1").await;
    let asked = site.get("/admin/delete?filter=person+-bot&all=1", &token).await;
    site.post("/admin/delete", &token, &format!("{}&sure=1", asked.hidden())).await;
    assert_eq!(
        logged(&site, AuditAction::DeletedUsers).await,
        ["2 users: name:\"…\" -bot", "1 user: selected"]
    );
    let file = site.post("/admin/export", &token, "format=csv&filter=bot").await;
    assert!(file.body.contains("Robot"));
    // The end of a download is written once its last byte has been taken.
    let entries = loop {
        let entries = logged(&site, AuditAction::ExportedUsers).await;
        if entries.len() == 2 {
            break entries;
        }
        tokio::task::yield_now().await;
    };
    assert_eq!(entries, ["csv: bot; complete, 1 user", "csv: bot"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_exports_are_sent_at_once_and_no_more() {
    let site = Site::with_people(2).await;
    let token = site.sign_in(Role::Owner).await;
    let cookie = format!("rollcall_form={FORM_TOKEN}; rollcall_session={token}");
    let export = async || {
        let headers = [("cookie", cookie.as_str())];
        site.response(&Method::POST, "/admin/export", "format=csv", &headers).await
    };
    let (first, second) = (export().await, export().await);
    assert_eq!((first.status(), second.status()), (StatusCode::OK, StatusCode::OK));
    let third = export().await;
    assert_eq!(third.status(), StatusCode::SERVICE_UNAVAILABLE);
    let page = to_bytes(third.into_body(), 1 << 20).await.unwrap();
    assert!(String::from_utf8_lossy(&page).contains("Two other exports are being downloaded."));
    // One that is cancelled makes room, and so does one that is complete.
    drop(first);
    let third = export().await;
    assert_eq!(third.status(), StatusCode::OK);
    to_bytes(third.into_body(), 1 << 20).await.unwrap();
    assert_eq!(export().await.status(), StatusCode::OK);
    drop(second);
}
