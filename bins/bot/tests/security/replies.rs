//! Floods of commands: other users are answered all the same, and everybody is registered.

use std::time::{Duration, Instant};

use rollcall_simulator::{Chat, Person, Simulator, Update};
use rollcall_testkit::ThrowAwayDatabase;

use crate::{
    running::database::{commands, stored},
    server::{Server, check_paced},
};

stories!(
    one_sender_in_many_groups_keeps_no_answer_from_others,
    many_senders_in_many_groups_keep_no_answer_from_private_chats,
);

/// Telegram's limits, as in production.
const SETTINGS: [(&str, &str); 1] = [("SEND_RATE", "30")];
const FLOODER: i64 = 666;
const GROUPS: i64 = 195;
/// How many answers of others may be sent between a private command's registration and its answer:
/// those of half a second, where a queue of all groups would be those of half a minute.
const ANSWERS_BEFORE: u64 = 15;

fn group(n: i64) -> Chat {
    Chat::group(-1000 - n, "Fans")
}

fn person(id: i64) -> Person {
    Person::new(id, "Somebody").language_code("en")
}

/// Has users write in their private chats, one after the other, and looks at when they are answered.
async fn check_private_answers(telegram: &Simulator, ids: impl Iterator<Item = i64>) {
    for id in ids {
        let begun = Instant::now();
        let command = telegram.write(&person(id), "/help");
        // Behind the commands that came before it.
        telegram.wait_until_confirmed(command).await.unwrap();
        let sent = telegram.calls("sendMessage");
        telegram.wait_for_message(id).await.unwrap();
        let before = telegram.calls("sendMessage") - sent;
        println!("answered after {:?} and {before} messages", begun.elapsed());
        assert!(before <= ANSWERS_BEFORE, "after {before} messages");
    }
}

/// How many commands a limit has left unanswered, by the bot's metrics.
async fn unanswered(server: &Server, limit: &str) -> u64 {
    server.metric(&format!("rollcall_commands_unanswered_total{{limit=\"{limit}\"}}")).await
}

/// Ends the bot, whose log and memory stay small.
async fn end(server: Server, begun: Instant, registered: i64, database: &ThrowAwayDatabase) {
    assert!(server.bot.peak_memory_bytes() < 300 << 20);
    let log = server.bot.terminate().await;
    check_paced(&log, "some commands were not answered commands=", begun);
    let counted = commands(database).await;
    assert_eq!(counted.iter().map(|(_, uses)| uses).sum::<i64>(), registered);
}

async fn one_sender_in_many_groups_keeps_no_answer_from_others(database: ThrowAwayDatabase) {
    let telegram =
        Simulator::builder().wait_timeout(Duration::from_secs(60)).start().await.unwrap();
    let begun = Instant::now();
    let server = Server::start_polling(&telegram, &database, &SETTINGS).await;
    let flood = || {
        for n in 0..GROUPS * 20 {
            telegram.push(Update::text(&person(FLOODER), "/schedule").in_chat(&group(n % GROUPS)));
        }
    };
    flood();
    telegram.wait_until_drained().await.unwrap();
    check_private_answers(&telegram, 1..=5).await;
    // While it goes on, too, and in one of the groups.
    flood();
    check_private_answers(&telegram, 6..=10).await;
    let other = telegram.push(Update::text(&person(11), "/help").in_chat(&group(GROUPS)));
    telegram.wait_until_confirmed(other).await.unwrap();
    telegram.wait_for_message(group(GROUPS).id).await.unwrap();
    telegram.wait_until_drained().await.unwrap();
    assert!(unanswered(&server, "sender").await > 5_000);
    assert_eq!(unanswered(&server, "groups").await + unanswered(&server, "all").await, 0);
    end(server, begun, 2 * GROUPS * 20 + 11, &database).await;
    assert_eq!(stored(&database).await.len(), 12);
}

async fn many_senders_in_many_groups_keep_no_answer_from_private_chats(
    database: ThrowAwayDatabase,
) {
    const SENDERS: i64 = 200;
    let telegram =
        Simulator::builder().wait_timeout(Duration::from_secs(60)).start().await.unwrap();
    let begun = Instant::now();
    let server = Server::start_polling(&telegram, &database, &SETTINGS).await;
    // More than there are slots, and no sender or group with more than it may have.
    for n in 0..SENDERS * 19 {
        let (sender, chat) = (FLOODER + n % SENDERS, group(n / 19));
        telegram.push(Update::text(&person(sender), "/schedule").in_chat(&chat));
    }
    telegram.wait_until_drained().await.unwrap();
    check_private_answers(&telegram, 1..=5).await;
    assert!(unanswered(&server, "groups").await > 1_000);
    assert_eq!(unanswered(&server, "all").await, 0);
    end(server, begun, SENDERS * 19 + 5, &database).await;
    assert_eq!(stored(&database).await.len(), 205);
}
