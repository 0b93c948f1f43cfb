//! An owner who sends broadcasts to the users of a bot.

use std::time::Duration;

use chrono::TimeDelta;
use chrono_tz::Tz;
use rollcall_domain::{
    Broadcast, BroadcastContent, BroadcastPlan, BroadcastState, Chat, ChatKind, Clock,
    DeliveryTimes, Experiment, Interaction, InteractionKind, OnUnknown, Profile, RecipientSums,
    SystemClock, TelegramId,
};
use rollcall_repository::Recipient;
use rollcall_repository_diesel::{Database, DieselUserRepository};
use rollcall_service::{BroadcastChange, BroadcastService, UserService};
use rollcall_testkit::ThrowAwayDatabase;
use tokio::time::{sleep, timeout};

/// How long a test waits for a broadcast, before it fails.
const PATIENCE: Duration = Duration::from_secs(180);

/// An owner of a bot, beside the running program.
pub(crate) struct Owner {
    pub(crate) database: Database,
    pub(crate) storage: DieselUserRepository,
    pub(crate) users: UserService,
    pub(crate) service: BroadcastService,
}

impl Owner {
    /// An owner of a bot with so many users: their ids begin with 1, and the bot can write to them.
    pub(crate) async fn of(database: &ThrowAwayDatabase, users: i64) -> Self {
        let database = Database::open(database.url().parse().unwrap()).await.unwrap();
        database.migrate().await.unwrap();
        let storage = DieselUserRepository::new(database.clone());
        let service = BroadcastService::new(storage.clone(), SystemClock);
        let owner = Self {
            database,
            users: UserService::new(storage.clone(), SystemClock),
            storage,
            service,
        };
        let at = SystemClock.now() - TimeDelta::hours(1);
        let written = |id| {
            let profile = Profile::new(TelegramId::try_from(id).unwrap(), &format!("User {id}"));
            let chat = Some(Chat { id, kind: ChatKind::Private });
            Interaction { chat, ..Interaction::new(at, profile, InteractionKind::Text) }
        };
        let all: Vec<Interaction> = (1..=users).map(written).collect();
        for part in all.chunks(500) {
            owner.users.register(part).await.unwrap();
        }
        owner
    }

    pub(crate) async fn create(&self, plan: &BroadcastPlan) -> Broadcast {
        self.service.create(plan, None).await.unwrap()
    }

    pub(crate) async fn start(&self, plan: &BroadcastPlan) -> Broadcast {
        let created = self.create(plan).await;
        self.change(created.id, BroadcastChange::Start).await
    }

    pub(crate) async fn change(&self, id: i64, change: BroadcastChange) -> Broadcast {
        self.service.change(id, change, None).await.unwrap()
    }

    pub(crate) async fn find(&self, id: i64) -> Broadcast {
        self.service.find(id).await.unwrap()
    }

    pub(crate) async fn sums(&self, id: i64) -> RecipientSums {
        self.service.sums(id).await.unwrap()
    }

    /// Up to 5,000 recipients of a broadcast.
    pub(crate) async fn recipients(&self, id: i64) -> Vec<Recipient> {
        self.service.recipients(id, None, 5_000).await.unwrap()
    }

    pub(crate) async fn wait_until_in(&self, id: i64, state: BroadcastState) -> Broadcast {
        self.wait_until(id, |it, _| it.state == state).await
    }

    pub(crate) async fn wait_until_ended(&self, id: i64) -> Broadcast {
        self.wait_until(id, |it, _| it.state.has_ended()).await
    }

    /// Waits until a broadcast is so.
    pub(crate) async fn wait_until(
        &self,
        id: i64,
        is_so: impl Fn(&Broadcast, &RecipientSums) -> bool,
    ) -> Broadcast {
        let so = async {
            loop {
                let broadcast = self.find(id).await;
                if is_so(&broadcast, &self.sums(id).await) {
                    return broadcast;
                }
                sleep(Duration::from_millis(20)).await;
            }
        };
        let ended = timeout(PATIENCE, so).await;
        assert!(ended.is_ok(), "{:?}, {:?}", self.find(id).await, self.sums(id).await);
        ended.unwrap()
    }

    /// Waits until something is so.
    pub(crate) async fn wait(&self, is_so: impl AsyncFn() -> bool) {
        let so = async {
            while !is_so().await {
                sleep(Duration::from_millis(20)).await;
            }
        };
        let ended = timeout(PATIENCE, so).await;
        assert!(ended.is_ok(), "{:?}", self.service.list(None, 1).await);
    }
}

/// A broadcast of this text to everyone.
pub(crate) fn plan(text: &str) -> BroadcastPlan {
    BroadcastPlan {
        name: "Today".to_owned(),
        category: "news".parse().unwrap(),
        filter: "".parse().unwrap(),
        zone: Tz::UTC,
        content: content(text, ""),
        rate: None,
        is_paid: false,
        on_unknown: OnUnknown::Skip,
        starts_at: None,
        lasts: TimeDelta::hours(24),
        times: DeliveryTimes::default(),
        has_opt_out_button: false,
        experiment: Experiment::default(),
    }
}

/// A text with buttons.
pub(crate) fn content(text: &str, buttons: &str) -> BroadcastContent {
    BroadcastContent::Text {
        texts: [(String::new(), text.to_owned())].into(),
        buttons: buttons.to_owned(),
        picture: None,
    }
}
