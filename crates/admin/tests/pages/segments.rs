//! The pages of segments.

use super::*;

/// A site with users on several days, and their languages.
async fn site() -> Site {
    let site = Site::with_people(3).await;
    for n in 4..=30 {
        let language = if n % 3 == 0 { "de" } else { "en" };
        let profile = Profile::new(id(n), &format!("<Person> {n}")).language_code(language);
        site.users.get_or_create_user(&profile).await.unwrap();
    }
    site
}

async fn create(site: &Site, token: &str, name: &str, filter: &str) -> Answer {
    let form = encoded(&[], &[("name", name), ("filter", filter), ("zone", "UTC")]);
    site.post("/admin/segments/new", token, &form).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_segment_is_created_shown_changed_and_deleted_with_a_trace() {
    let site = site().await;
    let token = site.sign_in(Role::Editor).await;
    let empty = site.get("/admin/segments", &token).await.main();
    assert!(empty.contains("No segment is saved yet."), "{empty}");
    let form = site.get("/admin/segments/new?filter=lang%3Ade+-blocked", &token).await.main();
    assert!(form.contains("lang:de -blocked</textarea>"), "{form}");
    let saved = create(&site, &token, "germans", "lang:de  -blocked").await;
    assert_eq!(saved.location(), "/admin/segments/germans?saved=1");
    let page = site.get(&saved.location(), &token).await.main();
    for part in ["Saved.", "lang:de -blocked", "Its first figures come with the first count"] {
        assert!(page.contains(part), "{part}: {page}");
    }
    create(&site, &token, "others", "-segment:germans").await;
    let form = "filter=lang%3Ade&zone=Europe%2FBerlin&description=Kö+%3Cb%3E";
    let changed = site.post("/admin/segments/germans/edit", &token, form).await;
    assert_eq!(changed.location(), "/admin/segments/germans?saved=1");
    let page = site.get("/admin/segments/germans", &token).await.main();
    for part in ["Kö &#60;b&#62;", "days of Europe/Berlin", "Its filter was changed", "Used by:"] {
        assert!(page.contains(part), "{part}: {page}");
    }
    let edit = site.get("/admin/segments/germans/edit", &token).await.main();
    assert!(edit.contains("value=\"Europe/Berlin\"") && !edit.contains("name=\"name\""), "{edit}");

    let ask = site.get("/admin/segments/germans/delete", &token).await.main();
    assert!(ask.contains("other segments use it") && !ask.contains("<form"), "{ask}");
    let refused = site.post("/admin/segments/germans/delete", &token, "sure=1").await;
    assert_eq!(refused.status, StatusCode::CONFLICT);
    assert!(refused.main().contains("/admin/segments/others\""), "{}", refused.main());
    let unsure = site.post("/admin/segments/others/delete", &token, "").await;
    assert_eq!(unsure.status, StatusCode::BAD_REQUEST);
    let deleted = site.post("/admin/segments/others/delete", &token, "sure=1").await;
    assert_eq!(deleted.location(), "/admin/segments?deleted=others");
    let list = site.get(&deleted.location(), &token).await.main();
    assert!(list.contains("Deleted segment others.") && list.contains("germans"), "{list}");
    for path in ["/admin/segments/others", "/admin/segments/others/edit"] {
        let gone = site.get(path, &token).await;
        assert_eq!(gone.status, StatusCode::NOT_FOUND, "{path}");
        assert!(gone.body.contains("There is no segment “others”."), "{}", gone.body);
    }

    let log = site.admins.audit_log(&AuditFilter::all(), None, 20).await.unwrap();
    let log: Vec<_> = log
        .iter()
        .filter(|it| [AuditAction::SavedSegment, AuditAction::DeletedSegment].contains(&it.action))
        .map(|it| (it.old.as_deref().unwrap_or("-"), it.new.as_deref().unwrap_or("-")))
        .collect();
    assert_eq!(
        log,
        [
            ("others: -segment:germans", "-"),
            ("germans: lang:de -blocked", "germans: lang:de"),
            ("-", "others: -segment:germans"),
            ("-", "germans: lang:de -blocked"),
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_field_is_explained_at_the_field_and_nothing_is_saved() {
    let site = site().await;
    let token = site.sign_in(Role::Editor).await;
    create(&site, &token, "old", "bot").await;
    let long = "x".repeat(1001);
    for (form, parts) in [
        ("name=Big&filter=&zone=UTC", vec!["id=\"name-wrong\"", "Expected a name of 1 to 32 of"]),
        ("name=&filter=&zone=UTC", vec!["id=\"name-wrong\""]),
        ("name=old&filter=&zone=UTC", vec!["There is a segment “old” already."]),
        ("name=new&filter=&zone=UTC", vec!["id=\"name-wrong\"", "Choose another name"]),
        (
            "name=a&filter=lang:de+langg:x+bot&zone=UTC",
            vec![
                "id=\"filter-wrong\"",
                "did you mean &#39;lang&#39;?",
                "lang:de <mark>langg:x</mark> bot",
                "lang:de langg:x bot</textarea>",
            ],
        ),
        ("name=a&filter=lang:de+or&zone=UTC", vec!["lang:de or<mark>…</mark>"]),
        ("name=a&filter=segment:gone&zone=UTC", vec!["no segment &#39;gone&#39;"]),
        ("name=a&filter=segment:a&zone=UTC", vec!["uses itself"]),
        ("name=a&filter=-tag:gone&zone=UTC", vec!["no tag &#39;gone&#39;"]),
        ("name=a&filter=&zone=Mars", vec!["id=\"zone-wrong\"", "value=\"Mars\""]),
        ("name=a&filter=", vec!["id=\"zone-wrong\""]),
        (&format!("name=a&zone=UTC&description={long}"), vec!["at most 1000 characters"]),
    ] {
        let refused = site.post("/admin/segments/new", &token, form).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{form}");
        for part in parts {
            assert!(refused.main().contains(part), "{form}: {part}: {}", refused.main());
        }
    }
    let wrong = site.post("/admin/segments/old/edit", &token, "filter=(&zone=UTC").await;
    assert_eq!(wrong.status, StatusCode::BAD_REQUEST);
    assert!(wrong.main().contains("Edit old"), "{}", wrong.main());
    let segments = site.audience.segments().await.unwrap();
    assert_eq!(segments.len(), 1);
    assert_eq!(segments[0].filter.to_string(), "bot");
}

#[tokio::test(flavor = "multi_thread")]
async fn viewers_see_segments_and_only_editors_change_them() {
    let site = site().await;
    let editor = site.sign_in(Role::Editor).await;
    create(&site, &editor, "germans", "lang:de").await;
    let viewer = site.sign_in(Role::Viewer).await;
    for path in ["/admin/segments", "/admin/segments/germans"] {
        let page = site.get(path, &viewer).await;
        assert_eq!(page.status, StatusCode::OK, "{path}");
        for link in ["/new\"", "/edit\"", "/delete\""] {
            assert!(!page.main().contains(link), "{path}: {link}");
            assert_eq!(
                site.get(path, &editor).await.main().contains(link),
                (link == "/new\"") == (path == "/admin/segments"),
                "{path}: {link}"
            );
        }
    }
    for path in ["new", "germans/edit", "germans/delete"] {
        let path = format!("/admin/segments/{path}");
        assert_eq!(site.get(&path, &viewer).await.status, StatusCode::FORBIDDEN, "{path}");
        let form = "name=x&filter=bot&zone=UTC&sure=1";
        let refused = site.post(&path, &viewer, form).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{path}");
    }
    assert_eq!(site.audience.segments().await.unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_segment_shows_its_sizes_and_who_joined_and_left() {
    let site = site().await;
    let token = site.sign_in(Role::Editor).await;
    create(&site, &token, "germans", "lang:de").await;
    create(&site, &token, "bots", "bot").await;
    site.segments.count_daily().await.unwrap();
    site.clock.advance(6 * 86_400);
    site.segments.count_daily().await.unwrap();
    site.clock.advance(86_400);
    let of = |n: i64, name: &str, language: &str| {
        Profile::new(id(n), name).language_code(language).username(&format!("user_{n}"))
    };
    for profile in [of(6, "Left", "en"), of(100, "Came", "de"), of(101, "<Came>", "de")] {
        site.users.get_or_create_user(&profile).await.unwrap();
    }
    site.segments.count_daily().await.unwrap();

    let token = site.sign_in(Role::Viewer).await;
    let list = site.get("/admin/segments", &token).await.main();
    let row = list.split("<tr>").find(|row| row.contains("germans")).unwrap();
    assert!(row.contains(">10<") && row.contains("+1"), "{row}");
    assert!(list.contains("Sizes are those of 2026-11-30"), "{list}");
    let page = site.get("/admin/segments/germans", &token).await.main();
    let part = |id: &str| {
        let part = page.split(&format!("<h2 id=\"{id}\">")).nth(1).unwrap();
        part.split("</section>").next().unwrap()
    };
    assert!(part("joined").contains("/admin/users/100\"") && part("joined").contains("&#60;Came"));
    assert!(part("left").contains("/admin/users/6\""), "{}", part("left"));
    assert!(!part("joined").contains("/admin/users/6\""), "{}", part("joined"));
    assert_eq!(part("sample").matches("<li>").count(), 10, "{}", part("sample"));
    for text in [
        "All 10 users of the latest count",
        "German: 100.0%",
        "<td>2026-11-30</td><td class=\"number\">10</td><td class=\"number\">2</td>",
        "<td>2026-11-23</td><td class=\"number\">9</td><td class=\"number\">–</td>",
        "<title>2026-11-30\nUsers: 10</title>",
        "Joined: 2\nLeft: 1",
        "+1</span> <span class=\"soft\">within seven days",
    ] {
        assert!(page.contains(text), "{text}: {page}");
    }
    // Erased users are shown nowhere.
    site.users.delete_users(&[id(100), id(6)]).await.unwrap();
    let page = site.get("/admin/segments/germans", &token).await.main();
    assert!(!page.contains("/admin/users/100\"") && !page.contains("/admin/users/6\""), "{page}");
    // The size of another filter is not compared.
    let (germans, filter) = ("germans".parse().unwrap(), "lang:en".parse().unwrap());
    site.audience.save_segment(germans, filter, chrono_tz::Tz::UTC, "").await.unwrap();
    site.segments.count_now(&|_| ()).await.unwrap();
    let counted = site.segments.list().await.unwrap();
    let changes: Vec<_> =
        counted.iter().map(|it| (it.segment.name.as_str(), it.change())).collect();
    assert_eq!(changes, [("bots", Some(0)), ("germans", None)]);
    let bots = site.get("/admin/segments/bots", &token).await.main();
    assert!(bots.contains("filter=bot") && bots.contains("None."), "{bots}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_shows_the_segments_that_contain_them_now() {
    let site = site().await;
    let token = site.sign_in(Role::Editor).await;
    let page = async |id: i64| site.get(&format!("/admin/users/{id}"), &token).await.main();
    assert!(!page(6).await.contains("id=\"segments\""), "there are no segments");
    for (name, filter) in
        [("germans", "lang:de"), ("fresh", "joined<7d -id:6,1"), ("sixth", "id:6 name:person")]
    {
        create(&site, &token, name, filter).await;
    }
    let links = async |id: i64| -> Vec<String> {
        let page = page(id).await;
        let part =
            page.split("id=\"segments\"").nth(1).unwrap().split("</section>").next().unwrap();
        let links = part.split("/admin/segments/").skip(1);
        links.map(|it| it.split('"').next().unwrap().to_owned()).collect()
    };
    assert_eq!(links(6).await, ["germans", "sixth"]);
    assert_eq!(links(1).await, [""; 0]);
    site.users.get_or_create_user(&Profile::new(id(6), "Ada").language_code("de")).await.unwrap();
    assert_eq!(links(6).await, ["germans"]);
}
