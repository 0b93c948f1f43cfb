//! Input that no browser sends, but programs do: every field of every route answers it without
//! failing, and an export or a deletion never covers more users than it says. Over both databases.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[allow(dead_code, reason = "not every file of tests needs all of it")]
mod site;

use axum::http::{Method, StatusCode};
use rollcall_admin::routes;
use rollcall_domain::{AuditAction, Filter, LabelKind, Profile, Role};
use rollcall_service::AuditFilter;
use rollcall_testkit::ThrowAwayDatabase;

use site::{ADA, Answer, Site, id, names};

/// The fields of each route, in its query or its form. A route that is not here fails the test.
const FIELDS: &[(&str, &[&str])] = &[
    ("GET /admin/assets/{name}", &[]),
    ("GET /admin/sign-in", &["next"]),
    ("POST /admin/sign-in", &["name", "password", "next"]),
    ("GET /admin/link/{token}", &[]),
    ("POST /admin/link/{token}", &[]),
    ("GET /admin/telegram", &[]),
    ("POST /admin/telegram", &["init_data"]),
    ("POST /admin/sign-out", &[]),
    ("POST /admin/sign-out-everywhere", &[]),
    ("POST /admin/theme", &["theme", "next"]),
    ("POST /admin/zone", &["offset", "next"]),
    ("GET /admin", &["since", "until", "range"]),
    ("GET /admin/", &["since", "until", "range"]),
    ("GET /admin/figures", &[]),
    ("GET /admin/figures/{name}", &["since", "until", "range"]),
    ("GET /admin/confirm", &["next"]),
    ("POST /admin/confirm", &["next", "action", "password", "code", "passkey"]),
    ("POST /admin/confirm/challenge", &[]),
    ("GET /admin/invitation/{token}", &[]),
    ("POST /admin/invitation/{token}", &["name", "new_password", "same_password"]),
    ("GET /admin/account", &[]),
    ("POST /admin/account/sessions/end", &["id"]),
    ("POST /admin/account/sessions/end-others", &[]),
    ("GET /admin/account/password", &[]),
    ("POST /admin/account/password", &["password", "new_password", "same_password"]),
    ("GET /admin/account/second-factor", &[]),
    ("POST /admin/account/second-factor", &["secret", "code"]),
    ("POST /admin/account/second-factor/off", &[]),
    ("POST /admin/account/recovery-codes", &[]),
    ("GET /admin/account/passkeys", &[]),
    ("POST /admin/account/passkeys", &["name", "passkey"]),
    ("POST /admin/account/passkeys/challenge", &[]),
    ("POST /admin/account/passkeys/remove", &["id"]),
    ("GET /admin/users", LIST),
    ("GET /admin/users/{id}", &["chosen", "noted", "labelled"]),
    ("POST /admin/users/{id}/copy", &[]),
    ("POST /admin/users/{id}/labels", &["kind", "name", "remove"]),
    ("POST /admin/users/{id}/note", &["note"]),
    ("POST /admin/users/{id}/preferences", &["was", "language", "zone", "team"]),
    ("GET /admin/users/count", &["filter", "zone"]),
    ("GET /admin/tags", &["done"]),
    ("POST /admin/tags", &["kind", "name", "description"]),
    ("GET /admin/tags/{name}", &[]),
    ("POST /admin/tags/{name}", &["description"]),
    ("POST /admin/tags/{name}/delete", &["sure"]),
    ("GET /admin/changes", &["done"]),
    ("POST /admin/changes", CHANGE),
    ("GET /admin/changes/new", CHANGE),
    ("POST /admin/changes/undo", &["id"]),
    ("POST /admin/changes/resume", &["id"]),
    ("POST /admin/tags/selected", &["id", "tag_name", "do", "all"]),
    ("GET /admin/segments", &["deleted"]),
    ("GET /admin/segments/new", SEGMENT),
    ("POST /admin/segments/new", SEGMENT),
    ("GET /admin/segments/{name}", &["saved"]),
    ("GET /admin/segments/{name}/edit", &[]),
    ("POST /admin/segments/{name}/edit", SEGMENT),
    ("GET /admin/segments/{name}/delete", &[]),
    ("POST /admin/segments/{name}/delete", &["sure"]),
    ("GET /admin/broadcasts", &["before"]),
    ("GET /admin/broadcasts/new", COMPOSE),
    ("POST /admin/broadcasts/new", COMPOSE),
    ("POST /admin/broadcasts/{id}/test", &[]),
    ("GET /admin/broadcasts/pictures/{picture}", &[]),
    ("GET /admin/broadcasts/{id}", &["done"]),
    ("GET /admin/broadcasts/{id}/progress", &[]),
    ("POST /admin/broadcasts/{id}/recipients", &[]),
    ("GET /admin/broadcasts/{id}/start", &[]),
    ("POST /admin/broadcasts/{id}/start", &["when"]),
    ("POST /admin/broadcasts/{id}/pause", &[]),
    ("POST /admin/broadcasts/{id}/pick", &["variant"]),
    ("POST /admin/broadcasts/{id}/resume", &[]),
    ("POST /admin/broadcasts/{id}/resend", &["state"]),
    ("GET /admin/broadcasts/{id}/cancel", &[]),
    ("POST /admin/broadcasts/{id}/cancel", &["sure"]),
    ("GET /admin/delete", DELETION),
    ("POST /admin/delete/selected", DELETION),
    ("POST /admin/delete", DELETION),
    ("POST /admin/export", EXPORT),
    ("GET /admin/requests", &["done"]),
    ("POST /admin/requests", &["id", "kind"]),
    ("POST /admin/requests/finish", &["number"]),
    ("GET /admin/audit", &["about", "by", "action", "before"]),
    ("GET /admin/admins", &[]),
    ("GET /admin/admins/{name}", &[]),
    ("POST /admin/admins/{name}/role", &["role"]),
    ("POST /admin/admins/{name}/reset-second-factor", &["sure"]),
    ("POST /admin/admins/{name}/remove", &["sure"]),
    ("POST /admin/invitations", &["role", "life"]),
    ("POST /admin/invitations/withdraw", &["id"]),
    ("POST /admin/admins/{name}/disable", &[]),
    ("POST /admin/admins/{name}/enable", &[]),
    ("POST /admin/admins/{name}/sign-out", &[]),
];

/// The fields by which users were chosen before the filter language. Lists translate them.
const FORMER: [&str; 13] = [
    "q",
    "language",
    "source",
    "reach",
    "first",
    "first_from",
    "first_to",
    "last",
    "last_from",
    "last_to",
    "min_days",
    "max_days",
    "bot",
];

const SEGMENT: &[&str] = &["name", "filter", "zone", "description"];

const LIST: &[&str] = &["filter", "zone", "sort", "at", "deleted", "form", "labelled"];

/// The fields of the form beside the filter bar.
const FORM: [&str; 13] = [
    "q",
    "lang",
    "source",
    "state",
    "kind",
    "joined",
    "joined_from",
    "joined_to",
    "seen",
    "seen_from",
    "seen_to",
    "min_days",
    "max_days",
];

const DELETION: &[&str] = &[
    "filter",
    "zone",
    "id",
    "all",
    "selection",
    "sure",
    "until",
    "deleted",
    "at",
    "sort",
    "color",
];

const COMPOSE: &[&str] = &[
    "do",
    "copy",
    "name",
    "category",
    "filter",
    "zone",
    "language",
    "text",
    "buttons",
    "picture",
    "stored_picture",
    "no_picture",
    "at",
    "local",
    "text_b",
    "buttons_b",
    "winner",
    "test_part",
    "after",
    "unit",
    "hold_out",
    "quiet_from",
    "quiet_until",
    "rate",
    "paid",
    "hours",
    "on_unknown",
];

const CHANGE: &[&str] = &["filter", "zone", "kind", "name", "do"];

const EXPORT: &[&str] =
    &["filter", "zone", "format", "id", "all", "selection", "sort", "at", "color"];

/// Values as they stand in a URL.
fn odd_values() -> Vec<String> {
    let mut values: Vec<String> = [
        "",
        "+",
        "%00",
        "a%00b",
        "%ED%A0%80",
        "%FF%FE",
        "%F0%9F%98",
        "%",
        "%zz",
        "%E2%80%AE",
        "%E3%85%A4",
        "%0A%0D",
        "-1",
        "0",
        "1e999",
        "2147483648",
        "-9223372036854775808",
        "9223372036854775807",
        "99999999999999999999999999",
        "0000-01-01",
        "0001-01-01",
        "-262143-01-01",
        "%2B262142-12-31",
        "9999-12-31",
        "10000-01-01",
        "2026-02-30",
        "fn9223372036854775807.1",
        "lb-9223372036854775808.9223372036854775807",
        "%27%3B--",
        "%7B%7D%25s",
    ]
    .map(str::to_owned)
    .into();
    values.push("x".repeat(10_000));
    values.push("%00".repeat(3_000));
    values.push("%F0%9F%98%80".repeat(800));
    values
}

/// Whether a value means something in this field of a list from before.
fn means_something(field: &str, value: &str) -> bool {
    if ["", "+", "%0A%0D"].contains(&value) {
        return true;
    }
    let is_text = !value.contains("%00") && !["%ED%A0%80", "%FF%FE", "%F0%9F%98"].contains(&value);
    match field {
        "q" => is_text && value.len() < 1_000,
        "language" => is_text && value.len() <= 35,
        "source" => {
            let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_-".contains(&byte);
            value.len() <= 64 && value.bytes().all(is_allowed)
        }
        "min_days" | "max_days" => ["0", "2147483648"].contains(&value),
        "first_from" | "first_to" | "last_from" | "last_to" => {
            ["0001-01-01", "9999-12-31"].contains(&value)
        }
        _ => false,
    }
}

async fn site(database: ThrowAwayDatabase) -> Site {
    let site = Site::on(database, "", None).await.asked_from_everywhere();
    site.make_accounts().await;
    let people = [
        Profile::new(id(ADA), "Ada").last_name("Lovelace").username("ada").language_code("en"),
        Profile::new(id(2), "\u{3164}\u{200b}").language_code("\u{3164}"),
        Profile::new(id(3), "").last_name("\u{202e}evil\n\u{2069}"),
    ];
    for profile in people {
        site.users.get_or_create_user(&profile).await.unwrap();
        site.clock.advance(1);
    }
    site.index_names().await;
    site.make_broadcast("odd", "", "Hello {first_name}").await;
    site
}

fn filled(path: &str, part: &str) -> String {
    let name = if path.contains("figures") { "active.csv" } else { part };
    let path = path.replace("/broadcasts/{id}", "/broadcasts/1");
    path.replace("{id}", &ADA.to_string()).replace("{token}", part).replace("{name}", name)
}

async fn send(site: &Site, method: &Method, path: &str, pairs: &str, token: &str) -> Answer {
    if *method == Method::GET {
        return site.get(&format!("{path}?{pairs}"), token).await;
    }
    site.request(method, path, Some(token), pairs).await
}

#[tokio::test(flavor = "multi_thread")]
async fn no_field_of_any_route_makes_a_page_fail() {
    for database in ThrowAwayDatabase::of_each_kind() {
        let kind = database.url().split(':').next().unwrap().to_owned();
        let site = site(database).await;
        let mut token = site.sign_in(Role::Owner).await;
        for route in routes() {
            let name = format!("{} {}", route.method, route.path);
            let fields = FIELDS.iter().find(|(it, _)| *it == name);
            let (_, fields) = fields.unwrap_or_else(|| panic!("{name} has no fields here"));
            let is_list = route.path.starts_with("/admin/users") && route.method == Method::GET;
            let of_list = if is_list { [&FORMER[..], &FORM[..]].concat() } else { vec![] };
            // A field that there is not stands for routes that have none.
            for field in fields.iter().chain(&of_list).chain(&["other"]) {
                for value in odd_values() {
                    // With what else it takes to get to the field.
                    let rest = match route.path {
                        "/admin/delete" if *field != "all" => "all=1&sure=1&until=1&",
                        "/admin/export" if *field != "format" => "format=csv&",
                        "/admin/theme" if *field != "theme" => "theme=dark&",
                        "/admin/zone" if *field != "offset" => "offset=0&",
                        "/admin/sign-in" if *field != "name" => "name=owner&",
                        "/admin/tags/selected" if *field == "tag_name" => "id=1&",
                        "/admin/tags/selected" => "id=1&tag_name=vip&",
                        "/admin/users/{id}/labels" if *field == "name" => "kind=tag&",
                        "/admin/users/{id}/labels" => "name=vip&",
                        "/admin/users/{id}/preferences" => "language=&zone=&",
                        "/admin/users" if FORM.contains(field) => "form=1&",
                        _ => "",
                    };
                    let path = filled(route.path, "viewer");
                    let pairs = format!("{rest}{field}={value}");
                    let mut answer = send(&site, &route.method, &path, &pairs, &token).await;
                    if is_list && answer.status == StatusCode::SEE_OTHER {
                        answer = site.get(&answer.location(), &token).await;
                    }
                    let short: String = pairs.chars().take(80).collect();
                    let what = format!("{kind}: {name} {short}: {}", answer.status);
                    assert!(!answer.status.is_server_error(), "{what}");
                    if answer.status == StatusCode::OK && route.path == "/admin/export" {
                        assert!(!answer.body.contains('\0'), "{what}");
                    }
                }
            }
            if site.get("/admin/audit", &token).await.status != StatusCode::OK {
                // Signed out. Failed attempts to sign in are forgotten after an hour.
                site.clock.advance(3601);
                token = site.sign_in(Role::Owner).await;
            }
        }
        assert_eq!(site.users.get_user_stats().await.unwrap().total_users, 3, "{kind}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_part_of_a_path_makes_a_page_fail() {
    for database in ThrowAwayDatabase::of_each_kind() {
        let site = site(database).await;
        let token = site.sign_in(Role::Owner).await;
        for route in routes().iter().filter(|route| route.path.contains('{')) {
            for value in odd_values() {
                // These are no paths for the test's client.
                if value.is_empty() || ["%", "%zz"].contains(&value.as_str()) {
                    continue;
                }
                let start = route.path.find('{').unwrap();
                let end = route.path.find('}').unwrap() + 1;
                let path = format!("{}{value}{}", &route.path[..start], &route.path[end..]);
                let answer = send(&site, &route.method, &path, "note=x", &token).await;
                let short: String = path.chars().take(80).collect();
                assert!(!answer.status.is_server_error(), "{short}: {}", answer.status);
            }
        }
    }
}

/// On the list, what is wrong stands at the filter bar. Nothing is done to the users of such a filter.
#[tokio::test(flavor = "multi_thread")]
async fn an_invalid_filter_lists_no_users_and_changes_nothing() {
    for database in ThrowAwayDatabase::of_each_kind() {
        let site = site(database).await;
        let token = site.sign_in(Role::Owner).await;
        for value in odd_values() {
            let pairs = format!("filter={value}");
            let read: Vec<(String, String)> = serde_urlencoded::from_str(&pairs).unwrap();
            if read[0].1.trim().parse::<Filter>().is_ok() {
                continue;
            }
            refuses(&site, &token, &pairs).await;
        }
        for odd in ["tag:none", "segment:none", "lang:en or", "langauge:en", "(", "days:3..2"] {
            let pairs = serde_urlencoded::to_string([("filter", odd)]).unwrap();
            refuses(&site, &token, &pairs).await;
        }
        for odd in ["filter=ada&filter=en", "zone=Atlantis", "filter=ada&zone=UTC&zone=Asia/Tokyo"]
        {
            refuses(&site, &token, odd).await;
        }
        let exported = AuditFilter::all().action(AuditAction::ExportedUsers);
        assert_eq!(site.admins.audit_log(&exported, None, 10).await.unwrap(), []);
        assert_eq!(site.users.get_user_stats().await.unwrap().total_users, 3);
    }
}

async fn refuses(site: &Site, token: &str, pairs: &str) {
    let short: String = pairs.chars().take(60).collect();
    let list = site.get(&format!("/admin/users?{pairs}"), token).await;
    assert_eq!(list.status, StatusCode::OK, "{short}");
    assert_eq!(names(&list), Vec::<String>::new(), "{short}");
    assert!(list.body.contains(r#"<p class="wrong"><bdi>"#), "{short}");
    assert!(!list.body.contains(r#"action="/admin/export""#), "{short}");
    is_refused_for_all(site, token, pairs).await;
}

/// Nothing is exported or deleted.
async fn is_refused_for_all(site: &Site, token: &str, pairs: &str) {
    let post = Method::POST;
    let short: String = pairs.chars().take(60).collect();
    let export = format!("format=jsonl&{pairs}");
    let export = site.request(&post, "/admin/export", Some(token), &export).await;
    let asked = site.get(&format!("/admin/delete?all=1&{pairs}"), token).await;
    let until = i64::MAX;
    let delete = format!("all=1&sure=1&until={until}&{pairs}");
    let too_late = site.request(&post, "/admin/delete", Some(token), &delete).await;
    assert_eq!(too_late.status, StatusCode::BAD_REQUEST, "{short}");
    let change = format!("kind=tag&name=odd&do=add&{pairs}");
    let change = site.request(&post, "/admin/changes", Some(token), &change).await;
    assert_eq!(change.status, StatusCode::BAD_REQUEST, "{short}");
    assert_eq!(site.labels.list(LabelKind::Tag).await.unwrap(), [], "{short}");
    let until = chrono::DateTime::parse_from_rfc3339("2026-11-23T12:00:01Z").unwrap();
    let delete = format!("all=1&sure=1&until={}&{pairs}", until.timestamp_micros());
    let deleted = site.request(&post, "/admin/delete", Some(token), &delete).await;
    for refused in [export, asked, deleted] {
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{short}");
        assert!(refused.body.contains("Nothing was done."), "{short}: {}", refused.body);
        assert!(!refused.body.contains("Lovelace"), "{short}");
    }
}

/// Fields from before the filter language never list more users than they say, and nothing is done to
/// the users that they chose.
#[tokio::test(flavor = "multi_thread")]
async fn former_fields_list_no_more_users_and_change_nothing() {
    for database in ThrowAwayDatabase::of_each_kind() {
        let site = site(database).await;
        let token = site.sign_in(Role::Owner).await;
        for field in FORMER {
            for value in odd_values() {
                if means_something(field, &value) {
                    continue;
                }
                let pairs = format!("{field}={value}");
                let short: String = pairs.chars().take(60).collect();
                let list = site.get(&format!("/admin/users?{pairs}"), &token).await;
                assert_eq!(list.status, StatusCode::BAD_REQUEST, "{short}");
                assert!(list.body.contains("xpected "), "{short}");
                assert!(list.body.contains("No users are listed."), "{short}");
                assert!(!list.body.contains("Lovelace"), "{short}");
                is_refused_for_all(&site, &token, &pairs).await;
            }
        }
        is_refused_for_all(&site, &token, "reach=reachable").await;
        assert_eq!(site.users.get_user_stats().await.unwrap().total_users, 3);
    }
}

/// What the form beside the filter bar cannot mean lists no users.
#[tokio::test(flavor = "multi_thread")]
async fn odd_values_of_the_form_list_no_more_users() {
    let site = site(ThrowAwayDatabase::sqlite()).await;
    let token = site.sign_in(Role::Owner).await;
    for field in FORM {
        for value in odd_values() {
            let former = match field {
                "lang" => "language",
                "joined_from" | "joined_to" | "seen_from" | "seen_to" => "first_from",
                field => field,
            };
            // Browsers and the server trim such a value.
            if means_something(former, &value) {
                continue;
            }
            let url = format!("/admin/users?form=1&filter=name:ada&{field}={value}");
            let short: String = url.chars().take(80).collect();
            let moved = site.get(&url, &token).await;
            assert_eq!(moved.status, StatusCode::SEE_OTHER, "{short}");
            let list = site.get(&moved.location(), &token).await;
            assert_eq!((list.status, names(&list)), (StatusCode::OK, vec![]), "{short}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_with_a_name_that_there_is_not_is_refused() {
    let site = site(ThrowAwayDatabase::sqlite()).await;
    let token = site.sign_in(Role::Owner).await;
    let export = async |pairs: &str| {
        let pairs = format!("format=jsonl&{pairs}");
        site.request(&Method::POST, "/admin/export", Some(&token), &pairs).await
    };
    let odd = export("langauge=en").await;
    assert_eq!(odd.status, StatusCode::BAD_REQUEST);
    assert!(odd.body.contains("There is no field “langauge”"), "{}", odd.body);
    let all = export("filter=&zone=").await;
    assert_eq!((all.status, all.body.lines().count()), (StatusCode::OK, 3));
    let some = export("filter=lang:en").await;
    assert_eq!((some.status, some.body.lines().count()), (StatusCode::OK, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_days_at_the_ends_of_the_calendar_are_compared_with() {
    for database in ThrowAwayDatabase::of_each_kind() {
        let site = site(database).await;
        let token = site.sign_in(Role::Viewer).await;
        for (filter, found) in [
            ("joined>=0001-01-01", 3),
            ("joined<=9999-12-31", 3),
            ("joined>=9999-12-31", 0),
            ("joined>9999-12-31", 0),
            ("seen<=0001-01-01", 0),
            ("seen:0001-01-01..9999-12-31", 3),
            ("days>=4294967295", 0),
            ("days<=4294967295", 3),
        ] {
            for zone in ["UTC", "Pacific/Kiritimati", "Etc/GMT+12"] {
                let pairs = serde_urlencoded::to_string([("filter", filter), ("zone", zone)]);
                let list = site.get(&format!("/admin/users?{}", pairs.unwrap()), &token).await;
                let answer = (list.status, names(&list).len());
                assert_eq!(answer, (StatusCode::OK, found), "{filter} {zone}");
            }
        }
    }
}

/// A user with an invisible name has a visible link.
#[tokio::test(flavor = "multi_thread")]
async fn names_without_anything_to_see_are_shown_by_the_id() {
    let site = site(ThrowAwayDatabase::sqlite()).await;
    let token = site.sign_in(Role::Owner).await;
    let list = site.get("/admin/users", &token).await;
    assert_eq!(names(&list), ["\u{fffd}evil\u{fffd}\u{fffd}", "User 2", "Ada Lovelace"]);
    let page = site.get("/admin/users/2", &token).await.body;
    assert!(page.contains("<h1><bdi>User 2</bdi></h1>") && page.contains("<title>User 2 · "));
    assert!(
        page.contains(r#"<dd><span class="soft">no visible characters: U+3164 U+200B</span></dd>"#)
    );
    let asked = site.get("/admin/delete?id=2", &token).await.body;
    assert!(asked.contains(r#"<a href="/admin/users/2"><bdi>User 2</bdi></a>"#), "{asked}");
    // What was written into the audit log and the history of a profile is shown by its numbers.
    site.request(&Method::POST, "/admin/users/2/note", Some(&token), "note=%E2%A0%80").await;
    let renamed = Profile::new(id(2), "Bob").language_code("\u{3164}");
    site.clock.advance(1);
    site.users.get_or_create_user(&renamed).await.unwrap();
    let audit = site.get("/admin/audit?about=2", &token).await.body;
    assert!(audit.contains("no visible characters: U+2800"), "{audit}");
    let page = site.get("/admin/users/2", &token).await.body;
    let change = r#"<span class="soft">no visible characters: U+3164 U+200B</span></span> → <span class="text"><bdi>Bob</bdi>"#;
    assert!(page.contains(change), "{page}");
}
