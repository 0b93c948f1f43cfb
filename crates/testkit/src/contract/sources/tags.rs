//! The tags that links add: the name of each function states its rule.
#![expect(missing_docs, reason = "the name of each function states its rule")]

use rollcall_domain::{
    AuditAction, Interaction, LabelKind, LabelName, StartPayload, TelegramId, UserLabel,
};
use rollcall_repository::{
    Allowed, AuditFilter, CreatedLabel, DeletedLabel, MAX_SOURCES, SourceTag,
};
use tokio::task::spawn_blocking;

use super::store::{
    SourceStore, Store, at, fill, id, labels, payload, recount_finds_nothing, register, start, text,
};

pub async fn users_who_open_a_tagged_link_get_the_tag([(store, admins), (other, _)]: [Store; 2]) {
    register(&*store, [text(1, 0), start(2, 0, "ad"), start(3, 0, "ad")]).await;
    allow(&*store, &["ad", "new"], "vip").await;
    allow(&*store, &["friend"], "by-friends").await;
    store.allow_sources(&[payload("plain")], &SourceTag::Keep, at(1)).await.unwrap();
    check_tags(&*store, &[]).await;

    // A known user, a known user by another link before, a new user, and one by two links.
    register(&*store, [start(1, 2, "ad")]).await;
    let batch = [
        start(2, 3, "new"),
        text(3, 3),
        start(4, 3, "ad"),
        start(5, 3, "plain"),
        start(6, 3, "friend"),
        start(6, 4, "ad"),
        start(6, 5, "ad"),
        start(7, 3, "unknown"),
    ];
    register(&*other, batch).await;
    let tagged = [(1, "vip"), (2, "vip"), (4, "vip"), (6, "by-friends vip")];
    check_tags(&*store, &tagged).await;
    // An update that comes again changes nothing, also after an admin has removed the tag.
    let again = Interaction { update_id: Some(70), ..start(5, 6, "ad") };
    register(&*store, [again.clone()]).await;
    let vip = tag(&*store, "vip").await;
    store.label_user(&vip, id(5), false, None, at(7)).await.unwrap();
    register(&*store, [again]).await;
    check_tags(&*store, &tagged).await;

    let listed = store.labelled_sources().await.unwrap();
    let mut listed: Vec<_> = listed
        .iter()
        .map(|it| (it.payload.as_str(), it.tag.as_ref().map(LabelName::as_str), it.is_listed))
        .collect();
    listed.sort_unstable();
    let expected = [
        ("ad", Some("vip"), true),
        ("friend", Some("by-friends"), true),
        ("new", Some("vip"), true),
        ("plain", None, true),
        ("unknown", None, false),
    ];
    assert_eq!(listed, expected);
    let log = admins.audit_log(&AuditFilter::all(), None, 20).await.unwrap();
    let allowed = log.iter().filter(|it| it.action == AuditAction::AllowedSource);
    let allowed: Vec<_> = allowed.filter_map(|it| it.new.as_deref()).collect();
    assert_eq!(allowed, ["plain", "friend; tag by-friends", "new; tag vip", "ad; tag vip"]);
    recount_finds_nothing(&*store).await;
}

pub async fn a_tag_is_changed_and_removed_for_later_starts([(store, admins), _]: [Store; 2]) {
    allow(&*store, &["ad"], "old").await;
    register(&*store, [start(1, 0, "ad")]).await;
    // Allowing it again without a tag keeps it.
    store.allow_sources(&[payload("ad")], &SourceTag::Keep, at(1)).await.unwrap();
    allow(&*store, &["ad"], "old").await;
    register(&*store, [start(2, 1, "ad")]).await;
    allow(&*store, &["ad"], "new").await;
    register(&*store, [start(3, 2, "ad"), start(1, 2, "ad")]).await;
    for _ in 0..2 {
        store.allow_sources(&[payload("ad")], &SourceTag::Remove, at(3)).await.unwrap();
    }
    register(&*store, [start(4, 3, "ad")]).await;
    assert_eq!(store.labelled_sources().await.unwrap()[0].tag, None);
    let tagged = [(1, "new old"), (2, "old"), (3, "new")];
    check_tags(&*store, &tagged).await;
    // A link that is dropped loses its tag, also if it is allowed again.
    allow(&*store, &["ad"], "new").await;
    store.drop_sources(&[payload("ad")], at(4)).await.unwrap();
    register(&*store, [start(5, 5, "ad")]).await;
    store.allow_sources(&[payload("ad")], &SourceTag::Keep, at(6)).await.unwrap();
    register(&*store, [start(6, 7, "ad")]).await;
    check_tags(&*store, &tagged).await;

    let log = admins.audit_log(&AuditFilter::all(), None, 20).await.unwrap();
    let allowed = log.iter().filter(|it| it.action == AuditAction::AllowedSource);
    let allowed: Vec<_> = allowed.filter_map(|it| it.new.as_deref()).collect();
    assert_eq!(allowed, ["ad", "ad; tag new", "ad; no tag", "ad; tag new", "ad; tag old"]);
}

pub async fn a_deleted_tag_is_none([(store, _), (other, _)]: [Store; 2]) {
    allow(&*store, &["ad"], "vip").await;
    register(&*store, [start(1, 0, "ad")]).await;
    let vip = tag(&*store, "vip").await;
    let deleted = other.delete_label(&vip, 1, 100, None, at(1)).await.unwrap();
    assert_eq!(deleted.result, DeletedLabel::Deleted);
    assert_eq!(store.labelled_sources().await.unwrap()[0].tag, None);
    register(&*store, [start(1, 2, "ad"), start(2, 2, "ad")]).await;
    check_tags(&*store, &[]).await;
    // A new tag of this name is another one.
    let again = store.create_label(LabelKind::Tag, &vip.name, "", None, at(3)).await.unwrap();
    assert!(matches!(again, CreatedLabel::New(_)));
    register(&*store, [start(3, 4, "ad")]).await;
    check_tags(&*store, &[]).await;
    allow(&*store, &["ad"], "vip").await;
    register(&*store, [start(3, 5, "ad")]).await;
    check_tags(&*store, &[(3, "vip")]).await;
}

pub async fn a_link_without_room_for_it_or_its_tag_changes_nothing([(store, _), _]: [Store; 2]) {
    for n in 0..LabelKind::Tag.most() {
        let name = name(&format!("tag-{n}"));
        store.create_label(LabelKind::Tag, &name, "", None, at(0)).await.unwrap();
    }
    let set = |tag: &str| SourceTag::Set(name(tag));
    let refused = store.allow_sources(&[payload("ad")], &set("one-more"), at(1)).await.unwrap();
    assert_eq!(refused, Allowed::NoRoomForTag);
    assert_eq!(labels(&*store).await, [""; 0]);

    let last = tag(&*store, "tag-0").await;
    store.delete_label(&last, 0, 100, None, at(2)).await.unwrap();
    fill(&*store, MAX_SOURCES).await;
    let refused = store.allow_sources(&[payload("ad")], &set("one-more"), at(3)).await.unwrap();
    assert_eq!(refused, Allowed::Full { needed: 1, free: 0 });
    let tags = store.labels(LabelKind::Tag).await.unwrap();
    assert!(!tags.iter().any(|tag| tag.name.as_str() == "one-more"));
}

/// While a tag is deleted and created again, many users open its link: no registration fails, and no
/// user has a tag that does not exist.
pub async fn concurrent_starts_while_a_tag_is_deleted_leave_no_trace(
    [(store, _), (other, _)]: [Store; 2],
) {
    const ROUNDS: i64 = 30;
    allow(&*store, &["ad"], "vip").await;
    let writers = [store.clone(), other.clone()].into_iter().enumerate().map(|(place, writer)| {
        spawn_blocking(move || {
            for round in 0..ROUNDS {
                let users = (1..=20).map(|n| 2 * n + i64::try_from(place).unwrap());
                let starts: Vec<_> = users.map(|n| start(n, round, "ad")).collect();
                writer.register(&starts.into(), at(86_400)).unwrap();
            }
        })
    });
    let writers: Vec<_> = writers.collect();
    for _ in 0..10 {
        let vip = tag(&*store, "vip").await;
        while other.delete_label(&vip, 0, 7, None, at(1)).await.unwrap().result
            != DeletedLabel::Deleted
        {}
        allow(&*other, &["ad"], "vip").await;
    }
    for writer in writers {
        writer.await.unwrap();
    }
    let vip = tag(&*store, "vip").await;
    let counts = store.count_labelled_users(&(1..100).collect::<Vec<_>>()).await.unwrap();
    assert!(counts.keys().all(|label| *label == vip.id), "{counts:?}");
    recount_finds_nothing(&*store).await;
}

async fn allow(store: &dyn SourceStore, links: &[&str], tag: &str) {
    let links: Vec<StartPayload> = links.iter().copied().map(payload).collect();
    let allowed = store.allow_sources(&links, &SourceTag::Set(name(tag)), at(1)).await.unwrap();
    assert_eq!(allowed, Allowed::Listed);
}

async fn tag(store: &dyn SourceStore, tag: &str) -> UserLabel {
    let tags = store.labels(LabelKind::Tag).await.unwrap();
    tags.into_iter().find(|it| it.name.as_str() == tag).unwrap()
}

/// The users that have tags, with these.
async fn check_tags(store: &dyn SourceStore, expected: &[(i64, &str)]) {
    let ids: Vec<TelegramId> = (1..10).map(id).collect();
    let tags = store.labels_of(&ids).await.unwrap();
    let tags = tags.iter().map(|(id, labels)| {
        let mut names: Vec<&str> = labels.tags.iter().map(LabelName::as_str).collect();
        names.sort_unstable();
        (id.get(), names.join(" "))
    });
    let expected = expected.iter().map(|(id, tags)| (*id, (*tags).to_owned()));
    assert_eq!(tags.collect::<Vec<_>>(), expected.collect::<Vec<_>>());
}

fn name(text: &str) -> LabelName {
    text.parse().unwrap()
}
