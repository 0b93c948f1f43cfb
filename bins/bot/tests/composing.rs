//! An owner composes a broadcast in the chat with the bot, and watches it there.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

#[macro_use]
mod running;

use std::time::Duration;

use chrono::TimeDelta;
use rollcall_domain::{
    AuditAction, Broadcast, BroadcastContent, BroadcastState, Chat as StoredChat, ChatKind, Clock,
    Interaction, InteractionKind, Profile, RecipientState, SystemClock, TelegramId,
};
use rollcall_repository::{AuditFilter, AuditLogRepository};
use rollcall_repository_diesel::{Database, DieselAdminRepository, DieselUserRepository};
use rollcall_service::{AudienceService, BroadcastChange, BroadcastService, UserService};
use rollcall_simulator::{Chat, Fault, Person, SentMessage, Simulator, Update};
use rollcall_testkit::ThrowAwayDatabase;
use running::{
    RunningBot,
    chat::{ask, press},
    database::tamper,
};
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};

stories!(
    a_forwarded_photo_becomes_a_broadcast,
    progress_is_shown_and_the_broadcast_paused_resumed_and_cancelled,
    a_segment_is_chosen_by_a_button,
    a_category_is_chosen_and_a_draft_discarded,
    a_time_and_a_speed_are_chosen_by_buttons,
    a_wrong_or_empty_selection_is_refused,
    what_cannot_be_copied_is_refused_and_the_bot_still_waits,
    an_album_is_refused_once,
    waiting_ends_with_a_command_a_button_or_time,
    a_message_may_reach_another_process,
    others_and_groups_get_no_answer,
    two_owners_start_a_broadcast_once,
    progress_goes_on_in_another_process,
    a_deleted_progress_message_is_not_sent_again,
    a_message_that_was_deleted_pauses_the_broadcast,
    messages_on_their_way_count_after_the_end,
    an_erased_owner_leaves_no_request,
);

/// How long a test waits before it fails.
const PATIENCE: Duration = Duration::from_secs(120);
const OWNERS: &str = "99,98";
const SETTINGS: [(&str, &str); 3] =
    [("BROADCAST_LEASE", "1"), ("SCHEDULE", "off"), ("ADMIN_TELEGRAM_IDS", OWNERS)];
/// So that a broadcast to 60 users takes more than ten seconds.
const SLOWLY: (&str, &str) = ("SEND_RATE", "6");
const STALE: &str = "This button no longer works. Please send the command again.";

fn grace() -> Person {
    Person::new(99, "Grace").language_code("en")
}

fn hedy() -> Person {
    Person::new(98, "Hedy").language_code("en")
}

fn ada() -> Person {
    Person::new(1815, "Ada").language_code("en")
}

fn labels(message: &SentMessage) -> Vec<String> {
    message.buttons().into_iter().map(|button| button.text).collect()
}

async fn telegram() -> Simulator {
    Simulator::builder().every_chat_open().wait_timeout(PATIENCE).start().await.unwrap()
}

/// The photo of a channel with two buttons, of which the bot can send one.
fn photo() -> Update {
    let channel = Chat::channel(-1_009, "News");
    Update::photo(&grace())
        .with_caption("Big sale\nToday only")
        .with(
            "reply_markup",
            json!({ "inline_keyboard": [
                [{ "text": "Shop", "url": "https://example.org" }],
                [{ "text": "Like", "callback_data": "like" }],
            ] }),
        )
        .forwarded_from_channel(&channel, 5)
}

/// Composes a draft of a text to everyone.
async fn draft(telegram: &Simulator, owner: &Person, text: &str) -> SentMessage {
    let asked = ask(telegram, owner, "/broadcast").await;
    press(telegram, owner, &asked, "Everyone").await;
    ask(telegram, owner, text).await
}

/// The number of a draft, which its buttons have.
fn number(draft: &SentMessage) -> i64 {
    let data = draft.button("Send me a test copy").unwrap();
    data.rsplit('/').next().unwrap().parse().unwrap()
}

/// Presses a button with any data, and returns the text of the pop-up.
async fn notice(telegram: &Simulator, person: &Person, message: &SentMessage, data: &str) -> Value {
    let before = telegram.calls("answerCallbackQuery");
    telegram.press(person, message, data);
    let answers = telegram.wait_for_requests("answerCallbackQuery", before + 1).await.unwrap();
    answers.last().unwrap().params["text"].clone()
}

/// Waits until a message shows a text.
async fn shows(telegram: &Simulator, message: &SentMessage, text: &str) -> SentMessage {
    let (chat, id) = (message.chat_id, message.message_id);
    telegram
        .wait_for(&format!("a message with {text:?}"), |telegram| {
            let messages = telegram.messages_to(chat);
            messages.into_iter().find(|it| it.message_id == id && it.text.contains(text))
        })
        .await
        .unwrap()
}

/// Presses a button of a message that also edits itself, and waits until it shows a text.
async fn press_until(
    telegram: &Simulator,
    message: &SentMessage,
    label: &str,
    text: &str,
) -> SentMessage {
    telegram.press(&grace(), message, &message.button(label).unwrap());
    shows(telegram, message, text).await
}

async fn a_forwarded_photo_becomes_a_broadcast(database: ThrowAwayDatabase) {
    let telegram = telegram().await;
    let store = Store::with_users(&database, 3).await;
    let bot = RunningBot::start(&telegram, &database, &SETTINGS).await;
    let asked = ask(&telegram, &grace(), "/broadcast").await;
    assert!(asked.text.starts_with("New broadcast\nWhich users get it?"), "{}", asked.text);
    assert_eq!(labels(&asked), ["Everyone"]);
    let waits = press(&telegram, &grace(), &asked, "Everyone").await;
    assert!(
        waits.text.contains("everyone but bots. The bot can write to 4 of them."),
        "{}",
        waits.text
    );
    assert_eq!(labels(&waits), ["Cancel"]);

    telegram.push(photo());
    let draft = telegram.wait_for_message(99).await.unwrap();
    assert_eq!(
        draft.text,
        "Draft: \u{2068}Big sale\u{2069}\nUsers: everyone but bots\nCategory: News\n\
         Recipients: 4\n\nKeep your message until the broadcast has ended, because \
         each user gets a copy of it.\n\n1 button was left out: only buttons with an address or a \
         text to copy can be sent."
    );
    assert_eq!(
        labels(&draft),
        ["Send me a test copy", "Start…", "Start time", "Speed", "Category", "Discard"]
    );
    // The bot no longer waits.
    telegram.push(photo());
    telegram.wait_until_drained().await.unwrap();

    let sent = "The copy is below. Users get the message like this.";
    let test = draft.button("Send me a test copy").unwrap();
    assert_eq!(notice(&telegram, &grace(), &draft, &test).await, sent);
    let copy = telegram.wait_for_message(99).await.unwrap();
    assert_eq!((copy.text.as_str(), labels(&copy)), ("Big sale\nToday only", vec!["Shop".into()]));
    assert!(copy.json["photo"].is_array(), "{}", copy.json);
    assert_eq!(telegram.messages_to(1).len(), 0, "nothing is sent before the start");

    let question = press(&telegram, &grace(), &draft, "Start…").await;
    assert_eq!(question.text, "Start this broadcast?\n\u{2068}Big sale\u{2069}\n\nRecipients: 4");
    assert_eq!(labels(&question), ["Start now", "« Back"]);
    let draft = press(&telegram, &grace(), &question, "« Back").await;
    let question = press(&telegram, &grace(), &draft, "Start…").await;
    let started = press(&telegram, &grace(), &question, "Start now").await;
    let ended = shows(&telegram, &started, "Finished.").await;
    assert_eq!(
        ended.text,
        "Broadcast: \u{2068}Big sale\u{2069}\nFinished.\n4 of 4 (100%)\n\nSent: 4"
    );
    assert_eq!(labels(&ended), Vec::<String>::new());
    for user in 1..=3 {
        let copies = telegram.messages_to(user);
        assert_eq!(copies.len(), 1);
        assert_eq!(copies[0].json["photo"], copy.json["photo"]);
        assert_eq!(copies[0].json["reply_markup"], copy.json["reply_markup"]);
    }
    assert_eq!(store.service.list(None, 9).await.unwrap().len(), 1);
    // No message follows it any more.
    store.wait_until_unwatched().await;
    assert_eq!(store.audit().await, [AuditAction::CreatedBroadcast, AuditAction::StartedBroadcast]);
    let log = bot.terminate().await;
    assert!(!log.contains("WARN"), "{log}");
}

async fn progress_is_shown_and_the_broadcast_paused_resumed_and_cancelled(
    database: ThrowAwayDatabase,
) {
    const USERS: i64 = 90;
    let telegram = telegram().await;
    let store = Store::with_users(&database, USERS).await;
    let settings = [&SETTINGS[..], &[SLOWLY]].concat();
    let bot = RunningBot::start(&telegram, &database, &settings).await;
    let draft = draft(&telegram, &grace(), "Hello everyone").await;
    let takes = "Sending takes about 19 s. If you start now, it ends at about ";
    assert!(draft.text.contains(takes), "{}", draft.text);
    let question = press(&telegram, &grace(), &draft, "Start…").await;
    let started = press(&telegram, &grace(), &question, "Start now").await;
    assert_eq!(labels(&started), ["Pause", "Cancel…"]);
    // It edits itself.
    let sending = shows(&telegram, &started, " a second, about ").await;
    assert!(sending.text.contains("It is being sent.\n"), "{}", sending.text);
    assert!(sending.text.contains(" of 91 ("), "{}", sending.text);
    assert!(sending.text.contains("░"), "{}", sending.text);

    let id = store.service.list(None, 1).await.unwrap()[0].0.id;
    let paused = press_until(&telegram, &sending, "Pause", "\nPaused.\n").await;
    assert_eq!(labels(&paused), ["Resume", "Cancel…"]);
    store.wait_until(id, |it| matches!(it.state, BroadcastState::Paused(_))).await;
    // Another owner resumes it elsewhere, and the message shows it.
    store.service.change(id, BroadcastChange::Resume, None).await.unwrap();
    let resumed = shows(&telegram, &paused, "It is being sent.").await;
    assert_eq!(labels(&resumed), ["Pause", "Cancel…"]);
    let stale = paused.button("Resume").unwrap();
    let changed = "This broadcast has changed meanwhile. This is how it is now.";
    assert_eq!(notice(&telegram, &grace(), &resumed, &stale).await, changed);

    let ask = "Cancel this broadcast?";
    let question = press_until(&telegram, &resumed, "Cancel…", ask).await;
    assert!(question.text.contains(" recipients still wait and will not get the message."));
    assert_eq!(labels(&question), ["Cancel the broadcast", "« Back"]);
    let back = press_until(&telegram, &question, "« Back", "It is being sent.").await;
    assert_eq!(labels(&back), ["Pause", "Cancel…"]);
    let question = press_until(&telegram, &back, "Cancel…", ask).await;
    let cancelled =
        press_until(&telegram, &question, "Cancel the broadcast", "\nCancelled.\n").await;
    assert_eq!(labels(&cancelled), Vec::<String>::new());
    let ended = store.wait_until(id, |it| it.state == BroadcastState::Cancelled).await;
    assert_eq!(ended.state, BroadcastState::Cancelled);
    store.wait_until_unwatched().await;
    for user in 1..=USERS {
        assert!(telegram.messages_to(user).len() <= 1, "{user}");
    }
    bot.terminate().await;
}

async fn a_segment_is_chosen_by_a_button(database: ThrowAwayDatabase) {
    let telegram = telegram().await;
    let store = Store::with_users(&database, 3).await;
    for (name, filter) in [("some", "id:1"), ("nobody", "id:7")] {
        store.save_segment(name, filter).await;
    }
    for n in 0..10 {
        store.save_segment(&format!("x{n}"), "reachable").await;
    }
    let bot = RunningBot::start(&telegram, &database, &SETTINGS).await;
    let asked = ask(&telegram, &grace(), "/broadcast").await;
    assert_eq!(labels(&asked)[..3], ["Everyone", "nobody", "some"]);
    let second = press(&telegram, &grace(), &asked, "›").await;
    assert_eq!(labels(&second), ["Everyone", "x8", "x9", "‹"]);
    let first = press(&telegram, &grace(), &second, "‹").await;
    let waits = press(&telegram, &grace(), &first, "some").await;
    assert!(waits.text.contains("segment some. The bot can write to 1 of them."), "{}", waits.text);
    let draft = ask(&telegram, &grace(), "Hi").await;
    assert!(draft.text.contains("\nUsers: segment some\n"), "{}", draft.text);
    let question = press(&telegram, &grace(), &draft, "Start…").await;
    let started = press(&telegram, &grace(), &question, "Start now").await;
    shows(&telegram, &started, "Finished.").await;
    assert_eq!(telegram.texts_to(1), ["Hi"]);
    assert_eq!(telegram.messages_to(2).len(), 0);
    // A segment without users, and one that is gone.
    telegram.press(&grace(), &first, &first.button("nobody").unwrap());
    shows(&telegram, &first, "The bot cannot write to any user of this selection.").await;
    let data = first.button("x1").unwrap();
    store.audience().delete_segment(&"x1".parse().unwrap()).await.unwrap();
    telegram.press(&grace(), &first, &data);
    let gone = shows(&telegram, &first, "This filter cannot be used.").await;
    assert!(gone.text.contains("x1"), "{}", gone.text);
    bot.terminate().await;
}

async fn a_category_is_chosen_and_a_draft_discarded(database: ThrowAwayDatabase) {
    let telegram = telegram().await;
    let store = Store::with_users(&database, 2).await;
    store.service.add_category(&"betas".parse().unwrap(), Some(2), None).await.unwrap();
    let bot = RunningBot::start(&telegram, &database, &SETTINGS).await;
    let draft = draft(&telegram, &grace(), "Hi").await;
    let choice = press(&telegram, &grace(), &draft, "Category").await;
    assert_eq!(labels(&choice), ["betas", "✓ News", "Offers", "system", "« Back"]);
    let promo = press(&telegram, &grace(), &choice, "Offers").await;
    assert!(promo.text.contains("\nCategory: Offers\n"), "{}", promo.text);
    let id = number(&promo);
    assert!(store.service.find(id).await.unwrap().plan.has_opt_out_button);
    let test = promo.button("Send me a test copy").unwrap();
    telegram.press(&grace(), &promo, &test);
    let copy = telegram.wait_for_message(99).await.unwrap();
    assert_eq!(labels(&copy), ["Unsubscribe: Offers"]);
    let choice = press(&telegram, &grace(), &promo, "Category").await;
    let betas = press(&telegram, &grace(), &choice, "betas").await;
    let cap = "Users get at most 2 messages of this category in seven days.";
    assert!(betas.text.contains(cap), "{}", betas.text);
    let plan = store.service.find(id).await.unwrap().plan;
    assert_eq!((plan.category.as_str(), plan.has_opt_out_button), ("betas", false));
    for data in [format!("1/b/cat/{id}/gone"), format!("1/b/cat/{id}/Betas")] {
        let text = notice(&telegram, &grace(), &betas, &data).await;
        assert!(text == "That option isn't available." || text == STALE, "{text}");
    }

    let discarded = press(&telegram, &grace(), &betas, "Discard").await;
    assert_eq!(discarded.text, "The draft was discarded. Nothing was sent.");
    assert_eq!(store.service.find(id).await.unwrap().state, BroadcastState::Cancelled);
    // Its buttons start nothing any more.
    let start = format!("1/b/start/{id}");
    let started = notice(&telegram, &grace(), &discarded, &start).await;
    assert_eq!(started, "This broadcast has changed meanwhile. This is how it is now.");
    assert_eq!(store.service.find(id).await.unwrap().state, BroadcastState::Cancelled);
    assert_eq!(notice(&telegram, &grace(), &discarded, "1/b/start/77").await, STALE);
    assert_eq!(telegram.messages_to(1).len(), 0);
    bot.terminate().await;
}

async fn a_time_and_a_speed_are_chosen_by_buttons(database: ThrowAwayDatabase) {
    let telegram = telegram().await;
    let store = Store::with_users(&database, 3).await;
    let settings = [&SETTINGS[..], &[("SEND_RATE", "30")]].concat();
    let bot = RunningBot::start(&telegram, &database, &settings).await;
    let draft = draft(&telegram, &grace(), "Hi").await;
    let id = number(&draft);
    let plan = async || store.service.find(id).await.unwrap().plan;

    let speeds = press(&telegram, &grace(), &draft, "Speed").await;
    let free = ["✓ 25 a second · 1 s", "10 a second · 1 s", "5 a second · 1 s", "1 a second · 4 s"];
    let paid =
        ["100 a second · 1 s · ⭐ 1", "300 a second · 1 s · ⭐ 1", "1,000 a second · 1 s · ⭐ 1"];
    assert_eq!(labels(&speeds), [&free[..], &paid, &["« Back"]].concat());
    let fast = press(&telegram, &grace(), &speeds, paid[0]).await;
    assert!(fast.text.contains("It costs about ⭐ 1.\nFree: about 1 s\n"), "{}", fast.text);
    assert_eq!((plan().await.rate, plan().await.is_paid), (Some(100), true));
    let speeds = press(&telegram, &grace(), &fast, "Speed").await;
    let slow = press(&telegram, &grace(), &speeds, free[3]).await;
    assert!(slow.text.contains("Sending takes about 4 s."), "{}", slow.text);
    assert_eq!((plan().await.rate, plan().await.is_paid), (Some(1), false));

    let days = press(&telegram, &grace(), &slow, "Start time").await;
    assert_eq!(labels(&days)[0], "✓ When I press “Start now”");
    let tomorrow = labels(&days)[2].clone();
    let hours = press(&telegram, &grace(), &days, &tomorrow).await;
    let planned = press(&telegram, &grace(), &hours, "6:00 PM").await;
    let start = format!("{tomorrow}, 6:00 PM");
    assert!(planned.text.contains(&format!("\nStart: {start}\n")), "{}", planned.text);
    let at = plan().await.starts_at.unwrap();
    assert!(at > SystemClock.now(), "{at}");
    let question = press(&telegram, &grace(), &planned, "Start…").await;
    assert!(question.text.starts_with("Schedule this broadcast?\n"), "{}", question.text);
    assert_eq!(labels(&question), ["Schedule", "Start now", "« Back"]);
    let scheduled = press(&telegram, &grace(), &question, "Schedule").await;
    assert!(
        scheduled.text.contains(&format!("It starts by itself: {start}")),
        "{}",
        scheduled.text
    );
    assert_eq!(labels(&scheduled), ["Cancel…"]);
    assert_eq!(store.service.find(id).await.unwrap().state, BroadcastState::Scheduled);
    // Old buttons change nothing any more, nor does a time that has passed.
    let changed = "This broadcast has changed meanwhile. This is how it is now.";
    let stale = speeds.button(free[1]).unwrap();
    assert_eq!(notice(&telegram, &grace(), &scheduled, &stale).await, changed);
    assert_eq!(plan().await.rate, Some(1));
    let other = self::draft(&telegram, &grace(), "Later").await;
    let past = format!("1/b/at/{}/1600000000", number(&other));
    let passed = "This time has passed. Choose another one.";
    assert_eq!(notice(&telegram, &grace(), &other, &past).await, passed);

    assert_eq!(telegram.messages_to(1).len(), 0, "nothing is sent before its time");
    tamper(
        &database,
        "UPDATE broadcasts SET starts_at = '2026-01-01 00:00:00.000000' WHERE id = 1",
    );
    shows(&telegram, &scheduled, "Finished.").await;
    assert_eq!(telegram.texts_to(1), ["Hi"]);
    bot.terminate().await;
}

async fn a_wrong_or_empty_selection_is_refused(database: ThrowAwayDatabase) {
    let telegram = telegram().await;
    let store = Store::with_users(&database, 2).await;
    let bot = RunningBot::start(&telegram, &database, &SETTINGS).await;
    let wrong = ask(&telegram, &grace(), "/broadcast lang:de seeen<14d").await;
    assert!(wrong.text.starts_with("This filter cannot be used.\nlang:de seeen<14d\n"));
    assert!(wrong.text.contains("\n        ^\ncharacter 9: unknown field"), "{}", wrong.text);
    assert!(wrong.text.contains("\nExample: /broadcast lang:de"), "{}", wrong.text);
    let gone = ask(&telegram, &grace(), "/broadcast tag:vip").await;
    assert!(gone.text.contains("there is no tag 'vip'"), "{}", gone.text);
    let nobody = ask(&telegram, &grace(), "/broadcast id:7").await;
    assert_eq!(nobody.text, "The bot cannot write to any user of this selection.");
    // The bot waits for nothing.
    telegram.write(&grace(), "Hi");
    let some = ask(&telegram, &grace(), "/broadcast id:1").await;
    assert!(some.text.contains("Users: id:1. The bot can write to 1 of them."), "{}", some.text);
    let draft = ask(&telegram, &grace(), "Hi").await;
    // Nobody is left when it starts.
    let question = press(&telegram, &grace(), &draft, "Start…").await;
    store
        .users
        .mark_unreachable(id(1), rollcall_domain::UnreachableReason::Blocked, SystemClock.now())
        .await
        .unwrap();
    let start = question.button("Start now").unwrap();
    let none = "No user would get it now. Nothing was started.";
    assert_eq!(notice(&telegram, &grace(), &question, &start).await, none);
    let empty = shows(
        &telegram,
        &question,
        "No user would get it now.\nRecipients: 0 of 1 users\nUnreachable: 1",
    )
    .await;
    let left = ["Send me a test copy", "Start time", "Speed", "Category", "Discard"];
    assert_eq!(labels(&empty), left);
    assert_eq!(telegram.messages_to(1).len(), 0);
    bot.terminate().await;
}

async fn what_cannot_be_copied_is_refused_and_the_bot_still_waits(database: ThrowAwayDatabase) {
    let telegram = telegram().await;
    let _store = Store::with_users(&database, 1).await;
    let bot = RunningBot::start(&telegram, &database, &SETTINGS).await;
    ask(&telegram, &grace(), "/broadcast id:1").await;
    let bare = || Update::text(&grace(), "x").without("text");
    let kind = "Telegram does not copy messages of this kind.";
    let quiz = "Telegram copies a quiz only if the bot knows the right answer.";
    let poll = |with: Value| {
        let mut poll = json!({ "id": "1", "question": "?", "options": [], "type": "quiz" });
        poll.as_object_mut().unwrap().extend(with.as_object().unwrap().clone());
        bare().with("poll", poll)
    };
    for (update, expected) in [
        (bare().with("invoice", json!({})), kind),
        (bare().with("giveaway", json!({})), kind),
        (bare().with("paid_media", json!({})), kind),
        (bare().with("pinned_message", json!({})), kind),
        (poll(json!({})), quiz),
    ] {
        telegram.push(update.clone());
        let refused = telegram.wait_for_message(99).await.unwrap();
        assert!(refused.text.starts_with(expected), "{update:?}: {}", refused.text);
        assert!(refused.text.ends_with("; the bot still waits."), "{}", refused.text);
    }
    telegram.push(poll(json!({ "correct_option_ids": [0] })));
    let draft = telegram.wait_for_message(99).await.unwrap();
    assert!(draft.text.starts_with("Draft: "), "{}", draft.text);
    for update in [
        Update::video(&grace()).with_caption("Look"),
        Update::document(&grace(), "prices.pdf"),
        Update::voice(&grace()),
        Update::poll_message(&grace(), "Well?"),
        Update::sticker(&grace()),
    ] {
        ask(&telegram, &grace(), "/broadcast id:1").await;
        telegram.push(update.clone());
        let draft = telegram.wait_for_message(99).await.unwrap();
        assert!(draft.text.starts_with("Draft: "), "{update:?}: {}", draft.text);
    }
    bot.terminate().await;
}

async fn an_album_is_refused_once(database: ThrowAwayDatabase) {
    let telegram = telegram().await;
    let _store = Store::with_users(&database, 1).await;
    let bot = RunningBot::start(&telegram, &database, &SETTINGS).await;
    ask(&telegram, &grace(), "/broadcast id:1").await;
    for album in ["7", "8"] {
        for _ in 0..3 {
            telegram.push(Update::photo(&grace()).with("media_group_id", album));
        }
        let refused = telegram.wait_for_message(99).await.unwrap();
        assert!(refused.text.starts_with("An album cannot be a broadcast."), "{}", refused.text);
    }
    let draft = ask(&telegram, &grace(), "Hi").await;
    assert!(draft.text.starts_with("Draft: "), "{}", draft.text);
    assert_eq!(telegram.messages_to(99).len(), 4);
    bot.terminate().await;
}

async fn waiting_ends_with_a_command_a_button_or_time(database: ThrowAwayDatabase) {
    const STOPPED: &str = "The bot no longer waits for a message. No broadcast was created.";
    let telegram = telegram().await;
    let store = Store::with_users(&database, 1).await;
    let bot = RunningBot::start(&telegram, &database, &SETTINGS).await;
    ask(&telegram, &grace(), "/broadcast id:1").await;
    assert_eq!(ask(&telegram, &grace(), "/id").await.text, STOPPED);
    assert!(telegram.wait_for_message(99).await.unwrap().text.contains("99"));
    // Also one that the bot does not have.
    ask(&telegram, &grace(), "/broadcast id:1").await;
    assert_eq!(ask(&telegram, &grace(), "/cancel").await.text, STOPPED);
    let waits = ask(&telegram, &grace(), "/broadcast id:1").await;
    assert_eq!(press(&telegram, &grace(), &waits, "Cancel").await.text, STOPPED);
    // A new request replaces the old one.
    ask(&telegram, &grace(), "/broadcast id:1").await;
    ask(&telegram, &grace(), "/broadcast").await;
    telegram.write(&grace(), "Hi");

    let hours_ago = |hours: i64| {
        let at = SystemClock.now() - TimeDelta::hours(hours);
        let at = at.format("%Y-%m-%d %H:%M:%S%.6f");
        tamper(&database, &format!("UPDATE broadcast_requests SET at = '{at}'"));
    };
    ask(&telegram, &grace(), "/broadcast id:1").await;
    hours_ago(2);
    let late = ask(&telegram, &grace(), "Hi").await;
    assert!(late.text.starts_with("This message came too late"), "{}", late.text);
    telegram.write(&grace(), "Hi");
    // After days, a message has nothing to do with it.
    ask(&telegram, &grace(), "/broadcast id:1").await;
    hours_ago(48);
    telegram.write(&grace(), "Hi");
    let help = ask(&telegram, &grace(), "/id").await;
    assert!(help.text.contains("99"), "{}", help.text);
    assert!(store.service.list(None, 9).await.unwrap().is_empty());
    bot.terminate().await;
}

/// The bot is restarted between the steps.
async fn a_message_may_reach_another_process(database: ThrowAwayDatabase) {
    let telegram = telegram().await;
    let _store = Store::with_users(&database, 2).await;
    let bot = RunningBot::start(&telegram, &database, &SETTINGS).await;
    let asked = ask(&telegram, &grace(), "/broadcast").await;
    bot.terminate().await;
    let bot = RunningBot::start(&telegram, &database, &SETTINGS).await;
    press(&telegram, &grace(), &asked, "Everyone").await;
    bot.terminate().await;
    // The message is the first that the new process sees of the owner.
    telegram.push(photo());
    let bot = RunningBot::start(&telegram, &database, &SETTINGS).await;
    let draft = telegram.wait_for_message(99).await.unwrap();
    assert!(draft.text.starts_with("Draft: "), "{}", draft.text);
    bot.terminate().await;
    let bot = RunningBot::start(&telegram, &database, &SETTINGS).await;
    let question = press(&telegram, &grace(), &draft, "Start…").await;
    let started = press(&telegram, &grace(), &question, "Start now").await;
    shows(&telegram, &started, "Finished.").await;
    bot.terminate().await;
}

async fn others_and_groups_get_no_answer(database: ThrowAwayDatabase) {
    let telegram = telegram().await;
    let store = Store::with_users(&database, 1).await;
    let bot = RunningBot::start(&telegram, &database, &SETTINGS).await;
    let group = Chat::supergroup(-1_001_234, "Fans");
    let owned = draft(&telegram, &grace(), "Hi").await;
    ask(&telegram, &grace(), "/broadcast id:1").await;
    for update in [
        Update::text(&ada(), "/broadcast"),
        Update::text(&ada(), "/broadcast id:1"),
        Update::text(&ada(), "Hi"),
        Update::photo(&ada()),
        Update::text(&grace(), "/broadcast id:1").in_chat(&group),
        Update::text(&grace(), "Hi").in_chat(&group),
        Update::photo(&grace()).in_chat(&group),
        // The request of another user.
        Update::text(&hedy(), "Hi"),
        Update::edited_text(&grace(), "Hi"),
    ] {
        telegram.push(update);
    }
    // Their answers are in order, so no earlier one is missing.
    let help = ask(&telegram, &ada(), "/help").await;
    assert!(!help.text.contains("/broadcast"), "{}", help.text);
    let help = ask(&telegram, &hedy(), "/help").await;
    assert!(help.text.contains("\n/broadcast – send a message to users"), "{}", help.text);
    telegram.push(Update::text(&ada(), "/help").in_chat(&group));
    let help = telegram.wait_for_message(group.id).await.unwrap();
    assert!(help.text.contains("/help"), "{}", help.text);
    // The buttons are for owners, too.
    let id = number(&owned);
    let message = telegram.messages_to(1815).pop().unwrap();
    for action in ["start", "test", "show", "cancel", "pause", "discard"] {
        let data = format!("1/b/{action}/{id}");
        assert_eq!(notice(&telegram, &ada(), &message, &data).await, STALE, "{action}");
        assert_eq!(notice(&telegram, &grace(), &help, &data).await, STALE, "{action} in a group");
    }
    let all = store.service.list(None, 9).await.unwrap();
    assert_eq!(all.len(), 1);
    assert_eq!(all[0].0.state, BroadcastState::Draft);
    // The owner's request still stands.
    assert!(ask(&telegram, &grace(), "Hi").await.text.starts_with("Draft: "));
    bot.terminate().await;
}

async fn two_owners_start_a_broadcast_once(database: ThrowAwayDatabase) {
    const USERS: i64 = 30;
    let telegram = telegram().await;
    let store = Store::with_users(&database, USERS).await;
    let bot = RunningBot::start(&telegram, &database, &SETTINGS).await;
    let others = ask(&telegram, &hedy(), "/id").await;
    for _ in 0..5 {
        let draft = draft(&telegram, &grace(), "Hi").await;
        let id = number(&draft);
        let before = telegram.calls("answerCallbackQuery");
        let data = format!("1/b/start/{id}");
        telegram.press(&grace(), &draft, &data);
        telegram.press(&hedy(), &others, &data);
        let answers = telegram.wait_for_requests("answerCallbackQuery", before + 2).await.unwrap();
        let texts: Vec<&Value> =
            answers.iter().rev().take(2).map(|answer| &answer.params["text"]).collect();
        let started = json!("This broadcast was already started. It is not sent twice.");
        assert!(texts.contains(&&started) && texts.contains(&&Value::Null), "{texts:?}");
        // Both see how it goes on.
        for message in [&draft, &others] {
            let ended = shows(&telegram, message, "Finished.").await;
            assert!(ended.text.contains("Sent: 32"), "{}", ended.text);
        }
        store.wait_until(id, |it| it.state == BroadcastState::Finished).await;
        store.wait_until_unwatched().await;
        // The owners are among the users.
        assert_eq!(telegram.wait_for_message(99).await.unwrap().text, "Hi");
    }
    for user in 1..=USERS {
        assert_eq!(telegram.messages_to(user).len(), 5, "{user}");
    }
    bot.terminate().await;
}

/// The process that started it is killed, and another one goes on.
async fn progress_goes_on_in_another_process(database: ThrowAwayDatabase) {
    const USERS: i64 = 60;
    let telegram = telegram().await;
    let store = Store::with_users(&database, USERS).await;
    let settings = [&SETTINGS[..], &[SLOWLY]].concat();
    let mut bot = RunningBot::start(&telegram, &database, &settings).await;
    let draft = draft(&telegram, &grace(), "Hi").await;
    let question = press(&telegram, &grace(), &draft, "Start…").await;
    let started = press(&telegram, &grace(), &question, "Start now").await;
    let id = store.service.list(None, 1).await.unwrap()[0].0.id;
    store.wait_until_sent(id, 5).await;
    bot.kill().await;
    let bot = RunningBot::start(&telegram, &database, &settings).await;
    let ended = shows(&telegram, &started, "Finished.").await;
    let sums = store.service.sums(id).await.unwrap();
    let unknown = sums.of(RecipientState::Unknown);
    assert_eq!(sums.of(RecipientState::Sent) + unknown, 61);
    let line = format!("Unknown, after a crash or a lost response: {unknown}");
    assert_eq!(ended.text.contains(&line), unknown > 0, "{}", ended.text);
    bot.terminate().await;
}

async fn a_deleted_progress_message_is_not_sent_again(database: ThrowAwayDatabase) {
    let telegram = telegram().await;
    let store = Store::with_users(&database, 60).await;
    let settings = [&SETTINGS[..], &[SLOWLY]].concat();
    let bot = RunningBot::start(&telegram, &database, &settings).await;
    let draft = draft(&telegram, &grace(), "Hi").await;
    let question = press(&telegram, &grace(), &draft, "Start…").await;
    let started = press(&telegram, &grace(), &question, "Start now").await;
    telegram.delete_message(99, started.message_id);
    store.wait_until_unwatched().await;
    let (broadcast, _) = store.service.list(None, 1).await.unwrap().remove(0);
    store.wait_until(broadcast.id, |it| it.state == BroadcastState::Finished).await;
    let texts = telegram.texts_to(99);
    assert!(!texts.iter().any(|text| text.starts_with("Broadcast: ")), "{texts:?}");
    bot.terminate().await;
}

async fn a_message_that_was_deleted_pauses_the_broadcast(database: ThrowAwayDatabase) {
    let telegram = telegram().await;
    let store = Store::with_users(&database, 5).await;
    let bot = RunningBot::start(&telegram, &database, &SETTINGS).await;
    let draft = draft(&telegram, &grace(), "Hi").await;
    let id = number(&draft);
    let content = store.service.find(id).await.unwrap().plan.content;
    let BroadcastContent::Copy { message_id, .. } = content else { panic!("{content:?}") };
    telegram.delete_message(99, message_id);
    let test = draft.button("Send me a test copy").unwrap();
    let refused = "Telegram refuses this message. Was your original message deleted?";
    assert_eq!(notice(&telegram, &grace(), &draft, &test).await, refused);
    let question = press(&telegram, &grace(), &draft, "Start…").await;
    let started = press(&telegram, &grace(), &question, "Start now").await;
    let paused = shows(&telegram, &started, "Paused, because Telegram refuses the message.").await;
    assert_eq!(labels(&paused), ["Resume", "Cancel…"]);
    assert!(paused.text.contains("0 of 6 (0%)\n\nSent: 0\nWaiting: 6"), "{}", paused.text);
    // It is paused again.
    let resumed = press(&telegram, &grace(), &paused, "Resume").await;
    let paused = shows(&telegram, &resumed, "Paused, because Telegram refuses the message.").await;
    let question = press_until(&telegram, &paused, "Cancel…", "Cancel this broadcast?").await;
    press_until(&telegram, &question, "Cancel the broadcast", "\nCancelled.\n").await;
    assert_eq!(telegram.messages_to(1).len(), 0);
    bot.terminate().await;
}

/// A broadcast is cancelled while messages go out.
async fn messages_on_their_way_count_after_the_end(database: ThrowAwayDatabase) {
    let telegram = telegram().await;
    let store = Store::with_users(&database, 5).await;
    let bot = RunningBot::start(&telegram, &database, &SETTINGS).await;
    let draft = draft(&telegram, &grace(), "Hi").await;
    let id = number(&draft);
    telegram.fail_always("copyMessage", Fault::Slow(Duration::from_secs(12)));
    let question = press(&telegram, &grace(), &draft, "Start…").await;
    let started = press(&telegram, &grace(), &question, "Start now").await;
    telegram.wait_for_requests("copyMessage", 6).await.unwrap();
    store.service.change(id, BroadcastChange::Cancel, None).await.unwrap();
    let cancelled = shows(&telegram, &started, "\nCancelled.\n0 of 6 (0%)").await;
    let ended = shows(&telegram, &cancelled, "\nCancelled.\n6 of 6 (100%)\n\nSent: 6").await;
    assert_eq!(labels(&ended), Vec::<String>::new());
    store.wait_until_unwatched().await;
    bot.terminate().await;
}

async fn an_erased_owner_leaves_no_request(database: ThrowAwayDatabase) {
    let telegram = telegram().await;
    let store = Store::with_users(&database, 3).await;
    let bot = RunningBot::start(&telegram, &database, &SETTINGS).await;
    ask(&telegram, &grace(), "/broadcast id:1").await;
    assert_eq!(store.users.delete_users(&[id(99)]).await.unwrap(), 1);
    telegram.write(&grace(), "Hi");
    let next = ask(&telegram, &grace(), "/id").await;
    assert!(next.text.contains("99"), "{}", next.text);
    assert!(store.service.list(None, 9).await.unwrap().is_empty());
    bot.terminate().await;
}

fn id(n: i64) -> TelegramId {
    n.try_into().unwrap()
}

struct Store {
    database: Database,
    storage: DieselUserRepository,
    users: UserService,
    service: BroadcastService,
}

impl Store {
    /// A database with users of these numbers, from 1 on.
    async fn with_users(database: &ThrowAwayDatabase, number: i64) -> Self {
        let database = Database::open(database.url().parse().unwrap()).await.unwrap();
        database.migrate().await.unwrap();
        let storage = DieselUserRepository::new(database.clone());
        let users = UserService::new(storage.clone(), SystemClock);
        let at = SystemClock.now() - TimeDelta::hours(1);
        let written = |n: i64| {
            let profile = Profile::new(id(n), "Ann");
            let mut interaction = Interaction::new(at, profile, InteractionKind::Text);
            interaction.chat = Some(StoredChat { id: n, kind: ChatKind::Private });
            interaction
        };
        let all: Vec<Interaction> = (1..=number).map(written).collect();
        users.register(&all).await.unwrap();
        let service = BroadcastService::new(storage.clone(), SystemClock);
        Self { database, storage, users, service }
    }

    fn audience(&self) -> AudienceService {
        AudienceService::new(self.storage.clone(), SystemClock)
    }

    async fn save_segment(&self, name: &str, filter: &str) {
        let (name, filter) = (name.parse().unwrap(), filter.parse().unwrap());
        self.audience().save_segment(name, filter, chrono_tz::Tz::UTC, "").await.unwrap();
    }

    /// What owners did to broadcasts, the oldest first.
    async fn audit(&self) -> Vec<AuditAction> {
        let admins = DieselAdminRepository::new(self.database.clone());
        let log = admins.audit_log(&AuditFilter::all(), None, 100).await.unwrap();
        log.into_iter().rev().map(|it| it.action).collect()
    }

    async fn wait_until(&self, id: i64, is_so: impl Fn(&Broadcast) -> bool) -> Broadcast {
        self.wait(async || Some(self.service.find(id).await.unwrap()).filter(&is_so)).await
    }

    async fn wait_until_sent(&self, id: i64, number: u64) {
        self.wait(async || {
            let sums = self.service.sums(id).await.unwrap();
            (sums.of(RecipientState::Sent) >= number).then_some(())
        })
        .await;
    }

    /// Waits until no message shows the progress of a broadcast.
    async fn wait_until_unwatched(&self) {
        use rollcall_repository::ComposingRepository;
        self.wait(async || {
            self.storage.progress_messages(9).await.unwrap().is_empty().then_some(())
        })
        .await;
    }

    async fn wait<T>(&self, find: impl AsyncFn() -> Option<T>) -> T {
        let found = async {
            loop {
                if let Some(found) = find().await {
                    return found;
                }
                sleep(Duration::from_millis(20)).await;
            }
        };
        timeout(PATIENCE, found).await.unwrap()
    }
}
