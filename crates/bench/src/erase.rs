//! The time to erase one of many users, and how long registrations take while a tenth of them is erased.

use std::{collections::BTreeMap, sync::Arc, time::Instant};

use anyhow::{Context, Result, ensure};
use chrono_tz::Tz;
use rollcall_domain::{Clock, Selection, SortKey, SystemClock, UserSort};
use rollcall_repository::DirectoryRepository;
use rollcall_repository_diesel::{Database, DieselUserRepository};
use rollcall_service::UserService;
use tokio::sync::oneshot::error::TryRecvError;

use crate::{
    database::Databases,
    latency::{measure_calls, percentile},
    people,
    statistics::{fill, manage, print_run},
    write::{PEOPLE, register_all},
};

/// The days over which the users join.
const DAYS: &str = "60";
/// How many users are erased alone.
const ALONE: u32 = 200;
/// The users that are erased together.
const TENTH: &str = "random:10%:erased";
/// How often registrations are measured before, for a quarter of a second.
const TURNS_BEFORE: usize = 40;

/// Measures in databases that it fills, or in an existing one, of which a tenth is gone afterwards.
pub(crate) async fn run(databases: &Databases, users: i64, existing: Option<&str>) -> Result<()> {
    if let Some(url) = existing {
        println!("Erasing in {url}");
        return erase(url, users).await;
    }
    for (name, database) in databases.of_each_kind() {
        println!("{name}: erasing of {users} users");
        fill(database.url(), &users.to_string(), DAYS).await?;
        erase(database.url(), users).await?;
    }
    Ok(())
}

async fn erase(url: &str, users: i64) -> Result<()> {
    let store = DieselUserRepository::new(Database::open(url.parse()?).await?);
    let service = UserService::new(store.clone(), SystemClock);
    alone(&store, &service).await?;
    together(url, &service, users).await
}

/// Erases users one by one, as an admin does on the page of a user.
async fn alone(store: &DieselUserRepository, service: &UserService) -> Result<()> {
    let sample =
        Selection::new(&"random:1%:alone".parse()?, &BTreeMap::new(), Tz::UTC, SystemClock.now())?;
    let order = UserSort { key: SortKey::LastSeen, descending: true };
    let page = store.select(&sample, order, None, ALONE).await?;
    let mut took = Vec::new();
    for row in page.rows {
        let begun = Instant::now();
        let erased = service.delete_users(&[row.user.telegram_id]).await?;
        ensure!(erased == 1, "a user is not there");
        took.push(begun.elapsed());
    }
    println!(
        "  one user, {} times: {:.1} ms in the median, {:.1} ms in the 99th percentile (maximum {:.1} ms)",
        took.len(),
        percentile(&mut took, 50) / 1e3,
        percentile(&mut took, 99) / 1e3,
        percentile(&mut took, 100) / 1e3
    );
    Ok(())
}

/// Lets `manage` erase a tenth, while this process registers as a bot does.
async fn together(url: &str, service: &UserService, users: i64) -> Result<()> {
    let people: Arc<[people::Person]> = people::spread(PEOPLE, users).into();
    register_all(service, &people).await?;
    let mut before = Vec::new();
    for _ in 0..TURNS_BEFORE {
        before.extend(measure_calls(service, &people).await?);
    }
    let (end, mut ended) = tokio::sync::oneshot::channel();
    let database = url.to_owned();
    tokio::spawn(async move {
        let erase = ["users", "erase", "--filter", TENTH, "--yes"];
        end.send(manage(&database, &erase).await)
    });
    let mut meanwhile = Vec::new();
    let run = loop {
        match ended.try_recv() {
            Ok(run) => break run?,
            Err(TryRecvError::Empty) => meanwhile.extend(measure_calls(service, &people).await?),
            Err(TryRecvError::Closed) => None.context("manage ended without a result")?,
        }
    };
    print_run(&format!("manage users erase --filter '{TENTH}'"), run);
    println!(
        "  p99 of a thousand registrations a second: {:.1} ms before, {:.1} ms meanwhile (maximum \
         {:.1} ms)",
        percentile(&mut before, 99) / 1e3,
        percentile(&mut meanwhile, 99) / 1e3,
        percentile(&mut meanwhile, 100) / 1e3
    );
    Ok(())
}
