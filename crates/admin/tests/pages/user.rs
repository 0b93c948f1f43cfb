//! The page of a user.

use super::*;

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
async fn the_commands_and_buttons_of_a_user_are_listed() {
    let site = Site::with_people(2).await;
    let use_of = |time: &str, command, button| {
        let profile = Profile::new(id(1), "Person 1");
        let call = Interaction::new(time.parse().unwrap(), profile, InteractionKind::Call);
        Interaction { command, button, ..call }
    };
    let uses = [
        use_of("2026-11-18T10:00:00Z", Some("schedule"), None),
        use_of("2026-11-20T10:00:00Z", Some("schedule"), None),
        use_of("2026-11-19T10:00:00Z", None, Some("settings")),
    ];
    site.users.register(&uses).await.unwrap();
    let token = site.sign_in(Role::Viewer).await;
    let page = site.get("/admin/users/1", &token).await.body;
    for line in [
        "<li>/schedule: 2 days, first 2026-11-18, last 2026-11-20</li>",
        "<li>settings (buttons): 1 day, first 2026-11-19, last 2026-11-19</li>",
    ] {
        assert!(page.contains(line), "{line}: {page}");
    }
    let other = site.get("/admin/users/2", &token).await.body;
    assert!(other.contains("Commands and buttons") && !other.contains("/schedule:"));
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
async fn tags_and_groups_are_added_and_removed_with_a_trace() {
    let site = Site::with_people(1).await;
    let token = site.sign_in(Role::Editor).await;
    let send = async |form: &str| {
        site.request(&Method::POST, "/admin/users/1/labels", Some(&token), form).await
    };
    let added = send("kind=tag&name=vip").await;
    assert_eq!(added.location(), "/admin/users/1?labelled#labels");
    send("kind=tag&name=vip").await;
    send("kind=group&name=beta").await;
    let page = site.get("/admin/users/1?labelled", &token).await.body;
    for shown in [
        r#"aria-label="Remove tag vip""#,
        r#"aria-label="Remove group beta""#,
        r#"href="/admin/users?filter=tag:vip""#,
        r#"href="/admin/users?filter=group:beta""#,
        "Saved.",
    ] {
        assert!(page.contains(shown), "{shown}: {page}");
    }
    let viewer = site.sign_in(Role::Viewer).await;
    let page = site.get("/admin/users/1", &viewer).await.body;
    assert!(page.contains(">vip</a></li>") && !page.contains("/labels\""), "{page}");

    send("kind=tag&remove=vip").await;
    assert_eq!(site.labels.count(LabelKind::Tag).await.unwrap()[0].1, 0);
    for (wrong, reason) in [
        ("kind=tag&name=VIP", "1 to 32"),
        ("kind=tag&name=", "1 to 32"),
        ("kind=tag&remove=other", "There is no tag &#39;other&#39;"),
        ("kind=colour&name=red", "A field is missing"),
    ] {
        let refused = send(wrong).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{wrong}");
        assert!(refused.body.contains(reason), "{wrong}: {}", refused.body);
    }
    let log = site.admins.audit_log(&AuditFilter::all().about(id(1)), None, 10).await.unwrap();
    let changes: Vec<_> = log
        .iter()
        .filter(|entry| entry.action != AuditAction::ViewedUser)
        .map(|entry| (entry.action, entry.old.as_deref(), entry.new.as_deref()))
        .collect();
    let expected = [
        (AuditAction::RemovedLabel, Some("tag vip"), None),
        (AuditAction::AddedLabel, None, Some("group beta")),
        (AuditAction::AddedLabel, None, Some("tag vip")),
    ];
    assert_eq!(changes, expected, "what did not change leaves no trace");
}

#[tokio::test(flavor = "multi_thread")]
async fn ticked_users_get_and_lose_a_tag() {
    let site = Site::with_people(3).await;
    let token = site.sign_in(Role::Owner).await;
    let send = async |form: &str| {
        site.request(&Method::POST, "/admin/tags/selected", Some(&token), form).await
    };
    let added = send("id=1&id=3&id=9&tag_name=vip&do=add&selection=1&sort=first_seen").await;
    let list = added.location();
    assert!(list.starts_with("/admin/users?") && list.ends_with("&labelled=added.2.vip"), "{list}");
    let page = site.get(&list, &token).await.body;
    assert!(page.contains("Added tag vip to 2 users."), "{page}");
    assert!(page.contains(r#"<option value="vip"></option>"#), "{page}");
    let removed = send("id=3&id=2&tag_name=vip&do=remove").await;
    assert_eq!(removed.location(), "/admin/users?labelled=removed.1.vip");
    let of = site.labels.labels_of(&[id(1), id(2), id(3)]).await.unwrap();
    assert_eq!(of.keys().copied().collect::<Vec<_>>(), [id(1)]);
    // All users of the list are changed only after a question.
    let all = send("id=1&all=1&tag_name=vip&do=add&filter=person").await;
    let question = "/admin/changes/new?filter=person&kind=tag&name=vip&do=add";
    assert_eq!((all.status, all.location()), (StatusCode::SEE_OTHER, question.to_owned()));
    assert_eq!(site.labels.labels_of(&[id(1), id(2), id(3)]).await.unwrap().len(), 1);
    for wrong in ["tag_name=vip&do=add", "id=1&do=add", "id=1&tag_name=x&do=remove"] {
        assert_eq!(send(wrong).await.status, StatusCode::BAD_REQUEST, "{wrong}");
    }
    let odd = site.get("/admin/users?labelled=added.2.%3Cb%3E", &token).await.body;
    assert!(!odd.contains("Added tag"), "{odd}");
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
async fn without_the_schedule_no_teams_are_shown_and_they_stay() {
    let site = Site::without_schedule().await;
    store_teams(&site).await;
    site.preferences.set_favourite(id(1), 6, true).await.unwrap();
    let token = site.sign_in(Role::Editor).await;
    let viewer = site.sign_in(Role::Viewer).await;
    let pages = async || {
        for token in [&token, &viewer] {
            let page = site.get("/admin/users/1", token).await.body;
            for hidden in ["team", "Team", "Boston", "schedule"] {
                assert!(!page.contains(hidden), "{hidden}: {page}");
            }
        }
    };
    pages().await;
    let hidden = site.get("/admin/users/1", &token).await.hidden();
    let send = async |form: &str| {
        let form = format!("{hidden}&language=de&zone=Europe/Berlin{form}");
        site.request(&Method::POST, "/admin/users/1/preferences", Some(&token), &form).await
    };
    // Teams that a form brings nevertheless are refused.
    assert_eq!(send("&team=10").await.status, StatusCode::BAD_REQUEST);
    assert_eq!(send("").await.location(), "/admin/users/1?chosen#preferences");
    let chosen = site.preferences.preferences(id(1)).await.unwrap();
    assert_eq!(chosen.language, Some(Language::German));
    assert_eq!(chosen.favourite_teams, [6].into());
    let change = ("From Telegram; UTC".to_owned(), "German; Europe/Berlin".to_owned());
    assert_eq!(changes(&site).await, [change]);
    pages().await;
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
    for odd in ["1", "", "Atlantis", "europe/berlin"] {
        let refused = choose(&format!("offset={odd}")).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{odd}");
    }
    let shown = async |zone: &str| {
        let cookie = format!("rollcall_session={token}; rollcall_zone={zone}");
        site.bare(&Method::GET, "/admin/users", "", &[("cookie", &cookie)]).await.body
    };
    let kathmandu = shown("345").await;
    assert!(kathmandu.contains(r#"title="2026-11-23 17:45 UTC+05:45""#));
    assert!(kathmandu.contains(
        r#"<span id="zone" data-zone="Asia/Kathmandu" data-set="/admin/zone">UTC+05:45"#
    ));
    assert!(kathmandu.contains(r#"<option value="345" selected>UTC+05:45</option>"#));
    // The script sends the name of the browser's own.
    let named = choose("offset=Europe%2FBerlin").await;
    assert!(named.header("set-cookie").unwrap().starts_with("rollcall_zone=Europe/Berlin; "));
    assert!(shown("Europe/Berlin").await.contains(r#"title="2026-11-23 13:00 UTC+01:00""#));
    for nonsense in ["", "1", "99999999999", "<b>"] {
        assert!(shown(nonsense).await.contains(r#"title="2026-11-23 12:00 UTC""#), "{nonsense}");
    }
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

#[tokio::test(flavor = "multi_thread")]
async fn an_owner_downloads_everything_about_a_user() {
    let site = Site::with_people(2).await;
    let token = site.sign_in(Role::Owner).await;
    let page = site.get("/admin/users/2", &token).await.body;
    assert!(page.contains(r#"action="/admin/users/2/copy""#), "{page}");
    let copy = site.post("/admin/users/2/copy", &token, "").await;
    assert_eq!(copy.status, StatusCode::OK);
    for expected in ["\"telegram_id\": 2", "Person 2", "copied_user_data"] {
        assert!(copy.body.contains(expected), "{expected}: {}", copy.body);
    }
    assert!(!copy.body.contains("Person 1"), "{}", copy.body);
    let missing = site.post("/admin/users/99/copy", &token, "").await;
    assert_eq!(missing.status, StatusCode::NOT_FOUND);
    let viewer = site.sign_in(Role::Viewer).await;
    let page = site.get("/admin/users/2", &viewer).await.body;
    assert!(!page.contains("/copy\""), "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_about_data_are_added_and_finished() {
    let site = Site::with_people(2).await;
    let token = site.sign_in(Role::Owner).await;
    let empty = site.get("/admin/requests", &token).await;
    assert!(empty.body.contains("There are no open requests."), "{}", empty.body);
    let added = site.post("/admin/requests", &token, "id=2&kind=telegram").await;
    assert_eq!(added.location(), "/admin/requests?done=added");
    let list = site.get(&added.location(), &token).await.main();
    for expected in ["Added.", "Telegram asked for erasure", "Mark request 1 as done"] {
        assert!(list.contains(expected), "{expected}: {list}");
    }
    for wrong in ["id=x&kind=copy", "id=2&kind=all"] {
        let refused = site.post("/admin/requests", &token, wrong).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST);
        assert!(refused.body.contains("Expected"), "{}", refused.body);
    }
    // Deleting the user finishes it.
    site.post("/admin/requests", &token, "id=2&kind=copy").await;
    site.post("/admin/delete", &token, "id=2").await;
    let list = site.get("/admin/requests", &token).await.main();
    assert!(!list.contains("Mark request 1 as done"), "{list}");
    let done = site.post("/admin/requests/finish", &token, "number=2").await;
    assert_eq!(done.location(), "/admin/requests?done=finished");
    let again = site.post("/admin/requests/finish", &token, "number=2").await;
    assert_eq!(again.status, StatusCode::BAD_REQUEST);
    assert!(site.get("/admin/requests", &token).await.body.contains("There are no open requests."));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_owner_of_the_bot_is_not_deleted() {
    let site = Site::with_people(2).await;
    let owner = site::OWNER;
    site.users.get_or_create_user(&Profile::new(id(owner), "Olga")).await.unwrap();
    let token = site.sign_in(Role::Owner).await;
    let refused = site.post("/admin/delete", &token, &format!("id={owner}")).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    assert!(refused.body.contains("Owners of the bot are not deleted."), "{}", refused.body);
    assert_eq!(site.users.get_user_stats().await.unwrap().total_users, 3);
}
