//! Three bots share a PostgreSQL server, and each is killed at random moments.

use std::{
    collections::hash_map::RandomState,
    hash::{BuildHasher, Hasher},
    time::{Duration, Instant},
};

use rollcall_simulator::Simulator;
use rollcall_testkit::ThrowAwayServer;
use tokio::{task::block_in_place, time::sleep};

use crate::{
    deliveries::{Deliveries, Hook},
    is_exact,
};

const CONNECTIONS: usize = 40;
/// The longest time between two kills, in milliseconds.
const LONGEST_LIFE_MS: u64 = 1000;

#[tokio::test(flavor = "multi_thread")]
async fn others_go_on_when_a_bot_is_killed() {
    let Some(server) = block_in_place(ThrowAwayServer::start) else { return };
    let kills = std::env::var("ROLLCALL_KILLS").map_or(6, |kills| kills.parse().unwrap());
    let telegram = Simulator::start().await.unwrap();
    let database = server.database();
    let place = (&database, database.url());
    let hooks = [Hook::new().await, Hook::new().await, Hook::new().await];
    let mut bots = Vec::new();
    for hook in &hooks {
        bots.push(hook.start(&telegram, place).await);
    }
    let deliveries = Deliveries::start(&hooks, CONNECTIONS);
    deliveries.each_confirms(100, Instant::now()).await;
    for kill in 0..kills {
        sleep(Duration::from_millis(random() % LONGEST_LIFE_MS)).await;
        // Each of them in turn, so that one that begins is killed, too.
        let victim = kill % hooks.len();
        bots[victim].kill().await;
        bots[victim] = hooks[victim].launch(&telegram, place);
    }
    deliveries.each_confirms(100, Instant::now()).await;
    let delivered = deliveries.finish().await;
    println!(
        "{kills} kills, {} updates, {} deliveries not confirmed",
        delivered.updates, delivered.repeated
    );
    assert!(delivered.repeated > 0, "no kill met a delivery");
    for bot in bots {
        bot.terminate().await;
    }
    is_exact(&server, &database, &delivered).await;
}

fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}
