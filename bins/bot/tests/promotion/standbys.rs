//! A URL whose servers can only be read: the bot says so, and waits until one of them is promoted.

use rollcall_simulator::{Person, Simulator};
use rollcall_testkit::ThrowAwayServer;
use tokio::task::block_in_place;

use crate::running::{RunningBot, database::stored_at};

#[tokio::test(flavor = "multi_thread")]
async fn a_bot_waits_until_one_of_its_standbys_is_promoted() {
    let Some(primary) = block_in_place(ThrowAwayServer::start) else { return };
    let (one, two) = block_in_place(|| (primary.standby(), primary.standby()));
    let hosts = [one.host(), two.host()].join(",");
    let all = "none of its servers can be written, because all of them are standbys, or are read-only \
               (on socket \"";
    let attributes = "&target_session_attrs=read-write";
    waits(&primary, &one, &hosts, attributes, &[all, one.host(), two.host()]).await;
    // A URL that takes any server.
    let reached = "none of its servers can be written, because the one that was reached is a standby, or \
                   is read-only (name all of them, and add target_session_attrs=read-write, to reach the \
                   primary among them); expected one that can: promote a standby, or name the primary";
    waits(&primary, &two, two.host(), "", &[reached]).await;
}

/// Starts a bot on some standbys of a server, and promotes one.
async fn waits(
    primary: &ThrowAwayServer,
    promoted: &ThrowAwayServer,
    hosts: &str,
    parameters: &str,
    says: &[&str],
) {
    let telegram = Simulator::start().await.unwrap();
    let database = primary.database();
    block_in_place(|| primary.await_replay(promoted));
    let url = database.url().replace(primary.host(), hosts) + parameters;
    let bot = RunningBot::launch(&telegram, &database, &[("DATABASE_URL", &url)]);
    bot.said("the database cannot be opened; trying again until it works").await;
    for text in says {
        assert!(bot.has_said(text), "{text} is not in:\n{}", bot.log());
    }
    let update = telegram.write(&Person::new(1815, "Ada"), "hello");
    block_in_place(|| promoted.promote());
    bot.said("recovered: the database cannot be opened").await;
    telegram.wait_until_confirmed(update).await.unwrap();
    let log = bot.terminate().await;
    assert_eq!(log.matches("the database cannot be opened; trying again").count(), 1, "{log}");
    assert_eq!(stored_at(&promoted.url_of(&database)).await.len(), 1);
}
