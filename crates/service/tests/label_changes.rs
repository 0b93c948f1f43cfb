//! Changes of labels that the web admin begins and that processes work on in the background.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;

use chrono_tz::Tz;
use rollcall_domain::{
    Admin, AuditAction, Clock, Interaction, InteractionKind, LabelKind, LabelName, Profile,
    TelegramId,
};
use rollcall_repository::{
    LabelChange, LabelChangeState, LabelChoice, LabelRepository, LabelStep, NewLabelChange,
};
use rollcall_repository_diesel::{Database, DieselAdminRepository, DieselUserRepository};
use rollcall_service::{
    AdminService, AudienceService, AuditFilter, ChangeStanding, LabelError, LabelService,
    ListedChange, UserService,
};
use rollcall_testkit::{TestClock, ThrowAwayDatabase};

/// How long a change belongs to its process after a step, in seconds.
const LEASE: i64 = 10;

/// Two processes on one database with the users 1 to 9, and a web admin.
struct World {
    labels: LabelService,
    other: LabelService,
    audience: AudienceService,
    admins: AdminService,
    storage: DieselUserRepository,
    clock: Arc<TestClock>,
    ada: Admin,
    _database: ThrowAwayDatabase,
}

impl World {
    async fn of_each_kind() -> Vec<Self> {
        let mut worlds = Vec::new();
        for database in ThrowAwayDatabase::of_each_kind() {
            worlds.push(Self::on(database).await);
        }
        worlds
    }

    async fn on(throw_away: ThrowAwayDatabase) -> Self {
        let clock = Arc::new(TestClock::at("2026-11-23T12:00:00Z"));
        let database = Database::open(throw_away.url().parse().unwrap()).await.unwrap();
        database.migrate().await.unwrap();
        let storage = DieselUserRepository::new(database.clone());
        let users = UserService::new(storage.clone(), clock.clone());
        let written = (1..=9).map(|n| {
            Interaction::new(clock.now(), Profile::new(id(n), "Ada"), InteractionKind::Text)
        });
        users.register(&written.collect::<Vec<_>>()).await.unwrap();
        let admins = DieselAdminRepository::new(database);
        Self {
            labels: LabelService::new(storage.clone(), clock.clone()),
            other: LabelService::new(storage.clone(), clock.clone()),
            audience: AudienceService::new(storage.clone(), clock.clone()),
            admins: AdminService::new(admins, clock.clone(), [].into()),
            storage,
            clock,
            ada: Admin::Account("ada".parse().unwrap()),
            _database: throw_away,
        }
    }

    async fn start(&self, tag: &str, filter: &str) -> Result<LabelChange, LabelError> {
        self.start_one(LabelKind::Tag, tag, filter, true).await
    }

    async fn start_one(
        &self,
        kind: LabelKind,
        label: &str,
        filter: &str,
        is_added: bool,
    ) -> Result<LabelChange, LabelError> {
        let filter = filter.parse().unwrap();
        self.labels.start((kind, &name(label)), (&filter, Tz::UTC), is_added, &self.ada).await
    }

    /// Does a step of a change by a filter that selects everyone, up to the user `last`.
    async fn step(&self, change: &LabelChange, last: i64) -> LabelChange {
        let after = change.last.map_or(0, TelegramId::get);
        let step = LabelStep {
            change: change.id,
            after: change.last,
            ids: (after + 1..=last).map(id).collect(),
            last: Some(id(last)),
            is_last: false,
        };
        self.storage.continue_label_change(&step, self.clock.now()).await.unwrap().result.unwrap()
    }

    /// Works until nothing is left to do.
    async fn work(&self) {
        while let Some(change) = self.labels.take_change().await.unwrap() {
            self.labels.work_on(change).await.unwrap();
        }
    }

    async fn take(&self) -> Option<i64> {
        self.other.take_change().await.unwrap().map(|change| change.id)
    }

    async fn standings(&self) -> Vec<ChangeStanding> {
        let changes = self.labels.changes().await.unwrap();
        changes.into_iter().map(|it: ListedChange| it.standing).collect()
    }

    /// The users with a tag.
    async fn tagged(&self, tag: &str) -> Vec<i64> {
        let ids: Vec<_> = (1..=9).map(id).collect();
        let labels = self.labels.labels_of(&ids).await.unwrap();
        let has = |id: &&TelegramId| labels.get(id).is_some_and(|it| it.tags.contains(&name(tag)));
        ids.iter().filter(has).map(|id| id.get()).collect()
    }

    async fn logged(&self, action: AuditAction) -> Vec<String> {
        let filter = AuditFilter::all().action(action).by(self.ada.clone());
        let log = self.admins.audit_log(&filter, None, 10).await.unwrap();
        log.into_iter().map(|it| it.new.unwrap()).collect()
    }
}

fn id(n: i64) -> TelegramId {
    n.try_into().unwrap()
}

fn name(text: &str) -> LabelName {
    text.parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn one_process_does_a_change_and_undoes_it() {
    for world in World::of_each_kind().await {
        world.labels.create(LabelKind::Tag, &name("vip"), "", None).await.unwrap();
        world.labels.label_user(LabelKind::Tag, &name("vip"), id(4), true, None).await.unwrap();
        let begun = world.start("vip", "-id:1,2").await.unwrap();
        assert_eq!(world.standings().await, [ChangeStanding::Waiting]);
        let taken = world.labels.take_change().await.unwrap().unwrap();
        assert_eq!(world.take().await, None, "the first process has it");
        assert_eq!(world.standings().await, [ChangeStanding::Running]);
        let done = world.labels.work_on(taken).await.unwrap();
        assert_eq!((done.id, done.users, done.state), (begun.id, 6, LabelChangeState::Done));
        assert_eq!(world.tagged("vip").await, [3, 4, 5, 6, 7, 8, 9]);
        let [listed] = world.labels.changes().await.unwrap().try_into().unwrap();
        assert_eq!((listed.standing, listed.thousandths), (ChangeStanding::Done, 1000));
        assert!(listed.is_undoable && !listed.is_resumable);
        assert_eq!(
            world.logged(AuditAction::AddedLabel).await,
            ["6 users: tag vip: filter -id:1,2"]
        );

        world.labels.start_undo(begun.id, &world.ada).await.unwrap();
        assert_eq!(world.standings().await, [ChangeStanding::Undoing]);
        assert_eq!(world.tagged("vip").await.len(), 7, "it is undone in the background");
        world.work().await;
        assert_eq!(world.tagged("vip").await, [4]);
        assert_eq!(world.labels.changes().await.unwrap(), []);
        let undone = "added to 6 users: tag vip: filter -id:1,2";
        assert_eq!(world.logged(AuditAction::UndidLabelChange).await, [undone]);
        let again = world.labels.start_undo(begun.id, &world.ada).await;
        assert!(matches!(again, Err(LabelError::UnknownChange)));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_change_of_a_dead_process_goes_on_elsewhere() {
    for world in World::of_each_kind().await {
        let begun = world.start("vip", "").await.unwrap();
        let taken = world.labels.take_change().await.unwrap().unwrap();
        world.clock.advance(1);
        world.step(&taken, 4).await;
        world.clock.advance(LEASE - 1);
        assert_eq!(world.take().await, None, "the process may be alive");
        world.clock.advance(1);
        assert_eq!(world.standings().await, [ChangeStanding::Waiting]);
        let taken = world.other.take_change().await.unwrap().unwrap();
        let done = world.other.work_on(taken).await.unwrap();
        assert_eq!((done.id, done.users), (begun.id, 9));
        assert_eq!(
            world.logged(AuditAction::AddedLabel).await,
            ["9 users: tag vip: filter all users"]
        );

        // So does undoing it.
        world.labels.start_undo(begun.id, &world.ada).await.unwrap();
        let taken = world.labels.take_change().await.unwrap().unwrap();
        let (by, now) = (Some(&world.ada), world.clock.now());
        world.storage.undo_label_change(&taken, 5, by, now).await.unwrap();
        assert_eq!(world.take().await, None);
        world.clock.advance(LEASE + 1);
        let taken = world.other.take_change().await.unwrap().unwrap();
        world.other.work_on(taken).await.unwrap();
        assert_eq!(world.tagged("vip").await, [0; 0]);
        assert_eq!(world.logged(AuditAction::UndidLabelChange).await.len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_process_gives_way_to_the_one_that_took_over() {
    for world in World::of_each_kind().await {
        world.start("vip", "").await.unwrap();
        let slow = world.labels.take_change().await.unwrap().unwrap();
        world.clock.advance(LEASE + 1);
        let taken = world.other.take_change().await.unwrap().unwrap();
        world.step(&taken, 4).await;
        let ended = world.labels.work_on(slow).await;
        assert!(matches!(ended, Err(LabelError::TakenOver)), "{ended:?}");
        assert_eq!(world.tagged("vip").await, [1, 2, 3, 4]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_newest_change_of_a_label_is_undone_first() {
    for world in World::of_each_kind().await {
        let added = world.start("vip", "").await.unwrap();
        world.work().await;
        let removed = world.start_one(LabelKind::Tag, "vip", "id:1,2", false).await.unwrap();
        world.start("other", "id:1").await.unwrap();
        world.work().await;
        let refused = world.labels.start_undo(added.id, &world.ada).await;
        let reason = "there is a newer change of tag 'vip'; undo that one first";
        assert_eq!(refused.unwrap_err().to_string(), reason);
        let undoable = world.labels.changes().await.unwrap();
        let undoable: Vec<bool> = undoable.iter().map(|it| it.is_undoable).collect();
        assert_eq!(undoable, [true, true, false]);
        for change in [removed, added] {
            world.labels.start_undo(change.id, &world.ada).await.unwrap();
            world.work().await;
        }
        assert_eq!(world.tagged("vip").await, [0; 0]);
        assert_eq!(world.tagged("other").await, [1]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_change_can_be_undone() {
    for world in World::of_each_kind().await {
        let begun = world.start("vip", "").await.unwrap();
        let taken = world.labels.take_change().await.unwrap().unwrap();
        let taken = world.step(&taken, 4).await;
        world.labels.start_undo(begun.id, &world.ada).await.unwrap();
        let ended = world.labels.work_on(taken).await;
        assert!(matches!(ended, Err(LabelError::Undone | LabelError::TakenOver)), "{ended:?}");
        world.work().await;
        assert_eq!(world.tagged("vip").await, [0; 0]);
        assert_eq!(world.standings().await, []);
    }
}

/// Its admin may have interrupted it on purpose, so it goes on only when someone asks for that.
#[tokio::test(flavor = "multi_thread")]
async fn the_stopped_change_of_a_command_waits_for_an_admin() {
    for world in World::of_each_kind().await {
        let (label, _) = world.labels.create(LabelKind::Tag, &name("vip"), "", None).await.unwrap();
        let choice = LabelChoice::Filter { text: String::new(), zone: "UTC".to_owned() };
        let new = NewLabelChange { label, is_added: true, choice, by: None };
        let begun = world.storage.begin_label_change(&new, world.clock.now()).await.unwrap();
        world.step(&begun, 4).await;
        assert_eq!(world.standings().await, [ChangeStanding::Running]);
        let early = world.labels.start_again(begun.id, &world.ada).await;
        assert!(matches!(early, Err(LabelError::NotStopped)));
        world.clock.advance(LEASE + 1);
        assert_eq!(world.take().await, None);
        let [listed] = world.labels.changes().await.unwrap().try_into().unwrap();
        assert_eq!((listed.standing, listed.is_resumable), (ChangeStanding::Stopped(None), true));
        assert!(listed.is_undoable);
        world.labels.start_again(begun.id, &world.ada).await.unwrap();
        assert_eq!(world.standings().await, [ChangeStanding::Waiting]);
        world.work().await;
        assert_eq!(world.tagged("vip").await.len(), 9);
        let again = world.labels.start_again(begun.id, &world.ada).await;
        assert!(matches!(again, Err(LabelError::NotStopped)));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_stopped_change_of_a_command_is_not_taken_for_a_new_one() {
    for world in World::of_each_kind().await {
        let (label, _) = world.labels.create(LabelKind::Tag, &name("vip"), "", None).await.unwrap();
        let choice = LabelChoice::Filter { text: String::new(), zone: "UTC".to_owned() };
        let new = NewLabelChange { label, is_added: true, choice, by: None };
        let begun = world.storage.begin_label_change(&new, world.clock.now()).await.unwrap();
        assert_eq!(world.start("vip", "").await.unwrap().id, begun.id);
        world.clock.advance(LEASE + 1);
        assert_ne!(world.start("vip", "").await.unwrap().id, begun.id);
        world.work().await;
        assert_eq!(world.tagged("vip").await.len(), 9);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_by_a_segment_waits_for_all_older_ones() {
    for world in World::of_each_kind().await {
        let first = world.start("vip", "id:1,2,3").await.unwrap();
        let filter = "tag:vip".parse().unwrap();
        world.audience.save_segment(name("vips"), filter, Tz::UTC, "").await.unwrap();
        world.start("few", "segment:vips").await.unwrap();
        let one = world.labels.take_change().await.unwrap().unwrap();
        assert_eq!((one.id, world.take().await), (first.id, None));
        world.labels.work_on(one).await.unwrap();
        world.work().await;
        assert_eq!(world.tagged("few").await, [1, 2, 3]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_whose_segment_is_deleted_waits_for_it() {
    for world in World::of_each_kind().await {
        let save = async || {
            let filter = "id:3,4".parse().unwrap();
            world.audience.save_segment(name("few"), filter, Tz::UTC, "").await.unwrap();
        };
        save().await;
        world.start("vip", "segment:few").await.unwrap();
        world.audience.delete_segment(&name("few")).await.unwrap();
        assert_eq!(world.take().await, None);
        let [stopped] = world.standings().await.try_into().unwrap();
        let ChangeStanding::Stopped(Some(reason)) = stopped else { unreachable!("{stopped:?}") };
        assert!(reason.contains("few"), "{reason}");
        save().await;
        world.work().await;
        assert_eq!(world.tagged("vip").await, [3, 4]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_waits_for_older_ones_of_the_same_label_and_of_those_in_its_filter() {
    for world in World::of_each_kind().await {
        let first = world.start("vip", "id:1,2,3").await.unwrap();
        let second = world.start_one(LabelKind::Tag, "vip", "id:2", false).await.unwrap();
        let third = world.start("few", "tag:vip").await.unwrap();
        let independent = world.start("free", "id:9").await.unwrap();
        let one = world.labels.take_change().await.unwrap().unwrap();
        let two = world.labels.take_change().await.unwrap().unwrap();
        assert_eq!((one.id, two.id), (first.id, independent.id));
        assert_eq!(world.take().await, None);
        world.labels.work_on(one).await.unwrap();
        let one = world.labels.take_change().await.unwrap().unwrap();
        assert_eq!((one.id, world.take().await), (second.id, None));
        world.labels.work_on(one).await.unwrap();
        assert_eq!(world.take().await, Some(third.id));
        world.clock.advance(LEASE + 1);
        world.work().await;
        assert_eq!(world.tagged("few").await, [1, 3]);
        assert_eq!(world.tagged("free").await, [9]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_begin_changes_nothing() {
    for world in World::of_each_kind().await {
        let refused = async |kind, label, filter, is_added| {
            world.start_one(kind, label, filter, is_added).await.unwrap_err().to_string()
        };
        let (tag, group) = (LabelKind::Tag, LabelKind::Group);
        assert_eq!(refused(tag, "vip", "group:gone", true).await, "there is no group 'gone'");
        assert_eq!(refused(tag, "vip", "-tag:gone", true).await, "there is no tag 'gone'");
        assert_eq!(refused(tag, "vip", "", false).await, "there is no tag 'vip'");
        assert_eq!(refused(group, "vip", "", false).await, "there is no group 'vip'");
        assert!(refused(tag, "vip", "segment:gone", true).await.contains("gone"));
        for n in 0..tag.most() {
            world.labels.create(tag, &name(&format!("t{n}")), "", None).await.unwrap();
        }
        let full = "there are 200 tags already, which is the limit; delete one first";
        assert_eq!(refused(tag, "vip", "", true).await, full);
        assert_eq!(world.labels.changes().await.unwrap(), []);
        assert_eq!(world.labels.list(tag).await.unwrap().len(), 200);

        // The same change twice is one, and there are not too many.
        let first = world.start("t0", "id:1").await.unwrap();
        assert_eq!(world.start("t0", "id:1").await.unwrap(), first);
        for n in 1..20 {
            world.start(&format!("t{n}"), "id:1").await.unwrap();
        }
        let busy = "there are 20 changes that are not complete; wait until one of them is";
        assert_eq!(refused(tag, "t20", "id:1", true).await, busy);
        world.work().await;
        assert_ne!(world.start("t0", "id:1").await.unwrap(), first);
    }
}
