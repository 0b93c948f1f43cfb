//! Line 5: the latency of `get_or_create_user` at a steady rate of calls, compared with single
//! durable commits at the same rate.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::Result;
use rollcall_service::UserService;
use tokio::{runtime::Handle, task::JoinSet};

use crate::{
    database::Databases,
    limit::{BatchContent, Limit, now},
    people::Person,
    report::Pairs,
    write::{CALLERS, call, crowd},
};

/// The number of calls per second.
const CALLS_PER_SECOND: f64 = 1000.0;

/// The length of a turn. Calls and commits alternate, so that other work of the machine, such as a
/// pause of its disk, affects both.
const TURN_SECONDS: f64 = 0.25;

pub(crate) async fn run(databases: &Databases, runs: usize, seconds: f64) -> Result<()> {
    for (name, database) in databases.of_each_kind() {
        let (users, people) = crowd(&database).await?;
        // Warm-up. It also grows SQLite's log to its final size: a commit that extends the file takes
        // twice as long.
        call(&users, &people, CALLERS, seconds).await?;
        let mut limit = Limit::open(database.url(), 1, BatchContent::Users)?;
        let title =
            format!("{name}: p99 of get_or_create_user at {CALLS_PER_SECOND} calls per second");
        let mut pairs = Pairs::new(title, "µs");
        for _ in 0..runs {
            let (mut ours, mut alone) = (Vec::new(), Vec::new());
            for _ in 0..(seconds / TURN_SECONDS).ceil() as u32 {
                ours.extend(measure_calls(&users, &people).await?);
                let people = people.clone();
                let turn = tokio::task::spawn_blocking(move || {
                    let took = measure_commits(&mut limit, &people)?;
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

/// The latencies of calls at the steady rate, for one turn.
pub(crate) async fn measure_calls(
    users: &UserService,
    people: &Arc<[Person]>,
) -> Result<Vec<Duration>> {
    let (users, people) = (users.clone(), people.clone());
    measure(CALLS_PER_SECOND, TURN_SECONDS, move || {
        let (users, people) = (users.clone(), people.clone());
        async move {
            let person = &people[fastrand::usize(..people.len())];
            users.get_or_create_user(person.profile()).await?;
            Ok(())
        }
    })
    .await
}

/// The latencies of what `call` does, begun `per_second` times a second for `seconds`, also while earlier
/// ones are not finished.
pub(crate) async fn measure<F>(
    per_second: f64,
    seconds: f64,
    call: impl Fn() -> F + Send + 'static,
) -> Result<Vec<Duration>>
where
    F: Future<Output = Result<()>> + Send + 'static,
{
    let runtime = Handle::current();
    let mut calls = tokio::task::spawn_blocking(move || {
        let mut calls = JoinSet::new();
        at_steady_rate(per_second, seconds, || {
            let call = call();
            let timed = async move {
                let begun = Instant::now();
                call.await.map(|()| begun.elapsed())
            };
            calls.spawn_on(timed, &runtime);
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

/// The latencies of durable commits of one row at the same rate, for one turn.
fn measure_commits(limit: &mut Limit, people: &[Person]) -> Result<Vec<Duration>> {
    let mut took = Vec::new();
    at_steady_rate(CALLS_PER_SECOND, TURN_SECONDS, || {
        let person = &people[fastrand::usize(..people.len())];
        let begun = Instant::now();
        limit.write(&[person], &now())?;
        took.push(begun.elapsed());
        Ok(())
    })?;
    Ok(took)
}

/// Calls `act` at a steady rate for some seconds. Tokio's timers are too coarse for this.
fn at_steady_rate(
    per_second: f64,
    seconds: f64,
    mut act: impl FnMut() -> Result<()>,
) -> Result<()> {
    let begun = Instant::now();
    for n in 0..(seconds * per_second) as u32 {
        let due = Duration::from_secs_f64(f64::from(n) / per_second);
        std::thread::sleep(due.saturating_sub(begun.elapsed()));
        act()?;
    }
    Ok(())
}

/// A percentile, in microseconds.
pub(crate) fn percentile(took: &mut [Duration], percent: usize) -> f64 {
    took.sort_unstable();
    took[(took.len() * percent / 100).min(took.len() - 1)].as_secs_f64() * 1e6
}
