//! The cost of a new day: calls that are the first of a user on a day, compared with later calls on
//! the same day.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering::Relaxed},
    },
    time::Instant,
};

use anyhow::Result;
use chrono::{DateTime, TimeDelta, Utc};
use rollcall_domain::Clock;
use rollcall_repository_diesel::{Database, DieselUserRepository};
use rollcall_service::UserService;

use crate::{
    database::Databases,
    people::{self, Person},
    report::Pairs,
    write::{CALLERS, PEOPLE},
};

pub(crate) async fn run(databases: &Databases, runs: usize, seconds: f64) -> Result<()> {
    for (name, database) in databases.of_each_kind() {
        let database = Database::open(database.url().parse()?).await?;
        database.migrate().await?;
        let days = Days(Arc::default());
        let users = UserService::new(DieselUserRepository::new(database), days.clone());
        let people: Arc<[Person]> = people::spread(PEOPLE, PEOPLE as i64).into();
        everyone_calls(&users, &people).await?;
        let mut pairs = Pairs::new(format!("{name}: the first call of a day"), "rows/s");
        for _ in 0..runs {
            let first = rounds(&users, &people, seconds, || days.next()).await?;
            let another = rounds(&users, &people, seconds, || {}).await?;
            pairs.add(another, first, String::new());
        }
        pairs.print();
    }
    Ok(())
}

/// A clock at noon, this number of days after 2020-01-01.
#[derive(Clone)]
struct Days(Arc<AtomicI64>);

impl Days {
    fn next(&self) {
        self.0.fetch_add(1, Relaxed);
    }
}

impl Clock for Days {
    fn now(&self) -> DateTime<Utc> {
        DateTime::from_timestamp(1_577_880_000, 0).unwrap_or_default()
            + TimeDelta::days(self.0.load(Relaxed))
    }
}

/// Lets everyone call once per round, for about `seconds`, and returns the calls per second.
async fn rounds(
    users: &UserService,
    people: &Arc<[Person]>,
    seconds: f64,
    before_each: impl Fn(),
) -> Result<f64> {
    let (begun, mut calls) = (Instant::now(), 0);
    while begun.elapsed().as_secs_f64() < seconds {
        before_each();
        everyone_calls(users, people).await?;
        calls += people.len();
    }
    Ok(calls as f64 / begun.elapsed().as_secs_f64())
}

async fn everyone_calls(users: &UserService, people: &Arc<[Person]>) -> Result<()> {
    let tasks: Vec<_> = (0..CALLERS)
        .map(|first| {
            let (users, people) = (users.clone(), people.clone());
            tokio::spawn(async move {
                for person in people.iter().skip(first).step_by(CALLERS) {
                    users.get_or_create_user(person.profile()).await?;
                }
                anyhow::Ok(())
            })
        })
        .collect();
    for task in tasks {
        task.await??;
    }
    Ok(())
}
