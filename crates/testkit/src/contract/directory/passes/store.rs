//! The store that the contracts of passes use, and their steps.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use rollcall_domain::{
    Chat, ChatKind, Event, Filter, Interaction, InteractionKind, LabelKind, LabelName, Language,
    Profile, Segment, Selection, TelegramId, TelegramUser,
};
use rollcall_repository::{
    BeginPass, PreferencesRepository, SegmentPass, SegmentPassRepository, SegmentRepository,
    SelectedSegments,
};
use tokio::task::block_in_place;

use crate::contract::directory::{
    audience::label,
    store::{DirectoryStore, at},
};

/// A store of users and of segments that count them.
pub trait PassStore: DirectoryStore + SegmentRepository + SegmentPassRepository {}

impl<S: DirectoryStore + SegmentRepository + SegmentPassRepository> PassStore for S {}

/// The users and the preferences of one store.
pub type CountedStore = (Arc<dyn PassStore>, Arc<dyn PreferencesRepository>);

/// Random choices that are the same each time.
pub(super) struct Dice(pub(super) u64);

impl Dice {
    pub(super) fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963);
        (self.0 >> 33) % sides
    }

    pub(super) fn id(&mut self) -> TelegramId {
        // Sparse, as Telegram's are.
        let n = i64::try_from(self.roll(400)).unwrap() + 1;
        (n * 7 + n * n * 50_021).try_into().unwrap()
    }
}

pub(super) fn name(text: &str) -> LabelName {
    text.parse().unwrap()
}

pub(super) async fn save(
    store: &dyn PassStore,
    label: &str,
    filter: &str,
    zone: Tz,
    at: DateTime<Utc>,
) {
    let segment = Segment {
        name: name(label),
        filter: filter.parse().unwrap(),
        description: String::new(),
        created_at: at,
        zone,
        changed_at: None,
    };
    store.save_segment(&segment, Arc::new(|_| Ok(()))).await.unwrap();
}

pub(super) fn begin(day: i64, again: bool) -> BeginPass {
    let now = at(day * 86_400 + 300);
    BeginPass { day: now.date_naive(), at: now, idle_since: now + TimeDelta::days(1), again }
}

/// What the segments of a pass select.
pub(super) async fn selected(
    store: &dyn PassStore,
    pass: &SegmentPass,
    of: &[Segment],
) -> SelectedSegments {
    let all = store.segments().await.unwrap();
    let filters = all.iter().map(|it| (it.name.clone(), it.filter.clone())).collect();
    let select = |segment: &Segment| {
        let selection = Selection::new(&segment.filter, &filters, segment.zone, pass.began_at);
        (segment.name.clone(), selection.unwrap())
    };
    of.iter().map(select).collect()
}

/// Does a pass of a day in parts of this size.
pub(super) async fn count(store: &dyn PassStore, day: i64, most: u32) -> SegmentPass {
    let (mut pass, segments) =
        store.begin_segment_pass(begin(day, true)).await.unwrap().expect("a pass");
    let selected = Arc::new(selected(store, &pass, &segments).await);
    while !pass.is_complete {
        let part = store.continue_segment_pass(&pass, selected.clone(), most, pass.began_at);
        pass = part.await.unwrap().expect("a pass");
    }
    pass
}

/// A chat in which a user acts, and what they do there.
pub(super) fn interaction(dice: &mut Dice, day: i64) -> Interaction {
    let id = dice.id();
    let second = day * 86_400 + i64::try_from(dice.roll(80_000)).unwrap();
    let names = ["Ada", "Bea", "Cyd Ada"];
    let language = ["en", "de", ""][usize::try_from(dice.roll(3)).unwrap()];
    let username = if dice.roll(2) == 0 { format!("ada_{id}") } else { String::new() };
    let profile = Profile::new(id, names[usize::try_from(dice.roll(3)).unwrap()])
        .language_code(language)
        .username(&username)
        .is_bot(id.get() % 11 == 0);
    let mut interaction = Interaction::new(at(second), profile, InteractionKind::Text);
    if dice.roll(2) == 0 {
        interaction.chat = Some(Chat { id: id.get(), kind: ChatKind::Private });
    }
    match dice.roll(6) {
        0 => {
            interaction.kind = InteractionKind::Command;
            interaction.command = Some("schedule");
        }
        1 => {
            interaction.kind = InteractionKind::CallbackQuery;
            interaction.button = Some("settings");
        }
        2 => {
            let payload = ["ad", "ad_2", "friend"][usize::try_from(dice.roll(3)).unwrap()];
            interaction.kind = InteractionKind::Command;
            interaction.command = Some("start");
            interaction.event = Some(Event::Start(payload.parse().unwrap()));
        }
        3 => {
            interaction.chat = Some(Chat { id: id.get(), kind: ChatKind::Private });
            interaction.event = Some(Event::Blocked);
        }
        _ => {}
    }
    interaction
}

pub(super) async fn register(store: &dyn PassStore, interactions: Vec<Interaction>) {
    block_in_place(|| store.register(&interactions.into(), at(200 * 86_400))).unwrap();
}

/// Users that come, act, change and are erased on a day.
pub(super) async fn live((store, preferences): &CountedStore, dice: &mut Dice, day: i64) {
    register(&**store, (0..120).map(|_| interaction(dice, day)).collect()).await;
    for (kind, name) in [(LabelKind::Tag, "vip"), (LabelKind::Group, "team")] {
        let label = label(&**store, kind, name).await;
        for _ in 0..40 {
            let is_added = dice.roll(3) > 0;
            store.label_user(&label, dice.id(), is_added, None, at(0)).await.unwrap();
        }
    }
    for _ in 0..10 {
        let text = if dice.roll(3) == 0 { "" } else { "a note" };
        store.set_note(dice.id(), text, "ada", at(0)).await.unwrap();
        let zone = (dice.roll(2) == 0).then_some(Tz::Europe__Berlin);
        preferences.set_time_zone(dice.id(), zone).await.unwrap();
        let language = (dice.roll(2) == 0).then_some(Language::German);
        preferences.set_language(dice.id(), language).await.unwrap();
    }
    let mut erased: Vec<TelegramId> = (0..15).map(|_| dice.id()).collect();
    erased.sort_unstable();
    erased.dedup();
    store.delete(&erased).await.unwrap();
}

/// The users of a segment, counted by itself.
pub(super) async fn naive(store: &dyn PassStore, selection: &Selection) -> BTreeSet<i64> {
    let matching = store.matching(selection, None, 1_000).await.unwrap();
    assert_eq!(matching.last, None);
    matching.ids.into_iter().map(TelegramId::get).collect()
}

pub(super) fn ids(users: &[TelegramUser]) -> BTreeSet<i64> {
    users.iter().map(|user| user.telegram_id.get()).collect()
}
pub(super) fn selection_of(filter: &str, at: DateTime<Utc>) -> Selection {
    let filter: Filter = filter.parse().unwrap();
    Selection::new(&filter, &BTreeMap::new(), Tz::UTC, at).unwrap()
}

/// A store with users and a segment of all of them.
pub(super) async fn with_everyone(store: &CountedStore) {
    live(store, &mut Dice(7), 0).await;
    save(&*store.0, "all", "", Tz::UTC, at(0)).await;
}

pub(super) async fn days(store: &dyn PassStore, segment: &str) -> Vec<i64> {
    let sizes = store.segment_sizes(&name(segment), at(0).date_naive()).await.unwrap();
    sizes.iter().map(|size| (size.day - at(0).date_naive()).num_days()).collect()
}
