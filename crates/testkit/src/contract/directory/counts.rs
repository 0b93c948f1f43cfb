//! Exact counts: of users whose ids are far apart, and of users with several rows in another table.

use std::{collections::BTreeMap, sync::Arc};

use chrono_tz::Tz;
use rollcall_domain::{Event, Filter, Interaction, InteractionKind, Profile, Selection};

use super::store::{DirectoryStore, Stores, at, id, register, text};

/// A user with a language, who opened links and used commands.
fn user(
    n: i64,
    language: &str,
    links: &[&str],
    commands: &[&'static str],
) -> impl Iterator<Item = Interaction> {
    let did = |place: usize, kind| {
        let profile = Profile::new(id(n), "Ada").language_code(language);
        Interaction::new(at(i64::try_from(place).unwrap()), profile, kind)
    };
    let first = did(0, InteractionKind::Text);
    let opened = links.iter().enumerate().map(|(place, link)| Interaction {
        event: Some(Event::Start(link.parse().unwrap())),
        ..did(place + 1, InteractionKind::Command)
    });
    let used = commands.iter().enumerate().map(|(place, command)| Interaction {
        command: Some(*command),
        ..did(place + 10, InteractionKind::Command)
    });
    let all: Vec<Interaction> = [first].into_iter().chain(opened).chain(used).collect();
    all.into_iter()
}

async fn count(store: &dyn DirectoryStore, text: &str) -> u64 {
    let filter: Filter = text.parse().unwrap_or_else(|error| panic!("{text}: {error}"));
    let selection = Selection::new(&filter, &BTreeMap::new(), Tz::UTC, at(0)).unwrap();
    store.count(&selection, Arc::new(|_, _| true)).await.unwrap().unwrap()
}

/// Wherever a filter names the rows of another table, and however many tables it names.
pub async fn a_user_with_several_rows_is_counted_once([store, _]: Stores) {
    let users = [
        user(1, "de", &["ad_1", "ad_2", "friend"], &["start", "schedule"]),
        user(2, "de", &[], &["start"]),
        user(3, "en", &["ad_1", "ad_1"], &[]),
        user(4, "en", &["friend"], &["schedule", "start"]),
        user(5, "en", &[], &[]),
    ];
    register(&*store, users.into_iter().flatten()).await;
    for (filter, expected) in [
        ("started:ad*", 2),
        ("-started:ad*", 3),
        ("started:ad* lang:de", 1),
        ("-started:ad* lang:de", 1),
        ("started:ad* or lang:de", 3),
        ("-started:ad* or lang:de", 4),
        ("-(started:ad* lang:de)", 4),
        ("-(started:ad* or lang:de)", 2),
        ("started:ad* started:ad*", 2),
        ("started:ad* (lang:de or started:ad*)", 2),
        ("(started:ad* lang:de) or (started:ad* lang:en)", 2),
        ("lang:de or (lang:en (lang:fr or started:ad*))", 3),
        ("-started:ad* (lang:de or -started:ad*)", 3),
        // Named and negated.
        ("started:ad* -started:ad*", 0),
        ("started:ad* or -started:ad*", 5),
        ("(started:ad* lang:de) or (-started:ad* lang:en)", 3),
        // Several rows or tables.
        ("started:ad*,friend", 3),
        ("started:ad* or started:friend", 3),
        ("started:ad* -started:friend", 1),
        ("used:/start,/schedule", 3),
        ("used:/start,/schedule or lang:en", 5),
        ("used:/start used:/schedule", 2),
        ("used:/start started:ad*", 1),
        ("used:/start or started:ad*", 4),
        ("-used:/start -started:ad*", 1),
        ("started:ad* or tag:gone", 2),
        ("zone:Europe/* or lang:de", 2),
        ("-(team:BOS or has:note) lang:en", 3),
    ] {
        assert_eq!(count(&*store, filter).await, expected, "{filter}");
    }
}

/// Whatever is between their ids.
pub async fn users_are_counted_however_far_apart_their_ids_are([store, _]: Stores) {
    let first = [1, 2, 49_999, 50_000, 50_001, 50_002, 299_999, 300_000, 300_001];
    let far = [5_000_000_000, 5_000_000_001, 4_503_599_627_370_494, 4_503_599_627_370_495];
    let dense = 700_000..700_050_i64;
    let ids: Vec<i64> = first.into_iter().chain(dense).chain(far).collect();
    register(&*store, ids.iter().map(|n| text(*n, 0, "Ada"))).await;
    register(&*store, ids.iter().step_by(2).flat_map(|n| user(*n, "de", &["ad", "ad_2"], &[])))
        .await;
    let all = u64::try_from(ids.len()).unwrap();
    let half = all.div_ceil(2);
    for (filter, expected) in [
        ("", all),
        ("lang:de", half),
        ("started:ad*", half),
        ("-started:ad*", all - half),
        ("-started:ad* or lang:de", all),
        ("id:1,50001,4503599627370495", 3),
    ] {
        assert_eq!(count(&*store, filter).await, expected, "{filter}");
    }
}
