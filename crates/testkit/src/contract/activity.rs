//! The contract of [`ActivityRepository`](rollcall_repository::ActivityRepository): the name of each
//! function states its rule.
#![expect(missing_docs, reason = "the name of each function states its rule")]

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use proptest::{
    collection::vec,
    prelude::{Just, Strategy, any, prop_oneof},
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use rollcall_domain::{
    Chat, ChatKind, Event, Figure, Interaction, InteractionKind, Label, Profile, TelegramId,
    UnreachableReason,
};
use rollcall_repository::{DaySum, LabelSum};
use tokio::task::{block_in_place, spawn_blocking};

use super::Store;

/// Two handles on one empty store, like those of two processes.
pub type Stores = [Arc<dyn Store>; 2];

/// Generates a test of each contract on each database. `$open` is an async function from a database's
/// URL to a store, which migrates the database if necessary.
#[macro_export]
macro_rules! activity_repository_contract {
    ($open:path) => {
        $crate::contract!($open, activity:
            an_empty_store_has_no_figures,
            kinds_and_commands_are_counted_by_utc_day,
            a_late_day_is_inserted_between_others,
            days_of_a_batch_count_in_sequence,
            figures_about_the_past_outlive_users,
            rare_deep_links_are_added_up_as_other,
            a_recount_equals_the_registered_sums,
        );
    };
}

pub async fn an_empty_store_has_no_figures([store, _]: Stores) {
    let day = day("2026-11-23");
    assert_eq!(store.sums_by_day(&Figure::ALL, day, day).await.unwrap(), []);
    assert_eq!(store.sums_by_label(&Figure::ALL, day, day).await.unwrap(), []);
    assert_eq!(store.totals(&[Figure::New, Figure::Kind], day).await.unwrap(), [0, 0]);
    assert_eq!(store.totals(&[], day).await.unwrap(), []);
    check_recount(&*store).await;
}

pub async fn kinds_and_commands_are_counted_by_utc_day([store, _]: Stores) {
    use InteractionKind::{Command, InlineQuery, Text};
    let start = Interaction { command: Some("start"), ..on("2026-11-23T10:00:00Z", Command) };
    register(
        &*store,
        [on("2026-11-22T23:59:59.999999Z", Text), on("2026-11-23T00:00:00Z", Text), start],
    );
    register(&*store, [on("2026-11-23T10:00:00Z", Text), on("2026-11-23T10:00:00Z", Command)]);
    // A late interaction counts for its own day.
    register(&*store, [on("2026-11-22T08:00:00Z", InlineQuery)]);

    let (first, second) = (day("2026-11-22"), day("2026-11-23"));
    let row = |figure, day, label: &str, value| {
        let label = label.to_owned();
        DaySum { figure, day, label, value }
    };
    let all = [
        row(Figure::Command, second, "(other)", 1),
        row(Figure::Command, second, "start", 1),
        row(Figure::Kind, first, "inline_query", 1),
        row(Figure::Kind, first, "text", 1),
        row(Figure::Kind, second, "command", 2),
        row(Figure::Kind, second, "text", 2),
    ];
    let figures = [Figure::Kind, Figure::Command];
    assert_eq!(store.sums_by_day(&figures, first, second).await.unwrap(), all);
    assert_eq!(store.sums_by_day(&figures, first, first).await.unwrap(), all[2..4]);
    let later = (day("2026-11-24"), day("2026-11-25"));
    assert_eq!(store.sums_by_day(&figures, later.0, later.1).await.unwrap(), []);
    let row = |label: &str, value| of_label(Figure::Kind, label, value);
    assert_eq!(
        store.sums_by_label(&[Figure::Kind], first, second).await.unwrap(),
        [row("text", 3), row("command", 2), row("inline_query", 1)]
    );
    assert_eq!(store.totals(&figures, first).await.unwrap(), [2, 0]);
    assert_eq!(store.totals(&figures, second).await.unwrap(), [6, 2]);
}

pub async fn a_late_day_is_inserted_between_others([store, _]: Stores) {
    use InteractionKind::Text;
    register(&*store, [on("2026-11-02T12:00:00Z", Text)]);
    register(&*store, [on("2026-11-20T12:00:00Z", Text)]);
    assert_eq!(active(&*store, "2026-11-08", 7).await, 1);
    assert_eq!(active(&*store, "2026-11-09", 7).await, 0);
    register(&*store, [on("2026-11-05T12:00:00Z", Text), on("2026-11-05T13:00:00Z", Text)]);
    assert_eq!(active(&*store, "2026-11-11", 7).await, 1);
    assert_eq!(active(&*store, "2026-11-12", 7).await, 0);
    assert_eq!(active(&*store, "2026-11-26", 7).await, 1);
    assert_eq!(active(&*store, "2026-11-30", 30).await, 1);
    assert_eq!(active(&*store, "2026-12-20", 30).await, 0);
    // A known day, and a day before all others.
    register(&*store, [on("2026-11-05T14:00:00Z", Text), on("2026-10-01T00:00:00Z", Text)]);
    assert_eq!(active(&*store, "2026-10-30", 30).await, 1);
    assert_eq!(active(&*store, "2026-10-31", 30).await, 0);
    let of_month = store.sums_by_label(&[Figure::ActiveDays], day("2026-11-01"), day("2026-11-01"));
    let of_month = of_month.await.unwrap();
    let present: Vec<_> = of_month.iter().filter(|it| it.value != 0).collect();
    assert_eq!(present, [&of_label(Figure::ActiveDays, "3", 1)]);
    check_recount(&*store).await;
}

pub async fn days_of_a_batch_count_in_sequence([store, _]: Stores) {
    use InteractionKind::Text;
    let late = on("2026-11-01T00:00:00Z", Text);
    register(&*store, [on("2026-11-03T12:00:00Z", Text), late, on("2026-11-04T12:00:00Z", Text)]);
    check_recount(&*store).await;
    let days = [on("2026-11-04T13:00:00Z", Text), on("2026-11-02T13:00:00Z", Text)];
    register(&*store, days.into_iter().chain([on("2026-12-01T00:00:00Z", Text)]));
    check_recount(&*store).await;
    for (day, users) in [("2026-11-01", 1), ("2026-11-02", 1), ("2026-11-05", 0), ("2026-12-01", 1)]
    {
        assert_eq!(active(&*store, day, 1).await, users, "{day}");
    }
}

pub async fn figures_about_the_past_outlive_users([store, _]: Stores) {
    let blocked = Interaction {
        chat: Some(Chat { id: 1, kind: ChatKind::Private }),
        event: Some(Event::Blocked),
        ..on("2026-11-21T12:00:00Z", InteractionKind::MyChatMember)
    };
    register(&*store, [on("2026-11-20T12:00:00Z", InteractionKind::Text), blocked]);
    let (first, last) = (day("2026-01-01"), day("2027-12-31"));
    let before = store.sums_by_day(&Figure::ALL, first, last).await.unwrap();
    assert_eq!(store.delete(&[id(1), id(2)]).await.unwrap(), 1);
    let after = store.sums_by_day(&Figure::ALL, first, last).await.unwrap();
    let nonzero = |sums: &[DaySum], of_the_present: bool| {
        let is_meant =
            |it: &&DaySum| it.figure.is_of_the_present() == of_the_present && it.value != 0;
        sums.iter().filter(is_meant).cloned().collect::<Vec<_>>()
    };
    assert_eq!(nonzero(&before, false), nonzero(&after, false));
    assert!(!nonzero(&before, true).is_empty());
    assert_eq!(nonzero(&after, true), []);
    check_recount(&*store).await;

    // An erased account that returns is a new user.
    register(&*store, [on("2026-11-21T18:00:00Z", InteractionKind::Text)]);
    assert_eq!(store.totals(&[Figure::New, Figure::Users], last).await.unwrap(), [2, 1]);
    check_recount(&*store).await;
}

pub async fn rare_deep_links_are_added_up_as_other([store, _]: Stores) {
    let at = "2026-11-20T12:00:00Z".parse().unwrap();
    let start = |n: i64| Interaction {
        event: Some(Event::Start(format!("ref_{n}").parse().unwrap())),
        ..Interaction::new(at, Profile::new(id(n), "x"), InteractionKind::Command)
    };
    let all: Vec<Interaction> = (1..=1010).map(start).collect();
    for some in all.chunks(500) {
        register(&*store, some.to_vec());
    }
    let day = day("2026-11-20");
    for figure in [Figure::SourceNew, Figure::SourceStarts] {
        let sums = store.sums_by_label(&[figure], day, day).await.unwrap();
        assert_eq!(sums.len(), 1001);
        assert_eq!(sums[0], of_label(figure, &Label::OTHER.to_string(), 10));
    }
    check_recount(&*store).await;
}

/// For late and repeated interactions from concurrent writers, with erased and unreachable users: the
/// sums equal a recount, and the number of interactions is right.
pub async fn a_recount_equals_the_registered_sums(stores: Stores) {
    block_in_place(|| {
        let runtime = tokio::runtime::Handle::current();
        let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
        let config = Config { failure_persistence: None, cases: 40, ..Config::default() };
        let update_id = AtomicI64::new(0);
        let rounds = vec((vec(any_interaction(), 1..40), 1..6_i64, any::<bool>()), 1..4);
        TestRunner::new_with_rng(config, rng)
            .run(&rounds, |rounds| {
                runtime.block_on(async {
                    for (interactions, n, erases) in rounds {
                        one_round(&stores, interactions, &update_id).await;
                        let at = at(12, 0);
                        let gone = UnreachableReason::Deactivated;
                        stores[0].mark_unreachable(id(n), gone, at, at).await.unwrap();
                        if erases {
                            stores[1].delete(&[id(n)]).await.unwrap();
                        }
                        check_recount(&*stores[0]).await;
                    }
                });
                Ok(())
            })
            .unwrap();
    });
}

/// Concurrent writers register the same interactions in batches of different sizes.
async fn one_round(stores: &Stores, interactions: Vec<Interaction>, update_id: &AtomicI64) {
    let interactions: Vec<Interaction> = interactions
        .into_iter()
        .map(|interaction| {
            let update_id = Some(update_id.fetch_add(1, Ordering::Relaxed));
            Interaction { update_id, ..interaction }
        })
        .collect();
    let last = day("2027-12-31");
    let kinds = async || stores[0].totals(&[Figure::Kind], last).await.unwrap()[0];
    let before = kinds().await;
    let writers: Vec<_> = [1, 7, 20, 40]
        .into_iter()
        .enumerate()
        .map(|(writer, size)| {
            let (store, interactions) = (stores[writer % 2].clone(), interactions.clone());
            // Some writers' clocks are behind interactions that others have registered.
            let now = at(if writer % 2 == 0 { 1_000 } else { 10 }, 0);
            spawn_blocking(move || {
                for part in interactions.chunks(size) {
                    store.register(&part.to_vec().into(), now).unwrap();
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
    let counted = usize::try_from(kinds().await - before).unwrap();
    assert_eq!(counted, interactions.len());
}

/// Interactions of a few people, on days at every distance that matters.
pub(super) fn any_interaction() -> impl Strategy<Value = Interaction> {
    let day = prop_oneof![0..4_i64, 0..40_i64, Just(7), Just(30), Just(31), 0..70_i64];
    let event = prop_oneof![
        6 => Just(None),
        1 => Just(Some(Event::Blocked)),
        1 => Just(Some(Event::Unblocked)),
        1 => Just(Some(Event::Start("ad".parse().unwrap()))),
        1 => Just(Some(Event::Start("friend".parse().unwrap()))),
    ];
    let language = prop_oneof![Just(""), Just("en"), Just("de")];
    (1..6_i64, day, 0..3_i64, event, language).prop_map(|(n, day, hour, event, language)| {
        let profile = Profile::new(id(n), "x").language_code(language);
        let chat = Some(Chat { id: n, kind: ChatKind::Private });
        Interaction {
            chat,
            event,
            ..Interaction::new(at(day, hour), profile, InteractionKind::Text)
        }
    })
}

async fn check_recount(store: &dyn Store) {
    let differences = store.recount(false, Arc::new(|_, _| {})).await.unwrap();
    assert_eq!(differences, []);
}

fn of_label(figure: Figure, label: &str, value: i64) -> LabelSum {
    LabelSum { figure, label: label.to_owned(), value }
}

/// The users who were active within `days` days up to `last`.
async fn active(store: &dyn Store, last: &str, days: u32) -> i64 {
    let last = day(last);
    match days {
        1 => {
            let sums = store.sums_by_day(&[Figure::Active], last, last).await.unwrap();
            sums.iter().map(|it| it.value).sum()
        }
        7 => store.totals(&[Figure::Active7], last).await.unwrap()[0],
        _ => store.totals(&[Figure::Active30], last).await.unwrap()[0],
    }
}

fn register(store: &dyn Store, interactions: impl IntoIterator<Item = Interaction>) {
    let batch = interactions.into_iter().collect::<Vec<_>>().into();
    block_in_place(|| store.register(&batch, at(1_000, 0))).unwrap();
}

fn on(time: &str, kind: InteractionKind) -> Interaction {
    Interaction::new(time.parse().unwrap(), Profile::new(id(1), "x"), kind)
}

fn at(day: i64, hour: i64) -> DateTime<Utc> {
    let begin: DateTime<Utc> = "2026-08-31T00:00:00Z".parse().unwrap();
    begin + TimeDelta::days(day) + TimeDelta::hours(hour)
}

fn day(day: &str) -> NaiveDate {
    day.parse().unwrap()
}

fn id(n: i64) -> TelegramId {
    n.try_into().unwrap()
}
