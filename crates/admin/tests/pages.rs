//! The pages, as a browser gets them, over real databases.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[allow(dead_code, reason = "not every file of tests needs all of it")]
mod site;

use axum::http::{Method, StatusCode};
use rollcall_admin::{Access, routes};
use rollcall_domain::{
    AuditAction, Chat, ChatKind, Clock, Game, GameKind, GameState, Interaction, InteractionKind,
    Language, Preferences, Profile, Role, Team,
};
use rollcall_service::AuditFilter;

use site::{ADA, Answer, FORM_TOKEN, PASSWORD, Site, encoded, id, names};

/// What each part of a path in braces becomes.
fn filled(path: &str) -> String {
    path.replace("{id}", "1815").replace("{token}", "x").replace("{name}", "viewer")
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_requires_a_session() {
    let site = Site::with_people(3).await;
    for route in routes() {
        let answer = site.request(&route.method, &filled(route.path), None, "").await;
        let what = format!("{} {}", route.method, route.path);
        match (route.access, route.method) {
            (Access::Anybody, _) => assert_ne!(answer.status, StatusCode::FORBIDDEN, "{what}"),
            (_, Method::GET) => {
                assert_eq!(answer.status, StatusCode::SEE_OTHER, "{what}");
                assert!(answer.location().starts_with("/admin/sign-in?next="), "{what}");
                let head = site.request(&Method::HEAD, &filled(route.path), None, "").await;
                assert_eq!(head.status, StatusCode::SEE_OTHER, "HEAD {what}");
            }
            (_, _) => assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{what}"),
        }
        assert!(!answer.body.contains("Person"), "{what} shows users");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_role_gets_what_the_table_says() {
    for role in Role::ALL {
        for route in routes() {
            let site = Site::with_people(3).await;
            let token = site.sign_in(role).await;
            let body = if route.path.ends_with("note") { "note=x" } else { "id=1" };
            let answer = site.request(&route.method, &filled(route.path), Some(&token), body).await;
            let what = format!("{role}: {} {}", route.method, route.path);
            let is_allowed = match route.access {
                Access::Anybody | Access::Begun | Access::Setup => true,
                Access::Role(needed) | Access::Confirmed(needed) => role >= needed,
            };
            assert_eq!(answer.status == StatusCode::FORBIDDEN, !is_allowed, "{what}");
            assert!(!answer.status.is_server_error(), "{what}: {}", answer.status);
            if !is_allowed {
                assert!(answer.body.contains("You are not allowed to do this"), "{what}");
                assert_eq!(site.users.get_user_stats().await.unwrap().total_users, 3, "{what}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_session_is_none() {
    let site = Site::with_people(3).await;
    let token = site.sign_in(Role::Owner).await;
    assert_eq!(site.get("/admin/users", &token).await.status, StatusCode::OK);
    site.clock.advance(12 * 3600);
    for route in routes().iter().filter(|route| route.access != Access::Anybody) {
        let answer = site.request(&route.method, &filled(route.path), Some(&token), "id=1").await;
        let refused = [StatusCode::SEE_OTHER, StatusCode::UNAUTHORIZED];
        assert!(refused.contains(&answer.status), "{} {}", route.method, route.path);
    }
    assert_eq!(site.users.get_user_stats().await.unwrap().total_users, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn forms_of_other_sites_change_nothing() {
    let site = Site::with_people(3).await;
    let token = site.sign_in(Role::Owner).await;
    let forged: [&[(&str, &str)]; 5] = [
        &[("origin", "https://evil.example")],
        &[("origin", "null")],
        &[("sec-fetch-site", "cross-site")],
        &[("sec-fetch-site", "same-site"), ("origin", "http://other.localhost:8080")],
        &[("origin", "http://localhost:8080.evil.example")],
    ];
    for route in routes().iter().filter(|route| route.method != Method::GET) {
        for headers in forged {
            let answer = site
                .request_with(&route.method, &filled(route.path), Some(&token), "id=1", headers)
                .await;
            let what = format!("{} {headers:?}", route.path);
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{what}");
            assert!(answer.header("set-cookie").is_none(), "{what}");
        }
    }
    assert_eq!(site.users.get_user_stats().await.unwrap().total_users, 3);
    assert_eq!(site.get("/admin/users", &token).await.status, StatusCode::OK);

    let ours: [&[(&str, &str)]; 3] = [
        &[("sec-fetch-site", "same-origin"), ("origin", "null")],
        &[("origin", "http://localhost:8080")],
        &[],
    ];
    for headers in ours {
        let path = "/admin/users/1/note";
        let answer = site.request_with(&Method::POST, path, Some(&token), "note=x", headers).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{headers:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn where_a_browser_does_not_say_forms_carry_a_token() {
    let site = Site::with_people(1).await;
    let token = site.sign_in(Role::Owner).await;
    // As over http to another machine, with no-referrer.
    let untold = [("origin", "null")];
    let post = async |path: &str, body: &str| {
        site.request_with(&Method::POST, path, Some(&token), body, &untold).await.status
    };
    let note = "/admin/users/1/note";
    assert_eq!(post(note, &format!("note=x&form_token={FORM_TOKEN}")).await, StatusCode::SEE_OTHER);
    for body in ["note=x", "note=x&form_token=", "note=x&form_token=0123"] {
        assert_eq!(post(note, body).await, StatusCode::FORBIDDEN, "{body}");
    }
    let long = format!("note={}&form_token={FORM_TOKEN}", "x".repeat(70_000));
    assert_eq!(post(note, &long).await, StatusCode::PAYLOAD_TOO_LARGE);
    let sign_in = format!("name=owner&password={PASSWORD}&form_token={FORM_TOKEN}");
    assert_eq!(post("/admin/sign-in", &sign_in).await, StatusCode::SEE_OTHER);
    // A token without its cookie, or under another's origin, vouches for nothing.
    for headers in [
        [("origin", "null"), ("cookie", "rollcall_form=")],
        [("origin", "https://evil.example"), ("x", "")],
        [("origin", "null"), ("sec-fetch-site", "cross-site")],
    ] {
        let body = format!("note=x&form_token={FORM_TOKEN}");
        let answer = site.bare(&Method::POST, note, &body, &headers).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{headers:?}");
    }
    let new = site.bare(&Method::GET, "/admin/sign-in", "", &[]).await;
    let cookie = new.header("set-cookie").unwrap();
    assert!(cookie.starts_with("rollcall_form=") && cookie.contains("HttpOnly; SameSite=Strict"));
    assert!(new.body.contains(&format!(r#"name="form_token" value="{}""#, new.token())));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_form_that_is_posted_carries_the_token() {
    let site = Site::with_people(2).await;
    let token = site.sign_in(Role::Owner).await;
    let mut forms = 0;
    for path in [
        "/admin/sign-in",
        "/admin/link/x",
        "/admin/users",
        "/admin/users/1",
        "/admin/delete?id=1",
        "/admin/delete?all=1",
        "/admin/audit",
        "/admin/admins",
        "/admin/admins/viewer",
        "/admin/account",
        "/admin/account/password",
        "/admin/account/second-factor",
    ] {
        let page = site.get(path, &token).await.body;
        for form in page.split(r#"<form method="post""#).skip(1) {
            let form = form.split("</form>").next().unwrap();
            let field = format!(r#"name="form_token" value="{FORM_TOKEN}""#);
            assert!(form.contains(&field), "{path}: {form}");
            forms += 1;
        }
    }
    assert!(forms > 12, "{forms}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_changes_on_get() {
    let site = Site::with_people(3).await;
    let token = site.sign_in(Role::Owner).await;
    for route in routes() {
        assert!([Method::GET, Method::POST].contains(&route.method));
        if route.method == Method::POST
            && !routes().iter().any(|it| it.path == route.path && it.method == Method::GET)
        {
            let answer = site.get(&filled(route.path), &token).await;
            assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED, "{}", route.path);
        }
    }
    site.get("/admin/delete?id=1&id=2", &token).await;
    assert_eq!(site.users.get_user_stats().await.unwrap().total_users, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_has_the_headers() {
    let site = Site::with_people(1).await;
    let token = site.sign_in(Role::Owner).await;
    for path in ["/admin/users", "/admin/sign-in", "/admin/nowhere", "/admin/users/99", "/admin"] {
        let answer = site.get(path, &token).await;
        let policy = answer.header("content-security-policy").unwrap();
        assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{path}");
        assert!(policy.contains("frame-ancestors 'none'"), "{path}");
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("cache-control", "no-store"),
            ("referrer-policy", "no-referrer"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
        ] {
            assert_eq!(answer.header(name).as_deref(), Some(value), "{path}");
        }
        assert!(answer.header("permissions-policy").is_some());
        assert!(!answer.body.contains("<style") && !answer.body.contains(" style="), "{path}");
        assert!(!answer.body.contains("onclick") && !answer.body.contains("<script>"), "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_is_below_the_prefix() {
    let site = Site::at("/rollcall", Some("https://example.org")).await;
    site.make_accounts().await;
    site.users.get_or_create_user(&Profile::new(id(1), "Ada")).await.unwrap();
    let post = Method::POST;
    let form = format!("name=owner&password={PASSWORD}");
    let token = site.request(&post, "/rollcall/admin/sign-in", None, &form).await.token();
    for page in [
        "users",
        "users/1",
        "delete?id=1",
        "delete?all=1",
        "audit",
        "admins",
        "admins/viewer",
        "account",
        "account/password",
        "account/second-factor",
        "sign-in",
    ] {
        let page = site.get(&format!("/rollcall/admin/{page}"), &token).await;
        assert_eq!(page.status, StatusCode::OK);
        let places = ["href=\"", "action=\"", "src=\""].map(|it| page.body.split(it).skip(1));
        for place in places.into_iter().flatten() {
            let is_ours = ["/rollcall/admin", "#", "data:"].iter().any(|it| place.starts_with(it));
            assert!(is_ours, "{}", place.split('"').next().unwrap());
        }
    }
    let outside = site.request(&Method::GET, "/admin/users", Some(&token), "").await;
    assert_eq!(outside.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_form_that_does_not_come_is_not_waited_for() {
    let site = Site::with_people(1).await;
    let answer = site.answer_to_silence("/admin/sign-in");
    // The router waits for half a minute; so does the test, but by a clock that it moves.
    tokio::time::pause();
    let answer = answer.await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(answer.header("content-security-policy").is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn files_are_kept_for_ever_under_names_of_their_own() {
    let site = Site::with_people(1).await;
    let page = site.request(&Method::GET, "/admin/sign-in", None, "").await.body;
    for (kind, end) in [("text/css", ".css"), ("text/javascript", ".js")] {
        let path = page.split('"').find(|it| it.starts_with("/admin/assets/") && it.ends_with(end));
        let answer = site.request(&Method::GET, path.unwrap(), None, "").await;
        assert_eq!(answer.status, StatusCode::OK);
        assert!(answer.header("content-type").unwrap().starts_with(kind));
        assert!(answer.header("cache-control").unwrap().contains("immutable"));
    }
    let answer = site.request(&Method::GET, "/admin/assets/admin.0.css", None, "").await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
}

#[tokio::test(flavor = "multi_thread")]
async fn over_https_cookies_are_the_hosts_own() {
    let cookie = async |prefix: &str, origin: Option<&str>| {
        let site = Site::at(prefix, origin).await;
        site.make_accounts().await;
        let path = format!("{prefix}/admin/sign-in");
        let form = format!("name=owner&password={PASSWORD}");
        let answer = site.request(&Method::POST, &path, None, &form).await;
        assert_eq!(answer.location(), format!("{prefix}/admin"));
        let cookie = answer.header("set-cookie").unwrap();
        let (name, rest) = cookie.split_once('=').unwrap();
        format!("{name} {}", rest.split_once("; ").unwrap().1)
    };
    assert_eq!(cookie("", None).await, "rollcall_session Path=/; HttpOnly; SameSite=Strict");
    let https = Some("https://bot.example.org");
    assert_eq!(
        cookie("", https).await,
        "__Host-rollcall_session Path=/; HttpOnly; SameSite=Strict; Secure"
    );
    assert_eq!(
        cookie("/rollcall", https).await,
        "rollcall_session Path=/rollcall; HttpOnly; SameSite=Strict; Secure"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn signing_in_leads_to_the_requested_page() {
    let site = Site::with_people(3).await;
    let wanted = site.request(&Method::GET, "/admin/users?q=%D0%96&reach=blocked", None, "").await;
    let page = site.request(&Method::GET, &wanted.location(), None, "").await;
    assert!(page.body.contains(r#"name="next" value="/admin/users?q=%D0%96&#38;reach=blocked""#));

    let form = |password: &str, next: &str| format!("name=owner&password={password}&next={next}");
    let sign_in = "/admin/sign-in";
    let wrong = site.request(&Method::POST, sign_in, None, &form("wrong", "/admin/audit")).await;
    assert_eq!(wrong.status, StatusCode::UNAUTHORIZED);
    assert!(wrong.body.contains("The name or password is wrong."));
    assert!(wrong.body.contains(r#"value="/admin/audit""#), "the wanted page is kept");
    assert!(!wrong.body.contains("wrong\""), "the password is not");

    let right = site.request(&Method::POST, sign_in, None, &form(PASSWORD, "/admin/audit")).await;
    assert_eq!((right.status, right.location().as_str()), (StatusCode::SEE_OTHER, "/admin/audit"));
    let elsewhere = form(PASSWORD, "//evil.example/admin");
    let right = site.request(&Method::POST, sign_in, None, &elsewhere).await;
    assert_eq!(right.location(), "/admin");
}

#[tokio::test(flavor = "multi_thread")]
async fn guessing_is_slowed_down_by_account_and_address() {
    let site = Site::with_people(1).await;
    let guess = async |name: &str, address: &str| {
        let form = format!("name={name}&password=guess");
        let headers = [("x-forwarded-for", address)];
        let post = Method::POST;
        site.request_with(&post, "/admin/sign-in", None, &form, &headers).await
    };
    for _ in 0..5 {
        assert_eq!(guess("owner", "198.51.100.1").await.status, StatusCode::UNAUTHORIZED);
    }
    let slowed = guess("owner", "198.51.100.1").await;
    assert_eq!(slowed.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(slowed.header("retry-after").as_deref(), Some("30"));
    assert!(slowed.body.contains("Try again in 30 seconds."));
    assert_eq!(guess("owner", "198.51.100.2").await.status, StatusCode::UNAUTHORIZED);
    let (there, not) = (guess("viewer", "198.51.100.3").await, guess("no", "198.51.100.3").await);
    assert_eq!(
        there.body.replace("viewer", "no"),
        not.body,
        "it does not reveal which accounts exist"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_from_the_bot_is_used_up_by_its_button_only() {
    let site = Site::with_people(1).await;
    let link = site.admins.create_link(id(site::OWNER)).await.unwrap().unwrap();
    let path = format!("/admin/link/{}", link.as_str());
    for _ in 0..2 {
        let page = site.request(&Method::GET, &path, None, "").await;
        assert_eq!(page.status, StatusCode::OK);
        assert!(page.body.contains(&format!(r#"method="post" action="{path}""#)));
    }
    let signed_in = site.request(&Method::POST, &path, None, "").await;
    assert_eq!(signed_in.location(), "/admin");
    let token = signed_in.token();
    assert!(site.get("/admin/users", &token).await.body.contains("telegram:7"));
    let again = site.request(&Method::POST, &path, None, "").await;
    assert_eq!(again.status, StatusCode::UNAUTHORIZED);
    assert!(again.body.contains("This link no longer works"));
}

#[tokio::test(flavor = "multi_thread")]
async fn signing_out_ends_the_session_and_everywhere_all_of_them() {
    let site = Site::with_people(1).await;
    let tokens = [site.sign_in(Role::Viewer).await, site.sign_in(Role::Viewer).await];
    let out = site.request(&Method::POST, "/admin/sign-out", Some(&tokens[0]), "").await;
    assert_eq!(out.location(), "/admin/sign-in");
    assert!(out.header("set-cookie").unwrap().contains("Max-Age=0"));
    assert_eq!(site.get("/admin/users", &tokens[0]).await.status, StatusCode::SEE_OTHER);
    assert_eq!(site.get("/admin/users", &tokens[1]).await.status, StatusCode::OK);
    site.request(&Method::POST, "/admin/sign-out-everywhere", Some(&tokens[1]), "").await;
    assert_eq!(site.get("/admin/users", &tokens[1]).await.status, StatusCode::SEE_OTHER);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_on_another_site_finds_the_session() {
    let site = Site::with_people(1).await;
    let headers = [("sec-fetch-site", "cross-site")];
    let path = "/admin/users?q=a&reach=blocked";
    let answer = site.request_with(&Method::GET, path, None, "", &headers).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert!(answer.body.contains(r#"content="0;url=/admin/users?q=a&#38;reach=blocked""#));
}

#[tokio::test(flavor = "multi_thread")]
async fn names_are_text_and_nothing_else() {
    let site = Site::with_people(0).await;
    let evil = r#"<script>alert(1)</script>"#;
    let profile = Profile::new(id(66), evil).last_name("\"'><img src=x onerror=alert(2)>\u{202e}x");
    site.users.get_or_create_user(&profile.language_code("<b>")).await.unwrap();
    let token = site.sign_in(Role::Owner).await;
    let note = "note=%3C%2Ftextarea%3E%3Cscript%3Ealert(3)%3C%2Fscript%3E";
    site.request(&Method::POST, "/admin/users/66/note", Some(&token), note).await;
    for path in [
        "/admin/users",
        "/admin/users?q=%22%3E%3Cscript%3Ealert(4)%3C/script%3E",
        "/admin/users?language=%22%3E%3Cscript%3E&source=%3Cscript%3E",
        "/admin/users/66",
        "/admin/confirm?next=%22%3E%3Cscript%3E",
        "/admin/delete?id=66",
        "/admin/audit",
        "/admin/audit?by=%22%3E%3Cscript%3E&about=%3Cscript%3E",
        "/admin/sign-in?next=%22%3E%3Cscript%3E",
    ] {
        let body = site.get(path, &token).await.body;
        assert!(!body.contains("<script>") && !body.contains("<img"), "{path}");
        assert_eq!(body.matches("</textarea>").count(), body.matches("<textarea").count());
    }
    let page = site.get("/admin/users/66", &token).await.body;
    assert!(page.contains("<h1><bdi>&#60;script&#62;alert(1)&#60;/script&#62;"));
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_lead_forwards_and_back() {
    let site = Site::with_people(120).await;
    let token = site.sign_in(Role::Viewer).await;
    for list in ["/admin/users", "/admin/users?sort=id", "/admin/users?sort=-active_days"] {
        let first = site.get(list, &token).await;
        let second = site.get(&first.link("next").unwrap(), &token).await;
        let third = site.get(&second.link("next").unwrap(), &token).await;
        let sizes = [&first, &second, &third].map(|page| names(page).len());
        assert_eq!(sizes, [50, 50, 20], "{list}");
        assert_eq!((first.link("prev"), third.link("next")), (None, None));
        let back = site.get(&third.link("prev").unwrap(), &token).await;
        assert_eq!(names(&back), names(&second));
        let back = site.get(&back.link("prev").unwrap(), &token).await;
        assert_eq!(names(&back), names(&first));
        assert!(first.body.contains("120 users in total"));
    }
}

/// More users than a page reads. The first and the last one cannot be reached.
#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_looked_at_enough_says_where_it_goes_on() {
    const ALL: i64 = 5_700;
    let site = Site::with_people(0).await;
    let at = site.clock.now();
    let person = |n| {
        let profile = Profile::new(id(n), &format!("Person {n}"));
        let chat = (n != 1 && n != ALL).then_some(Chat { id: n, kind: ChatKind::Private });
        Interaction { chat, ..Interaction::new(at, profile, InteractionKind::Text) }
    };
    let people = (1..=ALL).map(person);
    site.users.register(&people.collect::<Vec<_>>()).await.unwrap();
    let token = site.sign_in(Role::Viewer).await;
    let further = |page: &Answer| {
        let link = page.body.split("data-further href=\"").nth(1)?;
        Some(link.split('"').next().unwrap().replace("&#38;", "&"))
    };
    let list = async |path: &str| site.get(path, &token).await;
    let first = list("/admin/users?reach=unreachable&sort=-id").await;
    assert_eq!(names(&first), ["Person 5700"]);
    let second = list(&further(&first).unwrap()).await;
    assert_eq!((names(&second), further(&second)), (vec!["Person 1".to_owned()], None));
    // The way back is as far.
    let back = list(&second.link("prev").unwrap()).await;
    assert!(back.body.contains("No matches so far."));
    assert_eq!(names(&list(&further(&back).unwrap()).await), ["Person 5700"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn users_are_downloaded_as_a_file() {
    let site = Site::with_people(1200).await;
    let bot = Profile::new(id(7777), "=1+1").is_bot(true);
    site.users.get_or_create_user(&bot).await.unwrap();
    let token = site.sign_in(Role::Owner).await;
    let all = download(&site, &token, "format=csv").await;
    assert_eq!(all.header("content-type").unwrap(), "text/csv; charset=utf-8");
    let name = "attachment; filename=\"users-2026-11-23.csv\"";
    assert_eq!(all.header("content-disposition").unwrap(), name);
    let lines: Vec<_> = all.body.lines().collect();
    assert_eq!(lines.len(), 1 + 1200 + 1);
    assert!(lines[0].starts_with("telegram_id,first_name,"), "{}", lines[0]);
    assert!(lines[1200].starts_with("1200,Person 1200,"), "{}", lines[1200]);
    assert!(lines[1201].starts_with("7777,'=1+1,"), "{}", lines[1201]);

    let for_excel = download(&site, &token, "format=csv-excel").await;
    assert_eq!(for_excel.header("content-type").unwrap(), "text/csv; charset=utf-8");
    assert_eq!(for_excel.header("content-disposition").unwrap(), name);
    assert_eq!(for_excel.body, format!("\u{feff}{}", all.body));

    let some = download(&site, &token, "format=jsonl&bot=yes&q=").await;
    assert!(some.body.contains(r#""telegram_id":7777,"first_name":"=1+1","#), "{}", some.body);
    assert_eq!(some.body.lines().count(), 1);

    for odd in ["", "format=xml"] {
        let refused = download(&site, &token, odd).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{odd}");
    }
    let filter = AuditFilter::all().action(AuditAction::ExportedUsers);
    let log = site.admins.audit_log(&filter, None, 10).await.unwrap();
    let begun = log.iter().map(|entry| entry.new.as_deref().unwrap());
    // The ends of downloads are added beside, a moment later.
    let begun: Vec<_> = begun.filter(|what| !what.contains(';')).collect();
    assert_eq!(begun, ["jsonl: bot", "csv: all users", "csv: all users"]);
}

async fn download(site: &Site, token: &str, form: &str) -> Answer {
    site.request(&Method::POST, "/admin/export", Some(token), form).await
}

#[tokio::test(flavor = "multi_thread")]
async fn filters_live_in_the_url_and_in_the_form() {
    let site = Site::with_people(3).await;
    let bot = Profile::new(id(77), "Robot").is_bot(true).language_code("de");
    site.users.get_or_create_user(&bot).await.unwrap();
    site.index_names().await;
    let token = site.sign_in(Role::Viewer).await;
    let page =
        site.get("/admin/users?q=rob&language=de&bot=yes&first=7d&min_days=1&x=y", &token).await;
    assert_eq!(names(&page), ["Robot"]);
    assert!(page.body.contains("1 user found") && page.body.contains("(4 set)"));
    for shown in [
        r#"name="q" value="rob""#,
        r#"<option value="de" selected>"#,
        r#"<option value="yes" selected>Bots"#,
        r#"<option value="7d" selected>Last 7 days"#,
        r#"name="min_days" min="0" value="1""#,
    ] {
        assert!(page.body.contains(shown), "{shown}");
    }
    let sorted = page.links().into_iter().find(|it| it.contains("sort=-active_days")).unwrap();
    assert_eq!(
        sorted,
        "/admin/users?q=rob&language=de&first=7d&min_days=1&bot=yes&sort=-active_days"
    );
    let none = site.get("/admin/users?q=zzz", &token).await;
    assert!(none.body.contains("No users match.") && none.body.contains("no users found"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_calendar_leads_to_a_day() {
    let site = Site::with_people(3).await;
    let token = site.sign_in(Role::Viewer).await;
    let mut page = site.get("/admin/users?bot=no", &token).await;
    for (first, last) in
        [("2026-01-01", "2026-12-31"), ("2026-11-01", "2026-11-30"), ("2026-11-23", "2026-11-23")]
    {
        let url = format!("/admin/users?first_from={first}&first_to={last}&bot=no");
        assert!(page.links().contains(&url), "{url}");
        page = site.get(&url, &token).await;
        assert_eq!(names(&page).len(), 3);
    }
    assert!(page.body.contains(r#"<li aria-current="true"><b>23</b></li>"#));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_write_sees_no_forms() {
    let site = Site::with_people(1).await;
    for (role, note, delete) in
        [(Role::Viewer, false, false), (Role::Editor, true, false), (Role::Owner, true, true)]
    {
        let token = site.sign_in(role).await;
        let page = site.get("/admin/users/1", &token).await.body;
        assert_eq!(page.contains("<textarea"), note, "{role}");
        assert_eq!(page.contains("/admin/delete?id=1"), delete, "{role}");
        let list = site.get("/admin/users", &token).await.body;
        assert_eq!(list.contains("type=\"checkbox\""), delete, "{role}");
        assert_eq!(list.contains("/admin/audit"), delete, "{role}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_note_is_written_changed_and_taken_away_with_a_trace() {
    let site = Site::with_people(1).await;
    let token = site.sign_in(Role::Editor).await;
    let write = async |note: &str| {
        let form = format!("note={note}");
        site.request(&Method::POST, "/admin/users/1/note", Some(&token), &form).await
    };
    assert_eq!(write("likes+hockey").await.location(), "/admin/users/1?noted#note");
    let page = site.get("/admin/users/1?noted", &token).await.body;
    assert!(page.contains("likes hockey</textarea>") && page.contains("Saved."));
    write("likes+hockey").await;
    write("").await;
    let filter = AuditFilter::all().action(AuditAction::ChangedNote);
    let log = site.admins.audit_log(&filter, None, 10).await.unwrap();
    let changes: Vec<_> = log.iter().map(|it| (it.old.as_deref(), it.new.as_deref())).collect();
    let note = Some("likes hockey");
    assert_eq!(changes, [(note, None), (None, note)], "what did not change leaves no trace");
    let long = write(&"x".repeat(10_001)).await;
    assert_eq!(long.status, StatusCode::BAD_REQUEST);
    assert!(long.body.contains("The note is too long"));
    assert_eq!(write(&"x".repeat(70_000)).await.status, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test(flavor = "multi_thread")]
async fn preferences_are_shown_and_changed_with_a_trace() {
    let site = Site::with_people(1).await;
    store_teams(&site).await;
    let token = site.sign_in(Role::Editor).await;
    let send = async |form: &str| {
        site.request(&Method::POST, "/admin/users/1/preferences", Some(&token), form).await
    };
    let choose = async |form: &str| {
        let hidden = site.get("/admin/users/1", &token).await.hidden();
        send(&format!("{hidden}&{form}")).await
    };
    let chosen = async || site.preferences.preferences(id(1)).await.unwrap();
    let form = "language=de&zone=America/Toronto&team=10&team=6";
    assert_eq!(choose(form).await.location(), "/admin/users/1?chosen#preferences");
    let everything = chosen().await;
    assert_eq!(everything.language, Some(Language::German));
    assert_eq!(everything.time_zone.unwrap().name(), "America/Toronto");
    assert_eq!(everything.favourite_teams, [6, 10].into());

    let page = site.get("/admin/users/1?chosen", &token).await.body;
    for shown in [
        r#"<option value="de" selected>German</option>"#,
        "<option selected>America/Toronto</option>",
        r#"name="team" value="6" checked> Boston Bruins"#,
        r#"name="team" value="8"> Montréal Canadiens"#,
        "Saved.",
        "From Telegram; UTC; No teams",
        "German; America/Toronto; Boston Bruins, Toronto Maple Leafs",
    ] {
        assert!(page.contains(shown), "{shown}: {page}");
    }
    let viewer = site.sign_in(Role::Viewer).await;
    let page = site.get("/admin/users/1", &viewer).await.body;
    assert!(page.contains("<dd>America/Toronto</dd>") && !page.contains("/preferences\""));

    choose(form).await;
    choose("language=&zone=").await;
    assert_eq!(chosen().await, Preferences::default());
    let log = changes(&site).await;
    let (nothing, all) = (
        "From Telegram; UTC; No teams",
        "German; America/Toronto; Boston Bruins, Toronto Maple Leafs",
    );
    let change = |old: &str, new: &str| (old.to_owned(), new.to_owned());
    assert_eq!(
        log,
        [change(all, nothing), change(nothing, all)],
        "what did not change leaves no trace"
    );

    // The person is faster.
    let hidden = site.get("/admin/users/1", &token).await.hidden();
    site.preferences.set_language(id(1), Some(Language::Russian)).await.unwrap();
    let late = send(&format!("{hidden}&{form}")).await;
    assert_eq!(late.status, StatusCode::BAD_REQUEST);
    assert!(late.body.contains("These preferences were changed"), "{}", late.body);
    let theirs = Preferences { language: Some(Language::Russian), ..Preferences::default() };
    assert_eq!(chosen().await, theirs);
    assert_eq!(changes(&site).await.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn preferences_that_make_no_sense_change_nothing() {
    let site = Site::with_people(1).await;
    store_teams(&site).await;
    let token = site.sign_in(Role::Owner).await;
    for (form, trouble) in [
        ("language=de&zone=Europe/Atlantis", "There is no such time zone"),
        ("language=de&zone=europe/berlin", "There is no such time zone"),
        ("language=fr&zone=Europe/Berlin", "The bot does not speak this language"),
        ("language=de&zone=Europe/Berlin&team=6&team=99", "There is no such team"),
        ("language=de&zone=Europe/Berlin&team=Boston", "There is no such team"),
        ("language=de&team=6", "A field is missing"),
        ("", "A field is missing"),
        ("language=de&zone=Europe/Berlin", "These preferences were changed"),
    ] {
        let path = "/admin/users/1/preferences";
        let answer = site.request(&Method::POST, path, Some(&token), form).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{form}");
        assert!(answer.body.contains(trouble), "{form}: {}", answer.body);
        let chosen = site.preferences.preferences(id(1)).await.unwrap();
        assert_eq!(chosen, Preferences::default(), "{form}");
    }
    let form = "language=de&zone=Europe/Berlin";
    let none = "/admin/users/2/preferences";
    let answer = site.request(&Method::POST, none, Some(&token), form).await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    assert_eq!(changes(&site).await, []);
}

/// The old and the new preferences of each change, the latest first.
async fn changes(site: &Site) -> Vec<(String, String)> {
    let filter = AuditFilter::all().action(AuditAction::ChangedPreferences).about(id(1));
    let log = site.admins.audit_log(&filter, None, 10).await.unwrap();
    log.into_iter().map(|it| (it.old.unwrap(), it.new.unwrap())).collect()
}

/// Stores games, and so the teams that play them.
async fn store_teams(site: &Site) {
    let team =
        |id, name: &str| Team { id, abbreviation: name[..3].to_owned(), name: name.to_owned() };
    let [boston, montreal, toronto] =
        [team(6, "Boston Bruins"), team(8, "Montréal Canadiens"), team(10, "Toronto Maple Leafs")];
    let game = |id, away: &Team, home: &Team| Game {
        id,
        season: 20_262_027,
        kind: GameKind::Regular,
        day: site.clock.now().date_naive(),
        starts_at: site.clock.now(),
        is_time_open: false,
        away: away.clone(),
        home: home.clone(),
        venue: String::new(),
        venue_zone: None,
        state: GameState::Future,
        score: None,
    };
    // A team is one of the season where it has a game at home.
    let games =
        [game(1, &boston, &montreal), game(2, &montreal, &toronto), game(3, &toronto, &boston)];
    site.schedule.store(&games).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn who_looks_at_a_person_leaves_a_trace() {
    let site = Site::with_people(1).await;
    let token = site.sign_in(Role::Viewer).await;
    assert_eq!(site.get("/admin/users/1", &token).await.status, StatusCode::OK);
    assert_eq!(site.get("/admin/users/2", &token).await.status, StatusCode::NOT_FOUND);
    assert_eq!(site.get("/admin/users/x", &token).await.status, StatusCode::NOT_FOUND);
    let filter = AuditFilter::all().action(AuditAction::ViewedUser);
    let log = site.admins.audit_log(&filter, None, 10).await.unwrap();
    assert_eq!(log.len(), 1);
    assert_eq!(
        (log[0].about, log[0].admin.as_ref().unwrap().to_string()),
        (Some(id(1)), "viewer".to_owned())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_after_a_save_is_no_view() {
    let site = Site::with_people(2).await;
    let token = site.sign_in(Role::Editor).await;
    let views = async || {
        let filter = AuditFilter::all().action(AuditAction::ViewedUser);
        site.admins.audit_log(&filter, None, 100).await.unwrap().len()
    };
    let save = async |path: &str, form: &str| {
        let saved = site.post(path, &token, form).await;
        assert_eq!(saved.status, StatusCode::SEE_OTHER, "{}", saved.body);
        let page = site.get(&saved.location(), &token).await.body;
        assert!(page.contains("Saved."));
        saved.location()
    };
    // A save that changes nothing hides no view.
    save("/admin/users/1/note", "note=").await;
    assert_eq!(views().await, 1);
    let page = save("/admin/users/1/note", "note=hockey").await;
    save("/admin/users/1/note", "note=hockey").await;
    let form = "language=de&zone=&was=From+Telegram%3B+UTC%3B+No+teams";
    save("/admin/users/1/preferences", form).await;
    assert_eq!(views().await, 1);
    // Neither another user nor the same page, opened once more, follows a save.
    site.get(&page, &token).await;
    site.get("/admin/users/2?noted", &token).await;
    assert_eq!(views().await, 3);
}

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
async fn empty_fields_leave_the_url() {
    let site = Site::with_people(1).await;
    let token = site.sign_in(Role::Owner).await;
    for (asked, shown) in [
        ("/admin/users?q=&language=&sort=-id&reach=", "/admin/users?sort=-id"),
        ("/admin/users?q=+&deleted=2", "/admin/users?deleted=2"),
        ("/admin/audit?about=&by=&action=", "/admin/audit"),
        ("/admin/users/1?q=&noted", "/admin/users/1?noted"),
        ("/admin?since=&until=", "/admin"),
    ] {
        let answer = site.get(asked, &token).await;
        assert_eq!((answer.status, answer.location()), (StatusCode::SEE_OTHER, shown.to_owned()));
        assert_eq!(site.get(shown, &token).await.status, StatusCode::OK, "{shown}");
    }
    // The address of another host is no page of ours.
    let other = site.get("//example.org/admin?q=", &token).await;
    assert_eq!((other.status, other.location()), (StatusCode::NOT_FOUND, String::new()));
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
async fn the_page_of_a_user_leads_back_to_its_place_in_the_list() {
    let site = Site::with_people(60).await;
    let token = site.sign_in(Role::Owner).await;
    for list in ["/admin/users", "/admin/users?q=person&sort=id", "/admin/users?sort=-active_days"]
    {
        let first = site.get(list, &token).await;
        let second_url = first.link("next").unwrap();
        let second = site.get(&second_url, &token).await;
        let people = |page: &Answer| -> Vec<String> {
            let links = page.links();
            links.into_iter().filter(|link| link.starts_with("/admin/users/")).collect()
        };
        let (before, here) = (people(&first), people(&second));
        let page = site.get(&here[0], &token).await;
        assert!(page.links().contains(&second_url), "{list}: {:?}", page.links());
        // Its neighbours are those of the list, also beyond the page.
        let path = |url: String| url.split('?').next().unwrap().to_owned();
        assert_eq!(page.link("prev").map(path), before.last().cloned().map(path), "{list}");
        assert_eq!(page.link("next").map(path), Some(path(here[1].clone())), "{list}");
        let top = site.get(&before[0], &token).await;
        assert_eq!(top.link("prev"), None, "{list}");
        // A save and a deletion keep the list, too.
        let query = second_url.split_once('?').unwrap().1;
        let user = path(here[0].clone());
        let saved = site.post(&format!("{user}/note?{query}"), &token, "note=x").await;
        assert_eq!(saved.location(), format!("{user}?{query}&noted#note"));
        let delete = page.links().into_iter().find(|link| link.contains("/delete?")).unwrap();
        let question = site.get(&delete, &token).await;
        assert!(question.links().contains(&format!("{user}?{query}")), "{:?}", question.links());
        let form = encoded(&question.form("/admin/delete"), &[]);
        let deleted = site.post("/admin/delete", &token, &form).await;
        assert_eq!(deleted.location(), format!("{second_url}&deleted=1"));
        assert!(site.get(&deleted.location(), &token).await.body.contains("Deleted 1 user."));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ticked_users_are_exported_and_deleted_and_nothing_without_a_tick() {
    let site = Site::with_people(5).await;
    let token = site.sign_in(Role::Owner).await;
    let list = site.get("/admin/users?q=person&sort=id", &token).await;
    let fields = list.form("/admin/delete/selected");
    let send = async |path: &str, more: &[(&str, &str)]| {
        site.post(path, &token, &encoded(&fields, more)).await
    };
    let two = [("id", "4"), ("id", "2"), ("id", "4"), ("id", "99"), ("format", "jsonl")];
    let file = send("/admin/export", &two).await;
    let lines: Vec<&str> = file.body.lines().collect();
    assert_eq!(lines.len(), 2, "{}", file.body);
    assert!(lines[0].contains("Person 2") && lines[1].contains("Person 4"));
    let excel = send("/admin/export", &[("id", "3"), ("format", "csv-excel")]).await.body;
    assert!(excel.starts_with('\u{feff}') && excel.lines().count() == 2, "{excel}");
    let all = send("/admin/export", &[("id", "3"), ("all", "1"), ("format", "jsonl")]).await;
    assert_eq!(all.body.lines().count(), 5);
    for (path, format) in [("/admin/export", "jsonl"), ("/admin/delete/selected", "")] {
        let nothing = send(path, &[("format", format)][..usize::from(!format.is_empty())]).await;
        assert_eq!(nothing.status, StatusCode::BAD_REQUEST, "{path}");
        assert!(nothing.body.contains("No users selected."), "{path}");
    }
    let many: Vec<String> = (1..=501).map(|n| n.to_string()).collect();
    let many: Vec<(&str, &str)> = many.iter().map(|id| ("id", id.as_str())).collect();
    assert!(send("/admin/delete/selected", &many).await.body.contains("Too many users selected"));
    let question = send("/admin/delete/selected", &[("id", "5"), ("id", "1")]).await;
    assert!(question.body.contains("Delete 2 users?"), "{}", question.body);
    assert!(question.links().contains(&"/admin/users?q=person&sort=id".to_owned()));
    let form = encoded(&question.form("/admin/delete"), &[]);
    let deleted = site.post("/admin/delete", &token, &form).await;
    assert_eq!(deleted.location(), "/admin/users?q=person&sort=id&deleted=2");
    assert_eq!(names(&site.get("/admin/users?sort=id", &token).await).len(), 3);
    let exports = AuditFilter::all().action(AuditAction::ExportedUsers);
    let log = site.admins.audit_log(&exports, None, 10).await.unwrap();
    let what: Vec<&str> = log.iter().filter_map(|it| it.new.as_deref()).collect();
    assert!(
        what.contains(&"jsonl: selected") && what.contains(&"jsonl: selected; complete, 2 users"),
        "{what:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn times_are_relative_with_the_exact_one_in_reach() {
    let site = Site::with_people(1).await;
    site.clock.advance(3 * 3600);
    let token = site.sign_in(Role::Viewer).await;
    let time = r#"<time datetime="2026-11-23T12:00:00Z" title="2026-11-23 12:00 UTC" data-ago>3 hours ago</time>"#;
    for path in ["/admin/users", "/admin/users/1"] {
        let page = site.get(path, &token).await.main();
        assert!(page.matches(time).count() >= 2, "{path}: {page}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn people_are_deleted_after_a_question() {
    let site = Site::with_people(4).await;
    let token = site.sign_in(Role::Owner).await;
    let question = site.get("/admin/delete?id=2&id=3&id=3&id=99", &token).await.body;
    assert!(question.contains("Delete 2 users?") && question.contains("Person 2"));
    let done = site.request(&Method::POST, "/admin/delete", Some(&token), "id=2&id=3").await;
    assert_eq!(done.location(), "/admin/users?deleted=2");
    let list = site.get(&done.location(), &token).await;
    assert_eq!(names(&list), ["Person 4", "Person 1"]);
    assert!(list.body.contains("Deleted 2 users."));
    let filter = AuditFilter::all().action(AuditAction::DeletedUser);
    assert_eq!(site.admins.audit_log(&filter, None, 10).await.unwrap().len(), 2);
    let none = site.get("/admin/delete", &token).await;
    assert_eq!(none.status, StatusCode::BAD_REQUEST);
    assert!(none.body.contains("No users selected."));
}

#[tokio::test(flavor = "multi_thread")]
async fn all_who_match_are_deleted_part_by_part() {
    let site = Site::with_people(430).await;
    let bot = Profile::new(id(1000), "Robot").is_bot(true);
    site.users.get_or_create_user(&bot).await.unwrap();
    let token = site.sign_in(Role::Owner).await;
    let list = site.get("/admin/users?q=person&bot=no", &token).await.body;
    assert!(list.contains("all 430 matching users") && list.contains(r#"name="q" value="person""#));
    let asked = site.get("/admin/delete?q=person&bot=no&all=1&id=1000", &token).await;
    for expected in
        ["Delete 430 users?", "<dt>Search</dt><dd><bdi>person</bdi>", "People", "Some of"]
    {
        assert!(asked.body.contains(expected), "{expected}");
    }
    // Who comes after the question was asked is not meant by it.
    site.clock.advance(10);
    site.users.get_or_create_user(&Profile::new(id(2000), "Person late")).await.unwrap();
    let unsure = asked.hidden();
    let refused = site.request(&Method::POST, "/admin/delete", Some(&token), &unsure).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    let mut form = format!("{unsure}&sure=1");
    for expected in ["Deleted 200 users so far", "Deleted 400 users so far"] {
        let part = site.request(&Method::POST, "/admin/delete", Some(&token), &form).await;
        assert_eq!(part.status, StatusCode::OK);
        assert!(part.body.contains(expected) && part.body.contains("data-go-on"), "{}", part.body);
        form = part.hidden();
    }
    let done = site.request(&Method::POST, "/admin/delete", Some(&token), &form).await;
    assert_eq!(done.location(), "/admin/users?q=person&bot=no&deleted=430");
    assert_eq!(names(&site.get("/admin/users", &token).await), ["Person late", "Robot"]);
    let filter = AuditFilter::all().action(AuditAction::DeletedUser);
    assert_eq!(site.admins.audit_log(&filter, None, 1000).await.unwrap().len(), 430);
    let odd = form.replace("bot=no", "bot=maybe");
    let refused = site.request(&Method::POST, "/admin/delete", Some(&token), &odd).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    assert_eq!(site.users.get_user_stats().await.unwrap().total_users, 2);
    let none = site.get("/admin/delete?q=zzz&all=1", &token).await;
    assert!(none.body.contains("No users match."));
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
async fn without_a_script_the_zone_is_chosen() {
    let site = Site::with_people(1).await;
    let token = site.sign_in(Role::Viewer).await;
    let choose =
        async |form: &str| site.request(&Method::POST, "/admin/zone", Some(&token), form).await;
    let chosen = choose("offset=345&next=/admin/users?q=person").await;
    assert_eq!(chosen.location(), "/admin/users?q=person");
    assert_eq!(
        chosen.header("set-cookie").unwrap(),
        "rollcall_zone=345; Path=/; HttpOnly; SameSite=Strict; Max-Age=31536000"
    );
    assert_eq!(choose("offset=60&next=//evil.example").await.location(), "/admin");
    assert_eq!(choose("offset=1").await.status, StatusCode::BAD_REQUEST);
    let shown = async |zone: &str| {
        let cookie = format!("rollcall_session={token}; rollcall_zone={zone}");
        site.bare(&Method::GET, "/admin/users", "", &[("cookie", &cookie)]).await.body
    };
    let kathmandu = shown("345").await;
    assert!(kathmandu.contains(r#"title="2026-11-23 17:45 UTC+05:45""#));
    assert!(kathmandu.contains(r#"<span id="zone">UTC+05:45</span>"#));
    assert!(kathmandu.contains(r#"<option value="345" selected>UTC+05:45</option>"#));
    for nonsense in ["", "1", "99999999999", "<b>"] {
        assert!(shown(nonsense).await.contains(r#"title="2026-11-23 12:00 UTC""#), "{nonsense}");
    }
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

#[tokio::test(flavor = "multi_thread")]
async fn the_pages_of_one_user() {
    let site = Site::with_people(0).await;
    let ada = Profile::new(id(ADA), "Ada").last_name("Lovelace").username("ada");
    site.users.get_or_create_user(&ada.language_code("en")).await.unwrap();
    let token = site.sign_in(Role::Owner).await;
    insta::assert_snapshot!("list", site.get("/admin/users", &token).await.main());
    insta::assert_snapshot!("detail", site.get("/admin/users/1815", &token).await.main());
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
