//! The contract of [`LabelRepository`](rollcall_repository::LabelRepository): the name of each function states its rule.
#![expect(missing_docs, reason = "the name of each function states its rule")]

mod store;
mod taking_over;

use std::{collections::BTreeMap, sync::Arc};

use chrono_tz::Tz;
use rollcall_domain::{Admin, AuditAction, LabelKind, LabelsOfUser, Segment, UserLabel};
use rollcall_repository::{
    AuditFilter, CreatedLabel, DeletedLabel, LabelChange, LabelChangeState, LabelChoice,
    NewLabelChange,
};

pub use store::{LabelStore, Store};
pub use taking_over::{
    a_change_that_is_marked_as_undone_keeps_its_users_for_now,
    a_change_that_went_on_is_not_taken_over, one_process_at_a_time_takes_a_change_over,
    progress_follows_the_ids,
};

use store::{
    at, begin, changed, counts, create, delete, entries, holders, id, log_of, name, part_of_undo,
    step, undo, users,
};

/// Generates a test of each contract on each database; see
/// [`user_repository_contract!`](crate::user_repository_contract).
#[macro_export]
macro_rules! label_repository_contract {
    ($open:path) => {
        $crate::contract!($open, labels:
            a_label_is_created_once_and_listed_by_name,
            there_is_room_for_200_tags_and_1000_groups,
            concurrent_writers_never_create_too_many,
            a_description_can_be_changed,
            a_number_is_never_given_again,
            a_user_gets_and_loses_a_label,
            erasing_a_user_takes_the_labels_along,
            a_label_is_deleted_part_by_part,
            a_label_that_a_segment_names_is_not_deleted,
            a_change_goes_on_step_by_step_and_is_one_audit_entry,
            two_processes_go_on_with_one_change,
            a_change_of_a_deleted_label_ends,
            only_what_a_change_really_changed_is_undone,
            a_stopped_change_can_be_undone,
            old_changes_are_forgotten,
            one_process_at_a_time_takes_a_change_over,
            a_change_that_went_on_is_not_taken_over,
            a_change_that_is_marked_as_undone_keeps_its_users_for_now,
            progress_follows_the_ids,
        );
    };
}

pub async fn a_label_is_created_once_and_listed_by_name([(store, admins), (other, _)]: [Store; 2]) {
    assert_eq!(store.labels(LabelKind::Tag).await.unwrap(), []);
    let vip = create(&*store, LabelKind::Tag, "vip").await;
    let expected = UserLabel {
        id: vip.id,
        kind: LabelKind::Tag,
        name: name("vip"),
        description: "about vip".to_owned(),
        created_at: at(0),
    };
    assert_eq!(vip, expected);
    let known = other.create_label(LabelKind::Tag, &name("vip"), "other", None, at(5)).await;
    assert_eq!(known.unwrap(), CreatedLabel::Known(vip.clone()));
    let beta = create(&*other, LabelKind::Tag, "be_ta").await;
    let dash = create(&*other, LabelKind::Tag, "be-ta").await;
    // A group is another kind, so it may have the same name.
    let group = create(&*store, LabelKind::Group, "vip").await;
    assert_eq!(store.labels(LabelKind::Tag).await.unwrap(), [dash, beta, vip]);
    assert_eq!(store.labels(LabelKind::Group).await.unwrap(), [group]);
    let created = entries(&*admins).await;
    let expected = ["tag vip", "tag be_ta", "tag be-ta", "group vip"];
    assert_eq!(created, expected.map(|it| (AuditAction::CreatedLabel, String::new(), it.into())));
}

pub async fn there_is_room_for_200_tags_and_1000_groups([(store, _), _]: [Store; 2]) {
    for kind in LabelKind::ALL {
        let first = create(&*store, kind, "label-0").await;
        for n in 1..kind.most() {
            create(&*store, kind, &format!("label-{n}")).await;
        }
        let more = async |text: &str| {
            store.create_label(kind, &name(text), "", None, at(0)).await.unwrap()
        };
        assert_eq!(more("more").await, CreatedLabel::Full);
        assert!(matches!(more("label-1").await, CreatedLabel::Known(_)));
        assert_eq!(store.labels(kind).await.unwrap().len(), kind.most());
        assert!(delete(&*store, &first, 10).await);
        assert!(matches!(more("more").await, CreatedLabel::New(_)));
        assert_eq!(more("again").await, CreatedLabel::Full);
    }
}

pub async fn concurrent_writers_never_create_too_many(stores: [Store; 2]) {
    let kind = LabelKind::Tag;
    for n in 1..kind.most() - 2 {
        create(&*stores[0].0, kind, &format!("label-{n}")).await;
    }
    let writers = (0..8).map(|n| {
        let store = stores[n % 2].0.clone();
        tokio::spawn(async move {
            let name = name(&format!("new-{}", n / 2));
            store.create_label(kind, &name, "", None, at(0)).await.unwrap()
        })
    });
    let (mut new, mut full) = (0, 0);
    for writer in writers.collect::<Vec<_>>() {
        match writer.await.unwrap() {
            CreatedLabel::New(_) => new += 1,
            CreatedLabel::Known(_) => {}
            CreatedLabel::Full => full += 1,
        }
    }
    assert_eq!(new, 3);
    assert!((1..=2).contains(&full), "two writers tried the name that did not fit: {full}");
    assert_eq!(stores[0].0.labels(kind).await.unwrap().len(), kind.most());
}

pub async fn a_description_can_be_changed([(store, admins), _]: [Store; 2]) {
    let group = create(&*store, LabelKind::Group, "beta").await;
    let ada = Admin::Account("ada".parse().unwrap());
    assert!(store.describe_label(&group, "Testers", Some(&ada), at(1)).await.unwrap());
    let [now] = store.labels(LabelKind::Group).await.unwrap().try_into().unwrap();
    assert_eq!(now.description, "Testers");
    assert!(store.describe_label(&now, "Testers", Some(&ada), at(1)).await.unwrap());
    let log = admins.audit_log(&AuditFilter::all().by(ada), None, 10).await.unwrap();
    let values: Vec<_> = log.iter().map(|it| (it.old.as_deref(), it.new.as_deref())).collect();
    assert_eq!(values, [(Some("group beta: about beta"), Some("group beta: Testers"))]);
    assert!(delete(&*store, &now, 10).await);
    assert!(!store.describe_label(&now, "x", None, at(2)).await.unwrap());
}

pub async fn a_number_is_never_given_again([(store, _), _]: [Store; 2]) {
    let mut numbers = Vec::new();
    for kind in [LabelKind::Tag, LabelKind::Tag, LabelKind::Group, LabelKind::Tag] {
        let label = create(&*store, kind, "vip").await;
        assert!(!numbers.contains(&label.id), "{} of {numbers:?}", label.id);
        numbers.push(label.id);
        assert!(delete(&*store, &label, 10).await);
    }
}

pub async fn a_user_gets_and_loses_a_label([(store, admins), _]: [Store; 2]) {
    users(&*store, 1..=3);
    let [vip, a, group] = [
        create(&*store, LabelKind::Tag, "vip").await,
        create(&*store, LabelKind::Tag, "a").await,
        create(&*store, LabelKind::Group, "beta").await,
    ];
    let set = async |label: &UserLabel, user, is_added| {
        store.label_user(label, id(user), is_added, None, at(1)).await.unwrap()
    };
    for label in [&vip, &a, &group] {
        assert_eq!(set(label, 1, true).await, Some(true));
    }
    assert_eq!(set(&vip, 1, true).await, Some(false));
    assert_eq!(set(&vip, 2, true).await, Some(true));
    assert_eq!(set(&vip, 9, true).await, None, "there is no such user");
    let of = |tags: &[&str], groups: &[&str]| LabelsOfUser {
        tags: tags.iter().map(|it| name(it)).collect(),
        groups: groups.iter().map(|it| name(it)).collect(),
    };
    let labels = store.labels_of(&[id(1), id(2), id(3), id(9)]).await.unwrap();
    let expected = [(id(1), of(&["a", "vip"], &["beta"])), (id(2), of(&["vip"], &[]))];
    assert_eq!(labels, BTreeMap::from(expected));
    assert_eq!(counts(&*store).await, [(vip.id, 2), (a.id, 1), (group.id, 1)]);

    assert_eq!(set(&vip, 1, false).await, Some(true));
    assert_eq!(set(&vip, 1, false).await, Some(false));
    assert_eq!(counts(&*store).await, [(vip.id, 1), (a.id, 1), (group.id, 1)]);
    let about = admins.audit_log(&AuditFilter::all().about(id(1)), None, 10).await.unwrap();
    let about: Vec<_> = about.into_iter().map(|it| (it.action, it.old, it.new)).collect();
    let text = |text: &str| Some(text.to_owned());
    let expected = [
        (AuditAction::RemovedLabel, text("tag vip"), None),
        (AuditAction::AddedLabel, None, text("group beta")),
        (AuditAction::AddedLabel, None, text("tag a")),
        (AuditAction::AddedLabel, None, text("tag vip")),
    ];
    assert_eq!(about, expected);
    assert!(delete(&*store, &a, 10).await);
    assert_eq!(set(&a, 1, true).await, None, "the label is gone");
}

pub async fn erasing_a_user_takes_the_labels_along([(store, _), _]: [Store; 2]) {
    users(&*store, 1..=3);
    let vip = create(&*store, LabelKind::Tag, "vip").await;
    let change = changed(&*store, &vip, true, &[1, 2, 3]).await;
    store.delete(&[id(2)]).await.unwrap();
    assert_eq!(counts(&*store).await, [(vip.id, 2)]);
    // Even if an id comes back, it is a new user without labels, which an undo does not touch.
    users(&*store, 2..=2);
    assert_eq!(holders(&*store, &vip).await, [1, 3]);
    store.label_user(&vip, id(2), true, None, at(2)).await.unwrap();
    assert_eq!(undo(&*store, &change, 10).await, [Some(true)]);
    assert_eq!(holders(&*store, &vip).await, [2]);
}

pub async fn a_label_is_deleted_part_by_part([(store, admins), _]: [Store; 2]) {
    users(&*store, 1..=5);
    let [vip, other] = [
        create(&*store, LabelKind::Tag, "vip").await,
        create(&*store, LabelKind::Tag, "other").await,
    ];
    changed(&*store, &vip, true, &[1, 2, 3, 4, 5]).await;
    changed(&*store, &other, true, &[3, 4]).await;
    assert!(!delete(&*store, &vip, 2).await);
    assert_eq!(holders(&*store, &vip).await, [3, 4, 5]);
    assert!(!delete(&*store, &vip, 2).await);
    assert!(delete(&*store, &vip, 2).await);
    assert!(delete(&*store, &vip, 2).await, "deleting it again changes nothing");
    assert_eq!(store.labels(LabelKind::Tag).await.unwrap(), std::slice::from_ref(&other));
    assert_eq!(counts(&*store).await, [(other.id, 2)]);
    let deleted: Vec<_> = entries(&*admins).await;
    let deleted: Vec<_> = deleted.iter().filter(|it| it.0 == AuditAction::DeletedLabel).collect();
    assert_eq!(deleted, [&(AuditAction::DeletedLabel, "tag vip: 5 users".into(), String::new())]);
}

pub async fn a_label_that_a_segment_names_is_not_deleted([(store, _), (other, _)]: [Store; 2]) {
    users(&*store, 1..=2);
    let tag = create(&*store, LabelKind::Tag, "vip").await;
    let group = create(&*store, LabelKind::Group, "vip").await;
    changed(&*store, &tag, true, &[1, 2]).await;
    for segment in ["loyal", "new"] {
        let filter = "days>=5 or -tag:other,vip".parse().unwrap();
        let (name, description) = (name(segment), String::new());
        let segment = Segment {
            name,
            filter,
            description,
            created_at: at(0),
            zone: Tz::UTC,
            changed_at: None,
        };
        other.save_segment(&segment, Arc::new(|_| Ok(()))).await.unwrap();
    }
    let refused = store.delete_label(&tag, 2, 10, None, at(0)).await.unwrap().result;
    assert_eq!(refused, DeletedLabel::Used(["loyal", "new"].map(name).into()));
    assert_eq!(holders(&*store, &tag).await, [1, 2]);
    assert!(delete(&*store, &group, 10).await, "the segments name the tag of this name");
    for segment in ["loyal", "new"] {
        other.delete_segment(&name(segment)).await.unwrap();
    }
    assert!(delete(&*store, &tag, 10).await);
}

pub async fn a_change_goes_on_step_by_step_and_is_one_audit_entry(
    [(store, admins), _]: [Store; 2],
) {
    users(&*store, [1, 2, 4, 5, 6]);
    let vip = create(&*store, LabelKind::Tag, "vip").await;
    store.label_user(&vip, id(2), true, None, at(0)).await.unwrap();
    let ada = Admin::Account("ada".parse().unwrap());
    let choice = LabelChoice::Filter { text: "lang:de".to_owned(), zone: "UTC".to_owned() };
    let new = NewLabelChange {
        label: vip.clone(),
        is_added: true,
        choice: choice.clone(),
        by: Some(ada.clone()),
    };
    let begun = store.begin_label_change(&new, at(10)).await.unwrap();
    let expected = LabelChange {
        id: begun.id,
        started_at: at(10),
        touched_at: at(10),
        by: Some(ada.clone()),
        label: vip.clone(),
        is_added: true,
        choice,
        users: 0,
        last: None,
        state: LabelChangeState::Running,
    };
    assert_eq!(begun, expected);
    // 3 does not exist, and 2 has it.
    let first = step(&*store, &begun, &[1, 2, 3], 3, false).await.unwrap();
    assert_eq!((first.users, first.last, first.touched_at), (1, Some(id(3)), at(20)));
    assert_eq!(store.label_changes(LabelKind::Tag).await.unwrap(), std::slice::from_ref(&first));
    assert_eq!(store.label_changes(LabelKind::Group).await.unwrap(), []);
    assert_eq!(log_of(&*admins, &ada).await, [""; 0], "it is not complete");
    let last = step(&*store, &first, &[5, 6], 9, true).await.unwrap();
    assert_eq!((last.users, last.state), (3, LabelChangeState::Done));
    assert_eq!(holders(&*store, &vip).await, [1, 2, 5, 6]);
    assert_eq!(log_of(&*admins, &ada).await, ["added_label: 3 users: tag vip: filter lang:de"]);

    let removed = changed(&*store, &vip, false, &[4, 5]).await;
    assert_eq!(removed.users, 1);
    assert_eq!(holders(&*store, &vip).await, [1, 2, 6]);
    let last = entries(&*admins).await.pop().unwrap();
    assert_eq!(last.2, "1 user: tag vip: given ids");
}

pub async fn two_processes_go_on_with_one_change([(store, _), (other, _)]: [Store; 2]) {
    users(&*store, 1..=4);
    let vip = create(&*store, LabelKind::Tag, "vip").await;
    let begun = begin(&*store, &vip, true).await;
    let first = step(&*store, &begun, &[1, 2], 2, false).await.unwrap();
    // The other process has read the change before that.
    assert_eq!(step(&*other, &begun, &[1], 1, false).await.unwrap(), first);
    let second = step(&*other, &first, &[3], 3, true).await.unwrap();
    assert_eq!((second.users, second.state), (3, LabelChangeState::Done));
    assert_eq!(step(&*store, &first, &[3, 4], 4, false).await.unwrap(), second);
    assert_eq!(step(&*store, &second, &[4], 4, false).await.unwrap(), second);
    assert_eq!(holders(&*store, &vip).await, [1, 2, 3]);
}

pub async fn a_change_of_a_deleted_label_ends([(store, _), _]: [Store; 2]) {
    users(&*store, 1..=4);
    let vip = create(&*store, LabelKind::Tag, "vip").await;
    let begun = begin(&*store, &vip, true).await;
    let first = step(&*store, &begun, &[1, 2], 2, false).await.unwrap();
    assert!(delete(&*store, &vip, 10).await);
    assert_eq!(step(&*store, &first, &[3], 3, false).await, None);
    assert_eq!(undo(&*store, &first, 10).await, [None]);
    let again = create(&*store, LabelKind::Tag, "vip").await;
    assert_eq!(holders(&*store, &again).await, [0; 0]);
    assert_eq!(counts(&*store).await, []);
}

pub async fn only_what_a_change_really_changed_is_undone([(store, admins), _]: [Store; 2]) {
    users(&*store, 1..=9);
    let vip = create(&*store, LabelKind::Tag, "vip").await;
    for user in [2, 4] {
        store.label_user(&vip, id(user), true, None, at(0)).await.unwrap();
    }
    let added = changed(&*store, &vip, true, &[1, 2, 3, 5, 6]).await;
    let removed = changed(&*store, &vip, false, &[3, 4, 7]).await;
    assert_eq!(holders(&*store, &vip).await, [1, 2, 5, 6]);
    assert_eq!(undo(&*store, &removed, 10).await, [Some(true)]);
    assert_eq!(holders(&*store, &vip).await, [1, 2, 3, 4, 5, 6]);
    assert_eq!(undo(&*store, &added, 3).await, [Some(false), Some(true)]);
    assert_eq!(holders(&*store, &vip).await, [2, 4]);
    assert_eq!(undo(&*store, &added, 3).await, [None], "it is forgotten");
    assert_eq!(store.label_changes(LabelKind::Tag).await.unwrap(), []);
    let log = entries(&*admins).await;
    let undone: Vec<_> =
        log.into_iter().filter(|it| it.0 == AuditAction::UndidLabelChange).collect();
    let undone: Vec<_> = undone.into_iter().map(|it| it.2).collect();
    let expected =
        ["removed from 2 users: tag vip: given ids", "added to 4 users: tag vip: given ids"];
    assert_eq!(undone, expected);
}

pub async fn a_stopped_change_can_be_undone([(store, _), (other, _)]: [Store; 2]) {
    users(&*store, 1..=9);
    let vip = create(&*store, LabelKind::Tag, "vip").await;
    let begun = begin(&*store, &vip, true).await;
    let stopped = step(&*store, &begun, &[1, 2, 3], 3, false).await.unwrap();
    assert_eq!(part_of_undo(&*other, &stopped, 2).await, Some(false));
    let [undoing] = store.label_changes(LabelKind::Tag).await.unwrap().try_into().unwrap();
    assert_eq!(undoing.state, LabelChangeState::Undoing);
    // It does not go on meanwhile.
    assert_eq!(step(&*store, &stopped, &[4], 4, false).await, Some(undoing.clone()));
    assert_eq!(part_of_undo(&*store, &undoing, 2).await, Some(true));
    assert_eq!(holders(&*store, &vip).await, [0; 0]);
}

pub async fn old_changes_are_forgotten([(store, admins), _]: [Store; 2]) {
    users(&*store, 1..=9);
    let vip = create(&*store, LabelKind::Tag, "vip").await;
    let begun = begin(&*store, &vip, true).await;
    step(&*store, &begun, &[1, 2], 2, false).await.unwrap();
    changed(&*store, &vip, true, &[3, 4, 5]).await;
    let forget = async |before| {
        let mut parts = 0;
        while store.forget_label_changes(before, 2).await.unwrap() {
            parts += 1;
        }
        parts
    };
    assert_eq!(forget(at(20)).await, 0, "the latest steps were then");
    assert_eq!(store.label_changes(LabelKind::Tag).await.unwrap().len(), 2);
    assert_eq!(forget(at(21)).await, 4);
    assert_eq!(store.label_changes(LabelKind::Tag).await.unwrap(), []);
    assert_eq!(holders(&*store, &vip).await, [1, 2, 3, 4, 5], "what they changed stays");
    let last = entries(&*admins).await.pop().unwrap();
    assert_eq!(last.2, "2 users: tag vip: given ids; stopped before its end");
}
