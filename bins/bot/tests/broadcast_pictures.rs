//! Broadcasts of the real bot with a picture.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

#[macro_use]
mod running;

use std::{collections::BTreeMap, time::Duration};

use chrono::TimeDelta;
use chrono_tz::Tz;
use rollcall_domain::{
    Broadcast, BroadcastContent, BroadcastPlan, BroadcastState, Chat, ChatKind, Clock,
    DeliveryTimes, Experiment, Interaction, InteractionKind, OnUnknown, PauseReason, Picture,
    Profile, RecipientState, SystemClock, TelegramId,
};
use rollcall_repository_diesel::{Database, DieselUserRepository};
use rollcall_service::{BroadcastChange, BroadcastService, UserService};
use rollcall_simulator::Simulator;
use rollcall_testkit::ThrowAwayDatabase;
use running::RunningBot;
use serde_json::json;
use tokio::time::{sleep, timeout};

const USERS: i64 = 30;
const FILE_ID: &str = "AgACAgIAAxkBAAIB-x7_Q";
/// How long the test waits for a broadcast, before it fails.
const PATIENCE: Duration = Duration::from_secs(180);

stories!(a_picture_goes_out_with_its_caption, a_picture_that_telegram_lost_pauses_the_broadcast,);

async fn a_picture_goes_out_with_its_caption(database: ThrowAwayDatabase) {
    let owner = Owner::of(&database).await;
    let telegram = Simulator::builder().every_chat_open().start().await.unwrap();
    let started = owner.start().await;
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

async fn a_picture_that_telegram_lost_pauses_the_broadcast(database: ThrowAwayDatabase) {
    let owner = Owner::of(&database).await;
    let telegram = Simulator::builder().every_chat_open().start().await.unwrap();
    telegram.lose_file(FILE_ID);
    let started = owner.start().await;
    let mut bot = RunningBot::launch(&telegram, &database, &[]);
    owner.wait_until(started.id, BroadcastState::Paused(PauseReason::Content)).await;
    bot.kill().await;
    let sums = owner.service.sums(started.id).await.unwrap();
    assert_eq!(sums.of(RecipientState::Sent) + sums.of(RecipientState::Failed), 0, "{sums:?}");
    let tried = telegram.requests_to("sendPhoto").len();
    assert!((1..=10).contains(&tried), "{tried} of {USERS} were tried");
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

    async fn start(&self) -> Broadcast {
        let texts = [(String::new(), "Hello <b>{first_name}</b>".to_owned())].into();
        let picture = Picture::of_file_id(FILE_ID);
        let buttons = "Shop = https://example.org".to_owned();
        let plan = BroadcastPlan {
            name: "picture".to_owned(),
            category: "news".parse().unwrap(),
            filter: "".parse().unwrap(),
            zone: Tz::UTC,
            content: BroadcastContent::Text { texts, buttons, picture },
            rate: Some(20),
            is_paid: false,
            on_unknown: OnUnknown::Skip,
            starts_at: None,
            lasts: TimeDelta::hours(1),
            times: DeliveryTimes::default(),
            has_opt_out_button: false,
            experiment: Experiment::default(),
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
