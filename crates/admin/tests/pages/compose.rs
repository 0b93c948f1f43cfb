//! Writing a broadcast.

use rollcall_domain::{BroadcastContent, BroadcastState, OnUnknown};
use rollcall_testkit::{ThrowAwayDatabase, png};

use super::{broadcasts::site, *};

pub(super) const NEW: &str = "/admin/broadcasts/new";

pub(super) async fn submit(site: &Site, token: &str, fields: &[(&str, &str)]) -> Answer {
    site.post(NEW, token, &encoded(&[], fields)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broadcast_is_written_seen_saved_and_copied() {
    for database in ThrowAwayDatabase::of_each_kind() {
        let site = site(database, 3).await;
        let token = site.sign_in(Role::Owner).await;
        let form = site.get(&format!("{NEW}?filter=lang%3Aen&zone=Europe%2FBerlin"), &token).await;
        let form = form.main();
        for part in [
            "value=\"lang:en\"",
            "name=\"zone\" value=\"Europe/Berlin\"",
            "Goes to <span class=\"counted\"><span>3 users</span></span>.",
            "Write a text to see it here",
            "<option value=\"news\" selected>",
        ] {
            assert!(form.contains(part), "{part}: {form}");
        }
        let fields = [
            ("do", "preview"),
            ("filter", "id:2"),
            ("zone", "Europe/Berlin"),
            ("text", "Hello <b>{first_name}</b> {last_name}\r\n<i>1 &amp; 2</i>"),
            ("language", "DE"),
            ("text", "Hallo {name|Freund}"),
            ("buttons", "<Shop> = https://example.org"),
        ];
        let seen = submit(&site, &token, &fields).await.main();
        for part in [
            "<bdi>&#60;Person&#62; 2</bdi></a> gets it",
            "Hello <b>&lt;Person&gt; 2</b> <mark class=\"unfilled\" title=\"This user has no value \
             here\">{last_name}</mark>\n<i>1 &amp; 2</i></div>",
            "no value for {last_name}",
            "For users with the language de",
            "<bdi>&#60;Shop&#62;</bdi>",
        ] {
            assert!(seen.contains(part), "{part}: {seen}");
        }
        assert!(!seen.contains("<p class=\"wrong\">"), "{seen}");
        let mut fields = fields.to_vec();
        fields[0] = ("do", "save");
        fields.extend([
            ("name", "Opening"),
            ("category", "promo"),
            ("at", "2026-12-01T18:30"),
            ("rate", "20"),
            ("hours", "6"),
            ("on_unknown", "resend"),
        ]);
        let saved = submit(&site, &token, &fields).await;
        let stored = site.broadcasts.list(None, 1).await.unwrap().remove(0).0;
        assert_eq!(saved.location(), format!("/admin/broadcasts/{}?done=saved", stored.id));
        let plan = &stored.plan;
        let texts = [
            (String::new(), "Hello <b>{first_name}</b> {last_name}\n<i>1 &amp; 2</i>".to_owned()),
            ("de".to_owned(), "Hallo {name|Freund}".to_owned()),
        ];
        let buttons = "<Shop> = https://example.org".to_owned();
        assert_eq!(
            plan.content,
            BroadcastContent::Text { texts: texts.into(), buttons, picture: None }
        );
        assert_eq!((plan.name.as_str(), plan.category.as_str()), ("Opening", "promo"));
        assert_eq!((plan.rate, plan.on_unknown), (Some(20), OnUnknown::Resend));
        assert_eq!(plan.lasts.num_hours(), 6);
        assert_eq!(plan.starts_at.unwrap().to_rfc3339(), "2026-12-01T17:30:00+00:00");
        assert_eq!(stored.created_by.as_deref(), Some("owner"));

        // Its time is on the page that starts it.
        let ask = site.get(&format!("/admin/broadcasts/{}/start", stored.id), &token).await.main();
        assert!(ask.contains("Schedule for 2026-12-01 17:30 (UTC)"), "{ask}");
        let path = format!("/admin/broadcasts/{}/start", stored.id);
        site.post(&path, &token, "when=later").await;
        let scheduled = site.broadcasts.find(stored.id).await.unwrap();
        assert_eq!(scheduled.state, BroadcastState::Scheduled);

        let copy = site.get(&format!("{NEW}?copy={}", stored.id), &token).await.main();
        for part in [
            "value=\"Opening\"",
            "\nHello &#60;b&#62;{first_name}",
            "value=\"de\"",
            "<option value=\"promo\" selected>",
            "<option value=\"resend\" selected>",
            "value=\"20\"",
            "name=\"at\" value=\"\"",
        ] {
            assert!(copy.contains(part), "{part}: {copy}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn users_get_a_broadcast_at_their_own_time_and_not_in_quiet_hours() {
    for database in ThrowAwayDatabase::of_each_kind() {
        let site = site(database, 3).await;
        let token = site.sign_in(Role::Owner).await;
        let quiet = [("quiet_from", "22:00"), ("quiet_until", "08:00:00")];
        let fields =
            [("do", "save"), ("name", "Evening"), ("text", "Hi"), ("zone", "Europe/Berlin")];
        let local = [("at", "2026-12-01T18:30"), ("local", "1")];
        let saved = submit(&site, &token, &[&fields[..], &quiet, &local].concat()).await;
        let stored = site.broadcasts.list(None, 1).await.unwrap().remove(0).0;
        assert_eq!(saved.location(), format!("/admin/broadcasts/{}?done=saved", stored.id));
        let times = stored.plan.times;
        assert_eq!(times.local_time.unwrap().to_string(), "2026-12-01 18:30:00");
        assert_eq!(times.quiet_hours.unwrap().to_string(), "22:00-08:00");
        assert_eq!(stored.plan.starts_at.unwrap().to_rfc3339(), "2026-12-01T04:30:00+00:00");
        let path = format!("/admin/broadcasts/{}", stored.id);
        let page = site.get(&path, &token).await.main();
        for part in ["2026-12-01 18:30 <span", "22:00-08:00 <span", "without one, Europe/Berlin"] {
            assert!(page.contains(part), "{part}: {page}");
        }
        let ask = site.get(&format!("{path}/start"), &token).await.main();
        for part in [
            "Schedule for 2026-12-01 18:30 in each user's time zone",
            ", plus the wait for local times and quiet hours",
        ] {
            assert!(ask.contains(part), "{part}: {ask}");
        }
        // A copy has the quiet hours, but not the start.
        let copy = site.get(&format!("{NEW}?copy={}", stored.id), &token).await.main();
        for part in ["value=\"22:00\"", "value=\"08:00\"", "name=\"local\" value=\"1\">"] {
            assert!(copy.contains(part), "{part}: {copy}");
        }
        let before = site.broadcasts.list(None, 9).await.unwrap();
        for (wrong, expected) in [
            (vec![("local", "1")], "Choose the time at which each user gets it."),
            (vec![("local", "1"), ("at", "2020-12-01T18:30")], "This time is in the past"),
            (vec![("quiet_from", "22:00")], "Fill in both times, such as 22:00 and 08:00."),
            (vec![("quiet_from", "8"), ("quiet_until", "x")], "Fill in both times"),
            (
                vec![("quiet_from", "08:00"), ("quiet_until", "08:00")],
                "The quiet hours end when they begin",
            ),
        ] {
            let refused = submit(&site, &token, &[&fields[..], &wrong].concat()).await;
            assert_eq!(refused.status, 400);
            let refused = refused.main();
            assert!(refused.contains(expected), "{wrong:?}: {refused}");
        }
        assert_eq!(site.broadcasts.list(None, 9).await.unwrap(), before);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_is_chosen_by_its_file_id() {
    for database in ThrowAwayDatabase::of_each_kind() {
        let site = site(database, 3).await;
        let token = site.sign_in(Role::Owner).await;
        let picture = ("picture", " AgACAgIAAxkBAAIB-x7_Q ");
        let long = "x".repeat(1_025);
        let with =
            |text, picture, what| [("do", what), ("name", "Picture"), ("text", text), picture];
        let shown = submit(&site, &token, &with("Hi", picture, "preview")).await.main();
        assert!(shown.contains("<span class=\"picture\">Picture by file_id</span>Hi"), "{shown}");
        for (text, picture, expected) in [
            (&*long, picture, "at most 1,024 characters"),
            ("Hi", ("picture", "https://example.org/x.jpg"), "Expected a file_id of letters"),
        ] {
            let refused = submit(&site, &token, &with(text, picture, "save")).await;
            assert_eq!(refused.status, 400);
            let refused = refused.main();
            assert!(refused.contains(expected), "{refused}");
        }
        assert_eq!(site.broadcasts.list(None, 9).await.unwrap(), []);
        submit(&site, &token, &with("Hi", picture, "save")).await;
        let stored = site.broadcasts.list(None, 1).await.unwrap().remove(0).0;
        let BroadcastContent::Text { picture, .. } = &stored.plan.content else { panic!() };
        assert_eq!(*picture, rollcall_domain::Picture::of_file_id("AgACAgIAAxkBAAIB-x7_Q"));
        let copy = site.get(&format!("{NEW}?copy={}", stored.id), &token).await.main();
        assert!(copy.contains("value=\"AgACAgIAAxkBAAIB-x7_Q\""), "{copy}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_part_of_the_recipients_is_held_out() {
    let site = site(ThrowAwayDatabase::sqlite(), 3).await;
    let token = site.sign_in(Role::Owner).await;
    let with = |part| [("do", "save"), ("name", "Try"), ("text", "Hi"), ("hold_out", part)];
    for part in ["0", "51", "x", "5.5"] {
        let refused = submit(&site, &token, &with(part)).await;
        assert_eq!(refused.status, 400, "{part}");
        let refused = refused.main();
        let expected = "Expected a whole number of percent from 1% to 50%, or nothing.";
        assert!(refused.contains(expected), "{refused}");
    }
    submit(&site, &token, &with("5")).await;
    let stored = site.broadcasts.list(None, 9).await.unwrap().remove(0).0;
    assert_eq!(stored.plan.experiment.hold_out.unwrap().to_string(), "5%");
    let copy = site.get(&format!("{NEW}?copy={}", stored.id), &token).await.main();
    assert!(copy.contains("name=\"hold_out\" min=\"1\" max=\"50\" value=\"5\""), "{copy}");
    let start = format!("/admin/broadcasts/{}/start", stored.id);
    let start = site.get(&start, &token).await.main();
    assert!(start.contains("<dt>Held out</dt><dd>5%"), "{start}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_is_picked_shown_and_kept_until_the_broadcast_is_saved() {
    for database in ThrowAwayDatabase::of_each_kind() {
        let site = site(database, 3).await;
        let token = site.sign_in(Role::Owner).await;
        let content = png(300, 200, [9, 90, 190]);
        // The form is not right yet, and is shown again with the picture.
        let fields = [("do", "save"), ("text", "Hi {first_name}"), ("picture", "")];
        let shown = site.upload(NEW, &token, &fields, &content, &[]).await;
        assert_eq!(shown.status, StatusCode::BAD_REQUEST);
        let shown = shown.main();
        let id = shown.split("name=\"stored_picture\" value=\"").nth(1).unwrap();
        let id = id.split('"').next().unwrap().to_owned();
        let address = format!("/admin/broadcasts/pictures/{id}");
        for part in [
            "PNG, 300 × 200 pixels, 59 KiB",
            &format!("<img class=\"picture\" src=\"{address}\" alt=\"The picture\">Hi &lt;Person"),
            "Expected a name of 1",
        ] {
            assert!(shown.contains(part), "{part}: {shown}");
        }
        let picture = site.get(&address, &token).await;
        assert_eq!((picture.status, picture.bytes), (StatusCode::OK, content.len()));
        for (name, expected) in [
            ("content-type", "image/png"),
            ("x-content-type-options", "nosniff"),
            ("cache-control", "private, max-age=31536000, immutable"),
            ("cross-origin-resource-policy", "same-origin"),
        ] {
            assert_eq!(picture.header(name).as_deref(), Some(expected));
        }
        assert!(picture.header("content-security-policy").unwrap().contains("default-src 'none'"));

        let fields = [
            ("do", "save"),
            ("name", "Picture"),
            ("text", "Hi {first_name}"),
            ("stored_picture", &*id),
        ];
        submit(&site, &token, &fields).await;
        let stored = site.broadcasts.list(None, 1).await.unwrap().remove(0).0;
        let picture = stored.plan.content.picture().unwrap();
        assert_eq!(picture.stored().unwrap().to_string(), id);
        let page = site.get(&format!("/admin/broadcasts/{}", stored.id), &token).await.main();
        assert!(page.contains(&format!("src=\"{address}\"")), "{page}");
        let copy = site.get(&format!("{NEW}?copy={}", stored.id), &token).await.main();
        assert!(copy.contains(&format!("name=\"stored_picture\" value=\"{id}\"")), "{copy}");

        // A viewer sees it, too; nobody else does.
        let viewer = site.sign_in(Role::Viewer).await;
        assert_eq!(site.get(&address, &viewer).await.status, StatusCode::OK);
        assert_eq!(site.get(&address, "").await.status, StatusCode::SEE_OTHER);
        for wrong in
            [format!("/admin/broadcasts/pictures/{}", "0".repeat(64)), format!("{address}0")]
        {
            assert_eq!(site.get(&wrong, &token).await.status, StatusCode::NOT_FOUND);
        }
        assert_eq!(
            site.upload(NEW, &viewer, &fields, &content, &[]).await.status,
            StatusCode::FORBIDDEN
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_picture_is_explained_and_the_form_stays() {
    let site = site(ThrowAwayDatabase::sqlite(), 3).await;
    let token = site.sign_in(Role::Owner).await;
    let right = png(300, 200, [9, 90, 190]);
    let fields = [("do", "save"), ("name", "Picture"), ("text", "Hi")];
    let large = [right.clone(), vec![0; 11 << 20]].concat();
    let narrow = png(2_100, 100, [0, 0, 0]);
    let wide = png(9_000, 1_001, [0, 0, 0]);
    for (file, expected) in [
        (&b"GIF89a"[..], "The file is no JPEG, PNG or WebP"),
        (&right[..right.len() - 20], "The PNG is damaged or incomplete"),
        (&large, "The picture has 11.1 MiB; Telegram takes at most 10 MiB."),
        (&narrow, "The picture has 2,100 × 100 pixels; one side may be at most 20 times"),
        (&wide, "width and height together may be at most 10,000."),
    ] {
        let refused = site.upload(NEW, &token, &fields, file, &[]).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{expected}");
        let refused = refused.main();
        for part in [expected, "value=\"Picture\"", "id=\"file-wrong\" data-wrong><p"] {
            assert!(refused.contains(part), "{part}: {refused}");
        }
    }
    let unknown = "0".repeat(64);
    for (name, value, expected) in [
        ("stored_picture", &*unknown, "The picture is not stored any more; pick it again."),
        ("stored_picture", "x", "The picture is not stored any more; pick it again."),
    ] {
        let refused = submit(&site, &token, &[&fields[..], &[(name, value)]].concat()).await.main();
        assert!(refused.contains(expected), "{refused}");
    }
    let both = [&fields[..], &[("picture", "AgACAgIAAxkBAAIB")]].concat();
    let refused = site.upload(NEW, &token, &both, &right, &[]).await.main();
    assert!(refused.contains("There is an uploaded picture already"), "{refused}");
    // Without a file, the field is empty. A removed picture is left out.
    let id = site.broadcasts.pictures().store(right.clone()).await.unwrap().to_string();
    let removed = [("do", "preview"), ("text", "Hi"), ("stored_picture", &id), ("no_picture", "1")];
    let shown = site.upload(NEW, &token, &removed, b"", &[]).await.main();
    assert!(!shown.contains("<img") && shown.contains(">Hi</div>"), "{shown}");
    assert_eq!(site.broadcasts.list(None, 9).await.unwrap(), []);
    let long = "x".repeat(70_000);
    let too_long = [("do", "preview"), ("text", &long)];
    let refused = site.upload(NEW, &token, &too_long, &right, &[]).await;
    assert_eq!(refused.status, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_with_a_picture_comes_from_our_own_page() {
    let site = site(ThrowAwayDatabase::sqlite(), 3).await;
    let token = site.sign_in(Role::Owner).await;
    let content = png(1_000, 900, [9, 90, 190]);
    let post = async |fields: &[(&str, &str)], headers: &[(&str, &str)]| {
        site.upload(NEW, &token, fields, &content, headers).await.status
    };
    let (ours, text) = (("form_token", FORM_TOKEN), ("text", "Hi"));
    let untold = [("origin", "null")];
    assert_eq!(post(&[ours, text], &untold).await, StatusCode::OK);
    for (fields, headers) in [
        (vec![text], &untold),
        (vec![text, ours], &untold),
        (vec![("form_token", "fedcba9876543210fedcba9876543210"), text], &untold),
        (vec![ours, text], &[("origin", "https://evil.example")]),
    ] {
        assert_eq!(post(&fields, headers).await, StatusCode::FORBIDDEN, "{fields:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_shown_at_its_field_and_nothing_is_saved() {
    let site = site(ThrowAwayDatabase::sqlite(), 3).await;
    let token = site.sign_in(Role::Owner).await;
    let right = [("do", "save"), ("name", "News"), ("text", "Hello")];
    let long = "x".repeat(65);
    for (field, value, parts) in [
        (
            "name",
            "",
            vec!["id=\"name-wrong\" data-wrong><p class=\"wrong\"><bdi>Expected a name of 1"],
        ),
        ("name", &long, vec!["Expected a name of 1 to 64 characters"]),
        (
            "text",
            "",
            vec!["id=\"text0-wrong\" data-wrong><p class=\"wrong\"><bdi>Write the message."],
        ),
        (
            "text",
            "a\n<storng>b",
            vec!["Line 2, column", "did you mean", "<mark>&#60;storng&#62;b</mark>"],
        ),
        ("text", "{frist_name}", vec!["did you mean", "<mark>"]),
        ("filter", "langg:en", vec!["id=\"filter-wrong\" data-wrong><p", "<mark>langg:en</mark>"]),
        ("filter", "segment:gone", vec!["id=\"filter-wrong\" data-wrong><p", "<mark>gone</mark>"]),
        ("zone", "Mars", vec!["Expected a time zone such as Europe/Berlin"]),
        ("category", "nonsense", vec!["There is no such category"]),
        ("buttons", "Shop", vec!["id=\"buttons-wrong\" data-wrong><p"]),
        ("at", "2026-11-23T11:00", vec!["This time is in the past"]),
        ("at", "tomorrow", vec!["Expected a day and a time"]),
        ("rate", "0", vec!["Expected a number from 1 to 1000"]),
        ("hours", "100000", vec!["Expected a number from 1 to 720"]),
        ("on_unknown", "hope", vec!["Choose one of the two."]),
    ] {
        let mut fields: Vec<_> = right.into_iter().filter(|(name, _)| *name != field).collect();
        fields.push((field, value));
        let answer = submit(&site, &token, &fields).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{field}: {value}");
        let page = answer.main();
        for part in parts.iter().chain(&["Nothing was saved."]) {
            assert!(page.contains(part), "{field}, {part}: {page}");
        }
        assert_eq!(page.matches("data-wrong><p").count(), 1, "{field}: {page}");
    }
    let skipped = [("zone", "Europe/Berlin"), ("at", "2027-03-28T02:30")];
    let page = submit(&site, &token, &[&right[..], &skipped].concat()).await.main();
    assert!(page.contains("The clocks skip this time"), "{page}");
    for (language, text, part) in [
        ("x", "Hallo", "Expected a language such as en or pt-br."),
        ("de", "<b>", "id=\"text1-wrong\" data-wrong><p"),
        ("", "Hallo", "Expected a language such as en or pt-br."),
        ("de", "", "id=\"text1-wrong\" data-wrong><p"),
    ] {
        let fields = [&right[..], &[("language", language), ("text", text)]].concat();
        let page = submit(&site, &token, &fields).await.main();
        assert!(page.contains(part), "{language} {text}: {page}");
    }
    let twice = [("language", "pt_BR"), ("text", "a"), ("language", "pt-br"), ("text", "b")];
    let page = submit(&site, &token, &[&right[..], &twice].concat()).await.main();
    assert!(page.contains("There is a text for this language already."), "{page}");
    assert_eq!(site.broadcasts.list(None, 10).await.unwrap(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_language_is_added_and_an_empty_one_is_left_out() {
    let site = site(ThrowAwayDatabase::sqlite(), 3).await;
    let token = site.sign_in(Role::Owner).await;
    let fields = [("do", "language"), ("name", "News"), ("text", "Hello")];
    let page = submit(&site, &token, &fields).await.main();
    assert!(page.contains("id=\"language1\"") && page.contains("id=\"text1\""), "{page}");
    let fields =
        [("do", "save"), ("name", "News"), ("text", "Hello"), ("language", ""), ("text", " \r\n")];
    submit(&site, &token, &fields).await;
    let stored = site.broadcasts.list(None, 1).await.unwrap().remove(0).0;
    let texts = [(String::new(), "Hello".to_owned())].into();
    let buttons = String::new();
    assert_eq!(stored.plan.content, BroadcastContent::Text { texts, buttons, picture: None });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_needs_a_bot_and_an_admin_from_telegram() {
    let site = site(ThrowAwayDatabase::sqlite(), 3).await;
    let it = site.make_broadcast("News", "", "Hello").await;
    for token in [site.sign_in(Role::Owner).await, site.sign_in_by_link().await] {
        let form = site.get(NEW, &token).await.main();
        assert!(!form.contains("Send a test"), "{form}");
        let refused = submit(&site, &token, &[("do", "test"), ("text", "Hello")]).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST);
        let path = format!("/admin/broadcasts/{}/test", it.id);
        let refused = site.post(&path, &token, "").await;
        assert!(refused.body.contains("Nothing was sent."), "{}", refused.body);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_empty_form_is_as_it_should_be() {
    let site = site(ThrowAwayDatabase::sqlite(), 1).await;
    let token = site.sign_in(Role::Owner).await;
    let form = site.get(NEW, &token).await.main();
    // What the filter completes is tested with the list of users.
    let (before, rest) = form.split_once("<datalist").unwrap();
    let (_, after) = rest.split_once("</datalist>").unwrap();
    insta::assert_snapshot!("the_form", format!("{before}{after}"));
}
