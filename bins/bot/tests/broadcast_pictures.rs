//! Broadcasts of the real bot with a picture: one that Telegram has, or one that was uploaded.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

#[macro_use]
mod running;

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use rollcall_domain::{
    Arm, BroadcastContent, BroadcastPlan, BroadcastState, Clock, Experiment, Interaction,
    InteractionKind, PauseReason, Picture, Profile, RecipientState, SystemClock, TelegramId,
};
use rollcall_repository::PictureRepository;
use rollcall_simulator::{Fault, Simulator};
use rollcall_testkit::{ThrowAwayDatabase, png};
use running::{
    RunningBot,
    owner::{self, Owner},
};
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};

const USERS: i64 = 40;
/// A file that Telegram has.
const FILE_ID: &str = "AgACAgIAAxkBAAIB-x7_Q";
/// The lease is over soon after a kill.
const LEASE: (&str, &str) = ("BROADCAST_LEASE", "1");
/// How long the test waits for a broadcast, before it fails.
const PATIENCE: Duration = Duration::from_secs(180);

stories!(
    a_named_file_goes_out_with_its_caption,
    a_named_file_that_telegram_lost_pauses_the_broadcast,
    a_picture_is_uploaded_once_and_then_named,
    the_picture_of_each_variant_is_uploaded_once,
    a_copy_sent_again_names_the_file_of_the_first,
    a_picture_that_telegram_lost_is_uploaded_again,
    a_picture_whose_upload_was_cut_off_is_uploaded_by_the_next_process,
    a_picture_that_telegram_refuses_pauses_the_broadcast,
    a_picture_that_is_lost_again_and_again_pauses_the_broadcast,
    large_pictures_do_not_hold_registration_up,
);

async fn a_named_file_goes_out_with_its_caption(database: ThrowAwayDatabase) {
    let owner = Owner::of(&database, USERS).await;
    let telegram = Simulator::builder().every_chat_open().start().await.unwrap();
    let started = owner.start(&plan(Picture::of_file_id(FILE_ID).unwrap())).await;
    let mut bot = RunningBot::launch(&telegram, &database, &[]);
    owner.wait_until_in(started.id, BroadcastState::Finished).await;
    bot.kill().await;
    let sums = owner.sums(started.id).await;
    assert_eq!(sums.of(RecipientState::Sent), u64::try_from(USERS).unwrap());
    let mut captions = BTreeMap::new();
    for request in telegram.requests_to("sendPhoto") {
        let param = |name: &str| request.params.get(name).cloned().unwrap_or_default();
        assert_eq!((param("photo"), param("parse_mode")), (json!(FILE_ID), json!("HTML")));
        let shop = json!([[{ "text": "Shop", "url": "https://example.org" }]]);
        assert_eq!(param("reply_markup"), json!({ "inline_keyboard": shop }));
        let chat = param("chat_id").as_i64().unwrap();
        assert_eq!(captions.insert(chat, param("caption")), None, "{chat} got it twice");
    }
    let expected = (1..=USERS).map(|n| (n, json!(format!("Hello <b>User {n}</b>"))));
    assert_eq!(captions, expected.collect());
    assert_eq!(telegram.requests_to("sendMessage").len(), 0);
}

async fn a_named_file_that_telegram_lost_pauses_the_broadcast(database: ThrowAwayDatabase) {
    let owner = Owner::of(&database, USERS).await;
    let telegram = Simulator::builder().every_chat_open().start().await.unwrap();
    telegram.lose_file(FILE_ID);
    let started = owner.start(&plan(Picture::of_file_id(FILE_ID).unwrap())).await;
    let mut bot = RunningBot::launch(&telegram, &database, &[]);
    owner.wait_until_in(started.id, BroadcastState::Paused(PauseReason::Content)).await;
    bot.kill().await;
    let sums = owner.sums(started.id).await;
    assert_eq!(sums.of(RecipientState::Sent) + sums.of(RecipientState::Failed), 0, "{sums:?}");
    let tried = telegram.requests_to("sendPhoto").len();
    assert!((1..=10).contains(&tried), "{tried} of {USERS} were tried");
}

async fn a_picture_is_uploaded_once_and_then_named(database: ThrowAwayDatabase) {
    let owner = Owner::of(&database, USERS).await;
    let telegram = Simulator::builder().every_chat_open().start().await.unwrap();
    // The first user has blocked the bot, so the second upload is the one that counts.
    let blocked = Fault::api(403, "Forbidden: bot was blocked by the user");
    telegram.fail_next("sendPhoto", blocked);
    let started = owner.start(&plan(upload(&owner).await)).await;
    let mut bot = RunningBot::launch(&telegram, &database, &[]);
    owner.wait_until_in(started.id, BroadcastState::Finished).await;
    bot.kill().await;
    let sums = owner.sums(started.id).await;
    assert_eq!(sums.of(RecipientState::Sent), u64::try_from(USERS).unwrap() - 1, "{sums:?}");
    let (uploads, named) = photos(&telegram);
    assert_eq!(uploads, [1, 2]);
    let file_id = self::file_id(&owner, started.id).await.unwrap();
    assert_eq!(named, (3..=USERS).map(|n| (n, file_id.clone())).collect());
    let largest = telegram.messages_to(2)[0].json["photo"].as_array().unwrap().last().cloned();
    assert_eq!(largest.unwrap()["file_id"], json!(file_id));
    let first = &telegram.requests_to("sendPhoto")[0].params;
    assert_eq!(first["photo"]["media_type"], "image/png");
    assert_eq!(first["caption"], "Hello <b>User 1</b>");
    assert!(first["reply_markup"].as_str().unwrap().contains("example.org"), "{first}");
}

async fn the_picture_of_each_variant_is_uploaded_once(database: ThrowAwayDatabase) {
    let owner = Owner::of(&database, USERS).await;
    let telegram = Simulator::builder().every_chat_open().start().await.unwrap();
    let stored = owner.service.pictures().store(png(400, 400, [200, 40, 40])).await.unwrap();
    let pictures = [upload(&owner).await, Picture::Stored(stored)];
    let [first, other] = pictures.clone().map(content);
    let experiment = Experiment { others: vec![other], ..Experiment::default() };
    let started = owner.start(&plan_with(first, experiment.clone())).await;
    let mut bot = RunningBot::launch(&telegram, &database, &[]);
    owner.wait_until_in(started.id, BroadcastState::Finished).await;
    bot.kill().await;
    let sums = owner.sums(started.id).await;
    assert_eq!(sums.of(RecipientState::Sent), u64::try_from(USERS).unwrap(), "{sums:?}");

    let (uploads, named) = photos(&telegram);
    assert_eq!((uploads.len(), named.len()), (2, usize::try_from(USERS).unwrap() - 2));
    let variant = |id: i64| {
        let arm = experiment.arm(started.id, id.try_into().unwrap(), false);
        let Some(Arm::Variant(variant)) = arm else { panic!("{arm:?}") };
        variant.place()
    };
    assert_ne!(variant(uploads[0]), variant(uploads[1]));
    let mut files = Vec::new();
    for picture in &pictures {
        let found = owner.service.pictures().find(picture.stored().unwrap()).await.unwrap();
        files.push(found.unwrap().file_id.unwrap());
    }
    for (id, file_id) in named {
        assert_eq!(file_id, files[variant(id)], "{id}");
    }
}

async fn a_copy_sent_again_names_the_file_of_the_first(database: ThrowAwayDatabase) {
    let owner = Owner::of(&database, USERS).await;
    let telegram = Simulator::builder().every_chat_open().start().await.unwrap();
    let picture = upload(&owner).await;
    let first = owner.start(&plan(picture)).await;
    let mut bot = RunningBot::launch(&telegram, &database, &[]);
    owner.wait_until_in(first.id, BroadcastState::Finished).await;
    // Another process does not know the file yet.
    bot.kill().await;
    let second = owner.start(&plan(upload(&owner).await)).await;
    let mut bot = RunningBot::launch(&telegram, &database, &[LEASE]);
    owner.wait_until_in(second.id, BroadcastState::Finished).await;
    bot.kill().await;
    let (uploads, named) = photos(&telegram);
    assert_eq!(uploads, [1]);
    assert_eq!(telegram.requests_to("sendPhoto").len(), usize::try_from(2 * USERS).unwrap());
    assert_eq!(named.len(), usize::try_from(USERS).unwrap());
}

async fn a_picture_that_telegram_lost_is_uploaded_again(database: ThrowAwayDatabase) {
    let owner = Owner::of(&database, USERS).await;
    let telegram = Simulator::builder().every_chat_open().start().await.unwrap();
    let picture = upload(&owner).await;
    let lost = "AgACAgIAAxkBAAIB-lost";
    owner.storage.set_picture_file(picture.stored().unwrap(), lost).await.unwrap();
    telegram.lose_file(lost);
    let started = owner.start(&plan(picture)).await;
    let mut bot = RunningBot::launch(&telegram, &database, &[]);
    owner.wait_until_in(started.id, BroadcastState::Finished).await;
    bot.kill().await;
    let sums = owner.sums(started.id).await;
    assert_eq!(sums.of(RecipientState::Sent), u64::try_from(USERS).unwrap(), "{sums:?}");
    for chat in 1..=USERS {
        assert_eq!(telegram.messages_to(chat).len(), 1, "{chat}");
    }
    let (uploads, _) = photos(&telegram);
    assert_eq!(uploads, [1]);
    assert_ne!(file_id(&owner, started.id).await.unwrap(), lost);
}

async fn a_picture_whose_upload_was_cut_off_is_uploaded_by_the_next_process(
    database: ThrowAwayDatabase,
) {
    let owner = Owner::of(&database, USERS).await;
    let telegram = Simulator::builder().every_chat_open().start().await.unwrap();
    // The upload is still going on when the process is killed.
    telegram.fail_next("sendPhoto", Fault::Slow(Duration::from_secs(600)));
    let started = owner.start(&plan(upload(&owner).await)).await;
    let mut bot = RunningBot::launch(&telegram, &database, &[LEASE]);
    let begun = async {
        while telegram.calls("sendPhoto") == 0 {
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(PATIENCE, begun).await.unwrap();
    bot.kill().await;
    assert_eq!(file_id(&owner, started.id).await, None);
    let mut bot = RunningBot::launch(&telegram, &database, &[LEASE]);
    owner.wait_until_in(started.id, BroadcastState::Finished).await;
    bot.kill().await;
    // Only the message with the picture was on its way.
    let sums = owner.sums(started.id).await;
    assert_eq!(sums.of(RecipientState::Unknown), 1, "{sums:?}");
    assert_eq!(sums.of(RecipientState::Sent), u64::try_from(USERS).unwrap() - 1, "{sums:?}");
    let (uploads, named) = photos(&telegram);
    assert_eq!(uploads, [1, 2]);
    assert_eq!(named.keys().copied().collect::<Vec<_>>(), (3..=USERS).collect::<Vec<_>>());
}

async fn a_picture_that_telegram_refuses_pauses_the_broadcast(database: ThrowAwayDatabase) {
    let owner = Owner::of(&database, USERS).await;
    let telegram = Simulator::builder().every_chat_open().start().await.unwrap();
    telegram.fail_always("sendPhoto", Fault::api(400, "Bad Request: IMAGE_PROCESS_FAILED"));
    let started = owner.start(&plan(upload(&owner).await)).await;
    let mut bot = RunningBot::launch(&telegram, &database, &[]);
    owner.wait_until_in(started.id, BroadcastState::Paused(PauseReason::Content)).await;
    bot.kill().await;
    assert_eq!(telegram.calls("sendPhoto"), 1);
    let sums = owner.sums(started.id).await;
    assert_eq!(sums.of(RecipientState::Queued), u64::try_from(USERS).unwrap(), "{sums:?}");
}

async fn a_picture_that_is_lost_again_and_again_pauses_the_broadcast(database: ThrowAwayDatabase) {
    let owner = Owner::of(&database, USERS).await;
    let telegram = Simulator::builder().every_chat_open().start().await.unwrap();
    // A server that takes no file which it made itself.
    for n in 0..100 {
        telegram.lose_file(format!("AgACAgIAAxkD{n:06}y"));
    }
    let started = owner.start(&plan(upload(&owner).await)).await;
    let mut bot = RunningBot::launch(&telegram, &database, &[]);
    owner.wait_until_in(started.id, BroadcastState::Paused(PauseReason::Content)).await;
    bot.kill().await;
    let (uploads, _) = photos(&telegram);
    assert!((1..10).contains(&uploads.len()), "{uploads:?}");
}

/// A picture is stored by one statement, which begins once all of it is in memory. SQLite has one writer, so
/// this is how long the others wait.
async fn large_pictures_do_not_hold_registration_up(database: ThrowAwayDatabase) {
    let owner = Owner::of(&database, 1).await;
    let pictures: Vec<Vec<u8>> = (0..4).map(|shade| png(3_200, 3_200, [shade, 90, 160])).collect();
    assert!(
        pictures.iter().all(|it| it.len() > 10_000_000),
        "almost as large as Telegram takes them"
    );
    let is_stored = Arc::new(AtomicBool::new(false));
    let (users, ends) = (owner.users.clone(), is_stored.clone());
    let registered = tokio::spawn(async move {
        let (mut number, mut longest) = (0, Duration::ZERO);
        while !ends.load(Ordering::Relaxed) {
            number += 1;
            let profile = Profile::new(TelegramId::try_from(1_000 + number).unwrap(), "Bo");
            let met = Interaction::new(SystemClock.now(), profile, InteractionKind::Text);
            let begun = Instant::now();
            users.register(&[met]).await.unwrap();
            longest = longest.max(begun.elapsed());
        }
        (number, longest)
    });
    for picture in pictures {
        owner.service.pictures().store(picture).await.unwrap();
    }
    is_stored.store(true, Ordering::Relaxed);
    let (number, longest) = registered.await.unwrap();
    println!("{number} registrations beside 40 MB of pictures: at most {longest:?}");
    assert!(number >= 4, "{number}");
    // Usually it is a tenth of that.
    assert!(longest < Duration::from_secs(2), "{longest:?}");
}

/// The chats to which a picture was uploaded, in order, and the file that was named last in each other one.
fn photos(telegram: &Simulator) -> (Vec<i64>, BTreeMap<i64, String>) {
    let (mut uploads, mut named) = (Vec::new(), BTreeMap::new());
    for request in telegram.requests_to("sendPhoto") {
        let chat = match &request.params["chat_id"] {
            Value::String(text) => text.parse().unwrap(),
            number => number.as_i64().unwrap(),
        };
        match request.params["photo"].as_str() {
            Some(file_id) => drop(named.insert(chat, file_id.to_owned())),
            None => uploads.push(chat),
        }
    }
    (uploads, named)
}

fn content(picture: Picture) -> BroadcastContent {
    let texts = [(String::new(), "Hello <b>{first_name}</b>".to_owned())].into();
    let buttons = "Shop = https://example.org".to_owned();
    BroadcastContent::Text { texts, buttons, picture: Some(picture) }
}

fn plan(picture: Picture) -> BroadcastPlan {
    plan_with(content(picture), Experiment::default())
}

fn plan_with(content: BroadcastContent, experiment: Experiment) -> BroadcastPlan {
    BroadcastPlan { content, rate: Some(20), experiment, ..owner::plan("") }
}

async fn upload(owner: &Owner) -> Picture {
    let stored = owner.service.pictures().store(png(800, 600, [20, 90, 160])).await;
    Picture::Stored(stored.unwrap())
}

/// The file that Telegram made of a broadcast's picture.
async fn file_id(owner: &Owner, broadcast: i64) -> Option<String> {
    let plan = owner.find(broadcast).await.plan;
    let id = plan.content.picture().and_then(Picture::stored).unwrap();
    owner.service.pictures().find(id).await.unwrap().unwrap().file_id
}
