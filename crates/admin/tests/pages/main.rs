//! The pages, as a browser gets them, over real databases.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod audience;
mod broadcasts;
mod compose;
mod filters;
mod gate;
mod list;
mod segments;
mod signing_in;
#[allow(dead_code, reason = "not every file of tests needs all of it")]
#[path = "../site/mod.rs"]
mod site;
mod user;
mod variants;

use axum::http::{Method, StatusCode};
use rollcall_admin::{Access, routes};
use rollcall_domain::{
    AuditAction, Chat, ChatKind, Clock, Game, GameKind, GameState, Interaction, InteractionKind,
    LabelKind, Language, Preferences, Profile, Role, Team,
};
use rollcall_service::AuditFilter;

use site::{ADA, Answer, FORM_TOKEN, PASSWORD, Site, encoded, id, names};

#[tokio::test(flavor = "multi_thread")]
async fn owners_who_sign_in_through_telegram_are_named() {
    let site = Site::with_people(1).await;
    let token = site.sign_in_by_link().await;
    let unknown = site.get("/admin/admins", &token).await.body;
    assert!(unknown.contains("<summary><bdi>telegram:7</bdi></summary>"), "{unknown}");
    let profile = Profile::new(id(site::OWNER), "<Grace>").last_name("Hopper");
    site.users.get_or_create_user(&profile).await.unwrap();
    site.post("/admin/users/1/note", &token, "note=x").await;
    let name = "<bdi>&#60;Grace&#62; Hopper</bdi>";
    for path in ["/admin/admins", "/admin/audit", "/admin/users/1"] {
        let page = site.get(path, &token).await;
        assert!(page.body.contains(&format!("<summary>{name}</summary>")), "{path}");
        assert!(page.main().contains(name), "{path}: {}", page.main());
    }
    let admins = site.get("/admin/admins", &token).await.main();
    let row = admins.split(name).nth(1).unwrap().split("</tr>").next().unwrap();
    for part in ["owner", "2026-11-23 12:00", "you"] {
        assert!(row.contains(part), "{part}: {row}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn error_pages_keep_the_navigation_and_name_what_was_not_found() {
    let site = Site::with_people(1).await;
    let token = site.sign_in(Role::Owner).await;
    for (path, text) in [
        ("/admin/users/999", "There is no user with the id 999."),
        ("/admin/users/ada", "“ada” is not a Telegram id"),
        ("/admin/delete?id=999", "There is no user with the id 999."),
        ("/admin/admins/grace", "There is no account “grace”."),
        ("/admin/nothing", "This page doesn’t exist: /admin/nothing"),
    ] {
        let page = site.get(path, &token).await;
        assert_eq!(page.status, StatusCode::NOT_FOUND, "{path}");
        assert!(page.body.contains(text), "{path}: {}", page.body);
        assert!(page.body.contains("<nav aria-label=\"Pages\">"), "{path}");
        assert!(page.body.contains("<summary><bdi>owner</bdi></summary>"), "{path}");
        assert!(page.body.contains(site::FORM_TOKEN), "{path}: signing out needs the token");
    }
    // Others learn neither of the pages nor of the users.
    let stranger = site.request(&Method::GET, "/admin/nothing", None, "").await;
    assert_eq!(stranger.status, StatusCode::NOT_FOUND);
    assert!(!stranger.body.contains("<nav"), "{}", stranger.body);
    let viewer = site.sign_in(Role::Viewer).await;
    let refused = site.get("/admin/audit", &viewer).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert!(refused.body.contains("<nav") && !refused.body.contains("href=\"/admin/audit\""));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_theme_is_in_the_page_that_the_server_sends() {
    let site = Site::with_people(1).await;
    let token = site.sign_in(Role::Viewer).await;
    let form = "theme=dark&next=%2Fadmin%2Fusers%3Fq%3Dx";
    let chosen = site.post("/admin/theme", &token, form).await;
    assert_eq!(chosen.location(), "/admin/users?q=x");
    assert!(chosen.cookies()[0].starts_with("rollcall_theme=dark; "), "{:?}", chosen.cookies());
    let style = async |theme: &str| {
        let cookie = format!("rollcall_session={token}; rollcall_theme={theme}");
        let page = site.bare(&Method::GET, "/admin/users", "", &[("cookie", &cookie)]).await.body;
        let link = page.split("<link rel=\"stylesheet\" href=\"").nth(1).unwrap();
        let link = link.split('"').next().unwrap().to_owned();
        let is_pressed = page.contains(&format!("value=\"{theme}\" aria-pressed=\"true\""));
        (site.get(&link, &token).await.body, is_pressed)
    };
    let (dark, is_dark) = style("dark").await;
    assert!(dark.contains("color-scheme: dark;") && is_dark);
    let (light, is_light) = style("light").await;
    assert!(light.contains("color-scheme: light;") && is_light);
    let (auto, is_known) = style("pink").await;
    assert!(auto.contains("prefers-color-scheme: dark") && !is_known);
    let auto = site.post("/admin/theme", &token, "theme=auto").await;
    assert!(auto.cookies()[0].contains("Max-Age=0"), "{:?}", auto.cookies());
    let odd = site.post("/admin/theme", &token, "theme=pink").await;
    assert_eq!(odd.status, StatusCode::BAD_REQUEST);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_audit_log_is_searched_and_read_page_by_page() {
    let site = Site::with_people(2).await;
    let token = site.sign_in(Role::Owner).await;
    for _ in 0..60 {
        site.get("/admin/users/1", &token).await;
    }
    site.get("/admin/users/2", &token).await;
    let rows = |answer: &Answer| answer.body.matches(r#"<td class="when">"#).count();
    let first = site.get("/admin/audit?about=1&by=owner&action=viewed_user", &token).await;
    let second = site.get(&first.link("next").unwrap(), &token).await;
    assert_eq!((rows(&first), rows(&second), second.link("next")), (50, 10, None));
    assert!(
        second.links().contains(&"/admin/audit?about=1&by=owner&action=viewed_user".to_owned())
    );
    let odd = site.get("/admin/audit?about=ada", &token).await;
    assert_eq!(rows(&odd), 0);
    assert!(odd.body.contains("Enter a Telegram id"));
}

#[tokio::test(flavor = "multi_thread")]
async fn owners_disable_others_but_not_themselves() {
    let site = Site::with_people(0).await;
    let (owner, viewer) = (site.sign_in(Role::Owner).await, site.sign_in(Role::Viewer).await);
    let post = async |path: &str| site.request(&Method::POST, path, Some(&owner), "").await;
    assert_eq!(post("/admin/admins/viewer/disable").await.location(), "/admin/admins");
    assert_eq!(site.get("/admin/users", &viewer).await.status, StatusCode::SEE_OTHER);
    let list = site.get("/admin/admins", &owner).await.body;
    assert!(list.contains("/admin/admins/viewer/enable") && list.contains("Disabled"));
    post("/admin/admins/viewer/enable").await;
    let viewer = site.sign_in(Role::Viewer).await;
    assert_eq!(post("/admin/admins/viewer/sign-out").await.location(), "/admin/admins");
    assert_eq!(site.get("/admin/users", &viewer).await.status, StatusCode::SEE_OTHER);
    let filter = AuditFilter::all().action(AuditAction::SignedOutEverywhere);
    let log = site.admins.audit_log(&filter, None, 10).await.unwrap();
    let entry = (log[0].admin.as_ref().unwrap().to_string(), log[0].new.clone().unwrap());
    assert_eq!(entry, ("owner".to_owned(), "viewer".to_owned()));
    let own = post("/admin/admins/OWNER/disable").await;
    assert_eq!(own.status, StatusCode::BAD_REQUEST);
    assert!(own.body.contains("You cannot disable your own account."));
    assert_eq!(post("/admin/admins/nobody/disable").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_owners_account_stays() {
    let site = Site::with_people(0).await;
    let link = site.admins.create_link(id(site::OWNER)).await.unwrap().unwrap();
    let path = format!("/admin/link/{}", link.as_str());
    let telegram = site.request(&Method::POST, &path, None, "").await.token();
    let disable = "/admin/admins/owner/disable";
    let refused = site.request(&Method::POST, disable, Some(&telegram), "").await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    assert!(refused.body.contains("the last enabled owner"), "{}", refused.body);
    site.sign_in(Role::Owner).await;
    let second = "second".parse().unwrap();
    site.admins.create_account(&second, PASSWORD, Role::Owner, None).await.unwrap();
    let done = site.request(&Method::POST, disable, Some(&telegram), "").await;
    assert_eq!(done.location(), "/admin/admins");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_page_says_what_to_do_next() {
    let site = Site::with_people(0).await;
    let token = site.sign_in(Role::Owner).await;
    let page = site.get("/admin/users", &token).await;
    assert!(page.body.contains("No users yet"));
    insta::assert_snapshot!(page.main());
}

/// How many bytes a page may have with everything that it needs, compressed.
const LARGEST_PAGE_BYTES: usize = 60 * 1024;

#[tokio::test(flavor = "multi_thread")]
async fn a_page_is_small() {
    let site = Site::with_people(60).await;
    for n in 1..=60 {
        let long = Profile::new(id(10_000 + n), &format!("{n:03} {}", "\u{1f3d2}Ж".repeat(100)));
        let long = long.last_name(&"猫".repeat(250)).username(&format!("goalie_{n}"));
        site.users.get_or_create_user(&long.language_code("pt-br")).await.unwrap();
    }
    // A whole year in the heat map.
    site.clock.advance(400 * 86_400);
    site.users.update_user_last_seen(id(1)).await.unwrap();
    let token = site.sign_in(Role::Owner).await;
    for path in ["/admin/users", "/admin/users/1", "/admin/users/10001", "/admin/audit"] {
        let page = site.get(path, &token).await;
        let files = page.body.split('"').filter(|it| it.starts_with("/admin/assets/"));
        let mut bytes = 0;
        for path in files.chain([path]) {
            let gzip = [("accept-encoding", "gzip")];
            let answer = site.request_with(&Method::GET, path, Some(&token), "", &gzip).await;
            assert_eq!(answer.header("content-encoding").as_deref(), Some("gzip"), "{path}");
            bytes += answer.bytes;
        }
        assert!(bytes < LARGEST_PAGE_BYTES, "{path} has {bytes} bytes");
        println!("{path}: {bytes} bytes");
    }
}
