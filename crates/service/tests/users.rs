//! The user service over real databases.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    collections::BTreeSet,
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use rollcall_domain::{
    Change, Chat, ChatKind, Clock, Comparison, DayStats, Event, Figure, Interaction,
    InteractionKind, Profile, Registration, SameHours, TelegramId, TelegramUser, TodaySoFar,
    UnreachableReason, UserStats, Username,
};
use rollcall_repository::{
    ActivityRepository, Batch, DaySum, Difference, LabelSum, RepositoryError, UserRepository,
};
use rollcall_repository_diesel::{Database, DieselUserRepository};
use rollcall_service::{
    ActivityService, DayRange, DirectoryService, ServiceError, Share, SourceFigures, UserService,
};
use rollcall_testkit::{TestClock, ThrowAwayDatabase};
use tokio::{runtime::Handle, sync::Notify};

#[tokio::test(flavor = "multi_thread")]
async fn a_user_is_created_once_and_then_known() {
    for database in ThrowAwayDatabase::of_each_kind() {
        let (users, clock) = service(&database).await;
        let first = users.get_or_create_user(&ada()).await.unwrap();
        clock.advance(60);
        let second = users.get_or_create_user(&ada()).await.unwrap();

        assert!(first.created && !second.created);
        assert_eq!(first.user.last_seen, noon());
        assert_eq!(second.user.last_seen, clock.now());
        assert_eq!(users.get_user_by_telegram_id(id(1815)).await.unwrap(), Some(second.user));
        let username = "@ADA".parse().unwrap();
        assert!(users.get_user_by_username(&username).await.unwrap().is_some());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_touch_moves_last_seen_of_existing_users() {
    for database in ThrowAwayDatabase::of_each_kind() {
        let (users, clock) = service(&database).await;
        assert!(!users.update_user_last_seen(id(1815)).await.unwrap());
        assert_eq!(users.get_user_by_telegram_id(id(1815)).await.unwrap(), None);

        let before = users.get_or_create_user(&ada()).await.unwrap().user;
        clock.advance(60);
        assert!(users.update_user_last_seen(id(1815)).await.unwrap());
        let after = users.get_user_by_telegram_id(id(1815)).await.unwrap().unwrap();
        assert_eq!(after, TelegramUser { last_seen: clock.now(), ..before });
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn times_in_the_future_and_before_telegram_are_corrected() {
    for database in ThrowAwayDatabase::of_each_kind() {
        let (users, clock) = service(&database).await;
        let at = |time: DateTime<Utc>, n| {
            Interaction::new(time, Profile::new(id(n), "x"), InteractionKind::Text)
        };
        let times = [
            DateTime::<Utc>::MAX_UTC,
            DateTime::<Utc>::MIN_UTC,
            noon() + chrono::TimeDelta::nanoseconds(-1),
        ];
        let interactions: Vec<_> = times.iter().zip(1..).map(|(time, n)| at(*time, n)).collect();
        let answers = users.register(&interactions).await.unwrap();
        let seen: Vec<_> =
            answers.iter().map(|answer| answer.user.last_seen.to_rfc3339()).collect();
        assert_eq!(
            seen,
            [
                clock.now().to_rfc3339().as_str(),
                "1970-01-01T00:00:00+00:00",
                "2026-11-23T11:59:59.999999+00:00"
            ]
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn statistics_and_lists_are_about_today() {
    for database in ThrowAwayDatabase::of_each_kind() {
        let (users, clock) = service(&database).await;
        users.get_or_create_user(&ada()).await.unwrap();
        clock.advance(12 * 3600);
        users.get_or_create_user(&Profile::new(id(7), "Bob")).await.unwrap();

        let stats = users.get_user_stats().await.unwrap();
        let expected = UserStats {
            total_users: 2,
            active_today: 1,
            active_7_days: 2,
            active_30_days: 2,
            new_today: 1,
            new_7_days: 2,
            new_30_days: 2,
            interactions_today: 1,
            first_day: Some("2026-11-23".parse().unwrap()),
            ..UserStats::default()
        };
        assert_eq!(stats, expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn statistics_count_utc_days() {
    for database in ThrowAwayDatabase::of_each_kind() {
        let (users, _) = service(&database).await;
        let empty = users.get_user_stats().await.unwrap();
        let so_far = TodaySoFar { full_hours: 12, ..TodaySoFar::default() };
        assert_eq!(empty, UserStats { so_far, ..UserStats::default() });
        let text = |(time, n): (&str, i64)| {
            let at = time.parse::<DateTime<Utc>>().unwrap();
            Interaction::new(at, Profile::new(id(n), "x"), InteractionKind::Text)
        };
        let times = [
            ("2026-11-23T00:00:00Z", 1),
            ("2026-11-22T23:59:59.999999Z", 2),
            ("2026-11-17T00:00:00Z", 3),
            ("2026-11-16T23:59:59Z", 4),
            ("2026-10-25T00:00:00Z", 5),
            ("2026-10-24T23:59:59Z", 6),
        ];
        users.register(&times.map(text)).await.unwrap();
        let expected = UserStats {
            total_users: 6,
            active_today: 1,
            active_7_days: 3,
            active_30_days: 5,
            new_today: 1,
            new_7_days: 3,
            new_30_days: 5,
            interactions_today: 1,
            first_day: Some("2026-10-24".parse().unwrap()),
            week_before: Some(DayStats {
                active: 1,
                active_7_days: 1,
                active_30_days: 3,
                new: 1,
                new_7_days: 1,
                new_30_days: 3,
                interactions: 1,
                ..DayStats::default()
            }),
            so_far: TodaySoFar {
                full_hours: 12,
                active: against_zero(1),
                new: against_zero(1),
                interactions: against_zero(1),
                blocked: against_zero(0),
                unblocked: against_zero(0),
            },
            ..UserStats::default()
        };
        assert_eq!(users.get_user_stats().await.unwrap(), expected);

        // A user returns: active today, and joined when they first came.
        users.register(&[text(("2026-11-23T12:00:00Z", 6))]).await.unwrap();
        let expected = UserStats {
            active_today: 2,
            active_7_days: 4,
            active_30_days: 6,
            interactions_today: 2,
            ..expected
        };
        assert_eq!(users.get_user_stats().await.unwrap(), expected);

        // An erased user no longer counts among the users, but stays in the active and new users.
        users.delete_users(&[id(1)]).await.unwrap();
        let expected = UserStats { total_users: 5, ..expected };
        assert_eq!(users.get_user_stats().await.unwrap(), expected);
    }
}

/// A figure of today's full hours that was zero in those of yesterday and a week ago.
fn against_zero(now: u64) -> SameHours {
    let change = Some(Comparison::Change(Change { from: 0, to: now }));
    SameHours { day_before: change, week_before: change }
}

#[tokio::test(flavor = "multi_thread")]
async fn just_now_has_the_last_hour_and_the_newest_users() {
    for database in ThrowAwayDatabase::of_each_kind() {
        let (users, clock) = service(&database).await;
        let directory = DirectoryService::new(repository(&database).await, clock.clone());
        users.get_or_create_user(&ada()).await.unwrap();
        clock.advance(90);
        for n in [7, 8] {
            users.get_or_create_user(&Profile::new(id(n), "Bob")).await.unwrap();
        }
        clock.advance(30 * 60);
        let now = directory.just_now(2).await.unwrap();
        assert_eq!(now.minutes.len(), 60);
        let busy = now.minutes.iter().filter(|it| it.interactions > 0);
        let busy: Vec<_> = busy.map(|it| (it.at.to_rfc3339(), it.interactions)).collect();
        assert_eq!(
            busy,
            [
                ("2026-11-23T12:00:00+00:00".to_owned(), 1),
                ("2026-11-23T12:01:00+00:00".to_owned(), 2)
            ]
        );
        assert_eq!(now.minutes[59].at.to_rfc3339(), "2026-11-23T12:31:00+00:00");
        let newest: Vec<_> = now.newest.iter().map(|it| it.user.telegram_id).collect();
        assert_eq!(newest, [id(8), id(7)]);

        clock.advance(30 * 60);
        let later = directory.just_now(1).await.unwrap();
        let count: u64 = later.minutes.iter().map(|it| it.interactions).sum();
        assert_eq!(count, 0, "both minutes are an hour ago");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_range_of_days_has_its_figures() {
    for database in ThrowAwayDatabase::of_each_kind() {
        let (users, clock) = service(&database).await;
        let activity = ActivityService::new(repository(&database).await, clock);
        let start = Interaction {
            chat: Some(Chat { id: 1815, kind: ChatKind::Private }),
            event: Some(Event::Start("ad_1".parse().unwrap())),
            ..Interaction::new(noon() - TimeDelta::days(8), ada(), InteractionKind::Command)
        };
        let again = Interaction { event: None, at: noon() - TimeDelta::days(1), ..start.clone() };
        let left = Interaction { event: Some(Event::Blocked), at: noon(), ..start.clone() };
        users.register(&[start, again, left]).await.unwrap();

        let range = DayRange::ending(today(), 9).unwrap();
        let figures = activity.get_activity(range).await.unwrap();
        let active: Vec<_> = figures.days.iter().map(|it| (it.active, it.active_7_days)).collect();
        assert_eq!(active[..2], [(1, 1), (0, 1)]);
        assert_eq!(active[5..], [(0, 1), (0, 1), (1, 1), (1, 1)]);
        assert_eq!((figures.days[8].blocked, figures.days[8].net_growth()), (1, -1));
        let source = SourceFigures {
            source: "ad_1".to_owned(),
            users: 1,
            starts: 1,
            reachable: 0,
            day_1: Share { part: 0, whole: 1 },
            day_7: Share { part: 1, whole: 1 },
            day_30: Share::default(),
        };
        assert_eq!(figures.sources, [source]);
        assert_eq!(figures.cohorts[0].active, [1, 1, 1]);
        assert_eq!(activity.recount(false, |_, _| ()).await.unwrap(), []);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn more_interactions_than_a_batch_are_all_registered() {
    let database = ThrowAwayDatabase::sqlite();
    let (users, _) = service(&database).await;
    let everybody: Vec<_> = (1..=2500)
        .map(|n| Interaction::new(noon(), Profile::new(id(n), "x"), InteractionKind::Text))
        .collect();
    let answers = users.register(&everybody).await.unwrap();
    assert!(
        answers
            .iter()
            .zip(1..)
            .all(|(answer, n)| answer.created && answer.user.telegram_id == id(n))
    );
    assert_eq!(users.get_user_stats().await.unwrap().total_users, 2500);
}

#[tokio::test]
async fn calls_that_arrive_during_a_commit_form_the_next_batch() {
    let slow = Arc::new(HeldStore::default());
    let users = UserService::new(Shared(slow.clone(), Handle::current()), TestClock::at(NOON));

    let first = call(&users, 1);
    slow.entered.notified().await;
    let others: Vec<_> = (2..=100).map(|n| call(&users, n)).collect();
    queued(&users, 100).await;
    slow.release.notify_one();
    slow.entered.notified().await;
    slow.release.notify_one();

    assert!(first.await.unwrap().unwrap().created);
    for other in others {
        assert!(other.await.unwrap().unwrap().created);
    }
    assert_eq!(*slow.batches.lock().unwrap(), [1, 99]);
}

#[tokio::test]
async fn an_aborted_call_is_registered_all_the_same() {
    let slow = Arc::new(HeldStore::default());
    let users = UserService::new(Shared(slow.clone(), Handle::current()), TestClock::at(NOON));
    let first = call(&users, 1);
    slow.entered.notified().await;
    let second = call(&users, 2);
    queued(&users, 2).await;
    second.abort();
    slow.release.notify_one();
    assert!(first.await.unwrap().is_ok());
    slow.entered.notified().await;
    slow.release.notify_one();
    // The next batch begins only when the batch of the aborted call is done.
    let third = call(&users, 3);
    slow.entered.notified().await;
    assert_eq!(*slow.batches.lock().unwrap(), [1, 1]);
    slow.release.notify_one();
    assert!(third.await.unwrap().is_ok());
}

#[tokio::test]
async fn a_failing_storage_fails_exactly_the_calls_of_the_batch() {
    let store = Arc::new(HeldStore::default());
    let users = UserService::new(Shared(store.clone(), Handle::current()), TestClock::at(NOON));
    store.broken.store(true, Ordering::Relaxed);
    store.release.notify_one();
    let error = call(&users, 1).await.unwrap().unwrap_err();
    assert!(matches!(error, ServiceError::Repository(_)));

    store.broken.store(false, Ordering::Relaxed);
    store.release.notify_one();
    assert!(call(&users, 1).await.unwrap().unwrap().created);
}

#[tokio::test(flavor = "multi_thread")]
async fn expired_rows_are_deleted() {
    for database in ThrowAwayDatabase::of_each_kind() {
        let (users, clock) = service(&database).await;
        let ada = ada();
        let text = |update_id: i64| Interaction {
            update_id: Some(update_id),
            ..Interaction::new(noon(), ada.clone(), InteractionKind::Text)
        };
        let activity = ActivityService::new(repository(&database).await, clock.clone());
        let range = DayRange::new(today(), today()).unwrap();
        let counted = async || activity.get_activity(range).await.unwrap().days[0].interactions;
        users.register(&(1..=1500).map(text).collect::<Vec<_>>()).await.unwrap();
        clock.advance(47 * 3600);
        users.register(&[text(2000), text(1)]).await.unwrap();
        assert!(!users.forget_old().await.unwrap());
        assert_eq!(counted().await, 1501);

        clock.advance(3601);
        while users.forget_old().await.unwrap() {}
        // Updates of two days ago count as new again, the later one does not.
        users.register(&[text(1), text(1500), text(2000)]).await.unwrap();
        assert_eq!(counted().await, 1503);
    }
}

#[test]
fn the_example_runs() {
    let database = ThrowAwayDatabase::sqlite();
    let said = |_| {
        let output = Command::new(example("register")).arg(database.url()).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    assert_eq!([1, 2].map(said), ["@ada (1815) is new\n", "@ada (1815) is known\n"]);
}

/// An example that Cargo built together with this test.
fn example(name: &str) -> std::path::PathBuf {
    let test = std::env::current_exe().unwrap();
    test.parent().unwrap().parent().unwrap().join("examples").join(name)
}

const NOON: &str = "2026-11-23T12:00:00Z";

fn today() -> NaiveDate {
    noon().date_naive()
}

fn noon() -> DateTime<Utc> {
    NOON.parse().unwrap()
}

fn id(n: i64) -> TelegramId {
    n.try_into().unwrap()
}

fn ada() -> Profile {
    Profile::new(id(1815), "Ada").username("ada")
}

async fn service(database: &ThrowAwayDatabase) -> (UserService, Arc<TestClock>) {
    let clock = Arc::new(TestClock::at(NOON));
    (UserService::new(repository(database).await, clock.clone()), clock)
}

async fn repository(database: &ThrowAwayDatabase) -> DieselUserRepository {
    let database = Database::open(database.url().parse().unwrap()).await.unwrap();
    database.migrate().await.unwrap();
    DieselUserRepository::new(database)
}

fn call(
    users: &UserService,
    n: i64,
) -> tokio::task::JoinHandle<Result<Registration, ServiceError>> {
    let users = users.clone();
    tokio::spawn(async move { users.get_or_create_user(&Profile::new(id(n), "x")).await })
}

/// Waits until this many interactions are queued or being written.
async fn queued(users: &UserService, interactions: usize) {
    while users.queued() < interactions {
        tokio::task::yield_now().await;
    }
}

/// The thread that waits for the first answer gives the batch away, and does not answer it.
#[tokio::test(flavor = "multi_thread")]
async fn what_the_storage_does_not_answer_is_registered_by_another_thread() {
    let patience = Some(Duration::from_millis(500));
    let store = Arc::new(HeldStore { patience, ..HeldStore::default() });
    let users = UserService::new(Shared(store.clone(), Handle::current()), TestClock::at(NOON));
    let first = call(&users, 1);
    store.entered.notified().await;
    // By the other thread.
    store.entered.notified().await;
    // Both go on.
    store.release.notify_one();
    store.release.notify_one();
    assert!(first.await.unwrap().unwrap().created);
    let second = call(&users, 2);
    store.entered.notified().await;
    store.release.notify_one();
    assert!(second.await.unwrap().unwrap().created);
    users.finish().await;
    while store.wanted.lock().unwrap().len() < 3 {
        tokio::task::yield_now().await;
    }
    let wanted = store.wanted.lock().unwrap().iter().filter(|it| **it).count();
    assert_eq!(wanted, 2);
}

/// A storage whose commits wait until the test releases them.
#[derive(Default)]
struct HeldStore {
    entered: Notify,
    release: Notify,
    broken: AtomicBool,
    patience: Option<Duration>,
    /// Whether each batch was still wanted when it was released.
    wanted: std::sync::Mutex<Vec<bool>>,
    batches: std::sync::Mutex<Vec<usize>>,
}

struct Shared(Arc<HeldStore>, Handle);

#[async_trait]
impl UserRepository for Shared {
    fn register_while(
        &self,
        batch: &Batch,
        _: DateTime<Utc>,
        is_wanted: &(dyn Fn() -> bool + Sync),
    ) -> Result<Vec<Registration>, RepositoryError> {
        self.0.entered.notify_one();
        self.1.block_on(self.0.release.notified());
        self.0.wanted.lock().unwrap().push(is_wanted());
        if self.0.broken.load(Ordering::Relaxed) {
            return Err(RepositoryError::Failed("broken".into()));
        }
        self.0.batches.lock().unwrap().push(batch.interactions.len());
        let answer = |interaction: &Interaction| {
            let user = TelegramUser::new(interaction.telegram_id(), interaction.at);
            Registration { user, created: true, repeated: false, suppressed: false, stored: true }
        };
        Ok(batch.interactions.iter().map(answer).collect())
    }

    fn patience(&self) -> Option<Duration> {
        self.0.patience
    }

    async fn rehearse(&self, _: DateTime<Utc>) -> Result<(), RepositoryError> {
        unimplemented!("not part of these stories")
    }

    async fn forget(
        &self,
        _: DateTime<Utc>,
        _: DateTime<Utc>,
        _: DateTime<Utc>,
        _: u32,
    ) -> Result<usize, RepositoryError> {
        unimplemented!("not part of these stories")
    }

    async fn find(&self, _: TelegramId) -> Result<Option<TelegramUser>, RepositoryError> {
        unimplemented!("not part of these stories")
    }

    async fn existing(&self, _: &[TelegramId]) -> Result<Vec<TelegramId>, RepositoryError> {
        unimplemented!("not part of these stories")
    }

    async fn find_by_username(
        &self,
        _: &Username,
    ) -> Result<Option<TelegramUser>, RepositoryError> {
        unimplemented!("not part of these stories")
    }

    async fn mark_unreachable(
        &self,
        _: TelegramId,
        _: UnreachableReason,
        _: DateTime<Utc>,
        _: DateTime<Utc>,
    ) -> Result<bool, RepositoryError> {
        unimplemented!("not part of these stories")
    }

    async fn erase(&self, _: &[TelegramId]) -> Result<usize, RepositoryError> {
        unimplemented!("not part of these stories")
    }

    async fn allow(&self, _: TelegramId) -> Result<bool, RepositoryError> {
        unimplemented!("not part of these stories")
    }

    async fn delete(&self, _: &[TelegramId]) -> Result<usize, RepositoryError> {
        unimplemented!("not part of these stories")
    }
}

#[async_trait]
impl ActivityRepository for Shared {
    async fn sums_by_day(
        &self,
        _: &[Figure],
        _: NaiveDate,
        _: NaiveDate,
    ) -> Result<Vec<DaySum>, RepositoryError> {
        unimplemented!("not part of these stories")
    }

    async fn sums_by_label(
        &self,
        _: &[Figure],
        _: NaiveDate,
        _: NaiveDate,
    ) -> Result<Vec<LabelSum>, RepositoryError> {
        unimplemented!("not part of these stories")
    }

    async fn totals(&self, _: &[Figure], _: NaiveDate) -> Result<Vec<i64>, RepositoryError> {
        unimplemented!("not part of these stories")
    }

    async fn minutes(
        &self,
        _: DateTime<Utc>,
    ) -> Result<Vec<(DateTime<Utc>, i64)>, RepositoryError> {
        unimplemented!("not part of these stories")
    }

    async fn first_day(&self) -> Result<Option<NaiveDate>, RepositoryError> {
        unimplemented!("not part of these stories")
    }

    async fn leave_out(&self, _: &BTreeSet<TelegramId>) -> Result<(), RepositoryError> {
        unimplemented!("not part of these stories")
    }

    async fn recount(
        &self,
        _: bool,
        _: Arc<dyn Fn(u64, u64) + Send + Sync>,
    ) -> Result<Vec<Difference>, RepositoryError> {
        unimplemented!("not part of these stories")
    }
}
