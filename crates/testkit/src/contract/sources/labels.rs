//! Which links have labels: the name of each function states its rule.
#![expect(missing_docs, reason = "the name of each function states its rule")]

use std::sync::atomic::{AtomicI64, Ordering::Relaxed};

use chrono::{DateTime, Utc};
use proptest::{
    collection::vec,
    prelude::{Just, Strategy, any, prop_oneof},
    sample::select,
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use rollcall_domain::{
    AuditAction, Event, Figure, Interaction, InteractionKind, Label, LabelledSource, Profile,
    StartPayload,
};
use rollcall_repository::{Allowed, AuditFilter, MAX_SOURCES, SourceTag};
use tokio::task::{block_in_place, spawn_blocking};

use super::store::{
    SourceStore, Store, at, day, fill, id, labels, payload, recount_finds_nothing, register, start,
    text,
};

pub async fn a_link_earns_its_label_by_bringing_a_user([(store, _), _]: [Store; 2]) {
    register(&*store, [text(1, 0), start(1, 1, "ad"), start(1, 2, "junk")]).await;
    assert_eq!(labels(&*store).await, [""; 0]);
    assert_eq!(sums(&*store, Figure::SourceStarts).await, [other(2)]);

    // Within a batch, only later starts count for the label.
    let brings = [start(1, 3, "ad"), start(2, 4, "ad"), start(1, 5, "ad"), start(3, 6, "ad")];
    register(&*store, brings).await;
    register(&*store, [start(1, 7, "ad"), start(4, 8, "ad"), start(1, 9, "junk")]).await;
    let since = store.labelled_sources().await.unwrap();
    assert_eq!(since, [labelled("ad", false, Some(at(4)), 3, 5)]);
    assert_eq!(sums(&*store, Figure::SourceStarts).await, [sum("ad", 5), other(4)]);
    assert_eq!(sums(&*store, Figure::SourceNew).await, [sum("ad", 3), sum("", 1)]);
    recount_finds_nothing(&*store).await;
}

pub async fn later_interactions_of_a_user_count_for_the_label_at_their_arrival(
    [(store, _), (other_store, _)]: [Store; 2],
) {
    fill(&*store, MAX_SOURCES).await;
    register(&*store, [start(1, 0, "ad")]).await;
    assert!(!labels(&*store).await.contains(&"ad".to_owned()), "there is no room");
    store.drop_sources(&[payload("full_1")], at(1)).await.unwrap();
    register(&*other_store, [start(2, 2, "ad")]).await;
    assert!(labels(&*store).await.contains(&"ad".to_owned()));

    let next_day = |n: i64, event| Interaction {
        event,
        ..Interaction::new(at(86_400), Profile::new(id(n), "x"), InteractionKind::Text)
    };
    register(&*store, [1, 2].map(|n| next_day(n, None))).await;
    let day_1 = sums(&*store, Figure::SourceDay1).await;
    assert_eq!(day_1, [other(1), sum("ad", 1)]);
    let reachable = async |label| {
        let sums = sums(&*store, Figure::SourceReachable).await;
        sums.into_iter().find(|(it, _)| it == label).map(|(_, sum)| sum).unwrap_or_default()
    };
    assert_eq!((reachable("ad").await, reachable("(other)").await), (1, 2));
    register(&*store, [1, 2].map(|n| next_day(n, Some(Event::Blocked)))).await;
    assert_eq!((reachable("ad").await, reachable("(other)").await), (0, 1));
    recount_finds_nothing(&*store).await;
}

pub async fn links_that_one_account_invents_receive_no_labels([(store, _), _]: [Store; 2]) {
    // The first link has brought a user: the account itself.
    let junk = |n: i64| start(1, n, &format!("junk_{n}"));
    let flood: Vec<_> = (0..=1001).map(junk).collect();
    for some in flood.chunks(300) {
        register(&*store, some.to_vec()).await;
    }
    register(&*store, [junk(2000)]).await;
    assert_eq!(labels(&*store).await, ["junk_0"]);
    register(&*store, (2..50).map(|n| start(n, 3000 + n, &format!("campaign_{}", n % 3)))).await;
    let brought = ["campaign_0", "campaign_1", "campaign_2"].map(|name| sum(name, 16));
    assert_eq!(sums(&*store, Figure::SourceNew).await[..3], brought);
    recount_finds_nothing(&*store).await;
}

pub async fn an_erased_account_leaves_no_label([(store, _), (other_store, _)]: [Store; 2]) {
    register(&*store, [start(9, 0, "ad"), start(8, 0, "listed")]).await;
    store.allow_sources(&[payload("listed")], &SourceTag::Keep, at(1)).await.unwrap();
    for round in 0..5 {
        let link = format!("junk_{round}");
        register(&*store, [start(1, round, &link), start(2, round, "ad")]).await;
        assert!(labels(&*store).await.contains(&link));
        other_store.delete(&[id(1), id(2)]).await.unwrap();
        recount_finds_nothing(&*store).await;
    }
    assert_eq!(labels(&*store).await, ["ad", "listed"]);
    // Their contribution stays in the figures.
    let new = sums(&*store, Figure::SourceNew).await;
    assert_eq!(new, [sum("ad", 6), other(5), sum("listed", 1)]);
    store.delete(&[id(8), id(9)]).await.unwrap();
    assert_eq!(labels(&*store).await, ["listed"]);
    recount_finds_nothing(&*store).await;
}

pub async fn a_link_on_the_list_has_a_label_without_users([(store, _), _]: [Store; 2]) {
    register(&*store, [text(1, 0), start(1, 1, "ad"), start(2, 1, "earned")]).await;
    let allow = async |at, links: &[&str]| {
        let links: Vec<StartPayload> = links.iter().map(|link| payload(link)).collect();
        assert_eq!(
            store.allow_sources(&links, &SourceTag::Keep, at).await.unwrap(),
            Allowed::Listed
        );
    };
    allow(at(2), &["ad", "earned", "ad", "new"]).await;
    recount_finds_nothing(&*store).await;
    register(&*store, [start(1, 3, "ad")]).await;
    let expected = [
        labelled("earned", true, Some(at(1)), 1, 1),
        labelled("ad", true, Some(at(2)), 0, 1),
        labelled("new", true, Some(at(2)), 0, 0),
    ];
    assert_eq!(store.labelled_sources().await.unwrap(), expected);
    assert_eq!(
        sums(&*store, Figure::SourceStarts).await,
        [other(1), sum("ad", 1), sum("earned", 1)]
    );
    // Repeating it changes nothing.
    allow(at(5), &["new", "ad", "earned"]).await;
    assert_eq!(store.labelled_sources().await.unwrap(), expected);
    allow(at(5), &[]).await;
    recount_finds_nothing(&*store).await;
}

pub async fn a_dropped_label_counts_with_the_others_and_can_be_earned_again(
    [(store, _), (other_store, _)]: [Store; 2],
) {
    register(&*store, [start(1, 0, "ad"), start(2, 1, "ad"), start(3, 2, "friend")]).await;
    let links = ["nothing", "ad", "ad"].map(payload);
    assert_eq!(store.drop_sources(&links, at(3)).await.unwrap(), [payload("ad")]);
    assert_eq!(labels(&*store).await, ["friend"]);
    for figure in [Figure::SourceNew, Figure::SourceStarts, Figure::SourceReachable] {
        assert_eq!(sums(&*store, figure).await, [other(2), sum("friend", 1)], "{figure:?}");
    }
    recount_finds_nothing(&*store).await;

    // Neither the existing users nor their starts restore the label.
    register(&*other_store, [start(1, 4, "ad"), text(2, 90_000)]).await;
    assert_eq!(labels(&*store).await, ["friend"]);
    store.delete(&[id(2)]).await.unwrap();
    recount_finds_nothing(&*store).await;
    register(&*store, [start(4, 5, "ad"), start(1, 6, "ad")]).await;
    assert_eq!(labels(&*store).await, ["ad", "friend"]);
    assert_eq!(sums(&*store, Figure::SourceNew).await, [other(2), sum("ad", 1), sum("friend", 1)]);
    let starts = [other(3), sum("ad", 2), sum("friend", 1)];
    assert_eq!(sums(&*store, Figure::SourceStarts).await, starts);
    recount_finds_nothing(&*store).await;
    assert_eq!(store.drop_sources(&[], at(7)).await.unwrap(), []);
}

pub async fn the_number_of_labels_is_limited([(store, _), _]: [Store; 2]) {
    fill(&*store, MAX_SOURCES - 1).await;
    register(&*store, [start(1, 0, "z"), start(2, 1, "a"), start(3, 2, "z")]).await;
    assert_eq!(labels(&*store).await.len(), MAX_SOURCES);
    assert_eq!(sums(&*store, Figure::SourceNew).await[..2], [sum("z", 2), other(1)]);
    let allow = async |links: &[&str]| {
        let links: Vec<StartPayload> = links.iter().map(|link| payload(link)).collect();
        store.allow_sources(&links, &SourceTag::Keep, at(3)).await.unwrap()
    };
    assert_eq!(allow(&["a", "z", "b"]).await, Allowed::Full { needed: 2, free: 0 });
    assert_eq!(allow(&["z", "full_1"]).await, Allowed::Listed);
    store.drop_sources(&[payload("full_2")], at(4)).await.unwrap();
    assert_eq!(allow(&["a", "b"]).await, Allowed::Full { needed: 2, free: 1 });
    assert!(!labels(&*store).await.contains(&"a".to_owned()), "nothing was changed");
    assert_eq!(allow(&["b"]).await, Allowed::Listed);
    assert_eq!(labels(&*store).await.len(), MAX_SOURCES);
    recount_finds_nothing(&*store).await;
}

pub async fn concurrent_writers_share_the_label_of_a_link(stores: [Store; 2]) {
    for round in 0..10 {
        let writers = stores.clone().map(|(store, _)| {
            let links = [format!("a_{round}"), format!("b_{round}")];
            spawn_blocking(move || {
                static USERS: AtomicI64 = AtomicI64::new(1);
                for n in 0..20 {
                    // In both orders.
                    let user = USERS.fetch_add(1, Relaxed);
                    let links = links.iter().cycle().skip(usize::try_from(user % 2).unwrap());
                    let batch: Vec<_> = (0..)
                        .zip(links.take(2))
                        .map(|(second, link)| start(user * 2 + second, n, link))
                        .collect();
                    store.register(&batch.into(), at(1_000_000)).unwrap();
                }
            })
        });
        for writer in writers {
            writer.await.unwrap();
        }
    }
    let (store, _) = &stores[0];
    let sources = store.labelled_sources().await.unwrap();
    assert_eq!(sources.len(), 20);
    assert_eq!(sources.iter().map(|it| it.starts).sum::<u64>(), 800);
    recount_finds_nothing(&**store).await;
}

pub async fn labels_are_listed_by_their_users([(store, _), _]: [Store; 2]) {
    assert_eq!(store.labelled_sources().await.unwrap(), []);
    store.allow_sources(&["c", "b"].map(payload), &SourceTag::Keep, at(0)).await.unwrap();
    register(&*store, [start(1, 1, "a"), start(2, 1, "d"), start(1, 2, "d"), start(3, 1, "e")])
        .await;
    register(&*store, [start(4, 3, "e"), start(1, 3, "c")]).await;
    let listed = store.labelled_sources().await.unwrap();
    let listed: Vec<_> = listed.iter().map(|it| it.payload.as_str()).collect();
    assert_eq!(listed, ["e", "d", "a", "c", "b"]);
    // Users still count after they are erased.
    store.delete(&[id(3)]).await.unwrap();
    assert_eq!(store.labelled_sources().await.unwrap()[0].users, 2);
}

pub async fn only_labels_without_users_are_dropped_as_unused([(store, _), _]: [Store; 2]) {
    assert_eq!(store.drop_sources_without_users(at(0)).await.unwrap(), []);
    store.allow_sources(&[payload("listed")], &SourceTag::Keep, at(0)).await.unwrap();
    register(&*store, [start(1, 1, "ad")]).await;
    assert_eq!(store.drop_sources_without_users(at(2)).await.unwrap(), []);
    assert_eq!(labels(&*store).await, ["ad", "listed"]);
}

pub async fn changes_are_recorded_in_the_audit_log([(store, admins), _]: [Store; 2]) {
    register(&*store, [start(1, 0, "ad")]).await;
    store.allow_sources(&["new", "ad"].map(payload), &SourceTag::Keep, at(1)).await.unwrap();
    store.allow_sources(&["new", "ad"].map(payload), &SourceTag::Keep, at(2)).await.unwrap();
    store.drop_sources(&["new", "nothing"].map(payload), at(3)).await.unwrap();
    let log = admins.audit_log(&AuditFilter::all(), None, 10).await.unwrap();
    let log: Vec<_> =
        log.into_iter().map(|it| (it.at, it.admin, it.action, it.old, it.new)).collect();
    let link = |link: &str| Some(link.to_owned());
    let expected = [
        (at(3), None, AuditAction::DroppedSource, link("new"), None),
        (at(1), None, AuditAction::AllowedSource, None, link("new")),
        (at(1), None, AuditAction::AllowedSource, None, link("ad")),
    ];
    assert_eq!(log, expected);
}

/// A change of labels while links bring users.
#[derive(Clone, Debug)]
enum Change {
    Allow(&'static str),
    Drop(&'static str),
    DropWithoutUsers,
    Erase(i64),
}

/// For any links, concurrent writers, changed labels and erased users: the sums equal a recount, and
/// no account has more than one label that is not on the list.
pub async fn a_recount_equals_the_sums_while_labels_change(stores: [Store; 2]) {
    block_in_place(|| {
        let runtime = tokio::runtime::Handle::current();
        let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
        let config = Config { failure_persistence: None, cases: 40, ..Config::default() };
        let rounds = vec((vec(any_interaction(), 1..30), vec(any_change(), 0..4)), 1..4);
        TestRunner::new_with_rng(config, rng)
            .run(&rounds, |rounds| {
                runtime.block_on(async {
                    for (interactions, changes) in rounds {
                        one_round(&stores, interactions, changes).await;
                    }
                });
                Ok(())
            })
            .unwrap();
    });
}

async fn one_round(
    [(store, _), (other_store, _)]: &[Store; 2],
    interactions: Vec<Interaction>,
    changes: Vec<Change>,
) {
    let writers = [(store.clone(), 1), (other_store.clone(), 7)].map(|(store, size)| {
        let interactions = interactions.clone();
        spawn_blocking(move || {
            for part in interactions.chunks(size) {
                store.register(&part.to_vec().into(), at(100 * 86_400)).unwrap();
            }
        })
    });
    for change in changes {
        match change {
            Change::Allow(link) => {
                let allowed =
                    store.allow_sources(&[payload(link)], &SourceTag::Keep, at(0)).await.unwrap();
                assert_eq!(allowed, Allowed::Listed);
            }
            Change::Drop(link) => {
                store.drop_sources(&[payload(link)], at(0)).await.unwrap();
            }
            Change::DropWithoutUsers => {
                store.drop_sources_without_users(at(0)).await.unwrap();
            }
            Change::Erase(n) => {
                other_store.delete(&[id(n)]).await.unwrap();
            }
        }
    }
    for writer in writers {
        writer.await.unwrap();
    }
    recount_finds_nothing(&**store).await;
    let earned = store.labelled_sources().await.unwrap();
    let earned = earned.iter().filter(|it| !it.is_listed).count();
    let users = crate::contract::all_users(&**store).await;
    let brought = users.iter().filter(|user| user.source.is_some()).count();
    assert!(earned <= brought, "{earned} labels of {brought} users");
}

fn any_change() -> impl Strategy<Value = Change> {
    prop_oneof![
        select(&LINKS[..]).prop_map(Change::Allow),
        select(&LINKS[..]).prop_map(Change::Drop),
        Just(Change::DropWithoutUsers),
        (1..6_i64).prop_map(Change::Erase),
        (1..6_i64).prop_map(Change::Erase),
    ]
}

const LINKS: [&str; 6] = ["ad", "friend", "junk_1", "junk_2", "junk_3", "1"];

/// Interactions of a few people over some days, most of them by links.
fn any_interaction() -> impl Strategy<Value = Interaction> {
    let link = select(&LINKS[..]).prop_map(|link| Some(Event::Start(payload(link))));
    let event = prop_oneof![3 => link, 1 => Just(None), 1 => Just(Some(Event::Blocked))];
    let day = prop_oneof![0..3_i64, Just(7), Just(8), Just(30), Just(31)];
    (1..6_i64, day, event, any::<bool>()).prop_map(|(n, day, event, early)| {
        let second = day * 86_400 + i64::from(early);
        Interaction { event, ..text(n, second) }
    })
}

/// The nonzero sums of a figure over all days, largest first.
async fn sums(store: &dyn SourceStore, figure: Figure) -> Vec<(String, i64)> {
    let (first, last) = (day("2026-01-01"), day("2027-12-31"));
    let by_label = store.sums_by_label(&[figure], first, last).await.unwrap();
    let mut by_day = std::collections::BTreeMap::new();
    for sum in store.sums_by_day(&[figure], first, last).await.unwrap() {
        *by_day.entry(sum.label).or_insert(0) += sum.value;
    }
    let sums: Vec<_> =
        by_label.into_iter().map(|it| (it.label, it.value)).filter(|it| it.1 != 0).collect();
    by_day.retain(|_, sum| *sum != 0);
    assert_eq!(sums.iter().cloned().collect::<std::collections::BTreeMap<_, _>>(), by_day);
    sums
}

fn sum(label: &str, sum: i64) -> (String, i64) {
    (label.to_owned(), sum)
}

fn other(sum: i64) -> (String, i64) {
    (Label::OTHER.to_string(), sum)
}

fn labelled(
    link: &str,
    is_listed: bool,
    since: Option<DateTime<Utc>>,
    users: u64,
    starts: u64,
) -> LabelledSource {
    LabelledSource { payload: payload(link), is_listed, tag: None, since, users, starts }
}
