//! Line 1: `get_or_create_user` compared with the limit, from many callers and from a single one.

use std::sync::Arc;

use anyhow::Result;
use rollcall_domain::{Clock, Interaction, InteractionKind, SystemClock};
use rollcall_service::UserService;
use rollcall_testkit::ThrowAwayDatabase;

use crate::{
    database::{Databases, service},
    limit::{BatchContent, Limit},
    people::{self, Person},
    rate::rate,
    report::{Batches, Pairs},
};

/// The number of people.
pub(crate) const PEOPLE: usize = 10_000;
/// The number of concurrent callers.
pub(crate) const CALLERS: usize = 256;

/// From 256 tasks, compared with batches of the same mean size.
pub(crate) async fn many(databases: &Databases, runs: usize, seconds: f64) -> Result<()> {
    for (name, database) in databases.of_each_kind() {
        let (users, people) = crowd(&database).await?;
        // Warm-up.
        call(&users, &people, CALLERS, seconds).await?;
        let title = format!("{name}: get_or_create_user from {CALLERS} tasks");
        let mut pairs = Pairs::new(title, "rows/s");
        for _ in 0..runs {
            let batches = Batches::now();
            let ours = call(&users, &people, CALLERS, seconds).await?;
            let size = Batches::now().mean_since(&batches).round();
            let limit =
                limit(&database, &people, size as usize, BatchContent::UsersAndCounts, seconds)
                    .await?;
            pairs.add(limit, ours, format!("batches of {size}"));
        }
        pairs.print();
    }
    Ok(())
}

/// From a single caller, compared with an upsert of one row.
pub(crate) async fn single(databases: &Databases, runs: usize, seconds: f64) -> Result<()> {
    for (name, database) in databases.of_each_kind() {
        let (users, people) = crowd(&database).await?;
        // Warm-up. It also grows SQLite's log to its final size.
        call(&users, &people, CALLERS, seconds).await?;
        let title = format!("{name}: get_or_create_user from a single caller");
        let mut pairs = Pairs::new(title, "rows/s");
        for _ in 0..runs {
            let ours = call(&users, &people, 1, seconds).await?;
            let limit = limit(&database, &people, 1, BatchContent::Users, seconds).await?;
            pairs.add(limit, ours, String::new());
        }
        pairs.print();
    }
    Ok(())
}

/// A service on a database, with the people that are registered in it.
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
    content: BatchContent,
    seconds: f64,
) -> Result<f64> {
    let (url, people) = (database.url().to_owned(), people.clone());
    let limit = tokio::task::spawn_blocking(move || {
        Limit::open(&url, size, content)?.run(&people, size, seconds)
    });
    limit.await?
}

pub(crate) async fn register_all(users: &UserService, people: &[Person]) -> Result<()> {
    for part in people.chunks(1000) {
        let interaction = |person: &Person| {
            Interaction::new(SystemClock.now(), person.profile().clone(), InteractionKind::Call)
        };
        users.register(&part.iter().map(interaction).collect::<Vec<_>>()).await?;
    }
    Ok(())
}

/// Lets `callers` tasks call for `seconds`, and returns the calls per second.
pub(crate) async fn call(
    users: &UserService,
    people: &Arc<[Person]>,
    callers: usize,
    seconds: f64,
) -> Result<f64> {
    rate(callers, seconds, |calls| {
        let (users, people) = (users.clone(), people.clone());
        async move {
            while calls.go_on() {
                let person = &people[fastrand::usize(..people.len())];
                users.get_or_create_user(person.profile()).await?;
                calls.count();
            }
            Ok(())
        }
    })
    .await
}
