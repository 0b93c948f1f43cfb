//! Accounts, sessions and invitations, as a browser sees them.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[allow(dead_code, reason = "not every file of tests needs all of it")]
mod site;

use axum::http::{Method, StatusCode};
use rollcall_domain::{AuditAction, Role};
use rollcall_service::AuditFilter;

use site::{Answer, PASSWORD, Site, encoded};

const NEW: &str = "battery+staple";
const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;
const CHROME: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like \
                      Gecko) Chrome/143.0.0.0 Safari/537.36";

#[tokio::test(flavor = "multi_thread")]
async fn an_admin_changes_their_password() {
    let site = Site::with_people(0).await;
    let (token, other) = (site.sign_in(Role::Viewer).await, site.sign_in(Role::Viewer).await);
    let page = site.get("/admin/account/password", &token).await;
    assert!(page.body.contains("Change your password"));
    let change = async |form: &str| site.post("/admin/account/password", &token, form).await;
    let form = |current: &str, new: &str, same: &str| {
        format!("current_password={current}&new_password={new}&same_password={same}")
    };
    for (form, status, trouble) in [
        ("", StatusCode::BAD_REQUEST, "Fill in all fields."),
        (&*form(PASSWORD, NEW, "other"), StatusCode::BAD_REQUEST, "do not match."),
        (&form(PASSWORD, "short", "short"), StatusCode::BAD_REQUEST, "The password is too short;"),
        (&form("wrong", NEW, NEW), StatusCode::UNAUTHORIZED, "The current password is wrong."),
    ] {
        let refused = change(form).await;
        assert_eq!(refused.status, status, "{form}");
        assert!(refused.body.contains(trouble), "{form}: {}", refused.body);
        for typed in [PASSWORD, NEW, "short\""] {
            assert!(!refused.body.contains(typed), "what was typed is not repeated");
        }
    }
    assert_eq!(change(&form(PASSWORD, NEW, NEW)).await.location(), "/admin/account");
    assert_eq!(site.get("/admin/account", &token).await.status, StatusCode::OK, "it stays");
    assert_eq!(site.get("/admin/account", &other).await.status, StatusCode::SEE_OTHER, "it ended");
    let sign_in = async |password: &str| {
        let form = format!("name=viewer&password={password}");
        site.request(&Method::POST, "/admin/sign-in", None, &form).await.status
    };
    assert_eq!(sign_in(PASSWORD).await, StatusCode::UNAUTHORIZED);
    assert_eq!(sign_in(NEW).await, StatusCode::SEE_OTHER);
    let log = log(&site, AuditAction::ChangedPassword).await;
    assert_eq!(log, ["viewer: - > viewer"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_current_passwords_are_slowed_down_as_signing_in_is() {
    let site = Site::with_people(0).await;
    let token = site.sign_in(Role::Viewer).await;
    let form = format!("current_password=guess&new_password={NEW}&same_password={NEW}");
    for n in 0..5 {
        let wrong = site.post("/admin/account/password", &token, &form).await;
        assert_eq!(wrong.status, StatusCode::UNAUTHORIZED, "{n}");
    }
    let slowed = site.post("/admin/account/password", &token, &form).await;
    assert_eq!(slowed.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(slowed.header("retry-after").as_deref(), Some("30"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_never_stands_in_a_page() {
    let site = Site::with_people(0).await;
    let token = site.sign_in(Role::Viewer).await;
    site.clock.advance(HOUR);
    let form = format!("current_password={PASSWORD}&new_password={NEW}&same_password={NEW}");
    let asked = site.post("/admin/account/password", &token, &form).await;
    assert!(asked.body.contains("Confirm it’s you"));
    for secret in [PASSWORD, "battery staple"] {
        assert!(!asked.body.contains(secret), "{}", asked.body);
    }
    let proof = encoded(&asked.form("/admin/confirm"), &[("proof", PASSWORD)]);
    let go_on = site.post("/admin/confirm", &token, &proof).await;
    let form = encoded(&go_on.form("/admin/account/password"), &[]);
    let again = site.post("/admin/account/password", &token, &form).await;
    assert!(again.body.contains("Fill in all fields."), "{}", again.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_came_by_telegram_has_no_password() {
    let site = Site::with_people(0).await;
    let token = site.sign_in_by_link().await;
    assert!(!site.get("/admin/account", &token).await.body.contains("/account/password"));
    let page = site.get("/admin/account/password", &token).await;
    assert_eq!(page.status, StatusCode::NOT_FOUND);
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_are_listed_by_device_and_ended() {
    let site = Site::with_people(0).await;
    let token = site.sign_in(Role::Viewer).await;
    let sign_in = async |agent: &str, address: &str| {
        let form = format!("name=viewer&password={PASSWORD}");
        let headers = [("user-agent", agent), ("x-forwarded-for", address)];
        let post = Method::POST;
        let answer = site.request_with(&post, "/admin/sign-in", None, &form, &headers).await;
        site.clock.advance(60);
        answer.token()
    };
    let chrome = sign_in(CHROME, "198.51.100.7").await;
    let odd = sign_in("<script>alert(1)</script>", "2001:db8::1").await;
    let others = site.sign_in(Role::Editor).await;
    let page = site.get("/admin/account", &token).await;
    let listed = sessions(&page);
    assert_eq!(listed.len(), 3, "{listed:?}");
    let of = |part: &str| listed.iter().find(|it| it.contains(part)).unwrap();
    assert!(of("198.51.100.7").contains("<strong>Chrome on Windows</strong>"));
    assert!(of("2001:db8::1").contains("<strong>Unknown device</strong>"));
    assert!(
        of("this session").contains("2026-11-23 12:00") && !of("this session").contains("<button")
    );

    let end = async |id: &str, by: &str| {
        site.post("/admin/account/sessions/end", by, &format!("id={id}")).await
    };
    let id = |part: &str| {
        let id = of(part).split(r#"name="id" value=""#).nth(1).unwrap();
        id.split('"').next().unwrap().to_owned()
    };
    // Somebody else's session is none of theirs, whatever they send.
    end(&id("198.51.100.7"), &others).await;
    assert_eq!(site.get("/admin/users", &chrome).await.status, StatusCode::OK);
    assert_eq!(end(&id("198.51.100.7"), &token).await.location(), "/admin/account");
    assert_eq!(site.get("/admin/users", &chrome).await.status, StatusCode::SEE_OTHER);
    assert_eq!(end("x", &token).await.status, StatusCode::NOT_FOUND);
    assert_eq!(end(&"0".repeat(64), &token).await.location(), "/admin/account");
    assert_eq!(log(&site, AuditAction::EndedSession).await, ["viewer: - > Chrome on Windows"]);

    let done = site.post("/admin/account/sessions/end-others", &token, "").await;
    assert_eq!(done.location(), "/admin/account");
    assert_eq!(site.get("/admin/users", &odd).await.status, StatusCode::SEE_OTHER);
    assert_eq!(site.get("/admin/users", &others).await.status, StatusCode::OK);
    assert_eq!(sessions(&site.get("/admin/account", &token).await).len(), 1);
    assert_eq!(log(&site, AuditAction::EndedOtherSessions).await, ["viewer: - > -"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_waits_for_the_second_factor_is_seen() {
    let site = Site::with_people(0).await;
    let token = site.sign_in(Role::Owner).await;
    site.turn_factor_on(&token).await;
    site.sign_in(Role::Owner).await;
    let page = site.get("/admin/account", &token).await;
    let waiting = sessions(&page).iter().filter(|it| it.contains("waiting for")).count();
    assert_eq!(waiting, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invited_admin_creates_an_account() {
    let site = Site::with_people(1).await;
    let owner = site.sign_in(Role::Owner).await;
    let link = invite(&site, &owner, "role=editor&life=day").await;
    assert!(link.starts_with("http://localhost:8080/admin/invitation/"), "{link}");
    let path = link.strip_prefix("http://localhost:8080").unwrap();
    let list = site.get("/admin/admins", &owner).await.body;
    assert!(list.contains("invited by owner") && !list.contains(path.rsplit('/').next().unwrap()));

    for _ in 0..2 {
        let page = site.request(&Method::GET, path, None, "").await;
        assert_eq!(page.status, StatusCode::OK, "looking at it does not use it up");
        assert!(page.body.contains("with the role editor"), "{}", page.body);
    }
    let accept = async |name: &str, password: &str, same: &str| {
        let form = format!("name={name}&new_password={password}&same_password={same}");
        site.request(&Method::POST, path, None, &form).await
    };
    for (name, password, same, trouble) in [
        ("grace hopper", NEW, NEW, "Not a name for an account;"),
        ("grace", NEW, "other", "do not match."),
        ("grace", "short", "short", "The password is too short;"),
        ("Owner", NEW, NEW, "The account owner already exists."),
    ] {
        let refused = accept(name, password, same).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{trouble}");
        assert!(refused.body.contains(trouble), "{trouble}: {}", refused.body);
        assert!(refused.body.contains(&format!(r#"value="{name}""#)), "the name is kept");
    }
    let accepted = accept("Grace", NEW, NEW).await;
    assert_eq!((accepted.status, accepted.location().as_str()), (StatusCode::SEE_OTHER, "/admin"));
    let grace = accepted.token();
    assert!(site.get("/admin/account", &grace).await.body.contains("grace, editor"));
    assert_eq!(site.get("/admin/audit", &grace).await.status, StatusCode::FORBIDDEN);

    let again = accept("emmy", NEW, NEW).await;
    assert_eq!(again.status, StatusCode::NOT_FOUND);
    assert!(again.body.contains("This invitation no longer works"), "{}", again.body);
    let accounts = site.admins.accounts().await.unwrap();
    assert_eq!(accounts.len(), 4);
    assert_eq!(log(&site, AuditAction::InvitedAdmin).await, ["owner: - > editor"]);
    let accepted = log(&site, AuditAction::AcceptedInvitation).await;
    assert_eq!(accepted, ["grace: - > editor, invited by owner"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invitation_lasts_as_long_as_it_says_and_its_owner_may() {
    let site = Site::with_people(0).await;
    let owner = site.sign_in(Role::Owner).await;
    let telegram = site.sign_in_by_link().await;
    let day = invite(&site, &owner, "role=viewer&life=day").await;
    let week = invite(&site, &owner, "role=viewer&life=week").await;
    site.clock.advance(1);
    let theirs = invite(&site, &telegram, "role=viewer&life=week").await;
    let works = async |link: &str| {
        let path = link.strip_prefix("http://localhost:8080").unwrap();
        site.request(&Method::GET, path, None, "").await.status == StatusCode::OK
    };
    site.clock.advance(DAY - 2);
    assert!(works(&day).await);
    site.clock.advance(1);
    assert!(!works(&day).await && works(&week).await);
    let owner = site.sign_in(Role::Owner).await;
    let list = site.get("/admin/admins", &owner).await;
    assert_eq!(sessions(&list).len(), 2, "what has expired is not listed");
    let form = encoded(&list.form("/admin/invitations/withdraw"), &[]);
    assert_eq!(
        site.post("/admin/invitations/withdraw", &owner, &form).await.location(),
        "/admin/admins"
    );
    assert!(works(&week).await && !works(&theirs).await, "the newest one was withdrawn");
    let withdrew = log(&site, AuditAction::WithdrewInvitation).await;
    assert_eq!(withdrew, ["owner: - > viewer, invited by telegram:7"]);
    let name = "second".parse().unwrap();
    site.admins.create_account(&name, PASSWORD, Role::Owner, None).await.unwrap();
    site.admins.disable(&"owner".parse().unwrap(), None).await.unwrap();
    assert!(!works(&week).await, "who invited may not any more");
    for odd in ["role=boss&life=day", "role=viewer&life=year"] {
        let telegram = site.sign_in_by_link().await;
        let refused = site.post("/admin/invitations", &telegram, odd).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{odd}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn behind_a_proxy_an_invitation_has_the_address_that_people_see() {
    let site = Site::at("/rollcall", Some("https://example.org")).await;
    site.make_accounts().await;
    let form = format!("name=owner&password={PASSWORD}");
    let path = "/rollcall/admin/sign-in";
    let token = site.request(&Method::POST, path, None, &form).await.token();
    let form = "role=viewer&life=day";
    let page = site.post("/rollcall/admin/invitations", &token, form).await;
    let link = page.body.split(r#"<code class="secret">"#).nth(1).unwrap();
    assert!(link.starts_with("https://example.org/rollcall/admin/invitation/"), "{link}");
}

#[tokio::test(flavor = "multi_thread")]
async fn owners_change_roles_reset_factors_and_remove_accounts() {
    let site = Site::with_people(0).await;
    let owner = site.sign_in(Role::Owner).await;
    let viewer = site.sign_in(Role::Viewer).await;
    let page = site.get("/admin/admins/viewer", &owner).await.body;
    assert!(
        page.contains(r#"<option value="viewer" selected>"#) && page.contains("Remove account")
    );
    assert!(!page.contains("Reset second factor"));
    let post = async |path: &str, form: &str| {
        site.post(&format!("/admin/admins/{path}"), &owner, form).await
    };
    assert_eq!(post("viewer/role", "role=owner").await.location(), "/admin/admins");
    assert_eq!(site.get("/admin/audit", &viewer).await.status, StatusCode::OK, "at once");
    assert_eq!(post("viewer/role", "role=editor").await.location(), "/admin/admins");
    assert_eq!(site.get("/admin/audit", &viewer).await.status, StatusCode::FORBIDDEN);
    assert_eq!(post("viewer/role", "role=boss").await.status, StatusCode::BAD_REQUEST);
    let changed = log(&site, AuditAction::ChangedRole).await;
    let expected =
        ["owner: viewer (owner) > viewer (editor)", "owner: viewer (viewer) > viewer (owner)"];
    assert_eq!(changed, expected);

    site.turn_factor_on(&viewer).await;
    assert!(site.get("/admin/admins/viewer", &owner).await.body.contains("Reset second factor"));
    assert_eq!(post("viewer/reset-second-factor", "").await.location(), "/admin/admins");
    assert_eq!(site.get("/admin/users", &viewer).await.status, StatusCode::SEE_OTHER, "it ended");
    assert_eq!(log(&site, AuditAction::ResetSecondFactor).await, ["owner: - > viewer"]);

    let unsure = post("viewer/remove", "").await;
    assert_eq!(unsure.status, StatusCode::BAD_REQUEST);
    let viewer = site.sign_in(Role::Viewer).await;
    assert_eq!(post("viewer/remove", "sure=1").await.location(), "/admin/admins");
    assert_eq!(site.get("/admin/users", &viewer).await.status, StatusCode::SEE_OTHER);
    assert!(!site.get("/admin/admins", &owner).await.body.contains("/admin/admins/viewer"));
    assert_eq!(log(&site, AuditAction::RemovedAdmin).await, ["owner: viewer (editor) > -"]);

    for (own, form, reason) in [
        ("owner/role", "role=viewer", "You cannot change your own role."),
        ("OWNER/remove", "sure=1", "You cannot remove your own account."),
        ("owner/disable", "", "You cannot disable your own account."),
        ("owner/reset-second-factor", "", "Turn off your own second factor"),
    ] {
        let refused = post(own, form).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{own}");
        assert!(refused.body.contains(reason), "{own}: {}", refused.body);
    }
    // The last owner stays for those who are owners by Telegram, too.
    let telegram = site.sign_in_by_link().await;
    for (path, form) in [("owner/role", "role=viewer"), ("owner/remove", "sure=1")] {
        let refused = site.post(&format!("/admin/admins/{path}"), &telegram, form).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{path}");
        assert!(refused.body.contains("the last enabled owner"), "{path}: {}", refused.body);
    }
    for unknown in ["nobody/role", "nobody/remove"] {
        let missing = post(unknown, "role=viewer&sure=1").await;
        assert_eq!(missing.status, StatusCode::NOT_FOUND, "{unknown}");
    }
    let missing = site.get("/admin/admins/nobody", &owner).await;
    assert_eq!(missing.status, StatusCode::NOT_FOUND);
}

/// Creates an invitation; returns its link.
async fn invite(site: &Site, token: &str, form: &str) -> String {
    let page = site.post("/admin/invitations", token, form).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.body);
    let link = page.body.split(r#"<code class="secret">"#).nth(1).unwrap();
    link.split('<').next().unwrap().to_owned()
}

/// The items of the page's list of sessions or invitations.
fn sessions(page: &Answer) -> Vec<String> {
    let Some(list) = page.body.split(r#"<ul class="history sessions">"#).nth(1) else {
        return vec![];
    };
    let items = list.split("</ul>").next().unwrap().split("<li>").skip(1);
    items.map(str::to_owned).collect()
}

/// Who did something, and the values before and after, the newest first.
async fn log(site: &Site, action: AuditAction) -> Vec<String> {
    let entries =
        site.admins.audit_log(&AuditFilter::all().action(action), None, 10).await.unwrap();
    let text = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    let line = |entry: rollcall_domain::AuditEntry| {
        let by = text(entry.admin.map(|admin| admin.to_string()));
        format!("{by}: {} > {}", text(entry.old), text(entry.new))
    };
    entries.into_iter().map(line).collect()
}
