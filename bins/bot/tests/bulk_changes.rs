//! Changes of the tags of many users, in a bot that is killed in the middle of them and started again:
//! in the end exactly the users of the filter have the tag, and undoing restores exactly what there was.
//!
//! By default two kills while the tag is added and one while that is undone. With
//! `ROLLCALL_KILLS=20 cargo test -p bot --test bulk_changes`, as many follow at random moments.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

#[macro_use]
mod running;

use std::{
    hash::{BuildHasher, Hasher, RandomState},
    time::Duration,
};

use chrono::TimeDelta;
use chrono_tz::Tz;
use rollcall_domain::{
    Admin, AuditAction, Clock, Interaction, InteractionKind, LabelKind, LabelName, Profile,
    SystemClock, TelegramId,
};
use rollcall_repository::{LabelChoice, LabelRepository, LabelStep, NewLabelChange};
use rollcall_repository_diesel::{Database, DieselAdminRepository, DieselUserRepository};
use rollcall_service::{
    AdminService, AudienceService, AuditFilter, LabelChange, LabelChangeState, LabelService,
    UserService,
};
use rollcall_simulator::Simulator;
use rollcall_testkit::ThrowAwayDatabase;
use running::{RunningBot, database::tamper};
use tokio::time::{sleep, timeout};

/// How many users there are: every second one speaks German, and every tenth has the tag.
const USERS: i64 = 20_000;
const FILTER: &str = "lang:de";
/// How long the test waits for a change, before it fails.
const PATIENCE: Duration = Duration::from_secs(120);

stories!(a_change_survives_kills, the_change_of_a_killed_command_waits,);

async fn a_change_survives_kills(database: ThrowAwayDatabase) {
    let owner = Owner::of(&database).await;
    let telegram = Simulator::start().await.unwrap();
    let begun = owner.start().await;

    for (n, place) in [6_000, 13_000].into_iter().enumerate() {
        block(&database, "INSERT", id_of(place));
        let mut bot = RunningBot::start(&telegram, &database, &[]).await;
        let before = owner.change().await.unwrap().users;
        owner.wait_until(|change| change.is_some_and(|it| it.users > before)).await;
        bot.kill().await;
        unblock(&database, "INSERT");
        let change = owner.change().await.unwrap();
        assert_eq!((change.id, change.state), (begun.id, LabelChangeState::Running), "kill {n}");
        assert!(change.last < Some(id_of(place)), "kill {n}: {change:?}");
    }
    let further = std::env::var("ROLLCALL_KILLS").map_or(0, |kills| kills.parse().unwrap());
    for _ in 0..further {
        let mut bot = RunningBot::start(&telegram, &database, &[]).await;
        sleep(Duration::from_millis(random() % 20_000)).await;
        bot.kill().await;
    }
    let mut bot = RunningBot::start(&telegram, &database, &[]).await;
    owner.wait_until(|change| change.is_some_and(|it| it.state == LabelChangeState::Done)).await;
    let changed = u64::try_from(USERS / 2 - USERS / 10).unwrap();
    assert_eq!(owner.change().await.unwrap().users, changed);
    assert_eq!(owner.count(FILTER).await, u64::try_from(USERS / 2).unwrap());
    assert_eq!(owner.count("tag:vip").await, u64::try_from(USERS / 2).unwrap());
    assert_eq!(owner.count("tag:vip -lang:de").await, 0);
    assert_eq!(
        owner.logged(AuditAction::AddedLabel).await,
        ["8,000 users: tag vip: filter lang:de"]
    );
    bot.kill().await;

    block(&database, "DELETE", id_of(9_000));
    let mut bot = RunningBot::start(&telegram, &database, &[]).await;
    owner.labels.start_undo(begun.id, &owner.ada).await.unwrap();
    let all = owner.count("tag:vip").await;
    while owner.count("tag:vip").await == all {
        sleep(Duration::from_millis(20)).await;
    }
    bot.kill().await;
    unblock(&database, "DELETE");
    assert_eq!(owner.change().await.unwrap().state, LabelChangeState::Undoing);
    let bot = RunningBot::start(&telegram, &database, &[]).await;
    owner.wait_until(|change| change.is_none()).await;
    assert_eq!(owner.count("tag:vip").await, u64::try_from(USERS / 10).unwrap());
    assert_eq!(owner.count("tag:vip lang:de").await, u64::try_from(USERS / 10).unwrap());
    let undone = "added to 8,000 users: tag vip: filter lang:de";
    assert_eq!(owner.logged(AuditAction::UndidLabelChange).await, [undone]);
    bot.terminate().await;
}

/// A command may have been interrupted on purpose, so the bot waits until an admin resumes its change.
async fn the_change_of_a_killed_command_waits(database: ThrowAwayDatabase) {
    let owner = Owner::of(&database).await;
    let telegram = Simulator::start().await.unwrap();
    // A command that was killed leaves a change as if it had stopped between two steps.
    let storage = Database::open(database.url().parse().unwrap()).await.unwrap();
    let storage = DieselUserRepository::new(storage);
    let (label, _) = owner.labels.create(LabelKind::Tag, &vip(), "", None).await.unwrap();
    let choice = LabelChoice::Filter { text: FILTER.to_owned(), zone: "UTC".to_owned() };
    let new = NewLabelChange { label, is_added: true, choice, by: None };
    let begun = storage.begin_label_change(&new, SystemClock.now()).await.unwrap();
    let step = LabelStep {
        change: begun.id,
        after: None,
        ids: (0..4_000).step_by(2).map(id_of).collect(),
        last: Some(id_of(3_999)),
        is_last: false,
    };
    storage.continue_label_change(&step, SystemClock.now()).await.unwrap();
    let id = owner.change().await.unwrap().id;
    let bot = RunningBot::start(&telegram, &database, &[]).await;
    let resumed = async {
        // It counts as running for some seconds after its last step.
        while owner.labels.start_again(id, &owner.ada).await.is_err() {
            assert_eq!(owner.change().await.unwrap().state, LabelChangeState::Running);
            sleep(Duration::from_millis(100)).await;
        }
    };
    timeout(PATIENCE, resumed).await.expect("a change that can be resumed");
    owner.wait_until(|change| change.is_some_and(|it| it.state == LabelChangeState::Done)).await;
    assert_eq!(owner.count("tag:vip").await, u64::try_from(USERS / 2).unwrap());
    assert_eq!(owner.count("tag:vip -lang:de").await, 0);
    bot.terminate().await;
}

/// Who changes tags on the web, without a browser.
struct Owner {
    labels: LabelService,
    audience: AudienceService,
    admins: AdminService,
    ada: Admin,
}

impl Owner {
    /// The owner of a database with users.
    async fn of(database: &ThrowAwayDatabase) -> Self {
        let storage = Database::open(database.url().parse().unwrap()).await.unwrap();
        storage.migrate().await.unwrap();
        let admins = DieselAdminRepository::new(storage.clone());
        let storage = DieselUserRepository::new(storage);
        let users = UserService::new(storage.clone(), SystemClock);
        let start = SystemClock.now() - TimeDelta::days(1);
        for part in (0..USERS).collect::<Vec<_>>().chunks(2_000) {
            let written = part.iter().map(|n| {
                let language = if n % 2 == 0 { "de" } else { "en" };
                let profile = Profile::new(id_of(*n), "Ada").language_code(language);
                Interaction::new(start, profile, InteractionKind::Text)
            });
            users.register(&written.collect::<Vec<_>>()).await.unwrap();
        }
        Self {
            labels: LabelService::new(storage.clone(), SystemClock),
            audience: AudienceService::new(storage, SystemClock),
            admins: AdminService::new(admins, SystemClock, [].into()),
            ada: Admin::Account("ada".parse().unwrap()),
        }
    }

    /// Begins to tag all of the filter, where every tenth user has the tag already.
    async fn start(&self) -> LabelChange {
        let (label, _) = self.labels.create(LabelKind::Tag, &vip(), "", None).await.unwrap();
        let tenth: Vec<_> = (0..USERS).step_by(10).map(id_of).collect();
        self.labels.change_ids(&label, &tenth, true, None, &|_| ()).await.unwrap();
        let filter = FILTER.parse().unwrap();
        let (label, users) = (vip(), (&filter, Tz::UTC));
        self.labels.start((LabelKind::Tag, &label), users, true, &self.ada).await.unwrap()
    }

    /// The change by the filter, unless it is undone.
    async fn change(&self) -> Option<LabelChange> {
        let changes = self.labels.recent(LabelKind::Tag).await.unwrap();
        changes.into_iter().find(|it| it.choice != LabelChoice::Ids)
    }

    async fn wait_until(&self, is_so: impl Fn(Option<&LabelChange>) -> bool) {
        let waited = async {
            while !is_so(self.change().await.as_ref()) {
                sleep(Duration::from_millis(20)).await;
            }
        };
        if timeout(PATIENCE, waited).await.is_err() {
            panic!("the change is {:?}", self.change().await);
        }
    }

    async fn count(&self, filter: &str) -> u64 {
        let selection = self.audience.selection(&filter.parse().unwrap(), Tz::UTC).await.unwrap();
        let progress = std::sync::Arc::new(|_: u64, _: u16| true);
        self.audience.count(&selection, progress).await.unwrap().unwrap()
    }

    async fn logged(&self, action: AuditAction) -> Vec<String> {
        let filter = AuditFilter::all().action(action).by(self.ada.clone());
        let log = self.admins.audit_log(&filter, None, 10).await.unwrap();
        log.into_iter().map(|it| it.new.unwrap()).collect()
    }
}

fn vip() -> LabelName {
    "vip".parse().unwrap()
}

fn id_of(n: i64) -> TelegramId {
    (1_000 + n).try_into().unwrap()
}

/// Lets the step of a change that reaches a user take for ever.
fn block(database: &ThrowAwayDatabase, statement: &str, user: TelegramId) {
    let row = if statement == "INSERT" { "NEW" } else { "OLD" };
    let sql = match database.file() {
        // Some 10^12 rows.
        Some(_) => format!(
            "CREATE TRIGGER block_{statement} AFTER {statement} ON user_labels
             WHEN {row}.telegram_id = {user} BEGIN
                 SELECT sum(a.telegram_id + b.telegram_id + c.telegram_id)
                 FROM telegram_users AS a, telegram_users AS b, telegram_users AS c;
             END"
        ),
        None => format!(
            "CREATE FUNCTION block_{statement}() RETURNS trigger LANGUAGE plpgsql AS $$
             BEGIN PERFORM pg_sleep(3600); RETURN NULL; END $$;
             CREATE TRIGGER block_{statement} AFTER {statement} ON user_labels FOR EACH ROW
             WHEN ({row}.telegram_id = {user}) EXECUTE FUNCTION block_{statement}()"
        ),
    };
    tamper(database, &sql);
}

/// Ends that. PostgreSQL does not notice by itself that the client of a step was killed.
fn unblock(database: &ThrowAwayDatabase, statement: &str) {
    let sql = match database.file() {
        Some(_) => format!("DROP TRIGGER block_{statement}"),
        None => format!(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
             WHERE datname = current_database() AND wait_event = 'PgSleep';
             DROP TRIGGER block_{statement} ON user_labels; DROP FUNCTION block_{statement}"
        ),
    };
    tamper(database, &sql);
}

fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}
