//! The list of users, and what can be done with it.

use super::*;

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
        "/admin/users?filter=%22%3E%3Cscript%3Ealert(4)%3C/script%3E",
        "/admin/users?filter=%22%5C%22%3E%3Cscript%3Ealert(4)%3C/script%3E%22+lang:%22%3Cscript%3E%22",
        "/admin/users?filter=lang:de+%3Cscript%3E:%22%3Cscript%3E%22",
        "/admin/users?filter=tag:%3Cscript%3E&zone=%3Cscript%3E",
        "/admin/users?reach=%3Cscript%3E",
        "/admin/users?form=1&lang=%3Cscript%3E&lang=%22%3E%3Cscript%3E",
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
    let first = list("/admin/users?filter=-reachable&sort=-id").await;
    assert_eq!(names(&first), ["Person 5700"]);
    let rest = first.body.split("Not searched yet: users with ids up to ").nth(1).unwrap();
    let rest: i64 = rest.split('.').next().unwrap().parse().unwrap();
    assert!((1..ALL).contains(&rest), "{rest}");
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
    assert_eq!(lines.len(), 1 + 1200);
    assert!(lines[0].starts_with("telegram_id,first_name,"), "{}", lines[0]);
    assert!(lines[1200].starts_with("1200,Person 1200,"), "{}", lines[1200]);

    let for_excel = download(&site, &token, "format=csv-excel").await;
    assert_eq!(for_excel.header("content-type").unwrap(), "text/csv; charset=utf-8");
    assert_eq!(for_excel.header("content-disposition").unwrap(), name);
    assert_eq!(for_excel.body, format!("\u{feff}{}", all.body));

    let some = download(&site, &token, "format=jsonl&filter=bot&zone=").await;
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
    let with_bots = download(&site, &token, "format=csv&filter=bot+or+-bot").await.body;
    let last = with_bots.lines().last().unwrap();
    assert!(with_bots.lines().count() == 1202 && last.starts_with("7777,'=1+1,"), "{last}");
}

async fn download(site: &Site, token: &str, form: &str) -> Answer {
    site.request(&Method::POST, "/admin/export", Some(token), form).await
}

#[tokio::test(flavor = "multi_thread")]
async fn empty_fields_leave_the_url() {
    let site = Site::with_people(1).await;
    let token = site.sign_in(Role::Owner).await;
    for (asked, shown) in [
        ("/admin/users?filter=&zone=&sort=-id&at=", "/admin/users?sort=-id"),
        ("/admin/users?filter=+&deleted=2", "/admin/users?deleted=2"),
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
async fn the_page_of_a_user_leads_back_to_its_place_in_the_list() {
    let site = Site::with_people(60).await;
    let token = site.sign_in(Role::Owner).await;
    for list in
        ["/admin/users", "/admin/users?filter=person&sort=id", "/admin/users?sort=-active_days"]
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
    let list = site.get("/admin/users?filter=person&sort=id", &token).await;
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
    assert!(question.links().contains(&"/admin/users?filter=person&sort=id".to_owned()));
    let form = encoded(&question.form("/admin/delete"), &[]);
    let deleted = site.post("/admin/delete", &token, &form).await;
    assert_eq!(deleted.location(), "/admin/users?filter=person&sort=id&deleted=2");
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
    let list = site.get("/admin/users?filter=person", &token).await.body;
    assert!(
        list.contains("all 430 matching users") && list.contains(r#"name="filter" value="person""#)
    );
    let asked = site.get("/admin/delete?filter=person&all=1&id=1000", &token).await;
    for expected in ["Delete 430 users?", "<p>Filter: <code>person</code></p>", "Some of"] {
        assert!(asked.body.contains(expected), "{expected}");
    }
    // Who comes after the question was asked is not meant by it.
    site.clock.advance(10);
    site.users.get_or_create_user(&Profile::new(id(2000), "Person late")).await.unwrap();
    let unsure = asked.hidden();
    let refused = site.request(&Method::POST, "/admin/delete", Some(&token), &unsure).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    let mut form = format!("{unsure}&sure=1");
    for expected in ["Deleted 199 users so far", "Deleted 399 users so far"] {
        let part = site.request(&Method::POST, "/admin/delete", Some(&token), &form).await;
        assert_eq!(part.status, StatusCode::OK);
        assert!(part.body.contains(expected) && part.body.contains("data-go-on"), "{}", part.body);
        form = part.hidden();
    }
    let done = site.request(&Method::POST, "/admin/delete", Some(&token), &form).await;
    assert_eq!(done.location(), "/admin/users?filter=person&deleted=429");
    let left = site.get("/admin/users?filter=bot+or+-bot", &token).await;
    // Person 7 is an owner of the bot.
    assert_eq!(names(&left), ["Person late", "Robot", "Person 7"]);
    let filter = AuditFilter::all().action(AuditAction::DeletedUser);
    assert_eq!(site.admins.audit_log(&filter, None, 1000).await.unwrap().len(), 429);
    let odd = form.replace("filter=person", "filter=persona:x");
    let refused = site.request(&Method::POST, "/admin/delete", Some(&token), &odd).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    assert_eq!(site.users.get_user_stats().await.unwrap().total_users, 3);
    let none = site.get("/admin/delete?filter=zzz&all=1", &token).await;
    assert!(none.body.contains("No users match."));
}
