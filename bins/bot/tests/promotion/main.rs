//! Bots go on when a standby of PostgreSQL takes over from its primary, or when one of them is killed:
//! nothing that they confirmed is lost, and nothing is counted twice.
//!
//! By default each story is run once. `ROLLCALL_PROMOTIONS=10 cargo test -p bot --test promotion
//! takes_over -- --nocapture --test-threads=1` repeats those of the standby with other delays, holds them
//! to the times of docs/operations.md, and prints what they took. `ROLLCALL_KILLS=50` sets the number of
//! kills.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

#[macro_use]
#[path = "../running/mod.rs"]
mod running;

mod deliveries;
mod kills;
mod standbys;
mod takes_over;

use std::{collections::BTreeMap, sync::Arc};

use rollcall_repository::ActivityRepository;
use rollcall_repository_diesel::{Database, DieselUserRepository};
use rollcall_testkit::{ThrowAwayDatabase, ThrowAwayServer};

use deliveries::Delivered;

/// Each update is in the database once, and the figures are what a recount gives.
async fn is_exact(server: &ThrowAwayServer, database: &ThrowAwayDatabase, delivered: &Delivered) {
    let of_each_user = server.query(
        database,
        "SELECT telegram_id, day_interactions + COALESCE((SELECT SUM(interactions) FROM active_days \
         WHERE active_days.telegram_id = telegram_users.telegram_id), 0) FROM telegram_users",
    );
    let of_each_user: BTreeMap<i64, i64> = of_each_user
        .lines()
        .map(|line| line.split_once('|').unwrap())
        .map(|(user, interactions)| (user.parse().unwrap(), interactions.parse().unwrap()))
        .collect();
    assert_eq!(of_each_user, delivered.of_each_user(), "each update of each user is counted once");
    let counted =
        server.query(database, "SELECT SUM(value) FROM activity_sums WHERE figure = 'kind'");
    assert_eq!(counted, delivered.updates.to_string(), "everything is counted once");

    let url = server.url_of(database).parse().unwrap();
    let users = DieselUserRepository::new(Database::open_existing(url).await.unwrap());
    let differing = users.recount(false, Arc::new(|_, _| ())).await.unwrap();
    assert_eq!(differing, [], "the figures are what counting everybody gives");
}
