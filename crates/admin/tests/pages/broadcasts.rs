//! The pages of broadcasts.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use futures_util::StreamExt;
use rollcall_domain::{Broadcast, BroadcastState, PauseReason, UnreachableReason};
use rollcall_service::{BroadcastChange, Delivery, Lane, LeaseTimes, Messenger, OutgoingMessage};
use rollcall_testkit::ThrowAwayDatabase;
use tokio::{
    sync::watch,
    time::{sleep, timeout},
};

use super::*;

/// A messenger whose users answer by their ids.
struct Telegram;

impl Messenger for Telegram {
    fn lane(&self, _rate: Option<u32>, _is_paid: bool) -> Arc<dyn Lane> {
        Arc::new(Self)
    }
}

#[async_trait]
impl Lane for Telegram {
    fn rate(&self) -> Option<u32> {
        Some(100)
    }

    async fn send(
        &self,
        to: rollcall_domain::TelegramId,
        _message: &OutgoingMessage,
        _stop: watch::Receiver<bool>,
    ) -> Delivery {
        match to.get() {
            1 => Delivery::Unreachable(UnreachableReason::Blocked),
            2 | 3 => Delivery::Failed("Bad Request: <b>odd</b>".to_owned()),
            4 => Delivery::Unknown,
            id => Delivery::Sent(id),
        }
    }
}

/// A site with users that the bot can write to.
pub(super) async fn site(database: ThrowAwayDatabase, users: i64) -> Site {
    let site = Site::on(database, "", None).await;
    site.make_accounts().await;
    let interactions: Vec<_> = (1..=users)
        .map(|n| {
            let profile = Profile::new(id(n), &format!("<Person> {n}")).language_code("en");
            let mut it = Interaction::new(site.clock.now(), profile, InteractionKind::Text);
            it.chat = Some(Chat { id: n, kind: ChatKind::Private });
            it
        })
        .collect();
    site.users.register(&interactions).await.unwrap();
    site
}

async fn wait_until(site: &Site, id: i64, is_so: impl Fn(&Broadcast) -> bool) {
    let so = async {
        while !is_so(&site.broadcasts.find(id).await.unwrap()) {
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(Duration::from_secs(60), so).await.unwrap();
}

/// Sends what there is to send until a broadcast is as it should be.
pub(super) async fn send_until(site: &Site, id: i64, is_so: impl Fn(&Broadcast) -> bool) {
    let (stop, stopped) = watch::channel(false);
    let lease = LeaseTimes::lasting(Duration::from_secs(5));
    let (users, preferences) = (site.users.clone(), site.preferences.clone());
    let sender = site.broadcasts.sender(users, preferences, Arc::new(Telegram), lease, stopped);
    let sending = tokio::spawn(sender.run());
    wait_until(site, id, is_so).await;
    stop.send_replace(true);
    sending.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broadcast_is_started_finished_and_explained() {
    for database in ThrowAwayDatabase::of_each_kind() {
        let site = site(database, 20).await;
        let token = site.sign_in(Role::Owner).await;
        let empty = site.get("/admin/broadcasts", &token).await.main();
        assert!(empty.contains("A broadcast sends one message to all users"), "{empty}");
        let text =
            "<b>Hello</b> {first_name|&lt;you&gt;} <a href=\"https://example.org/?a&amp;b\">x</a>";
        let it = site.make_broadcast("<b>News</b>", "lang:en -id:20", text).await;
        let path = format!("/admin/broadcasts/{}", it.id);
        let draft = site.get(&path, &token).await.main();
        for part in [
            "<bdi>&#60;b&#62;News&#60;/b&#62;</bdi>",
            "<span class=\"state \">Draft</span>",
            "Nothing has been sent.",
            "<b>Hello</b> <mark class=\"variable\" title=\"the first name\">{first_name|&lt;you&gt;}</mark>",
            "href=\"/admin/users?filter=lang%3Aen+-id%3A20\"",
        ] {
            assert!(draft.contains(part), "{part}: {draft}");
        }
        let ask = site.get(&format!("{path}/start"), &token).await.main();
        for part in ["<span>19 users</span>", "as fast as the bot's limit allows", "Start now"] {
            assert!(ask.contains(part), "{part}: {ask}");
        }
        let unclear = site.post(&format!("{path}/start"), &token, "when=soon").await;
        assert_eq!(unclear.status, StatusCode::BAD_REQUEST);
        let started = site.post(&format!("{path}/start"), &token, "when=now").await;
        assert_eq!(started.location(), format!("{path}?done=start"));
        let again = site.post(&format!("{path}/start"), &token, "when=now").await;
        assert_eq!(again.status, StatusCode::BAD_REQUEST);
        assert!(again.body.contains("is preparing and cannot be started"), "{}", again.body);
        send_until(&site, it.id, |it| it.state == BroadcastState::Finished).await;

        let page = site.get(&path, &token).await.main();
        for part in [
            "19 of 19 recipients done",
            "Every recipient has an outcome.",
            "<bdi>Bad Request: &#60;b&#62;odd&#60;/b&#62;</bdi></td><td>Failed</td><td class=\"number\">2",
            "<bdi>Blocked the bot</bdi></td><td>Unreachable</td><td class=\"number\">1",
            "They may or may not have it",
            "aria-label=\"15 sent, 1 unknown, 2 failed, 1 unreachable\"",
            "via CLI",
            "<bdi>Blocked the bot within 24 hours</bdi></th><td class=\"number\">0</td>",
            "<bdi>Opted out of news within 24 hours</bdi></th><td class=\"number\">0</td>",
            "value=\"failed\" checked> Failed <span class=\"soft\">2</span>",
            "value=\"unknown\"> Unknown <span class=\"soft\">1</span>",
        ] {
            assert!(page.contains(part), "{part}: {page}");
        }
        assert!(!page.contains("data-progress") && !page.contains("/pause"), "{page}");
        let list = site.get("/admin/broadcasts", &token).await.main();
        assert!(list.contains("15 sent of 19 recipients"), "{list}");

        let csv = site.post(&format!("{path}/recipients"), &token, "").await;
        assert_eq!(csv.header("content-type").as_deref(), Some("text/csv; charset=utf-8"));
        let lines: Vec<&str> = csv.body.lines().collect();
        assert_eq!(lines.len(), 20);
        assert_eq!(lines[0], "telegram_id,state,reason,message_id,at,pressed_at,variant");
        assert!(lines[1].starts_with("1,unreachable,blocked,,2026-11-23T12:"), "{}", lines[1]);
        assert!(lines[5].starts_with("5,sent,,5,2026-11-23T12:"), "{}", lines[5]);
        let log = AuditFilter::all().action(AuditAction::ExportedUsers);
        let log = site.admins.audit_log(&log, None, 5).await.unwrap();
        let what = format!("csv: recipients of broadcast {}", it.id);
        assert_eq!(log[0].new.as_deref(), Some(what.as_str()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broadcast_is_sent_again_to_recipients_that_did_not_get_it() {
    for database in ThrowAwayDatabase::of_each_kind() {
        let site = site(database, 20).await;
        let token = site.sign_in(Role::Owner).await;
        let it = site.make_broadcast("News", "", "Hello").await;
        let path = format!("/admin/broadcasts/{}", it.id);
        assert!(!site.get(&path, &token).await.main().contains("/resend"));
        let resend = async |body: &str| site.post(&format!("{path}/resend"), &token, body).await;
        let draft = resend("state=failed").await;
        assert_eq!(draft.status, StatusCode::BAD_REQUEST);
        assert!(draft.body.contains("expected one that is finished or cancelled"));
        site.broadcasts.change(it.id, BroadcastChange::Start, None).await.unwrap();
        send_until(&site, it.id, |it| it.state == BroadcastState::Finished).await;
        for body in ["", "state=sent", "state=queued", "state=odd"] {
            assert_eq!(resend(body).await.status, StatusCode::BAD_REQUEST, "{body}");
        }
        let created = resend("state=failed&state=unknown&state=sent").await;
        assert_eq!(created.location(), "/admin/broadcasts/2?done=resend");
        let page = site.get(&created.location(), &token).await.main();
        for part in ["Saved as a draft for these recipients", "broadcast:1:failed,1:unknown"] {
            assert!(page.contains(part), "{part}: {page}");
        }
        let users = site.get("/admin/users?filter=broadcast:1:failed,1:unknown", &token).await;
        let users = users.main();
        for n in [2, 3, 4] {
            assert!(users.contains(&format!("&#60;Person&#62; {n}<")), "{n}: {users}");
        }
        assert!(!users.contains("&#60;Person&#62; 5<"), "{users}");
        let gone = site.get("/admin/users?filter=-broadcast:99", &token).await.main();
        assert!(gone.contains("There is no broadcast 99"), "{gone}");
        let viewer = site.sign_in(Role::Viewer).await;
        assert!(!site.get(&path, &viewer).await.main().contains("/resend"));
        let refused = site.post(&format!("{path}/resend"), &viewer, "state=failed").await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broadcast_is_paused_resumed_and_cancelled() {
    let site = site(ThrowAwayDatabase::sqlite(), 5).await;
    let token = site.sign_in(Role::Owner).await;
    let it = site.make_broadcast("News", "", "Hello").await;
    let path = format!("/admin/broadcasts/{}", it.id);
    site.post(&format!("{path}/start"), &token, "when=now").await;
    let paused = site.post(&format!("{path}/pause"), &token, "").await;
    assert_eq!(paused.location(), format!("{path}?done=pause"));
    let page = site.get(&paused.location(), &token).await.main();
    for part in ["An owner paused it.", "/resume\"", "/cancel\"", "data-progress=", "</bdi></h1>"] {
        assert!(page.contains(part), "{part}: {page}");
    }
    let list = site.get("/admin/broadcasts", &token).await.main();
    assert!(list.contains("by an owner") && list.contains("Resume: News"), "{list}");
    let twice = site.post(&format!("{path}/pause"), &token, "").await;
    assert_eq!(twice.status, StatusCode::BAD_REQUEST);
    assert_eq!(
        site.post(&format!("{path}/resume"), &token, "").await.location(),
        format!("{path}?done=resume")
    );
    let ask = site.get(&format!("{path}/cancel"), &token).await.main();
    assert!(ask.contains("cannot be started or resumed"), "{ask}");
    let unsure = site.post(&format!("{path}/cancel"), &token, "").await;
    assert_eq!(unsure.status, StatusCode::BAD_REQUEST);
    assert!(!site.broadcasts.find(it.id).await.unwrap().state.has_ended());
    let cancelled = site.post(&format!("{path}/cancel"), &token, "sure=1").await;
    assert_eq!(cancelled.location(), format!("{path}?done=cancel"));
    let ended = site.broadcasts.find(it.id).await.unwrap();
    assert_eq!(ended.state, BroadcastState::Cancelled);
    // What has ended is not asked about.
    for what in ["start", "cancel"] {
        assert_eq!(site.get(&format!("{path}/{what}"), &token).await.location(), path);
    }
    let log = site.admins.audit_log(&AuditFilter::all(), None, 10).await.unwrap();
    let log: Vec<_> = log.iter().map(|it| it.action).collect();
    for action in [
        AuditAction::StartedBroadcast,
        AuditAction::PausedBroadcast,
        AuditAction::ResumedBroadcast,
        AuditAction::CancelledBroadcast,
    ] {
        assert!(log.contains(&action), "{action:?}: {log:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_broadcast_says_what_to_do() {
    let site = site(ThrowAwayDatabase::sqlite(), 4).await;
    let token = site.sign_in(Role::Viewer).await;
    site.save_segment("gone", "lang:en").await;
    let it = site.make_broadcast("News", "segment:gone", "Hello").await;
    site.broadcasts.change(it.id, BroadcastChange::Start, None).await.unwrap();
    site.audience.delete_segment(&"gone".parse().unwrap()).await.unwrap();
    send_until(&site, it.id, |it| it.state == BroadcastState::Paused(PauseReason::Audience)).await;
    let page = site.get(&format!("/admin/broadcasts/{}", it.id), &token).await.main();
    for part in ["<span class=\"state bad\">Paused</span>", "was deleted. Create it again"] {
        assert!(page.contains(part), "{part}: {page}");
    }
    // Viewers look.
    assert!(!page.contains("<form") && !page.contains("/cancel"), "{page}");
    let list = site.get("/admin/broadcasts", &token).await.main();
    assert!(list.contains("its filter no longer works") && !list.contains("<form"), "{list}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_progress_is_streamed_until_the_end() {
    let site = site(ThrowAwayDatabase::sqlite(), 5).await;
    let token = site.sign_in(Role::Viewer).await;
    let it = site.make_broadcast("News", "", "Hello").await;
    site.broadcasts.change(it.id, BroadcastChange::Start, None).await.unwrap();
    let path = format!("/admin/broadcasts/{}/progress", it.id);
    let cookie = format!("rollcall_session={token}");
    let headers = [("cookie", cookie.as_str()), ("accept", "text/event-stream")];
    let response = site.response(&Method::GET, &path, "", &headers).await;
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let mut body = response.into_body().into_data_stream();
    let first = body.next().await.unwrap().unwrap();
    let first = String::from_utf8(first.to_vec()).unwrap();
    assert!(first.starts_with("retry: 1000\nevent: progress\ndata: "), "{first}");
    assert!(first.contains("data-standing=\"preparing\"") && first.ends_with("\n\n"), "{first}");
    site.broadcasts.change(it.id, BroadcastChange::Cancel, None).await.unwrap();
    let second = body.next().await.unwrap().unwrap();
    let second = String::from_utf8(second.to_vec()).unwrap();
    assert!(second.contains("data-standing=\"cancelled\""), "{second}");
    assert!(body.next().await.is_none());
    let missing = site.get("/admin/broadcasts/99/progress", &token).await;
    assert_eq!(missing.status, StatusCode::NOT_FOUND);
}

#[tokio::test(flavor = "multi_thread")]
async fn older_broadcasts_are_on_the_next_page() {
    let site = site(ThrowAwayDatabase::sqlite(), 1).await;
    let token = site.sign_in(Role::Owner).await;
    for n in 1..=201 {
        site.make_broadcast(&format!("Number {n}"), "", "Hello").await;
    }
    let first = site.get("/admin/broadcasts", &token).await.main();
    let rows = |page: &str| page.matches("<th scope=\"row\"").count();
    assert_eq!(rows(&first), 200);
    assert!(first.contains("Number 201<") && !first.contains("Number 1<"), "{first}");
    let older = first.split("href=\"").find(|it| it.contains("before=")).unwrap();
    let older = older.split('"').next().unwrap();
    let second = site.get(older, &token).await.main();
    assert_eq!(rows(&second), 1);
    assert!(second.contains("Number 1<") && second.contains(">Newest</a>"), "{second}");
    let none = site.get("/admin/broadcasts?before=1", &token).await.main();
    assert!(none.contains("There are no older broadcasts."), "{none}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_of_a_draft_is_as_it_should_be() {
    let site = site(ThrowAwayDatabase::sqlite(), 3).await;
    let token = site.sign_in(Role::Owner).await;
    site.make_broadcast("<News>", "lang:en", "Hello <i>{first_name|friend}</i>").await;
    insta::assert_snapshot!("a_draft", site.get("/admin/broadcasts/1", &token).await.main());
    insta::assert_snapshot!(
        "its_start",
        site.get("/admin/broadcasts/1/start", &token).await.main()
    );
    insta::assert_snapshot!("the_list", site.get("/admin/broadcasts", &token).await.main());
    let missing = site.get("/admin/broadcasts/x", &token).await;
    assert_eq!(missing.status, StatusCode::NOT_FOUND);
    assert!(missing.body.contains("There is no broadcast “x”."), "{}", missing.body);
}
