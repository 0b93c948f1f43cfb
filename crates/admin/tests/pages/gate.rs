//! What every route has in common: sessions, roles, forms and headers.

use super::*;

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
async fn a_dashboard_that_is_left_open_does_not_keep_its_session() {
    let site = Site::with_people(3).await;
    let token = site.sign_in(Role::Owner).await;
    let events = [("accept", "text/event-stream")];
    for _ in 0..11 {
        site.clock.advance(3600);
        let answer = site.request_with(&Method::GET, "/admin", Some(&token), "", &events).await;
        assert_eq!(answer.status, StatusCode::OK);
    }
    site.clock.advance(3600);
    let answer = site.request_with(&Method::GET, "/admin", Some(&token), "", &events).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
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
