//! The directory service over real databases.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;

use chrono::{DateTime, NaiveDate, Utc};
use rollcall_domain::{
    Clock, Counted, DateLevel, Interaction, InteractionKind, MAX_NOTE_CHARS, NoteChange,
    PeriodCount, Profile, SearchTerm, TelegramId, UserFilter, UserSort,
};
use rollcall_repository_diesel::{Database, DieselUserRepository};
use rollcall_service::{DirectoryService, ServiceError, UserService};
use rollcall_testkit::{TestClock, ThrowAwayDatabase};

#[tokio::test(flavor = "multi_thread")]
async fn users_are_found_once_their_names_are_indexed() {
    for database in ThrowAwayDatabase::of_each_kind() {
        let (users, directory, _) = services(&database).await;
        let everybody: Vec<_> = (1..=300).map(|n| seen(n, "2026-11-20")).collect();
        users.register(&everybody).await.unwrap();
        let found = async |text: &str| {
            let filter = UserFilter::new().matching(SearchTerm::new(text).unwrap());
            directory.users(&filter, UserSort::default(), None, 0).await.unwrap()
        };
        assert_eq!(found("user").await.rows.len(), 0);
        while directory.index_names().await.unwrap() {}
        let slice = found("ÚSER").await;
        assert_eq!((slice.rows.len(), slice.count), (1, Counted::Exactly(300)));
        let everybody = UserFilter::new();
        let slice = directory.users(&everybody, UserSort::default(), None, u32::MAX).await.unwrap();
        assert_eq!(slice.rows.len(), 300);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_note_is_text_of_a_bounded_length() {
    for database in ThrowAwayDatabase::of_each_kind() {
        let (users, directory, clock) = services(&database).await;
        users.register(&[seen(1, "2026-11-20")]).await.unwrap();
        let longest = "ж".repeat(MAX_NOTE_CHARS);
        let change = directory.set_note(id(1), &format!("\0{longest}"), "bob").await.unwrap();
        assert_eq!(change, Some(NoteChange { old: None, new: Some(longest.clone()) }));
        let refused = directory.set_note(id(1), &format!("{longest}x"), "bob").await;
        assert!(matches!(refused, Err(ServiceError::NoteTooLong)));
        let note = directory.user(id(1)).await.unwrap().unwrap().note.unwrap();
        assert_eq!((note.text, note.at), (longest.clone(), clock.now()));
        let change = directory.set_note(id(1), " \n", "bob").await.unwrap();
        assert_eq!(change, Some(NoteChange { old: Some(longest), new: None }));
        assert_eq!(directory.set_note(id(2), "x", "bob").await.unwrap(), None);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_calendar_counts_present_users() {
    for database in ThrowAwayDatabase::of_each_kind() {
        let (users, directory, _) = services(&database).await;
        let came = ["2024-02-29", "2025-12-31", "2026-11-01", "2026-11-01", "2026-11-20"];
        let came: Vec<_> = (1..).zip(came).map(|(n, day)| seen(n, day)).collect();
        users.register(&came).await.unwrap();
        users.delete_users(&[id(2)]).await.unwrap();
        let period = |first: &str, last: &str, users| PeriodCount {
            first: day(first),
            last: day(last),
            users,
        };
        let level = async |level| directory.date_hierarchy(level).await.unwrap();
        assert_eq!(
            level(DateLevel::Years).await,
            [period("2024-01-01", "2024-12-31", 1), period("2026-01-01", "2026-12-31", 3)]
        );
        assert_eq!(
            level(DateLevel::Months(day("2026-05-05"))).await,
            [period("2026-11-01", "2026-11-30", 3)]
        );
        assert_eq!(
            level(DateLevel::Days(day("2026-11-30"))).await,
            [period("2026-11-01", "2026-11-01", 2), period("2026-11-20", "2026-11-20", 1)]
        );
        assert_eq!(level(DateLevel::Days(day("2025-12-01"))).await, []);
    }
}

async fn services(database: &ThrowAwayDatabase) -> (UserService, DirectoryService, Arc<TestClock>) {
    let clock = Arc::new(TestClock::at("2026-11-23T12:00:00Z"));
    let database = Database::open(database.url().parse().unwrap()).await.unwrap();
    database.migrate().await.unwrap();
    let storage = DieselUserRepository::new(database);
    let directory = DirectoryService::new(storage.clone(), clock.clone());
    (UserService::new(storage, clock.clone()), directory, clock)
}

fn seen(n: i64, day: &str) -> Interaction {
    let at: DateTime<Utc> = format!("{day}T12:00:00Z").parse().unwrap();
    Interaction::new(at, Profile::new(id(n), &format!("User {n}")), InteractionKind::Text)
}

fn id(n: i64) -> TelegramId {
    n.try_into().unwrap()
}

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}
