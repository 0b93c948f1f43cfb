//! Line 5: how long `get_or_create_user` takes while calls arrive evenly, against single durable
//! commits at the same pace.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::Result;
use rollcall_service::UserService;
use tokio::{runtime::Handle, task::JoinSet};

use crate::{
    database::Databases,
    limit::{Beside, Limit, now},
    people::Person,
    report::Pairs,
    write::crowd,
};

/// How many calls arrive in a second.
const A_SECOND: f64 = 1000.0;

pub(crate) async fn run(databases: &Databases, runs: usize, seconds: f64) -> Result<()> {
    for (name, database) in databases.of_each_kind() {
        let (users, people) = crowd(&database).await?;
        called(&users, &people, seconds).await?;
        let title = format!("{name}: p99 of get_or_create_user at {A_SECOND} a second");
        let mut pairs = Pairs::new(title, "µs");
        for _ in 0..runs {
            let ours = called(&users, &people, seconds).await?;
            let (url, people) = (database.url().to_owned(), people.clone());
            let limit = tokio::task::spawn_blocking(move || committed(&url, &people, seconds));
            pairs.add(limit.await??, ours, String::new());
        }
        pairs.print();
    }
    Ok(())
}

/// The 99th percentile of calls that arrive evenly, in microseconds.
async fn called(users: &UserService, people: &Arc<[Person]>, seconds: f64) -> Result<f64> {
    let (users, people) = (users.clone(), people.clone());
    let runtime = Handle::current();
    let mut calls = tokio::task::spawn_blocking(move || {
        let mut calls = JoinSet::new();
        evenly(seconds, || {
            let (users, people) = (users.clone(), people.clone());
            let call = async move {
                let begun = Instant::now();
                let person = &people[fastrand::usize(..people.len())];
                users.get_or_create_user(person.profile()).await.map(|_| begun.elapsed())
            };
            calls.spawn_on(call, &runtime);
            Ok(())
        })?;
        anyhow::Ok(calls)
    })
    .await??;
    let mut took = Vec::new();
    while let Some(call) = calls.join_next().await {
        took.push(call??);
    }
    Ok(p99(took))
}

/// The 99th percentile of durable commits of one row each, at the same pace, in microseconds.
fn committed(url: &str, people: &[Person], seconds: f64) -> Result<f64> {
    let mut limit = Limit::open(url, 1, Beside::Nothing)?;
    let mut took = Vec::new();
    evenly(seconds, || {
        let person = &people[fastrand::usize(..people.len())];
        let begun = Instant::now();
        limit.write(&[person], &now())?;
        took.push(begun.elapsed());
        Ok(())
    })?;
    Ok(p99(took))
}

/// Does something a thousand times a second. The timers of tokio are too coarse for that.
fn evenly(seconds: f64, mut act: impl FnMut() -> Result<()>) -> Result<()> {
    let begun = Instant::now();
    for n in 0..(seconds * A_SECOND) as u32 {
        let due = Duration::from_secs_f64(f64::from(n) / A_SECOND);
        std::thread::sleep(due.saturating_sub(begun.elapsed()));
        act()?;
    }
    Ok(())
}

fn p99(mut took: Vec<Duration>) -> f64 {
    took.sort_unstable();
    took[took.len() * 99 / 100].as_secs_f64() * 1e6
}
