//! What owners see in the bot of the users that a filter selects, and the tags that deep links add.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

#[macro_use]
mod running;

use rollcall_domain::{Interaction, InteractionKind, Profile, SystemClock, TelegramId};
use rollcall_repository::{LabelRepository, SourceRepository, SourceTag};
use rollcall_repository_diesel::{Database, DieselUserRepository};
use rollcall_service::{AudienceService, DirectoryService, UserService};
use rollcall_simulator::{Person, SentMessage, Simulator};
use rollcall_testkit::ThrowAwayDatabase;
use running::{
    RunningBot,
    chat::{ask, press},
};

stories!(
    an_owner_turns_the_pages_of_a_filter_also_after_a_restart,
    a_wrong_filter_is_explained,
    saved_segments_are_listed_and_opened,
    only_owners_see_users_and_segments,
    a_deep_link_adds_its_tag_to_new_and_known_users,
);

const OWNER: i64 = 99;
const SETTINGS: &[(&str, &str)] = &[("ADMIN_TELEGRAM_IDS", "99"), ("SCHEDULE", "off")];
const STALE: &str = "This button no longer works. Please send the command again.";

fn boss() -> Person {
    Person::new(OWNER, "Boss").language_code("en")
}

fn ada() -> Person {
    Person::new(1815, "Ada").language_code("en")
}

async fn storage(database: &ThrowAwayDatabase) -> DieselUserRepository {
    let database = Database::open_existing(database.url().parse().unwrap()).await.unwrap();
    DieselUserRepository::new(database)
}

/// Users 1001 to 1045 with German apps, each later than the one before.
async fn crowd(database: &ThrowAwayDatabase) {
    let users = UserService::new(storage(database).await, SystemClock);
    let user = |n: i64| {
        let at = format!("2026-01-01T10:00:{n:02}Z").parse().unwrap();
        let profile = Profile::new((1000 + n).try_into().unwrap(), &format!("Gast {n}"));
        Interaction::new(at, profile.language_code("de"), InteractionKind::Text)
    };
    let interactions: Vec<_> = (1..=45).map(user).collect();
    users.register(&interactions).await.unwrap();
    let directory = DirectoryService::new(storage(database).await, SystemClock);
    while directory.index_names().await.unwrap() {}
}

/// The first line of a message, the second one, and the names of the users in it.
fn list(message: &SentMessage) -> (String, String, Vec<String>) {
    let mut lines = message.text.lines().map(str::to_owned);
    let (filter, head) = (lines.next().unwrap(), lines.next().unwrap_or_default());
    let names = lines.filter_map(|line| {
        let name = line.strip_prefix('\u{2068}')?.strip_suffix('\u{2069}')?;
        Some(name.to_owned())
    });
    (filter, head, names.collect())
}

fn guests(range: impl Iterator<Item = i64>) -> Vec<String> {
    range.map(|n| format!("Gast {n}")).collect()
}

async fn an_owner_turns_the_pages_of_a_filter_also_after_a_restart(database: ThrowAwayDatabase) {
    let telegram = Simulator::start().await.unwrap();
    let bot = RunningBot::start(&telegram, &database, SETTINGS).await;
    crowd(&database).await;
    let first = ask(&telegram, &boss(), "/users  lang:DE and ( joined:2026-01-01 )").await;
    let head = "45 users, newest first. Days and times are in UTC.".to_owned();
    let filter = "lang:DE joined:2026-01-01".to_owned();
    assert_eq!(list(&first), (filter.clone(), head.clone(), guests((26..=45).rev())));
    let second = press(&telegram, &boss(), &first, "Older ›").await;
    assert_eq!(list(&second), (filter.clone(), head.clone(), guests((6..=25).rev())));
    bot.terminate().await;

    let bot = RunningBot::start(&telegram, &database, SETTINGS).await;
    let third = press(&telegram, &boss(), &second, "Older ›").await;
    assert_eq!(list(&third), (filter.clone(), head.clone(), guests((1..=5).rev())));
    let back = press(&telegram, &boss(), &third, "‹ Newer").await;
    assert_eq!(list(&back), (filter, head, guests((6..=25).rev())));

    // One user, none, and the list without a filter.
    let one = ask(&telegram, &boss(), "/users \"gast 7\" or @nobody").await;
    let head = "1 user, newest first. Days and times are in UTC.".to_owned();
    assert_eq!(list(&one), ("\"gast 7\" or @nobody".to_owned(), head, guests(7..=7)));
    assert!(one.buttons().is_empty());
    let none = ask(&telegram, &boss(), "/users bot").await;
    assert_eq!(list(&none), ("bot".to_owned(), "No users match.".to_owned(), Vec::new()));
    let all = ask(&telegram, &boss(), "/users").await;
    assert!(all.text.starts_with("Users, newest first; 46 in all."), "{}", all.text);
    bot.terminate().await;
}

async fn a_wrong_filter_is_explained(database: ThrowAwayDatabase) {
    let telegram = Simulator::start().await.unwrap();
    let bot = RunningBot::start(&telegram, &database, SETTINGS).await;
    for (filter, expected) in [
        (
            "lang:de reachable<5",
            "lang:de reachable<5\n                 ^\ncharacter 18: 'reachable' takes no value; \
             expected the word alone",
        ),
        ("langg:de", "langg:de\n^\ncharacter 1: unknown field 'langg'; did you mean 'lang'?"),
        ("(a", "(a\n^\ncharacter 1: there is no ')' for this '('"),
        ("-tag:gone", "there is no tag 'gone'"),
        ("segment:gone", "there is no segment 'gone'"),
        ("\"a\nb\" lang:\"a\nb\"", "This filter has invisible characters or line breaks"),
        (&"x ".repeat(160), "This filter has 319 characters; up to 300 fit here."),
    ] {
        let answer = ask(&telegram, &boss(), &format!("/users {filter}")).await;
        assert!(answer.text.contains(expected), "{filter}: {}", answer.text);
        assert!(answer.buttons().is_empty());
    }
    // The same below a message that does not begin with a filter.
    let id = ask(&telegram, &boss(), "/id").await;
    telegram.press(&boss(), &id, "1/f/fn1.7");
    let edited = telegram.wait_for_edit(&id).await.unwrap();
    assert!(edited.text.starts_with("This filter cannot be used."), "{}", edited.text);
    bot.terminate().await;
}

async fn saved_segments_are_listed_and_opened(database: ThrowAwayDatabase) {
    let telegram = Simulator::start().await.unwrap();
    let bot = RunningBot::start(&telegram, &database, SETTINGS).await;
    let none = ask(&telegram, &boss(), "/segments").await;
    assert!(none.text.starts_with("There are no segments yet."), "{}", none.text);
    crowd(&database).await;
    let audience = AudienceService::new(storage(&database).await, SystemClock);
    for n in 0..12 {
        let (name, filter) = (format!("s{n:02}"), format!("lang:de id:{}", 1001 + n));
        audience
            .save_segment(
                name.parse().unwrap(),
                filter.parse().unwrap(),
                chrono_tz::Tz::UTC,
                "guests <b>",
            )
            .await
            .unwrap();
    }
    let first = ask(&telegram, &boss(), "/segments").await;
    assert!(first.text.contains("Segments: 12. Press one to see its users."), "{}", first.text);
    assert!(first.text.contains("s09: not counted yet\nlang:de id:1010\n"), "{}", first.text);
    assert!(first.text.contains("guests <b>") && !first.text.contains("s10"), "{}", first.text);
    let next = press(&telegram, &boss(), &first, "Next ›").await;
    assert!(next.text.contains("s11") && !next.text.contains("s09"), "{}", next.text);
    let users = press(&telegram, &boss(), &next, "s11").await;
    let head = "1 user, newest first. Days and times are in UTC.".to_owned();
    assert_eq!(list(&users), ("segment:s11".to_owned(), head, guests(12..=12)));
    // A segment that is deleted meanwhile.
    audience.delete_segment(&"s00".parse().unwrap()).await.unwrap();
    telegram.press(&boss(), &users, "1/n/s00");
    let gone = telegram.wait_for_edit(&users).await.unwrap();
    assert!(gone.text.contains("there is no segment 's00'"), "{}", gone.text);
    bot.terminate().await;
}

async fn only_owners_see_users_and_segments(database: ThrowAwayDatabase) {
    let telegram = Simulator::start().await.unwrap();
    let bot = RunningBot::start(&telegram, &database, SETTINGS).await;
    crowd(&database).await;
    for command in ["/users lang:de", "/segments"] {
        telegram.write(&ada(), command);
    }
    let help = ask(&telegram, &ada(), "/help").await;
    assert_eq!(telegram.messages_to(1815), std::slice::from_ref(&help), "nothing else is answered");
    assert!(!help.text.contains("/segments"), "{}", help.text);
    for (answers, data) in (1..).zip(["1/f/fn1.7", "1/g/0", "1/n/s00"]) {
        telegram.press(&ada(), &help, data);
        let presses = telegram.wait_for_requests("answerCallbackQuery", answers).await.unwrap();
        assert_eq!(presses.last().unwrap().params["text"], STALE, "{data}");
    }
    let of_owner = ask(&telegram, &boss(), "/help").await;
    assert!(of_owner.text.contains("/segments – saved segments"), "{}", of_owner.text);
    bot.terminate().await;
}

async fn a_deep_link_adds_its_tag_to_new_and_known_users(database: ThrowAwayDatabase) {
    let telegram = Simulator::start().await.unwrap();
    let bot = RunningBot::start(&telegram, &database, SETTINGS).await;
    ask(&telegram, &ada(), "/start").await;
    let store = storage(&database).await;
    let links = ["ads_1".parse().unwrap()];
    let tag = SourceTag::Set("vip".parse().unwrap());
    store.allow_sources(&links, &tag, "2026-01-01T00:00:00Z".parse().unwrap()).await.unwrap();
    let bob = Person::new(7, "Bob");
    for (person, link) in [(&ada(), "/start ads_1"), (&bob, "/START ads_1"), (&boss(), "/start x")]
    {
        ask(&telegram, person, link).await;
    }
    let ids: Vec<TelegramId> = [1815, 7, OWNER].map(|id: i64| id.try_into().unwrap()).into();
    let tags = store.labels_of(&ids).await.unwrap();
    let tagged: Vec<_> = tags.iter().map(|(id, labels)| (id.get(), labels.tags.len())).collect();
    assert_eq!(tagged, [(7, 1), (1815, 1)]);
    let list = ask(&telegram, &boss(), "/users tag:vip").await;
    assert!(list.text.contains("Ada") && list.text.contains("Bob"), "{}", list.text);
    bot.terminate().await;
}
