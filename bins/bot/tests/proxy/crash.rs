//! Either side is killed at random moments: no update is lost to either, and none is counted twice.

use std::{
    hash::{BuildHasher, Hasher, RandomState},
    time::Duration,
};

use rollcall_simulator::{Person, Simulator};
use rollcall_testkit::ThrowAwayDatabase;
use tokio::time::sleep;

use super::{
    api::{Api, Poller},
    behind::free_address,
    running::database::{counted, quarantined, stored},
};

stories!(either_side_is_killed, either_side_is_killed_by_webhook,);

async fn either_side_is_killed(database: ThrowAwayDatabase) {
    survives(&database, &[]).await;
}

async fn either_side_is_killed_by_webhook(database: ThrowAwayDatabase) {
    let listen = free_address().await.to_string();
    let url = format!("http://{listen}/in");
    let settings = [
        ("WEBHOOK_URL", url.as_str()),
        ("WEBHOOK_SECRET", "Right-Secret_123"),
        ("LISTEN_ADDR", listen.as_str()),
    ];
    survives(&database, &settings).await;
}

async fn survives(database: &ThrowAwayDatabase, settings: &[(&str, &str)]) {
    let kills = std::env::var("ROLLCALL_KILLS").map_or(5, |kills| kills.parse().unwrap());
    let telegram = Simulator::builder()
        .wait_timeout(Duration::from_secs(120))
        .webhook_retry(Duration::from_millis(100))
        .start()
        .await
        .unwrap();
    let api = Api::new(&telegram).await;
    let mut poller = Poller::start(&api);
    let people: Vec<Person> = (1..=101).map(|id| Person::new(id, "Ann")).collect();
    let mut ids = Vec::new();
    let mut write = |number: usize| {
        for _ in 0..number {
            ids.push(telegram.write(&people[ids.len() % people.len()], "hello"));
        }
    };
    for _ in 0..kills {
        let mut bot = api.launch(&telegram, database, settings);
        let before = poller.counts().len();
        write(60);
        poller.has_got(before + 1).await;
        write(60);
        sleep(Duration::from_millis(random() % 60)).await;
        poller.kill();
        write(20);
        sleep(Duration::from_millis(random() % 100)).await;
        poller.resume();
        sleep(Duration::from_millis(random() % 100)).await;
        bot.kill().await;
    }
    let bot = api.serve(&telegram, database, settings).await;
    telegram.wait_until_drained().await.unwrap_or_else(|error| panic!("{error}:\n{}", bot.log()));
    poller.kill();
    bot.terminate().await;
    let counts = poller.counts();
    let twice = counts.values().map(|number| number - 1).sum::<u64>();
    println!("{} updates, {} kills: {twice} got to the bot behind again", ids.len(), 2 * kills);
    assert_eq!(counts.keys().copied().collect::<Vec<_>>(), ids, "none is lost");
    assert_eq!(counted(database).await, u64::try_from(ids.len()).unwrap(), "each is counted once");
    assert_eq!(stored(database).await.len(), 101);
    // At most a batch of a hundred is on its way at each kill.
    assert!(twice <= 100 * 2 * kills, "{twice}");
    assert_eq!(quarantined(database).await, 0);
}

fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}
