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

use std::{collections::BTreeMap, time::Duration};

use chrono::TimeDelta;
use chrono_tz::Tz;
use rollcall_domain::{
    Arm, Broadcast, BroadcastContent, BroadcastPlan, BroadcastState, Chat, ChatKind, Clock,
    DeliveryTimes, Experiment, Interaction, InteractionKind, OnUnknown, PauseReason, Picture,
    Profile, RecipientState, SystemClock, TelegramId,
};
use rollcall_repository::PictureRepository;
use rollcall_repository_diesel::{Database, DieselUserRepository};
use rollcall_service::{BroadcastChange, BroadcastService, UserService};
use rollcall_simulator::{Fault, Simulator};
use rollcall_testkit::{ThrowAwayDatabase, png};
use running::RunningBot;
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
);

async fn a_named_file_goes_out_with_its_caption(database: ThrowAwayDatabase) {
    let owner = Owner::of(&database).await;
    let telegram = Simulator::builder().every_chat_open().start().await.unwrap();
    let started = owner.start(Picture::of_file_id(FILE_ID).unwrap()).await;
    let mut bot = RunningBot::launch(&telegram, &database, &[]);
    owner.wait_until(started.id, BroadcastState::Finished).await;
    bot.kill().await;
    let sums = owner.service.sums(started.id).await.unwrap();
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
    let owner = Owner::of(&database).await;
    let telegram = Simulator::builder().every_chat_open().start().await.unwrap();
    telegram.lose_file(FILE_ID);
    let started = owner.start(Picture::of_file_id(FILE_ID).unwrap()).await;
    let mut bot = RunningBot::launch(&telegram, &database, &[]);
    owner.wait_until(started.id, BroadcastState::Paused(PauseReason::Content)).await;
    bot.kill().await;
    let sums = owner.service.sums(started.id).await.unwrap();
    assert_eq!(sums.of(RecipientState::Sent) + sums.of(RecipientState::Failed), 0, "{sums:?}");
    let tried = telegram.requests_to("sendPhoto").len();
    assert!((1..=10).contains(&tried), "{tried} of {USERS} were tried");
}

async fn a_picture_is_uploaded_once_and_then_named(database: ThrowAwayDatabase) {
    let owner = Owner::of(&database).await;
    let telegram = Simulator::builder().every_chat_open().start().await.unwrap();
    // The first user has blocked the bot, so the second upload is the one that counts.
    let blocked = Fault::api(403, "Forbidden: bot was blocked by the user");
    telegram.fail_next("sendPhoto", blocked);
    let started = owner.start(owner.upload().await).await;
    let mut bot = RunningBot::launch(&telegram, &database, &[]);
    owner.wait_until(started.id, BroadcastState::Finished).await;
    bot.kill().await;
    let sums = owner.service.sums(started.id).await.unwrap();
    assert_eq!(sums.of(RecipientState::Sent), u64::try_from(USERS).unwrap() - 1, "{sums:?}");
    let (uploads, named) = photos(&telegram);
    assert_eq!(uploads, [1, 2]);
    let file_id = owner.file_id(started.id).await.unwrap();
    assert_eq!(named, (3..=USERS).map(|n| (n, file_id.clone())).collect());
    let largest = telegram.messages_to(2)[0].json["photo"].as_array().unwrap().last().cloned();
    assert_eq!(largest.unwrap()["file_id"], json!(file_id));
    let first = &telegram.requests_to("sendPhoto")[0].params;
    assert_eq!(first["photo"]["media_type"], "image/png");
    assert_eq!(first["caption"], "Hello <b>User 1</b>");
    assert!(first["reply_markup"].as_str().unwrap().contains("example.org"), "{first}");
}

async fn the_picture_of_each_variant_is_uploaded_once(database: ThrowAwayDatabase) {
    let owner = Owner::of(&database).await;
    let telegram = Simulator::builder().every_chat_open().start().await.unwrap();
    let stored = owner.service.pictures().store(png(400, 400, [200, 40, 40])).await.unwrap();
    let pictures = [owner.upload().await, Picture::Stored(stored)];
    let [first, other] = pictures.clone().map(content);
    let experiment = Experiment { others: vec![other], ..Experiment::default() };
    let started = owner.start_with(first, experiment.clone()).await;
    let mut bot = RunningBot::launch(&telegram, &database, &[]);
    owner.wait_until(started.id, BroadcastState::Finished).await;
    bot.kill().await;
    let sums = owner.service.sums(started.id).await.unwrap();
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
    let owner = Owner::of(&database).await;
    let telegram = Simulator::builder().every_chat_open().start().await.unwrap();
    let picture = owner.upload().await;
    let first = owner.start(picture).await;
    let mut bot = RunningBot::launch(&telegram, &database, &[]);
    owner.wait_until(first.id, BroadcastState::Finished).await;
    // Another process does not know the file yet.
    bot.kill().await;
    let second = owner.start(owner.upload().await).await;
    let mut bot = RunningBot::launch(&telegram, &database, &[LEASE]);
    owner.wait_until(second.id, BroadcastState::Finished).await;
    bot.kill().await;
    let (uploads, named) = photos(&telegram);
    assert_eq!(uploads, [1]);
    assert_eq!(telegram.requests_to("sendPhoto").len(), usize::try_from(2 * USERS).unwrap());
    assert_eq!(named.len(), usize::try_from(USERS).unwrap());
}

async fn a_picture_that_telegram_lost_is_uploaded_again(database: ThrowAwayDatabase) {
    let owner = Owner::of(&database).await;
    let telegram = Simulator::builder().every_chat_open().start().await.unwrap();
    let picture = owner.upload().await;
    let lost = "AgACAgIAAxkBAAIB-lost";
    let storage = Database::open(database.url().parse().unwrap()).await.unwrap();
    DieselUserRepository::new(storage)
        .set_picture_file(picture.stored().unwrap(), lost)
        .await
        .unwrap();
    telegram.lose_file(lost);
    let started = owner.start(picture).await;
    let mut bot = RunningBot::launch(&telegram, &database, &[]);
    owner.wait_until(started.id, BroadcastState::Finished).await;
    bot.kill().await;
    let sums = owner.service.sums(started.id).await.unwrap();
    assert_eq!(sums.of(RecipientState::Sent), u64::try_from(USERS).unwrap(), "{sums:?}");
    for chat in 1..=USERS {
        assert_eq!(telegram.messages_to(chat).len(), 1, "{chat}");
    }
    let (uploads, _) = photos(&telegram);
    assert_eq!(uploads, [1]);
    assert_ne!(owner.file_id(started.id).await.unwrap(), lost);
}

async fn a_picture_whose_upload_was_cut_off_is_uploaded_by_the_next_process(
    database: ThrowAwayDatabase,
) {
    let owner = Owner::of(&database).await;
    let telegram = Simulator::builder().every_chat_open().start().await.unwrap();
    // The upload is still going on when the process is killed.
    telegram.fail_next("sendPhoto", Fault::Slow(Duration::from_secs(600)));
    let started = owner.start(owner.upload().await).await;
    let mut bot = RunningBot::launch(&telegram, &database, &[LEASE]);
    let begun = async {
        while telegram.calls("sendPhoto") == 0 {
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(PATIENCE, begun).await.unwrap();
    bot.kill().await;
    assert_eq!(owner.file_id(started.id).await, None);
    let mut bot = RunningBot::launch(&telegram, &database, &[LEASE]);
    owner.wait_until(started.id, BroadcastState::Finished).await;
    bot.kill().await;
    // Only the message with the picture was on its way.
    let sums = owner.service.sums(started.id).await.unwrap();
    assert_eq!(sums.of(RecipientState::Unknown), 1, "{sums:?}");
    assert_eq!(sums.of(RecipientState::Sent), u64::try_from(USERS).unwrap() - 1, "{sums:?}");
    let (uploads, named) = photos(&telegram);
    assert_eq!(uploads, [1, 2]);
    assert_eq!(named.keys().copied().collect::<Vec<_>>(), (3..=USERS).collect::<Vec<_>>());
}

async fn a_picture_that_telegram_refuses_pauses_the_broadcast(database: ThrowAwayDatabase) {
    let owner = Owner::of(&database).await;
    let telegram = Simulator::builder().every_chat_open().start().await.unwrap();
    telegram.fail_always("sendPhoto", Fault::api(400, "Bad Request: IMAGE_PROCESS_FAILED"));
    let started = owner.start(owner.upload().await).await;
    let mut bot = RunningBot::launch(&telegram, &database, &[]);
    owner.wait_until(started.id, BroadcastState::Paused(PauseReason::Content)).await;
    bot.kill().await;
    assert_eq!(telegram.calls("sendPhoto"), 1);
    let sums = owner.service.sums(started.id).await.unwrap();
    assert_eq!(sums.of(RecipientState::Queued), u64::try_from(USERS).unwrap(), "{sums:?}");
}

async fn a_picture_that_is_lost_again_and_again_pauses_the_broadcast(database: ThrowAwayDatabase) {
    let owner = Owner::of(&database).await;
    let telegram = Simulator::builder().every_chat_open().start().await.unwrap();
    // A server that takes no file which it made itself.
    for n in 0..100 {
        telegram.lose_file(format!("AgACAgIAAxkD{n:06}y"));
    }
    let started = owner.start(owner.upload().await).await;
    let mut bot = RunningBot::launch(&telegram, &database, &[]);
    owner.wait_until(started.id, BroadcastState::Paused(PauseReason::Content)).await;
    bot.kill().await;
    let (uploads, _) = photos(&telegram);
    assert!((1..10).contains(&uploads.len()), "{uploads:?}");
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

struct Owner {
    service: BroadcastService,
}

impl Owner {
    /// An owner of a bot with users.
    async fn of(database: &ThrowAwayDatabase) -> Self {
        let storage = Database::open(database.url().parse().unwrap()).await.unwrap();
        storage.migrate().await.unwrap();
        let repository = DieselUserRepository::new(storage);
        let users = UserService::new(repository.clone(), SystemClock);
        let at = SystemClock.now() - TimeDelta::hours(1);
        let user = |id| {
            let profile = Profile::new(TelegramId::try_from(id).unwrap(), &format!("User {id}"));
            let chat = Some(Chat { id, kind: ChatKind::Private });
            Interaction { chat, ..Interaction::new(at, profile, InteractionKind::Text) }
        };
        users.register(&(1..=USERS).map(user).collect::<Vec<_>>()).await.unwrap();
        Self { service: BroadcastService::new(repository, SystemClock) }
    }

    async fn upload(&self) -> Picture {
        let stored = self.service.pictures().store(png(800, 600, [20, 90, 160])).await;
        Picture::Stored(stored.unwrap())
    }

    /// The file that Telegram made of a broadcast's picture.
    async fn file_id(&self, broadcast: i64) -> Option<String> {
        let plan = self.service.find(broadcast).await.unwrap().plan;
        let id = plan.content.picture().and_then(Picture::stored).unwrap();
        self.service.pictures().find(id).await.unwrap().unwrap().file_id
    }

    async fn start(&self, picture: Picture) -> Broadcast {
        self.start_with(content(picture), Experiment::default()).await
    }

    async fn start_with(&self, content: BroadcastContent, experiment: Experiment) -> Broadcast {
        let plan = BroadcastPlan {
            name: "picture".to_owned(),
            category: "news".parse().unwrap(),
            filter: "".parse().unwrap(),
            zone: Tz::UTC,
            content,
            rate: Some(20),
            is_paid: false,
            on_unknown: OnUnknown::Skip,
            starts_at: None,
            lasts: TimeDelta::hours(1),
            times: DeliveryTimes::default(),
            has_opt_out_button: false,
            experiment,
        };
        let created = self.service.create(&plan, None).await.unwrap();
        self.service.change(created.id, BroadcastChange::Start, None).await.unwrap()
    }

    async fn wait_until(&self, id: i64, state: BroadcastState) {
        let so = async {
            while self.service.find(id).await.unwrap().state != state {
                sleep(Duration::from_millis(20)).await;
            }
        };
        if timeout(PATIENCE, so).await.is_err() {
            panic!("{:?}, {:?}", self.service.find(id).await, self.service.sums(id).await);
        }
    }
}
