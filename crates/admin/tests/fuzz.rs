//! Bytes that no browser sends: in cookies, headers, URLs and forms of every route. `PROPTEST_CASES`
//! sets how many requests are tried.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[allow(dead_code, reason = "not every file of tests needs all of it")]
mod site;

use axum::http::{HeaderValue, Method, Uri};
use proptest::{
    collection::vec,
    prelude::*,
    sample::{Index, select},
    strategy::ValueTree,
    test_runner::{Config, TestRunner},
};
use rollcall_admin::routes;
use rollcall_domain::Role;

use site::{FORM_TOKEN, Site};

/// A request: a route, the part of its path in braces, query, body and cookies.
#[derive(Debug)]
struct Odd {
    route: Index,
    part: String,
    query: String,
    body: Vec<u8>,
    cookie: Vec<u8>,
    is_signed_in: bool,
}

/// Fields with names that mean something somewhere, and values of any bytes.
fn pairs() -> impl Strategy<Value = String> {
    let names = [
        "name",
        "password",
        "next",
        "code",
        "id",
        "all",
        "sure",
        "until",
        "at",
        "q",
        "sort",
        "format",
        "note",
        "zone",
        "team",
        "language",
        "was",
        "role",
        "about",
        "before",
        "since",
        "range",
        "offset",
        "secret",
        "proof",
        "form_token",
    ];
    let escaped = vec(any::<u8>(), 0..12)
        .prop_map(|bytes| bytes.iter().map(|byte| format!("%{byte:02X}")).collect::<String>());
    let value = prop_oneof![escaped, "[ -~]{0,20}", "-?[0-9]{1,20}", "(fn|lb|id)-?[0-9.]{0,30}"];
    vec((select(names.to_vec()), value), 0..6).prop_map(|pairs| {
        pairs.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
    })
}

fn odd() -> impl Strategy<Value = Odd> {
    let body = prop_oneof![pairs().prop_map(String::into_bytes), vec(any::<u8>(), 0..200)];
    let cookie = prop_oneof![
        vec(any::<u8>(), 0..100),
        "rollcall_(session|form|zone)=[ -~]{0,60}(; ?rollcall_(session|form|zone)=[ -~]{0,60})?"
            .prop_map(String::into_bytes),
    ];
    let part = "[A-Za-z0-9_.~-]{1,20}|-?[0-9]{1,20}|(%[0-9A-F]{2}){1,10}";
    (any::<Index>(), part, pairs(), body, cookie, any::<bool>()).prop_map(
        |(route, part, query, body, cookie, is_signed_in)| Odd {
            route,
            part,
            query,
            body,
            cookie,
            is_signed_in,
        },
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn no_bytes_make_a_route_fail() {
    let site = Site::with_people(3).await.asked_from_everywhere();
    let mut token = site.sign_in(Role::Viewer).await;
    let (routes, strategy) = (routes(), odd());
    let config = Config::default();
    let (cases, mut runner) = (config.cases, TestRunner::new(config));
    for _ in 0..cases {
        let odd = strategy.new_tree(&mut runner).unwrap().current();
        let route = &routes[odd.route.index(routes.len())];
        let (before, rest) = route.path.split_once('{').unwrap_or((route.path, ""));
        let after = rest.split_once('}').map_or("", |(_, after)| after);
        let part = if rest.is_empty() { "" } else { &odd.part };
        let path = format!("{before}{part}{after}?{}", odd.query);
        // What is no URL, or no header, does not get past the server's parser.
        let Ok(uri) = path.parse::<Uri>() else { continue };
        let session = format!("rollcall_form={FORM_TOKEN}; rollcall_session={token}; ");
        let prefix = if odd.is_signed_in { session.as_bytes() } else { b"" };
        let Ok(cookie) = HeaderValue::from_bytes(&[prefix, &odd.cookie].concat()) else { continue };
        let answer = site.raw(&route.method, &uri, cookie, odd.body.clone()).await;
        assert!(!answer.status.is_server_error(), "{}: {} {odd:?}", answer.status, route.path);
        if !odd.is_signed_in && route.method == Method::GET {
            assert!(!answer.body.contains("Person"), "{odd:?}");
        }
        if odd.is_signed_in && site.get("/admin/users", &token).await.status.is_redirection() {
            // Signed out. Failed attempts to sign in are forgotten after an hour.
            site.clock.advance(3601);
            token = site.sign_in(Role::Viewer).await;
        }
    }
    assert_eq!(site.users.get_user_stats().await.unwrap().total_users, 3);
}
