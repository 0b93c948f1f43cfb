//! Line 1: `get_or_create_user` against the limit, from many callers at once and from one alone.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use anyhow::Result;
use rollcall_domain::{Clock, Interaction, InteractionKind, SystemClock};
use rollcall_service::UserService;
use rollcall_testkit::ThrowAwayDatabase;

use crate::{
    database::{Databases, service},
    limit::{Beside, Limit},
    people::{self, Person},
    report::{Batches, Pairs},
};

/// How many people there are.
pub(crate) const PEOPLE: usize = 10_000;
/// How many call at once.
pub(crate) const CALLERS: usize = 256;

/// From 256 tasks, against batches of the same mean size.
pub(crate) async fn many(databases: &Databases, runs: usize, seconds: f64) -> Result<()> {
    for (name, database) in databases.of_each_kind() {
        let (users, people) = crowd(&database).await?;
        // To warm up, and to learn the size of the batches.
        call(&users, &people, CALLERS, seconds).await?;
        let title = format!("{name}: get_or_create_user from {CALLERS} tasks");
        let mut pairs = Pairs::new(title, "rows/s");
        for _ in 0..runs {
            let batches = Batches::now();
            let ours = call(&users, &people, CALLERS, seconds).await?;
            let size = Batches::now().mean_since(&batches).round();
            let limit = limit(&database, &people, size as usize, Beside::Counts, seconds).await?;
            pairs.add(limit, ours, format!("batches of {size}"));
        }
        pairs.print();
    }
    Ok(())
}

/// From a single caller, against an upsert of one row.
pub(crate) async fn single(databases: &Databases, runs: usize, seconds: f64) -> Result<()> {
    for (name, database) in databases.of_each_kind() {
        let (users, people) = crowd(&database).await?;
        // To warm up, and to have SQLite's log written over instead of grown, as in the long run.
        call(&users, &people, CALLERS, seconds).await?;
        let title = format!("{name}: get_or_create_user from a single caller");
        let mut pairs = Pairs::new(title, "rows/s");
        for _ in 0..runs {
            let ours = call(&users, &people, 1, seconds).await?;
            let limit = limit(&database, &people, 1, Beside::Nothing, seconds).await?;
            pairs.add(limit, ours, String::new());
        }
        pairs.print();
    }
    Ok(())
}

/// A service on a database that knows everybody.
pub(crate) async fn crowd(database: &ThrowAwayDatabase) -> Result<(UserService, Arc<[Person]>)> {
    let users = service(database.url()).await?;
    let people: Arc<[Person]> = people::spread(PEOPLE, PEOPLE as i64).into();
    register_all(&users, &people).await?;
    Ok((users, people))
}

async fn limit(
    database: &ThrowAwayDatabase,
    people: &Arc<[Person]>,
    size: usize,
    beside: Beside,
    seconds: f64,
) -> Result<f64> {
    let (url, people) = (database.url().to_owned(), people.clone());
    let limit = tokio::task::spawn_blocking(move || {
        Limit::open(&url, size, beside)?.run(&people, size, seconds)
    });
    limit.await?
}

async fn register_all(users: &UserService, people: &[Person]) -> Result<()> {
    for part in people.chunks(1000) {
        let interaction = |person: &Person| {
            Interaction::new(SystemClock.now(), person.profile().clone(), InteractionKind::Call)
        };
        users.register(&part.iter().map(interaction).collect::<Vec<_>>()).await?;
    }
    Ok(())
}

/// Has so many tasks call for so many seconds; answers how many calls a second were answered.
pub(crate) async fn call(
    users: &UserService,
    people: &Arc<[Person]>,
    callers: usize,
    seconds: f64,
) -> Result<f64> {
    let (stop, answered) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let begun = Instant::now();
    let tasks: Vec<_> = (0..callers)
        .map(|_| {
            let (users, people) = (users.clone(), people.clone());
            let (stop, answered) = (stop.clone(), answered.clone());
            tokio::spawn(async move {
                while !stop.load(Relaxed) {
                    let person = &people[fastrand::usize(..people.len())];
                    users.get_or_create_user(person.profile()).await?;
                    answered.fetch_add(1, Relaxed);
                }
                anyhow::Ok(())
            })
        })
        .collect();
    tokio::time::sleep(Duration::from_secs_f64(seconds)).await;
    let rate = answered.load(Relaxed) as f64 / begun.elapsed().as_secs_f64();
    stop.store(true, Relaxed);
    for task in tasks {
        task.await??;
    }
    Ok(rate)
}
