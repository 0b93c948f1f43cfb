//! Presses of the buttons below broadcasts are answered and counted.
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

use chrono_tz::Tz;
use rollcall_domain::{
    BROADCAST_LASTS, BroadcastContent, BroadcastPlan, BroadcastResponse, DeliveryTimes, Experiment,
    OnUnknown, SystemClock,
};
use rollcall_repository_diesel::{Database, DieselUserRepository};
use rollcall_service::{BroadcastChange, BroadcastService, UserService};
use rollcall_simulator::{Person, SentMessage, Simulator};
use rollcall_testkit::ThrowAwayDatabase;
use running::{RunningBot, chat::ask, database::uses};
use tokio::time::{sleep, timeout};

stories!(
    a_press_is_answered_and_counted_once,
    a_deep_link_of_a_button_counts_and_keeps_its_payload,
    presses_that_are_forged_or_of_a_test_do_not_count,
);

const SETTINGS: [(&str, &str); 2] = [("BROADCAST_LEASE", "1"), ("SCHEDULE", "off")];
const PATIENCE: Duration = Duration::from_secs(120);
const STALE: &str = "This button no longer works. Please send the command again.";
const BUTTONS: &str =
    "Shop = https://example.org | Yes = press:Great! | No = press\nGo = /start go";

fn ada() -> Person {
    Person::new(1815, "Ada").language_code("en")
}

fn bob() -> Person {
    Person::new(7, "Bob").language_code("en")
}

/// A bot with Ada as its user, and a broadcast that she has.
struct Story {
    telegram: Simulator,
    bot: RunningBot,
    broadcasts: BroadcastService,
    users: UserService,
    message: SentMessage,
}

impl Story {
    async fn begin(database: &ThrowAwayDatabase) -> Self {
        let telegram = Simulator::start().await.unwrap();
        let bot = RunningBot::start(&telegram, database, &SETTINGS).await;
        let storage = Database::open(database.url().parse().unwrap()).await.unwrap();
        let storage = DieselUserRepository::new(storage);
        let broadcasts = BroadcastService::new(storage.clone(), SystemClock);
        let users = UserService::new(storage, SystemClock);
        ask(&telegram, &ada(), "/start").await;
        let plan = BroadcastPlan {
            name: "Today".to_owned(),
            category: "news".parse().unwrap(),
            filter: "".parse().unwrap(),
            zone: Tz::UTC,
            content: BroadcastContent::Text {
                texts: [(String::new(), "Are you coming?".to_owned())].into(),
                buttons: BUTTONS.to_owned(),
                picture: None,
            },
            rate: None,
            is_paid: false,
            on_unknown: OnUnknown::Skip,
            starts_at: None,
            lasts: BROADCAST_LASTS,
            times: DeliveryTimes::default(),
            has_opt_out_button: false,
            experiment: Experiment::default(),
        };
        let id = broadcasts.create(&plan, None).await.unwrap().id;
        broadcasts.change(id, BroadcastChange::Start, None).await.unwrap();
        let message = telegram.wait_for_message(1815).await.unwrap();
        Self { telegram, bot, broadcasts, users, message }
    }

    /// Lets Ada press a button with any data, and returns the text of the pop-up.
    async fn press(&self, data: &str) -> Option<String> {
        self.press_below(&ada(), &self.message, data).await
    }

    async fn press_below(&self, by: &Person, message: &SentMessage, data: &str) -> Option<String> {
        let before = self.telegram.calls("answerCallbackQuery");
        self.telegram.press(by, message, data);
        let answers = self.telegram.wait_for_requests("answerCallbackQuery", before + 1).await;
        let text = answers.unwrap().last().unwrap().params.get("text").cloned();
        text.map(|it| it.as_str().unwrap().to_owned())
    }

    /// How many pressed any button, and the second to the fourth one.
    async fn presses(&self) -> [u64; 4] {
        use BroadcastResponse::{Button, Pressed};
        let sums = self.broadcasts.responses(1).await.unwrap();
        [Pressed, Button(2), Button(3), Button(4)].map(|response| sums.of(response))
    }

    async fn wait_for_presses(&self, expected: [u64; 4]) {
        let counted = async {
            while self.presses().await != expected {
                sleep(Duration::from_millis(20)).await;
            }
        };
        if timeout(PATIENCE, counted).await.is_err() {
            panic!("{:?} in place of {expected:?}", self.presses().await);
        }
    }
}

async fn a_press_is_answered_and_counted_once(database: ThrowAwayDatabase) {
    let story = Story::begin(&database).await;
    let shown = &story.message.json["reply_markup"]["inline_keyboard"];
    assert_eq!(shown[0][1]["callback_data"], "1/c/1_2");
    for _ in 0..2 {
        assert_eq!(story.press("1/c/1_2").await.as_deref(), Some("Great!"));
        story.wait_for_presses([1, 1, 0, 0]).await;
    }
    assert_eq!(story.press("1/c/1_3").await, None);
    story.wait_for_presses([1, 1, 1, 0]).await;
    let row = story.broadcasts.recipients(1, None, 9).await.unwrap().pop().unwrap();
    assert!(row.pressed_at.is_some());
    let used = uses(&database, 1815).await;
    assert_eq!(used, [("/start".to_owned(), 1), ("press".to_owned(), 1)]);
    story.bot.terminate().await;
}

async fn a_deep_link_of_a_button_counts_and_keeps_its_payload(database: ThrowAwayDatabase) {
    let story = Story::begin(&database).await;
    let shown = &story.message.json["reply_markup"]["inline_keyboard"];
    assert_eq!(shown[1][0]["url"], "https://t.me/rollcall_bot?start=go--b1_4");
    ask(&story.telegram, &ada(), "/start go--b1_4").await;
    story.wait_for_presses([1, 0, 0, 1]).await;
    // Bob got the message from Ada.
    ask(&story.telegram, &bob(), "/start go--b1_4").await;
    ask(&story.telegram, &ada(), "/start go--b1_4").await;
    assert_eq!(story.presses().await, [1, 0, 0, 1]);
    let bob = story.users.get_user_by_telegram_id(7.try_into().unwrap()).await.unwrap().unwrap();
    assert_eq!(bob.source.unwrap().as_str(), "go");
    story.bot.terminate().await;
}

async fn presses_that_are_forged_or_of_a_test_do_not_count(database: ThrowAwayDatabase) {
    let story = Story::begin(&database).await;
    let of_bob = ask(&story.telegram, &bob(), "/start").await;
    let answer = story.press_below(&bob(), &of_bob, "1/c/1_2").await;
    assert_eq!(answer.as_deref(), Some("Great!"), "he is no recipient");
    for data in ["1/c/1_1", "1/c/1_4", "1/c/1_5", "1/c/2_2", "1/c/0_2", "1/c/1_2/"] {
        assert_eq!(story.press(data).await.as_deref(), Some(STALE), "{data}");
    }
    let test = "This is a test: the press does not count.";
    assert_eq!(story.press("1/c/test").await.as_deref(), Some(test));
    ask(&story.telegram, &ada(), "/start go--b1_2x").await;
    assert_eq!(story.presses().await, [0; 4]);
    story.bot.terminate().await;
}
