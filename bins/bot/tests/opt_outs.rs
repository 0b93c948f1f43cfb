//! Users choose which broadcasts they get: by the button below a message, and in `/settings`.
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

use rollcall_domain::{
    BroadcastContent, BroadcastPlan, BroadcastState, Clock, Experiment, Interaction,
    InteractionKind, LabelName, PauseReason, Percent, Profile, RecipientState, SystemClock,
    TelegramId, UnreachableReason,
};
use rollcall_repository::BroadcastRepository;
use rollcall_service::{AudienceSize, BroadcastChange, BroadcastError, OptOutService};
use rollcall_simulator::{Chat, Person, Request, SentMessage, Simulator, Update};
use rollcall_testkit::ThrowAwayDatabase;
use running::{
    RunningBot,
    chat::{ask, press},
    database::uses,
    owner::{self, Owner},
};
use serde_json::json;

stories!(
    the_button_below_a_message_opts_out_and_in_again,
    a_copied_message_has_the_button_below_its_own,
    settings_offer_the_categories_once_there_is_a_broadcast,
    buttons_that_are_stale_or_forged_change_nothing,
    a_message_that_is_gone_keeps_no_press_from_working,
    the_figures_before_a_start_are_those_after_it,
    too_many_opt_outs_pause_a_broadcast,
    an_opt_out_button_needs_a_category_and_room,
);

/// The lease, so that a test need not wait for it.
const SETTINGS: [(&str, &str); 2] = [("BROADCAST_LEASE", "1"), ("SCHEDULE", "off")];
/// How long a test waits for a broadcast, before it fails.
const PATIENCE: Duration = Duration::from_secs(120);
const STALE: &str = "This button no longer works. Please send the command again.";

fn ada() -> Person {
    Person::new(1815, "Ada").language_code("en")
}

/// Whose app speaks English, and who has chosen German.
fn grete() -> Person {
    Person::new(7, "Grete").language_code("en")
}

fn name(text: &str) -> LabelName {
    text.parse().unwrap()
}

fn labels(message: &SentMessage) -> Vec<String> {
    message.buttons().into_iter().map(|button| button.text).collect()
}

/// Presses a button that opts out or in, and waits until it has changed. Returns the pop-up, too.
async fn toggle(
    telegram: &Simulator,
    person: &Person,
    message: &SentMessage,
    label: &str,
) -> (SentMessage, Request) {
    let edited = press(telegram, person, message, label).await;
    (edited, telegram.requests_to("answerCallbackQuery").pop().unwrap())
}

/// Presses a button with any data, and returns the text of the pop-up.
async fn notice(telegram: &Simulator, message: &SentMessage, data: &str) -> String {
    let before = telegram.calls("answerCallbackQuery");
    telegram.press(&ada(), message, data);
    let answers = telegram.wait_for_requests("answerCallbackQuery", before + 1).await.unwrap();
    answers.last().unwrap().params["text"].as_str().unwrap().to_owned()
}

async fn the_button_below_a_message_opts_out_and_in_again(database: ThrowAwayDatabase) {
    let telegram = Simulator::start().await.unwrap();
    let bot = RunningBot::start(&telegram, &database, &SETTINGS).await;
    let owner = Owner::of(&database, 0).await;
    ask(&telegram, &ada(), "/start").await;
    let mut settings = ask(&telegram, &grete(), "/settings").await;
    for label in ["Language", "Deutsch"] {
        settings = press(&telegram, &grete(), &settings, label).await;
    }

    let first = owner.start(&plan("promo", true)).await.id;
    let message = telegram.wait_for_message(1815).await.unwrap();
    assert_eq!(labels(&message), ["Shop", "Unsubscribe: Offers"]);
    let german = telegram.wait_for_message(7).await.unwrap();
    assert_eq!(labels(&german), ["Shop", "Abbestellen: Angebote"]);
    assert_eq!(owner.wait_until_ended(first).await.opt_outs, 0);

    let (out, popped) = toggle(&telegram, &ada(), &message, "Unsubscribe: Offers").await;
    let text =
        "You will no longer get “Offers”. To get them again, press “Undo” or send /settings.";
    assert_eq!(popped.params["text"], text);
    assert_eq!(popped.params["show_alert"], true);
    assert_eq!((labels(&out), &out.text), (vec!["Shop".into(), "Undo".into()], &message.text));
    assert_eq!(out.json["entities"], message.json["entities"]);
    assert_eq!(owner.find(first).await.opt_outs, 1);

    let second = owner.start(&plan("promo", true)).await.id;
    owner.wait_until_ended(second).await;
    let skipped = (RecipientState::Skipped, Some("opted_out".to_owned()));
    let sent = (RecipientState::Sent, None);
    assert_eq!(recipients(&owner, second).await, [(7, sent.clone()), (1815, skipped)]);
    assert_eq!(owner.find(second).await.opt_outs, 0, "she did not get it");
    // Other categories still arrive, without the button.
    for category in ["news", "system"] {
        let other = owner.start(&plan(category, false)).await.id;
        owner.wait_until_ended(other).await;
        let both = [(7, sent.clone()), (1815, sent.clone())];
        assert_eq!(recipients(&owner, other).await, both, "{category}");
        let message = telegram.wait_for_message(1815).await.unwrap();
        assert_eq!((message.text.as_str(), labels(&message)), (category, vec!["Shop".into()]));
    }

    let (back, popped) = toggle(&telegram, &ada(), &out, "Undo").await;
    assert_eq!(popped.params["text"], "You will get “Offers” again.");
    assert_eq!(labels(&back), ["Shop", "Unsubscribe: Offers"]);
    assert_eq!(owner.find(first).await.opt_outs, 0);
    let third = owner.start(&plan("promo", true)).await.id;
    let message = telegram.wait_for_message(1815).await.unwrap();
    owner.wait_until_ended(third).await;
    assert_eq!(recipients(&owner, third).await, [(7, sent.clone()), (1815, sent)]);
    // It also works after a restart, and below an older message.
    bot.terminate().await;
    let bot = RunningBot::start(&telegram, &database, &SETTINGS).await;
    let (out, _) = toggle(&telegram, &ada(), &back, "Unsubscribe: Offers").await;
    assert_eq!(labels(&out), ["Shop", "Undo"]);
    let (again, _) = toggle(&telegram, &ada(), &message, "Unsubscribe: Offers").await;
    assert_eq!(labels(&again), ["Shop", "Undo"]);
    assert_eq!((owner.find(first).await.opt_outs, owner.find(third).await.opt_outs), (1, 1));
    let used = uses(&database, 1815).await;
    assert_eq!(used, [("/start".to_owned(), 1), ("opt_out".to_owned(), 1)]);
    bot.terminate().await;
}

async fn a_copied_message_has_the_button_below_its_own(database: ThrowAwayDatabase) {
    let telegram = Simulator::start().await.unwrap();
    let bot = RunningBot::start(&telegram, &database, &SETTINGS).await;
    let owner = Owner::of(&database, 0).await;
    ask(&telegram, &ada(), "/start").await;
    let original = ask(&telegram, &grete(), "/help").await;
    for own in
        [None, Some(r#"{"inline_keyboard":[[{"text":"Shop","url":"https://example.org"}]]}"#)]
    {
        let content = BroadcastContent::Copy {
            from_chat_id: 7,
            message_id: original.message_id,
            reply_markup: own.map(str::to_owned),
        };
        let plan = BroadcastPlan { content, ..plan("promo", true) };
        let id = owner.start(&plan).await.id;
        let copy = telegram.wait_for_message(1815).await.unwrap();
        assert_eq!(copy.text, original.text);
        let above: Vec<String> = own.map(|_| "Shop".to_owned()).into_iter().collect();
        let with = |label: &str| [above.clone(), vec![label.to_owned()]].concat();
        assert_eq!(labels(&copy), with("Unsubscribe: Offers"));
        let (out, _) = toggle(&telegram, &ada(), &copy, "Unsubscribe: Offers").await;
        assert_eq!((labels(&out), &out.text), (with("Undo"), &copy.text));
        let (back, _) = toggle(&telegram, &ada(), &out, "Undo").await;
        assert_eq!(back.json["reply_markup"], copy.json["reply_markup"]);
        owner.wait_until_ended(id).await;
    }
    bot.terminate().await;
}

async fn settings_offer_the_categories_once_there_is_a_broadcast(database: ThrowAwayDatabase) {
    let telegram = Simulator::start().await.unwrap();
    let bot = RunningBot::start(&telegram, &database, &SETTINGS).await;
    let owner = Owner::of(&database, 0).await;
    let settings = ask(&telegram, &ada(), "/settings").await;
    assert_eq!(labels(&settings), ["Language", "Time zone"]);
    assert!(!settings.text.contains("Messages"), "{}", settings.text);
    assert_eq!(notice(&telegram, &settings, "1/p/msg/0").await, STALE);

    owner.create(&plan("news", false)).await;
    owner.storage.add_category(&name("betas"), None, None, SystemClock.now()).await.unwrap();
    let settings = ask(&telegram, &ada(), "/settings").await;
    assert_eq!(labels(&settings), ["Language", "Time zone", "Messages"]);
    assert!(settings.text.ends_with("\nMessages: betas, News, Offers"), "{}", settings.text);
    let choice = press(&telegram, &ada(), &settings, "Messages").await;
    assert_eq!(labels(&choice), ["✓ betas", "✓ News", "✓ Offers", "« Back"]);
    let choice = press(&telegram, &ada(), &choice, "✓ Offers").await;
    let choice = press(&telegram, &ada(), &choice, "✓ betas").await;
    assert_eq!(labels(&choice), ["betas", "✓ News", "Offers", "« Back"]);
    let choice = press(&telegram, &ada(), &choice, "betas").await;
    let settings = press(&telegram, &ada(), &choice, "« Back").await;
    assert!(settings.text.ends_with("\nMessages: betas, News"), "{}", settings.text);
    let outs = opt_outs(&owner).opt_outs(1815.try_into().unwrap()).await.unwrap();
    assert_eq!(outs, [name("promo")].into());
    // Each user chooses for themselves.
    let settings = ask(&telegram, &grete(), "/settings").await;
    assert!(settings.text.ends_with("\nMessages: betas, News, Offers"), "{}", settings.text);
    bot.terminate().await;
}

async fn buttons_that_are_stale_or_forged_change_nothing(database: ThrowAwayDatabase) {
    let telegram = Simulator::start().await.unwrap();
    let bot = RunningBot::start(&telegram, &database, &SETTINGS).await;
    let owner = Owner::of(&database, 0).await;
    owner.create(&plan("news", false)).await;
    let message = ask(&telegram, &ada(), "/start").await;
    for data in ["1/o/system/1", "1/o/system/0", "1/o/gone/1", "1/o/gone/0", "1/p/msg/0/system/1"] {
        let text = notice(&telegram, &message, data).await;
        assert_eq!(text, "That option isn't available.", "{data}");
    }
    for data in ["1/o/promo/2", "1/o/Promo/1", "0/o/promo/1", "1/o/promo"] {
        assert_eq!(notice(&telegram, &message, data).await, STALE, "{data}");
    }
    // Only in the user's own chat.
    let group = Chat::supergroup(-1_001_234, "Fans");
    telegram.push(Update::text(&ada(), "/start").in_chat(&group));
    let in_group = telegram.wait_for_message(group.id).await.unwrap();
    assert_eq!(notice(&telegram, &in_group, "1/o/promo/1").await, STALE);
    let outs = opt_outs(&owner).opt_outs(1815.try_into().unwrap()).await.unwrap();
    assert!(outs.is_empty(), "{outs:?}");
    assert_eq!(telegram.calls("editMessageReplyMarkup"), 0);
    bot.terminate().await;
}

async fn a_message_that_is_gone_keeps_no_press_from_working(database: ThrowAwayDatabase) {
    let telegram = Simulator::start().await.unwrap();
    let bot = RunningBot::start(&telegram, &database, &SETTINGS).await;
    let owner = Owner::of(&database, 0).await;
    ask(&telegram, &ada(), "/start").await;
    owner.start(&plan("promo", true)).await;
    let message = telegram.wait_for_message(1815).await.unwrap();
    // Telegram shows an old message without its buttons, and may have deleted it meanwhile.
    let inaccessible = json!({ "message_id": 9_999, "date": 0, "chat": message.json["chat"] });
    let mut deleted = message.json.clone();
    deleted["message_id"] = json!(9_999);
    for (answers, shown) in [(1, inaccessible), (2, deleted)] {
        let press = Update::callback_query(&ada(), "1/o/promo/1").with("message", shown);
        telegram.push(press);
        let answers = telegram.wait_for_requests("answerCallbackQuery", answers).await.unwrap();
        let text = answers.last().unwrap().params["text"].as_str().unwrap().to_owned();
        assert!(text.starts_with("You will no longer get “Offers”."), "{text}");
    }
    let (out, _) = toggle(&telegram, &ada(), &message, "Unsubscribe: Offers").await;
    assert_eq!(labels(&out), ["Shop", "Undo"]);
    assert_eq!(telegram.messages_to(1815).len(), 2, "nothing is sent instead");
    let log = bot.terminate().await;
    assert!(!log.contains("WARN"), "{log}");
}

async fn the_figures_before_a_start_are_those_after_it(database: ThrowAwayDatabase) {
    const USERS: i64 = 20;
    let telegram = Simulator::start().await.unwrap();
    let owner = Owner::of(&database, 0).await;
    let bot = RunningBot::start(&telegram, &database, &SETTINGS).await;
    for n in 1..=USERS {
        telegram.write(&Person::new(n, "Ann"), "Hi");
    }
    telegram.wait_until_drained().await.unwrap();
    // 1, 2 and 3 had as many offers this week as they may have; 3, 4 and 5 have opted out; and the bot
    // cannot write to 5 and 6. Each counts once.
    owner.service.add_category(&name("promo"), Some(1), None).await.unwrap();
    let first = BroadcastPlan { filter: "id:1,2,3".parse().unwrap(), ..plan("promo", true) };
    let first = owner.start(&first).await.id;
    owner.wait_until_ended(first).await;
    for n in 3..=5 {
        assert!(opt_outs(&owner).set_opt_out(telegram_id(n), &name("promo"), true).await.unwrap());
    }
    let robot = Profile::new(telegram_id(900), "Robot").is_bot(true);
    let met = Interaction::new(SystemClock.now(), robot, InteractionKind::Text);
    owner.users.register(&[met]).await.unwrap();
    for n in 5..=6 {
        let blocked = UnreachableReason::Blocked;
        owner.users.mark_unreachable(telegram_id(n), blocked, SystemClock.now()).await.unwrap();
    }

    let all = BroadcastPlan { filter: "bot or -bot".parse().unwrap(), ..plan("promo", true) };
    let expected = AudienceSize {
        messages: 14,
        opted_out: 3,
        capped: 2,
        unreachable: 1,
        bots: 1,
        held_out: 0,
    };
    assert_eq!(owner.service.size(&all).await.unwrap(), expected);
    let long = owner.service.size_within(PATIENCE, &all).await.unwrap();
    assert_eq!(long, Some(expected));
    assert_eq!(owner.service.size_within(Duration::ZERO, &all).await.unwrap(), None);
    let hold_out = Experiment { hold_out: Percent::new(50), ..Experiment::default() };
    let half = BroadcastPlan { experiment: hold_out, ..all.clone() };
    let half = owner.service.size(&half).await.unwrap();
    assert_eq!((half.messages, half.held_out), (7, 7));
    let system = owner.service.size(&plan("system", false)).await.unwrap();
    assert_eq!((system.messages, system.unreachable, system.left_out()), (18, 2, 2));

    let id = owner.start(&all).await.id;
    owner.wait_until_ended(id).await;
    let sums = owner.sums(id).await;
    let skipped = |reason: &str| {
        let key = (RecipientState::Skipped, reason.to_owned());
        sums.0.get(&key).copied().unwrap_or_default()
    };
    assert_eq!(sums.of(RecipientState::Sent), expected.messages);
    assert_eq!(skipped("opted_out"), expected.opted_out);
    assert_eq!(skipped("capped"), expected.capped);
    assert_eq!(sums.of(RecipientState::Unreachable), expected.unreachable);
    assert_eq!(sums.all(), 20);

    // Nobody is left: each had the message, or is left out.
    let again = owner.service.create(&all, None).await.unwrap().id;
    let refused = owner.service.change(again, BroadcastChange::Start, None).await.unwrap_err();
    assert!(matches!(refused, BroadcastError::AllLeftOut(_)), "{refused}");
    assert_eq!(owner.find(again).await.state, BroadcastState::Draft);
    bot.terminate().await;
}

async fn too_many_opt_outs_pause_a_broadcast(database: ThrowAwayDatabase) {
    const USERS: i64 = 400;
    let telegram = Simulator::start().await.unwrap();
    let owner = Owner::of(&database, 0).await;
    let settings = [&SETTINGS[..], &[("SEND_RATE", "0")]].concat();
    let bot = RunningBot::start(&telegram, &database, &settings).await;
    for n in 1..=USERS {
        let user = Person::new(n, "Ann");
        telegram.write(&user, "Hi");
    }
    telegram.wait_until_drained().await.unwrap();
    let plan = BroadcastPlan { rate: Some(50), ..plan("promo", true) };
    let id = owner.start(&plan).await.id;
    // 51 of the last 500.
    owner.wait_until(id, |_, sums| sums.of(RecipientState::Sent) >= 60).await;
    for n in 1..=51 {
        assert!(opt_outs(&owner).set_opt_out(telegram_id(n), &name("promo"), true).await.unwrap());
    }
    let paused = BroadcastState::Paused(PauseReason::Safety);
    owner.wait_until_in(id, paused).await;
    assert_eq!(owner.find(id).await.opt_outs, 51);
    // What the owner resumes goes on: the opt-outs from before do not stop it again.
    owner.change(id, BroadcastChange::Resume).await;
    let ended = owner.wait_until_ended(id).await;
    assert_eq!(ended.state, BroadcastState::Finished);
    assert_eq!(owner.sums(id).await.of(RecipientState::Sent), u64::try_from(USERS).unwrap());
    bot.terminate().await;
}

async fn an_opt_out_button_needs_a_category_and_room(database: ThrowAwayDatabase) {
    let owner = Owner::of(&database, 0).await;
    let refused = owner.service.create(&plan("system", true), None).await.unwrap_err();
    assert!(matches!(refused, BroadcastError::SystemOptOut), "{refused}");
    let with_buttons = |number: usize| {
        let row = ["A = https://example.org"; 5].join(" | ");
        let rows: Vec<String> = (0..number / 5).map(|_| row.clone()).collect();
        let content = BroadcastContent::Text {
            texts: [(String::new(), "Hi".to_owned())].into(),
            buttons: rows.join("\n"),
            picture: None,
        };
        BroadcastPlan { content, ..plan("news", true) }
    };
    owner.service.create(&with_buttons(95), None).await.unwrap();
    let refused = owner.service.create(&with_buttons(100), None).await.unwrap_err();
    assert_eq!(refused.to_string(), "expected at most 99 buttons besides the opt-out button");
    let without = BroadcastPlan { has_opt_out_button: false, ..with_buttons(100) };
    owner.service.create(&without, None).await.unwrap();
}

fn telegram_id(n: i64) -> TelegramId {
    n.try_into().unwrap()
}

/// A broadcast to everyone, whose text is its category.
fn plan(category: &str, has_opt_out_button: bool) -> BroadcastPlan {
    let text = format!("<b>{category}</b>");
    BroadcastPlan {
        category: name(category),
        content: owner::content(&text, "Shop = https://example.org"),
        has_opt_out_button,
        ..owner::plan(&text)
    }
}

fn opt_outs(owner: &Owner) -> OptOutService {
    OptOutService::new(owner.storage.clone(), SystemClock)
}

/// Each recipient of a broadcast with its state and reason.
async fn recipients(owner: &Owner, id: i64) -> Vec<(i64, (RecipientState, Option<String>))> {
    let all = owner.recipients(id).await;
    all.into_iter().map(|it| (it.telegram_id.get(), (it.state, it.reason))).collect()
}
