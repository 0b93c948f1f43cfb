//! All users of a filter: counting them, and changing their tags and groups.

use rollcall_domain::LabelName;
use rollcall_testkit::ThrowAwayDatabase;

use super::*;

/// A site on each database, with the persons 1 to `people`.
async fn sites(people: i64) -> Vec<Site> {
    let mut sites = Vec::new();
    for database in ThrowAwayDatabase::of_each_kind() {
        let site = Site::on(database, "", None).await;
        site.make_accounts().await;
        for n in 1..=people {
            site.users
                .get_or_create_user(&Profile::new(id(n), &format!("Person {n}")))
                .await
                .unwrap();
        }
        sites.push(site);
    }
    sites
}

async fn tagged(site: &Site, tag: &str) -> Vec<i64> {
    let ids: Vec<_> = (1..=9).map(id).collect();
    let tag: LabelName = tag.parse().unwrap();
    let labels = site.labels.labels_of(&ids).await.unwrap();
    labels.iter().filter(|(_, it)| it.tags.contains(&tag)).map(|(id, _)| id.get()).collect()
}

async fn events(site: &Site, path: &str, token: &str) -> Answer {
    let accept = [("accept", "text/event-stream"), ("accept-encoding", "gzip")];
    site.request_with(&Method::GET, path, Some(token), "", &accept).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_exact_number_is_streamed_and_has_a_page() {
    for site in sites(7).await {
        let token = site.sign_in(Role::Viewer).await;
        for (path, number) in [
            ("/admin/users/count", "7 users"),
            ("/admin/users/count?filter=id:1,2,99", "2 users"),
            ("/admin/users/count?filter=id:3", "1 user"),
            ("/admin/users/count?filter=bot", "no users"),
            ("/admin/users/count?filter=seen%3C1d&zone=Europe/Berlin", "7 users"),
        ] {
            let stream = events(&site, path, &token).await;
            assert_eq!(stream.header("content-type").as_deref(), Some("text/event-stream"));
            assert_eq!(stream.header("content-encoding"), None, "gzip would hold it back");
            assert_eq!(stream.header("x-accel-buffering").as_deref(), Some("no"));
            let last = format!("event: exact\ndata: {number}\n\n");
            assert!(stream.body.ends_with(&last), "{path}: {}", stream.body);
            let page = site.get(path, &token).await;
            let shown = format!(r#"<p class="figure" role="status">{number}</p>"#);
            assert!(page.body.contains(&shown), "{path}: {}", page.main());
            assert!(page.body.contains("Counted exactly, at one moment."));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_filter_that_cannot_be_counted_is_explained() {
    for site in sites(2).await {
        let token = site.sign_in(Role::Viewer).await;
        for (fields, reason) in [
            (
                "filter=langg:de",
                "Unknown field &#39;langg&#39;; did you mean &#39;lang&#39;?</bdi>",
            ),
            ("filter=(reachable", "There is no &#39;)&#39; for this"),
            ("filter=group:gone", "There is no group &#39;gone&#39;."),
            ("filter=-tag:gone", "There is no tag &#39;gone&#39;."),
            ("filter=segment:gone", "gone"),
            ("filter=reachable&zone=Nowhere", "There is no time zone “Nowhere”"),
        ] {
            let page = site.get(&format!("/admin/users/count?{fields}"), &token).await;
            assert_eq!(page.status, StatusCode::OK, "{fields}");
            assert!(page.main().contains(reason), "{fields}: {}", page.main());
            assert!(!page.body.contains("class=\"figure\""), "{fields}");
            let stream = events(&site, &format!("/admin/users/count?{fields}"), &token).await;
            assert_eq!(stream.status, StatusCode::BAD_REQUEST, "{fields}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn all_who_match_are_tagged_and_it_is_undone() {
    for site in sites(9).await {
        let token = site.sign_in(Role::Editor).await;
        let path = "/admin/changes/new?filter=-id:1,2&kind=tag&name=vip&do=add";
        let asked = site.get(path, &token).await;
        let question = asked.main();
        for part in ["Add tag vip?", "-id:1,2", "7 users", "There is no tag vip yet"] {
            assert!(question.contains(part), "{part}: {question}");
        }
        assert_eq!(site.labels.list(LabelKind::Tag).await.unwrap(), [], "it is only a question");

        let begun =
            site.post("/admin/changes", &token, &encoded(&asked.form("/admin/changes"), &[])).await;
        assert_eq!(begun.location(), "/admin/changes?done=started");
        let list = site.get("/admin/changes?done=started", &token).await;
        for part in ["The change has begun.", "Add tag vip", "-id:1,2", "Waiting", "editor"] {
            assert!(list.main().contains(part), "{part}: {}", list.main());
        }
        let refresh = r#"<noscript><meta http-equiv="refresh" content="2"></noscript>"#;
        assert!(list.body.contains(refresh) && list.body.contains("data-reload"));
        site.change_labels().await;
        assert_eq!(tagged(&site, "vip").await, [3, 4, 5, 6, 7, 8, 9]);
        let list = site.get("/admin/changes", &token).await;
        assert!(list.main().contains("Complete") && list.main().contains("7 users"));
        assert!(!list.body.contains("http-equiv") && !list.body.contains("data-reload"));

        let change = site.labels.changes().await.unwrap().remove(0).change.id;
        let undo = format!("id={change}");
        let undone = site.post("/admin/changes/undo", &token, &undo).await;
        assert_eq!(undone.location(), "/admin/changes?done=undoing");
        assert!(site.get("/admin/changes", &token).await.main().contains("Undoing"));
        site.change_labels().await;
        assert_eq!(tagged(&site, "vip").await, [0; 0]);
        let again = site.post("/admin/changes/undo", &token, &undo).await;
        assert_eq!(again.status, StatusCode::BAD_REQUEST);
        assert!(again.body.contains("no such change within the last hour"), "{}", again.main());

        let filter = AuditFilter::all().action(AuditAction::AddedLabel);
        let log = site.admins.audit_log(&filter, None, 10).await.unwrap();
        let log: Vec<_> = log.into_iter().map(|it| it.new.unwrap()).collect();
        assert_eq!(log, ["7 users: tag vip: filter -id:1,2"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_cannot_begin_is_explained_and_changes_nothing() {
    for site in sites(3).await {
        let token = site.sign_in(Role::Editor).await;
        for n in 0..LabelKind::Tag.most() {
            let name = format!("t{n}").parse().unwrap();
            site.labels.create(LabelKind::Tag, &name, "", None).await.unwrap();
        }
        for (fields, reason) in [
            ("filter=&kind=tag&name=one_more&do=add", "There are 200 tags already"),
            ("filter=&kind=tag&name=VIP&do=add", "Expected a name of 1 to 32 of a-z, 0-9, _ and -"),
            ("filter=&kind=group&name=gone&do=remove", "There is no group &#39;gone&#39;."),
            ("filter=group:gone&kind=tag&name=t1&do=add", "There is no group &#39;gone&#39;."),
            ("filter=langg:de&kind=tag&name=t1&do=add", "did you mean &#39;lang&#39;?"),
            ("filter=%22open&kind=tag&name=t1&do=add", "quot"),
            ("filter=joined:2026-02-01..2026-01-01&kind=tag&name=t1&do=add", "2026-0"),
            ("filter=&zone=Nowhere&kind=tag&name=t1&do=add", "There is no time zone “Nowhere”"),
            ("filter=&kind=tag&name=&do=add", ""),
        ] {
            // Empty fields do not stay in an address.
            let set = fields.replace("filter=&", "").replace("name=&", "");
            let asked = site.get(&format!("/admin/changes/new?{set}"), &token).await;
            assert_eq!(asked.status, StatusCode::OK, "{fields}");
            assert!(asked.main().contains(reason), "{fields}: {}", asked.main());
            assert!(!asked.body.contains(r#"id="begin""#), "{fields}");
            let refused = site.post("/admin/changes", &token, fields).await;
            assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{fields}");
            assert!(refused.main().contains(reason), "{fields}: {}", refused.main());
        }
        assert_eq!(site.labels.changes().await.unwrap(), []);
        assert_eq!(site.labels.list(LabelKind::Group).await.unwrap(), []);
        assert_eq!(site.labels.list(LabelKind::Tag).await.unwrap().len(), 200);
        for path in ["/admin/changes/undo", "/admin/changes/resume"] {
            for id in ["", "x", "-1", "99"] {
                let refused = site.post(path, &token, &format!("id={id}")).await;
                assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{path} {id}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tags_and_groups_are_created_described_and_deleted() {
    for site in sites(3).await {
        let token = site.sign_in(Role::Editor).await;
        let created =
            site.post("/admin/tags", &token, "kind=group&name=beta&description=Test+users").await;
        assert_eq!(created.location(), "/admin/tags?done=created.group:beta");
        let (beta, tag) = ("beta".parse().unwrap(), LabelKind::Group);
        site.labels.label_user(tag, &beta, id(2), true, None).await.unwrap();
        let list = site.get(&created.location(), &token).await;
        for part in [
            "Created group beta.",
            "Test users",
            "There are no tags yet.",
            "0 of 200",
            "1 of 1,000",
        ] {
            assert!(list.main().contains(part), "{part}: {}", list.main());
        }
        assert!(
            list.links().contains(&"/admin/users?filter=group%3Abeta".to_owned()),
            "{:?}",
            list.links()
        );
        let viewer = site.sign_in(Role::Viewer).await;
        let seen = site.get("/admin/tags", &viewer).await;
        assert!(seen.main().contains("Test users") && !seen.main().contains("<form"));

        let twice = site.post("/admin/tags", &token, "kind=group&name=beta").await;
        assert_eq!(twice.status, StatusCode::BAD_REQUEST);
        assert!(twice.main().contains("There is a group &#39;beta&#39; already."));
        let long = format!("kind=tag&name=a&description={}", "x".repeat(1001));
        let long = site.post("/admin/tags", &token, &long).await;
        assert!(long.main().contains("The description is too long"), "{}", long.main());
        let wrong = site.post("/admin/tags", &token, "kind=tag&name=A+b").await;
        assert!(wrong.main().contains("Expected a name of 1 to 32"), "{}", wrong.main());
        assert_eq!(site.labels.list(LabelKind::Tag).await.unwrap(), []);

        let path = "/admin/tags/group:beta";
        let described = site.post(path, &token, "description=Early+%3Cusers%3E").await;
        assert_eq!(described.location(), "/admin/tags?done=described.group:beta");
        let page = site.get(path, &token).await;
        assert!(page.main().contains("Early &#60;users&#62;") && page.main().contains("1 user"));
        let unsure = site.post(&format!("{path}/delete"), &token, "").await;
        assert_eq!(unsure.status, StatusCode::BAD_REQUEST);
        let deleted = site.post(&format!("{path}/delete"), &token, "sure=1").await;
        assert_eq!(deleted.location(), "/admin/tags?done=deleted.group:beta");
        for path in [path, "/admin/tags/beta", "/admin/tags/x:beta", "/admin/tags/tag:BETA"] {
            assert_eq!(site.get(path, &token).await.status, StatusCode::NOT_FOUND, "{path}");
        }
        assert_eq!(site.labels.list(LabelKind::Group).await.unwrap(), []);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_label_that_is_used_is_not_deleted() {
    for site in sites(3).await {
        let token = site.sign_in(Role::Editor).await;
        let tag = LabelKind::Tag;
        for name in ["vip", "test"] {
            site.labels.create(tag, &name.parse().unwrap(), "", None).await.unwrap();
        }
        site.save_segment("loyal", "tag:vip").await;
        // It waits, because nothing works on it.
        site.post("/admin/changes", &token, "filter=-tag:test&kind=tag&name=few&do=add").await;
        for (name, reason) in [("vip", "loyal"), ("test", "a change that is not complete")] {
            let path = format!("/admin/tags/tag:{name}/delete");
            let refused = site.post(&path, &token, "sure=1").await;
            assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{name}");
            assert!(refused.main().contains(reason), "{name}: {}", refused.main());
            assert!(refused.main().contains("Nothing was deleted."));
        }
        assert_eq!(site.labels.list(tag).await.unwrap().len(), 3);
    }
}
