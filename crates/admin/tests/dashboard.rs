//! The dashboard, as a browser gets it, over a real database.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

#[allow(dead_code, reason = "not every file of tests needs all of it")]
mod site;

use axum::http::{Method, StatusCode};
use chrono::TimeDelta;
use rollcall_domain::{
    Chat, ChatKind, Clock, Event, Interaction, InteractionKind, Profile, Role, StartPayload,
};

use site::{Answer, Site, id};

/// What the files are called, without their ending.
const FILES: [&str; 9] = [
    "active",
    "growth",
    "lifecycle",
    "retention",
    "power-users",
    "commands",
    "kinds",
    "languages",
    "sources",
];
/// A language that is markup, as an odd client may report it.
const MARKUP: &str = "<script>alert(1)</script>";
/// How many bytes a page may have with everything that it needs, compressed.
const LARGEST_PAGE_BYTES: usize = 45 * 1024;

/// A site with a few weeks of people: some came by a link, one blocked the bot, and one has a
/// language that is a formula, one a language that is markup.
async fn busy() -> Site {
    let site = Site::with_people(0).await;
    let private = |n| Some(Chat { id: n, kind: ChatKind::Private });
    let languages = ["en", "cs", "=1+1", MARKUP];
    for n in 1..=40_i64 {
        let at = site.clock.now() - TimeDelta::days(40 - n);
        let language = languages[usize::try_from(n).unwrap() % languages.len()];
        let profile = Profile::new(id(n), "Somebody").language_code(language);
        let source: StartPayload = "spring_sale".parse().unwrap();
        let start = Interaction {
            chat: private(n),
            command: Some("start"),
            event: (n % 3 == 0).then_some(Event::Start(source)),
            ..Interaction::new(at, profile.clone(), InteractionKind::Command)
        };
        let again = Interaction {
            chat: private(n),
            ..Interaction::new(at + TimeDelta::days(1), profile.clone(), InteractionKind::Text)
        };
        let left = Interaction {
            chat: private(n),
            event: Some(Event::Blocked),
            ..Interaction::new(at + TimeDelta::days(2), profile, InteractionKind::MyChatMember)
        };
        let all = [start, again, left];
        let now = site.clock.now();
        let expected: Vec<_> = all
            .into_iter()
            .filter(|it| it.at <= now && (n == 7 || it.event != Some(Event::Blocked)))
            .collect();
        site.users.register(&expected).await.unwrap();
    }
    site
}

/// The rows of the table with this chart's numbers, as texts.
fn table(page: &Answer, file: &str) -> Vec<Vec<String>> {
    let panel = page.body.split(&format!("id=\"{file}\"")).nth(1).unwrap();
    let table = panel.split("<table").nth(1).unwrap().split("</table>").next().unwrap();
    let text = |cell: &str| {
        let cell = cell.split_once('>').unwrap().1;
        // Of a cell with a link or a bar, the number.
        let cell = cell.split("</").next().unwrap();
        let cell = cell.rsplit_once('>').map_or(cell, |(_, text)| text);
        cell.replace("&#60;", "<").replace("&#62;", ">").replace("&#61;", "=")
    };
    let rows = table.split("<tr>").skip(1);
    rows.map(|row| row.replace("<th", "<td").split("<td").skip(1).map(text).collect()).collect()
}

/// The rows of a file, without what makes formulas harmless and quotes.
fn rows(csv: &str) -> Vec<Vec<String>> {
    let field = |field: &str| field.trim_start_matches('\'').to_owned();
    csv.split_terminator("\r\n").map(|line| line.split(',').map(field).collect()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_what_one_sees_first() {
    let site = busy().await;
    let form = format!("name=viewer&password={}", site::PASSWORD);
    let signed_in = site.request(&Method::POST, "/admin/sign-in", None, &form).await;
    assert_eq!(signed_in.location(), "/admin");
    let page = site.get("/admin", &signed_in.token()).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.body.contains("<title>Dashboard · Rollcall</title>"));
    assert!(page.body.contains(r#"<a href="/admin" aria-current="page">Dashboard</a>"#));
    for file in FILES {
        assert!(page.body.contains(&format!(r#"id="{file}" aria-labelledby="#)), "{file}");
        assert!(page.links().iter().any(|it| it.contains(&format!("/{file}.csv?"))), "{file}");
    }
    assert!(
        page.body.contains("<time>2026-10-15</time> – <time>2026-11-23</time> · 40 days (UTC)")
    );
    // All of it comes from here, and nothing of it is a script or a style of the page's own.
    assert!(!page.body.contains("style=") && !page.body.contains("onload"), "{}", page.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn its_numbers_are_those_of_the_database() {
    let site = busy().await;
    let token = site.sign_in(Role::Viewer).await;
    let page = site.get("/admin?since=2026-11-21&until=2026-11-23", &token).await;
    assert_eq!(
        table(&page, "active"),
        [
            vec!["Day", "Active (DAU)", "In 7 days (WAU)", "In 30 days (MAU)", "Stickiness"],
            vec!["2026-11-21", "2", "8", "32", "6.3%"],
            vec!["2026-11-22", "2", "8", "31", "6.5%"],
            vec!["2026-11-23", "2", "8", "31", "6.5%"],
        ]
    );
    let sources = table(&page, "sources");
    assert_eq!(sources[1][..4], ["No link", "2", "0", "100.0%"]);
    assert_eq!(sources[2][..4], ["spring_sale", "1", "1", "100.0%"]);
    let tiles = page.main();
    let tile = |name: &str| {
        let tile = tiles.split(&format!("<h3>{name}</h3><p class=\"big\">")).nth(1).unwrap();
        tile.split("</p>").next().unwrap().to_owned()
    };
    assert_eq!([tile("Users"), tile("Reachable"), tile("Active today")], ["40", "39", "2"]);
    assert_eq!([tile("New users"), tile("Net growth")], ["3", "+3"]);
    // The one who left did so in a day of a range of its own.
    let page = site.get("/admin?since=2026-10-23&until=2026-10-23", &token).await;
    assert_eq!(table(&page, "growth")[1], ["2026-10-23", "1", "0", "1", "0"]);
    assert!(page.body.contains("Compared with the day before"));
}

#[tokio::test(flavor = "multi_thread")]
async fn files_say_what_the_tables_say() {
    let site = busy().await;
    let token = site.sign_in(Role::Viewer).await;
    let days = "since=2026-10-15&until=2026-11-23";
    let page = site.get(&format!("/admin?{days}"), &token).await;
    for name in FILES {
        let file = site.get(&format!("/admin/figures/{name}.csv?{days}"), &token).await;
        assert_eq!(file.status, StatusCode::OK, "{name}");
        assert_eq!(file.header("content-type").unwrap(), "text/csv; charset=utf-8");
        let disposition = file.header("content-disposition").unwrap();
        let expected = format!("attachment; filename=\"{name}-2026-10-15-2026-11-23.csv\"");
        assert_eq!(disposition, expected);
        if name == "sources" {
            let columns = "Source,Users,Starts,Reachable,Day 1,Day 7,Day 30\r\n";
            assert!(file.body.starts_with(columns), "{}", file.body);
            assert!(file.body.contains("\r\nspring_sale,13,13,"), "{}", file.body);
            continue;
        }
        let shown = table(&page, name).into_iter().map(|row| {
            row.into_iter()
                .map(|cell| cell.replace([',', '+'], "").replace('−', "-"))
                .collect::<Vec<_>>()
        });
        let expected = rows(&file.body)
            .into_iter()
            .map(|row| row.into_iter().map(|cell| cell.replace('+', "")).collect::<Vec<_>>());
        assert_eq!(shown.collect::<Vec<_>>(), expected.collect::<Vec<_>>(), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_number_of_users_leads_to_as_many() {
    let site = busy().await;
    let token = site.sign_in(Role::Viewer).await;
    let page = site.get("/admin?since=2026-10-20&until=2026-11-20", &token).await;
    let mut followed = 0;
    // Each cell whose number is a link, in every table.
    let cells = page.body.split("<td").skip(1).map(|it| it.split("</td>").next().unwrap());
    for cell in cells.filter(|it| it.contains("<a href=\"/admin/users")) {
        let (link, rest) = cell.split_once("<a href=\"").unwrap().1.split_once("\">").unwrap();
        let number = rest.split("</a>").next().unwrap();
        let list = site.get(&link.replace("&#38;", "&"), &token).await;
        let expected = match number {
            // A share, of the users in the cell before.
            _ if number.ends_with('%') => continue,
            "1" => "1 user found".to_owned(),
            _ => format!("{number} users found"),
        };
        assert!(list.body.contains(&expected), "{link}: expected {expected}");
        followed += 1;
    }
    assert!(followed > 40, "{followed}");
    // Bars lead to the same lists.
    for bar in ["class=\"hit\"", "class=\"mark\"", "class=\"end\""] {
        let linked = page.body.split("<a href=\"/admin/users?").skip(1);
        assert!(linked.clone().any(|it| it.split("</a>").next().unwrap().contains(bar)), "{bar}");
    }
}

/// The list leaves bots out by itself, and figures count them.
#[tokio::test(flavor = "multi_thread")]
async fn figures_lead_to_bots_too() {
    let site = Site::with_people(3).await;
    let bot = Profile::new(id(77), "Robot").is_bot(true).language_code("de");
    site.users.get_or_create_user(&bot).await.unwrap();
    let token = site.sign_in(Role::Viewer).await;
    let page = site.get("/admin", &token).await;
    let links = page.links().into_iter().filter(|link| link.starts_with("/admin/users?"));
    let links: std::collections::BTreeSet<String> = links.collect();
    assert!(links.len() > 5, "{links:?}");
    for link in &links {
        assert!(link.contains("%28bot+or+-bot%29") || link.contains("=bot+or+-bot"), "{link}");
    }
    let all = site.get("/admin/users?filter=bot+or+-bot", &token).await;
    assert!(all.body.contains("4 users found"), "{}", all.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn five_tiles_come_first_with_their_course_and_lists() {
    let site = busy().await;
    let token = site.sign_in(Role::Viewer).await;
    let page = site.get("/admin?range=7d", &token).await;
    let first = page.main().split("<ul class=\"tiles\">").nth(1).unwrap().to_owned();
    let names: Vec<_> = first.split("<h3>").skip(1).map(|it| it.split('<').next()).collect();
    let expected = ["Active today", "Active in 7 days", "Active in 30 days", "New today"];
    assert_eq!(names[..4], expected.map(Some));
    assert_eq!(names[4..], [Some("Reachable")]);
    assert_eq!(first.matches("<svg class=\"spark\"").count(), 5);
    assert!(first.contains("Stickiness</span> 6.5%"), "{first}");
    for tile in first.split("<li").skip(1) {
        let number = tile.split("class=\"big\">").nth(1).unwrap().split('<').next().unwrap();
        let link = tile.split("class=\"more\" href=\"").nth(1).unwrap().split('"').next().unwrap();
        let list = site.get(&link.replace("&#38;", "&"), &token).await;
        let plural = if number == "1" { "" } else { "s" };
        assert!(list.body.contains(&format!("{number} user{plural} found")), "{link}: {number}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_latest_cohorts_are_shown_whatever_the_range() {
    let site = busy().await;
    let token = site.sign_in(Role::Viewer).await;
    for range in ["range=today", "range=all", "since=2026-10-20&until=2026-10-21"] {
        let page = site.get(&format!("/admin?{range}"), &token).await;
        let cohorts = table(&page, "retention");
        // From the week of the first user.
        assert_eq!((cohorts.len(), cohorts[1][0].as_str()), (8, "2026-10-12"), "{range}");
        assert_eq!(cohorts[7][0], "2026-11-23");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn machine_names_become_words() {
    let site = busy().await;
    let token = site.sign_in(Role::Viewer).await;
    let page = site.get("/admin", &token).await;
    let first = |name: &str| -> Vec<String> {
        table(&page, name).into_iter().skip(1).map(|row| row[0].clone()).collect()
    };
    let languages = first("languages");
    assert!(["Czech", "English", "=1+1"].iter().all(|it| languages.iter().any(|name| name == it)));
    let kinds = ["Commands", "Text messages", "Blocks and unblocks"];
    assert_eq!(first("kinds"), kinds);
    assert_eq!(first("sources"), ["No link", "spring_sale"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn just_now_is_on_the_page_and_comes_as_events() {
    let site = busy().await;
    let token = site.sign_in(Role::Viewer).await;
    let page = site.get("/admin", &token).await;
    assert!(page.body.contains("Just now") && page.body.contains("<ul class=\"newest\">"));
    let accept = [("accept", "text/event-stream")];
    let ask = async || site.request_with(&Method::GET, "/admin", Some(&token), "", &accept).await;
    let event = ask().await;
    assert_eq!(event.header("content-type").unwrap(), "text/event-stream");
    assert!(event.body.starts_with("retry: 5000\ndata: <p"), "{}", event.body);
    assert!(event.body.ends_with("\n\n") && event.body.contains("/admin/users/40\">"));
    let newest =
        Interaction::new(site.clock.now(), Profile::new(id(41), MARKUP), InteractionKind::Text);
    site.users.register(&[newest]).await.unwrap();
    let event = ask().await.body;
    assert!(event.contains("/admin/users/41\">") && !event.contains(MARKUP), "{event}");
    // Only for those who are signed in.
    let stranger = site.request_with(&Method::GET, "/admin", None, "", &accept).await;
    assert_ne!(stranger.status, StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread")]
async fn labels_are_neither_markup_nor_formulas() {
    let site = busy().await;
    let token = site.sign_in(Role::Viewer).await;
    let page = site.get("/admin", &token).await;
    assert!(!page.body.contains(MARKUP));
    assert!(page.body.contains("<title>&lt;script&gt;alert(1)&lt;/script&gt;: 10 · 25.0%</title>"));
    assert!(table(&page, "languages").iter().any(|row| row[0] == MARKUP));
    let file = site.get("/admin/figures/languages.csv?range=90d", &token).await;
    assert!(file.body.contains("\r\n'=1+1,10,25.0%\r\n"), "{}", file.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn ranges_stand_in_the_url() {
    let site = busy().await;
    let token = site.sign_in(Role::Viewer).await;
    for (url, days, shown) in [
        ("/admin?range=7d", 7, "<time>2026-11-17</time> – <time>2026-11-23</time> · 7 days (UTC)"),
        (
            "/admin/?range=28d",
            28,
            "<time>2026-10-27</time> – <time>2026-11-23</time> · 28 days (UTC)",
        ),
        ("/admin?since=2026-11-23&until=2026-11-23", 1, "<time>2026-11-23</time> · 1 day (UTC)"),
        (
            "/admin?since=2026-11-20&until=2030-01-01",
            4,
            "<time>2026-11-20</time> – <time>2026-11-23</time> · 4 days (UTC)",
        ),
    ] {
        let page = site.get(url, &token).await;
        assert!(page.body.contains(shown), "{url}");
        assert_eq!(table(&page, "lifecycle").len(), days + 1, "{url}");
        assert!(!page.body.contains("role=\"alert\""), "{url}");
    }
    let page = site.get("/admin?range=7d", &token).await;
    assert!(page.body.contains(r#"<a href="/admin?range=7d" aria-current="true">"#));
    assert!(page.body.contains(r#"name="since" value="2026-11-17""#));
    // Days before the first user are left out.
    let page = site.get("/admin?since=2026-10-01", &token).await;
    assert!(
        page.body.contains("<time>2026-10-15</time> – <time>2026-11-23</time> · 40 days (UTC)")
    );
    let page = site.get("/admin?since=2026-10-01&until=2026-10-14", &token).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(
        page.body.contains("<time>2026-10-01</time> – <time>2026-10-14</time> · 0 days (UTC)"),
        "{}",
        page.body
    );
    // A year is shown by weeks, ten years by months.
    let first = "2016-11-16T12:00:00Z".parse().unwrap();
    let first =
        Interaction::new(first, Profile::of_id(999.try_into().unwrap()), InteractionKind::Text);
    site.users.register(&[first]).await.unwrap();
    for (url, head, rows) in [("range=365d", "Week of", 53), ("since=2016-11-16", "Month", 121)] {
        let page = site.get(&format!("/admin?{url}"), &token).await;
        let table = table(&page, "active");
        assert_eq!((table[0][0].as_str(), table.len()), (head, rows + 1), "{url}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn invalid_days_are_reported_and_the_default_is_shown() {
    let site = busy().await;
    let token = site.sign_in(Role::Viewer).await;
    for (query, expected) in [
        (
            "since=2026-02-30",
            "“2026-02-30” is not a day; expected one such as 2026-11-23, in a year from 1970 to 9999.",
        ),
        ("until=%3Cscript%3E", "“&#60;script&#62;” is not a day;"),
        ("since=2026-11-02&until=2026-11-01", "2026-11-02 is after 2026-11-01;"),
        ("since=2001-01-01", "2001-01-01 to 2026-11-23 is 9458 days; expected at most 3660."),
        ("since=2026-11-24&until=2026-11-25", "2026-11-24 is in the future"),
        ("range=forever", "“forever” is not a range; expected one of today, yesterday, 7d,"),
    ] {
        let page = site.get(&format!("/admin?{query}"), &token).await;
        assert_eq!(page.status, StatusCode::OK);
        let alert = page.body.split("role=\"alert\">").nth(1).unwrap();
        let alert = alert.split("</p>").next().unwrap();
        assert!(
            alert.starts_with(expected) && alert.ends_with("Showing the last 40 days instead."),
            "{alert}"
        );
        assert!(page.body.contains("· 40 days (UTC)"), "{query}");
        let file = site.get(&format!("/admin/figures/active.csv?{query}"), &token).await;
        assert_eq!(file.status, StatusCode::BAD_REQUEST, "{query}");
        assert!(file.body.contains(&format!("<p>{expected}")), "{}", file.body);
    }
    let beyond = site.get("/admin?since=2026-11-20&until=2026-12-31", &token).await;
    let note = "2026-12-31 is in the future: the range ends today, 2026-11-23 (UTC).";
    assert!(beyond.body.contains(note) && beyond.body.contains("· 4 days (UTC)"));
    for until in ["range=7d&until=2026-12-31", "since=2026-11-20&until=2026-11-23"] {
        let page = site.get(&format!("/admin?{until}"), &token).await;
        assert!(!page.body.contains("is in the future"), "{until}");
    }
    for name in ["users.csv", "active", "active.csv.csv"] {
        let file = site.get(&format!("/admin/figures/{name}"), &token).await;
        assert_eq!(file.status, StatusCode::NOT_FOUND, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_definition_is_one_click_away() {
    let site = busy().await;
    let token = site.sign_in(Role::Viewer).await;
    let page = site.get("/admin", &token).await;
    let definitions = site.get("/admin/figures", &token).await;
    let links: Vec<String> =
        page.links().into_iter().filter(|it| it.starts_with("/admin/figures#")).collect();
    assert_eq!(links.len(), FILES.len() + 1);
    for link in links {
        let name = link.split('#').nth(1).unwrap();
        assert_eq!(definitions.body.matches(&format!(" id=\"{name}\"")).count(), 1, "{name}");
    }
    assert!(definitions.body.contains("new, less blocked, plus unblocked"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_dashboard_shows_the_first_steps() {
    let site = Site::with_people(0).await;
    let token = site.sign_in(Role::Viewer).await;
    let page = site.get("/admin", &token).await;
    assert!(page.body.contains("No users yet"));
    assert!(!page.body.contains("<svg class=\"chart"));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_day_of_one_person_is_shown() {
    let site = Site::with_people(1).await;
    let token = site.sign_in(Role::Viewer).await;
    let page = site.get("/admin?since=2026-11-23", &token).await;
    assert_eq!(table(&page, "active")[1], ["2026-11-23", "1", "1", "1", "100.0%"]);
    assert!(page.body.contains("No commands were sent in these days."));
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_small_however_many_days_there_are() {
    let site = busy().await;
    let token = site.sign_in(Role::Owner).await;
    for range in ["range=90d", "since=2026-07-27", "range=365d", "since=2016-11-16"] {
        let path = format!("/admin?{range}");
        let page = site.get(&path, &token).await;
        let files = page.body.split('"').filter(|it| it.starts_with("/admin/assets/"));
        let mut bytes = 0;
        for path in files.chain([path.as_str()]) {
            let gzip = [("accept-encoding", "gzip")];
            let answer = site.request_with(&Method::GET, path, Some(&token), "", &gzip).await;
            bytes += answer.bytes;
        }
        assert!(bytes < LARGEST_PAGE_BYTES, "{path} has {bytes} bytes");
        let begun = std::time::Instant::now();
        assert_eq!(site.get(&path, &token).await.status, StatusCode::OK);
        println!("{path}: {bytes} bytes, {:?}", begun.elapsed());
    }
}
