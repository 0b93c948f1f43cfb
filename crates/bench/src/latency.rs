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
    write::{CALLERS, call, crowd},
};

/// How many calls arrive in a second.
const A_SECOND: f64 = 1000.0;

/// How long calls and commits take turns. What the machine does beside, such as a pause of its disk,
/// is to meet both.
const TURN_SECONDS: f64 = 0.25;

pub(crate) async fn run(databases: &Databases, runs: usize, seconds: f64) -> Result<()> {
    for (name, database) in databases.of_each_kind() {
        let (users, people) = crowd(&database).await?;
        // To warm up, and to have SQLite's log written over instead of grown, as it is in the long
        // run: a commit that makes the file longer takes twice as long.
        call(&users, &people, CALLERS, seconds).await?;
        let mut limit = Limit::open(database.url(), 1, Beside::Nothing)?;
        let title = format!("{name}: p99 of get_or_create_user at {A_SECOND} a second");
        let mut pairs = Pairs::new(title, "µs");
        for _ in 0..runs {
            let (mut ours, mut alone) = (Vec::new(), Vec::new());
            for _ in 0..(seconds / TURN_SECONDS).ceil() as u32 {
                ours.extend(called(&users, &people).await?);
                let people = people.clone();
                let turn = tokio::task::spawn_blocking(move || {
                    let took = committed(&mut limit, &people)?;
                    anyhow::Ok((took, limit))
                });
                let (took, back) = turn.await??;
                limit = back;
                alone.extend(took);
            }
            let medians = format!(
                "medians {:.0} and {:.0}",
                percentile(&mut alone, 50),
                percentile(&mut ours, 50)
            );
            pairs.add(percentile(&mut alone, 99), percentile(&mut ours, 99), medians);
        }
        pairs.print();
    }
    Ok(())
}

/// How long calls that arrive evenly take, for a turn.
async fn called(users: &UserService, people: &Arc<[Person]>) -> Result<Vec<Duration>> {
    let (users, people) = (users.clone(), people.clone());
    let runtime = Handle::current();
    let mut calls = tokio::task::spawn_blocking(move || {
        let mut calls = JoinSet::new();
        evenly(|| {
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
    Ok(took)
}

/// How long durable commits of one row each take, at the same pace and for a turn.
fn committed(limit: &mut Limit, people: &[Person]) -> Result<Vec<Duration>> {
    let mut took = Vec::new();
    evenly(|| {
        let person = &people[fastrand::usize(..people.len())];
        let begun = Instant::now();
        limit.write(&[person], &now())?;
        took.push(begun.elapsed());
        Ok(())
    })?;
    Ok(took)
}

/// Does something a thousand times a second, for a turn. The timers of tokio are too coarse for that.
fn evenly(mut act: impl FnMut() -> Result<()>) -> Result<()> {
    let begun = Instant::now();
    for n in 0..(TURN_SECONDS * A_SECOND) as u32 {
        let due = Duration::from_secs_f64(f64::from(n) / A_SECOND);
        std::thread::sleep(due.saturating_sub(begun.elapsed()));
        act()?;
    }
    Ok(())
}

/// What so many of a hundred do not exceed, in microseconds.
fn percentile(took: &mut [Duration], percent: usize) -> f64 {
    took.sort_unstable();
    took[took.len() * percent / 100].as_secs_f64() * 1e6
}
