//! The filter bar of the list: the text, the form beside it, the parts, and links from before.

use super::*;

/// Four people and a bot.
async fn site() -> Site {
    let site = Site::with_people(3).await;
    let german = Profile::new(id(50), "Robin").language_code("de").username("robin_k");
    site.users.get_or_create_user(&german).await.unwrap();
    let bot = Profile::new(id(77), "Robot").is_bot(true).language_code("de");
    site.users.get_or_create_user(&bot).await.unwrap();
    site.index_names().await;
    site
}

fn list(filter: &str) -> String {
    let query = encoded(&[("filter".to_owned(), filter.to_owned())], &[]);
    if filter.is_empty() { "/admin/users".to_owned() } else { format!("/admin/users?{query}") }
}

/// The parts of the filter, and the lists without them.
fn chips(page: &Answer) -> Vec<(String, String)> {
    let chips = page.body.split("<ul class=\"chips\"").nth(1).unwrap_or_default();
    let chips = chips.split("</ul>").next().unwrap().split("<li><code>").skip(1);
    let chip = |chip: &str| {
        let (text, rest) = chip.split_once("</code><a href=\"").unwrap();
        let link = rest.split('"').next().unwrap();
        (site::unescaped(text), site::unescaped(link))
    };
    chips.map(chip).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_filter_selects_the_users_of_the_list() {
    let site = site().await;
    let token = site.sign_in(Role::Viewer).await;
    for (filter, found) in [
        ("", &["Robin", "Person 3", "Person 2", "Person 1"][..]),
        ("rob", &["Robin"]),
        ("bot", &["Robot"]),
        ("lang:de (bot or -bot)", &["Robot", "Robin"]),
        ("-lang:* id:1,2", &["Person 2", "Person 1"]),
        ("@robin_k or id:3", &["Robin", "Person 3"]),
        ("zzz", &[]),
    ] {
        let page = site.get(&list(filter), &token).await;
        assert_eq!(
            (page.status, names(&page)),
            (StatusCode::OK, found.iter().map(|it| (*it).to_owned()).collect()),
            "{filter}"
        );
    }
    let everyone = site.get("/admin/users", &token).await.body;
    assert!(everyone.contains("4 users in total"), "{everyone}");
    assert!(everyone.contains("without <a href=\"/admin/users?filter=bot\">1 bot</a>"));
    let none = site.get(&list("zzz"), &token).await.body;
    assert!(none.contains("No users match.") && none.contains("no users found"));
    let found = site.get(&list("rob"), &token).await.body;
    assert!(found.contains("1 user found"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invalid_filter_is_marked_at_its_place_and_lists_no_users() {
    let site = site().await;
    let token = site.sign_in(Role::Owner).await;
    for (filter, message, marked) in [
        (
            "lang:de langg:x",
            "Unknown field 'langg'; did you mean 'lang'?",
            "lang:de <mark>langg:x</mark>",
        ),
        ("lang:de or", "Expected a term after 'or'.", "lang:de or<mark>…</mark>"),
        ("(a", "There is no ')' for this '('.", "<mark>(a</mark>"),
        ("\"a", "A quote is not closed; expected another", "<mark>&#34;a</mark>"),
        (
            "joined:2026-02-01..2026-01-01",
            "The range ends before it begins; expected the",
            "joined:<mark>2026-02-01..2026-01-01</mark>",
        ),
        (
            "days:3..2 x",
            "The range ends before it begins; expected the",
            "days:<mark>3..2</mark> x",
        ),
        ("days>=5 tag:vip", "There is no tag 'vip'.", "days&#62;=5 tag:<mark>vip</mark>"),
        ("segment:x -group:y", "There is no segment 'x'.", ""),
    ] {
        let page = site.get(&list(filter), &token).await;
        assert_eq!((page.status, names(&page)), (StatusCode::OK, vec![]), "{filter}");
        let body = &page.body;
        assert!(site::unescaped(body).contains(&format!("<bdi>{message}")), "{filter}: {body}");
        assert!(
            body.contains(&format!("<code>{marked}</code>")) || marked.is_empty(),
            "{filter}: {body}"
        );
        assert!(
            body.contains("invalid filter") && body.contains("aria-invalid=\"true\""),
            "{filter}"
        );
        let typed = format!("name=\"filter\" value=\"{filter}\"");
        assert!(site::unescaped(body).contains(&typed), "{filter}: {body}");
        assert!(!body.contains("/admin/export") && !body.contains("data-selection"), "{filter}");
    }
    for odd in ["filter=rob&filter=lang:de", "filter=rob&zone=Atlantis", "zone=UTC&zone=Asia/Tokyo"]
    {
        let page = site.get(&format!("/admin/users?{odd}"), &token).await;
        assert_eq!(names(&page), Vec::<String>::new(), "{odd}");
        assert!(page.body.contains("invalid filter"), "{odd}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_part_of_the_filter_is_removed_by_its_link() {
    let site = site().await;
    let token = site.sign_in(Role::Viewer).await;
    let url = format!("{}&sort=id", list("lang:DE and (bot or -bot) -(id:50 days>=9) rob"));
    let page = site.get(&url, &token).await;
    let texts: Vec<String> = chips(&page).into_iter().map(|(text, _)| text).collect();
    assert_eq!(texts, ["lang:DE", "bot or -bot", "-(id:50 days>=9)", "rob"]);
    let (_, without) = chips(&page).swap_remove(1);
    assert_eq!(without, format!("{}&sort=id", list("lang:DE -(id:50 days>=9) rob")));
    let page = site.get(&without, &token).await;
    assert_eq!(names(&page), ["Robin"]);
    assert!(page.links().contains(&"/admin/users?sort=id".to_owned()), "all are cleared");
    let mut page = site.get(&list("rob lang:de"), &token).await;
    for left in [1, 0] {
        let (_, without) = chips(&page).swap_remove(0);
        page = site.get(&without, &token).await;
        assert_eq!(chips(&page).len(), left);
    }
    assert!(page.body.contains("4 users in total"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_form_edits_the_filter() {
    let site = site().await;
    let token = site.sign_in(Role::Viewer).await;
    let page = site
        .get(&format!("{}&sort=id", list("rob lang:de seen<30d days>=1 has:note")), &token)
        .await;
    for shown in [
        r#"name="q" value="rob""#,
        r#"<option value="de" selected>de · 2"#,
        r#"<option value="&#60;30d" selected>Last 30 days"#,
        r#"name="min_days" min="0" value="1""#,
    ] {
        assert!(page.body.contains(shown), "{shown}: {}", page.body);
    }
    // As a browser sends it, with another language and without the search.
    let sent = "form=1&filter=rob+lang%3Ade+seen%3C30d+days%3E%3D1+has%3Anote&sort=id&lang=ru\
                &seen=%3C30d&min_days=1";
    let changed = site.get(&format!("/admin/users?{sent}"), &token).await;
    let expected = format!("{}&sort=id", list("lang:ru seen<30d days>=1 has:note"));
    assert_eq!((changed.status, changed.location()), (StatusCode::SEE_OTHER, expected));
    // All fields empty: what the form has no field for stays.
    let empty = site.get("/admin/users?form=1&filter=rob+lang%3Ade+has%3Anote", &token).await;
    assert_eq!(empty.location(), list("has:note"));
    let odd = site.get("/admin/users?form=1&lang=de&lang=ru", &token).await;
    assert_eq!((odd.status, names(&odd)), (StatusCode::BAD_REQUEST, vec![]));
}

#[tokio::test(flavor = "multi_thread")]
async fn links_from_before_the_filter_language_lead_to_the_same_users() {
    let site = site().await;
    let token = site.sign_in(Role::Viewer).await;
    let old = "/admin/users?q=rob&language=de&bot=yes&first=7d&min_days=1&sort=id&x=y";
    let moved = site.get(old, &token).await;
    let new = format!("{}&zone=UTC&sort=id", list("lang:de bot rob joined<7d days>=1"));
    assert_eq!((moved.status, moved.location()), (StatusCode::SEE_OTHER, new.clone()));
    assert_eq!(names(&site.get(&new, &token).await), ["Robot"]);
    let user = site.get("/admin/users/50?q=rob&sort=id", &token).await;
    assert_eq!(user.location(), "/admin/users/50?filter=rob&sort=id");
    // What cannot be translated lists nobody.
    for (odd, reason) in [
        ("reach=x", "State: “x”: expected one of reachable, unreachable, blocked."),
        ("first_from=yesterday", "First seen, from: “yesterday”: expected a day"),
        ("q=a&q=b", "Expected the field “q” only once."),
    ] {
        let refused = site.get(&format!("/admin/users?{odd}"), &token).await;
        assert_eq!((refused.status, names(&refused)), (StatusCode::BAD_REQUEST, vec![]), "{odd}");
        assert!(refused.body.contains(reason), "{odd}: {}", refused.body);
    }
    let reversed = site.get("/admin/users?first_from=2026-02-01&first_to=2026-01-01", &token).await;
    let page = site.get(&reversed.location(), &token).await;
    assert!(page.body.contains("The range ends before it begins;"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_without_users_shows_which_days_are_in_the_future() {
    let site = site().await;
    let token = site.sign_in(Role::Viewer).await;
    for (filter, reason) in [
        (
            "joined>=9998-01-01",
            "joined>=9998-01-01: 9998-01-01 is in the future (today is 2026-11-23).",
        ),
        ("lang:de seen:9998-01-01..9998-02-01", "seen:9998-01-01..9998-02-01: 9998-01-01 is in"),
    ] {
        let page = site.get(&list(filter), &token).await;
        assert!(page.body.contains("<p>No users match.</p>"), "{filter}");
        assert!(site::unescaped(&page.body).contains(reason), "{filter}: {}", page.body);
    }
    let open = site.get(&list("joined:2020-01-01..9998-01-01"), &token).await;
    assert_eq!(names(&open).len(), 4);
    let past = site.get(&list("joined<=2020-01-01"), &token).await.body;
    assert!(past.contains("<p>No users match.</p>") && !past.contains(" is in the future"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_calendar_leads_to_a_day_of_utc() {
    let site = site().await;
    let token = site.sign_in(Role::Viewer).await;
    let mut page = site.get(&list("person"), &token).await;
    for days in ["2026-01-01..2026-12-31", "2026-11-01..2026-11-30", "2026-11-23"] {
        let url = format!("{}&zone=UTC", list(&format!("person joined:{days}")));
        assert!(page.links().contains(&url), "{url}: {:?}", page.links());
        page = site.get(&url, &token).await;
        assert_eq!(names(&page).len(), 3);
        assert!(page.body.contains("Days are those of UTC."));
    }
    assert!(page.body.contains(r#"<li aria-current="true"><b>23</b></li>"#));
    assert!(page.links().contains(&list("person")));
}

/// It is 12:00 in UTC, and the next day already on Kiritimati.
#[tokio::test(flavor = "multi_thread")]
async fn days_are_those_of_the_viewer_unless_the_url_has_a_zone() {
    let site = site().await;
    let token = site.sign_in(Role::Owner).await;
    let with = async |path: &str, zone: &str| {
        let cookie = format!("rollcall_session={token}; rollcall_zone={zone}");
        site.bare(&Method::GET, path, "", &[("cookie", &cookie)]).await
    };
    for (zone, url_zone, name, found) in [
        ("", "", "UTC", 4),
        ("Pacific/Kiritimati", "", "Pacific/Kiritimati", 0),
        ("Pacific/Kiritimati", "&zone=UTC", "UTC", 4),
        ("", "&zone=Pacific/Kiritimati", "Pacific/Kiritimati", 0),
        ("840", "", "UTC+14:00", 0),
    ] {
        let path = format!("{}{url_zone}", list("joined:2026-11-23"));
        let page = with(&path, zone).await;
        assert_eq!(names(&page).len(), found, "{zone} {url_zone}");
        assert!(page.body.contains(&format!("Days are those of {name}.")), "{zone} {url_zone}");
    }
    // What is done to all of them means the same days.
    let page = with(&list("joined:2026-11-24"), "Pacific/Kiritimati").await;
    let fields = page.form("/admin/delete/selected");
    assert!(fields.contains(&("zone".to_owned(), "Pacific/Kiritimati".to_owned())), "{fields:?}");
    let export = encoded(&fields, &[("all", "1"), ("format", "jsonl")]);
    let file = site.post("/admin/export", &token, &export).await;
    assert_eq!(file.body.lines().count(), 4);
    // Also where the browser's zone is not known yet when the page is shown.
    let page = with(&list("joined:2026-11-23"), "").await;
    let fields = page.form("/admin/delete/selected");
    assert!(fields.contains(&("zone".to_owned(), "UTC".to_owned())), "{fields:?}");
    let all = "/admin/delete?all=1&filter=joined:2026-11-23&zone=UTC";
    let question = with(all, "Pacific/Kiritimati").await;
    assert!(question.body.contains("(days of UTC)"), "{}", question.body);
    let question = site
        .get("/admin/delete?all=1&filter=joined:2026-11-24&zone=Pacific/Kiritimati", &token)
        .await;
    assert!(question.body.contains("Delete 4 users?"));
    assert!(question.body.contains("(days of Pacific/Kiritimati)"));
    let exports = AuditFilter::all().action(AuditAction::ExportedUsers);
    let log = site.admins.audit_log(&exports, None, 10).await.unwrap();
    let what = log.last().unwrap().new.as_deref().unwrap();
    assert_eq!(what, "jsonl: joined:2026-11-24 (days of Pacific/Kiritimati)");
}

/// The longest filter, with as many terms as a filter may have.
#[tokio::test(flavor = "multi_thread")]
async fn a_long_filter_is_shown_and_stays_small() {
    let site = site().await;
    let token = site.sign_in(Role::Viewer).await;
    let filter = (0..200).map(|n| format!("-source:a{n:03}_xx")).collect::<Vec<_>>().join(" ");
    let page = site.get(&list(&filter), &token).await;
    assert_eq!((page.status, names(&page).len()), (StatusCode::OK, 4));
    assert_eq!(page.body.matches("<li><code>-source:").count(), 200);
    assert!(page.bytes < 700_000, "{}", page.bytes);
}
