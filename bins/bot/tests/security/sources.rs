//! Making up deep links, so that none has room in the figures that brings users.

use rollcall_domain::SystemClock;
use rollcall_repository::UserRepository;
use rollcall_repository_diesel::{Database, DieselUserRepository};
use rollcall_service::{ActivityService, DayRange, SourceService};
use rollcall_simulator::{Person, Simulator, Update};
use rollcall_testkit::ThrowAwayDatabase;

use crate::running::RunningBot;

stories!(
    made_up_links_of_one_account_leave_room_for_a_campaign,
    an_account_that_is_deleted_and_comes_again_takes_no_more,
);

async fn made_up_links_of_one_account_leave_room_for_a_campaign(database: ThrowAwayDatabase) {
    let telegram = Simulator::start().await.unwrap();
    let bot = RunningBot::start(&telegram, &database, &[]).await;
    let (known, new) = (Person::new(1, "Known"), Person::new(2, "New"));
    telegram.push(Update::text(&known, "hello"));
    for n in 0..=1001 {
        telegram.push(Update::text(&known, format!("/start junk_{n}")));
        telegram.push(Update::text(&new, format!("/start trash_{n}")));
    }
    for id in 100..130 {
        telegram.push(Update::text(&Person::new(id, "Guest"), "/start campaign"));
    }
    let last = telegram.push(Update::text(&known, "/start campaign"));
    telegram.wait_until_confirmed(last).await.unwrap();
    bot.terminate().await;

    // Of the new account one link has brought a user, that account.
    assert_eq!(labels(&database).await, ["campaign", "trash_0"]);
    let activity = ActivityService::new(users(&database).await, SystemClock);
    let today = DayRange::ending(activity.today(), 2).unwrap();
    let mut sources: Vec<_> = activity.get_activity(today).await.unwrap().sources;
    sources.retain(|it| !it.source.is_empty());
    let counted: Vec<_> =
        sources.iter().map(|it| (it.source.as_str(), it.users, it.starts)).collect();
    assert_eq!(counted, [("campaign", 30, 31), ("trash_0", 1, 1), ("(other)", 0, 2003)]);
    assert_eq!(activity.recount(false, |_, _| {}).await.unwrap(), []);
}

async fn an_account_that_is_deleted_and_comes_again_takes_no_more(database: ThrowAwayDatabase) {
    let telegram = Simulator::start().await.unwrap();
    let bot = RunningBot::start(&telegram, &database, &[]).await;
    let storage = users(&database).await;
    let person = Person::new(1, "Again");
    for n in 0..10 {
        let last = telegram.push(Update::text(&person, format!("/start junk_{n}")));
        telegram.wait_until_confirmed(last).await.unwrap();
        assert_eq!(labels(&database).await, [format!("junk_{n}")]);
        assert_eq!(storage.delete(&[1.try_into().unwrap()]).await.unwrap(), 1);
    }
    bot.terminate().await;
    assert_eq!(labels(&database).await, [""; 0]);
    let activity = ActivityService::new(storage, SystemClock);
    assert_eq!(activity.recount(false, |_, _| {}).await.unwrap(), []);
}

/// The payloads of the links that have labels, those by which most users came first.
async fn labels(database: &ThrowAwayDatabase) -> Vec<String> {
    let sources = SourceService::new(users(database).await, SystemClock);
    let links = sources.labelled().await.unwrap();
    links.iter().map(|it| it.payload.to_string()).collect()
}

async fn users(database: &ThrowAwayDatabase) -> DieselUserRepository {
    let database = Database::open_existing(database.url().parse().unwrap()).await.unwrap();
    DieselUserRepository::new(database)
}
