//! Lines 3 and 4: a registration in a large table against one in a small table, with as many people
//! about; and, on PostgreSQL, how many updates were "heap only".

use std::sync::Arc;

use anyhow::Result;
use rollcall_service::UserService;

use crate::{
    database::{Databases, service},
    limit::{Beside, Limit},
    people::{self, Person},
    report::Pairs,
    write::{CALLERS, call},
};

/// How many people are about, in either table.
const PEOPLE: usize = 10_000;
const SMALL: i64 = 10_000;

pub(crate) async fn run(
    databases: &Databases,
    large: i64,
    runs: usize,
    seconds: f64,
) -> Result<()> {
    for ((name, small), (_, big)) in
        databases.of_each_kind().into_iter().zip(databases.of_each_kind())
    {
        let small = Table::filled(small.url(), SMALL).await?;
        let big = Table::filled(big.url(), large).await?;
        println!("  {name}: {large} users are there");
        // To warm up.
        small.call(seconds).await?;
        big.call(seconds).await?;
        let title = format!("{name}: registrations in a table of {SMALL} (limit) and of {large}");
        let mut pairs = Pairs::new(title, "rows/s");
        for _ in 0..runs {
            let (small, big) = (small.call(seconds).await?, big.call(seconds).await?);
            pairs.add(small, big, format!("{:.2} times the cost", small / big));
        }
        pairs.print();
        if name == "PostgreSQL" {
            for table in [&small, &big] {
                table.print_heap_only_updates()?;
            }
        }
    }
    Ok(())
}

struct Table {
    url: String,
    users: UserService,
    people: Arc<[Person]>,
}

impl Table {
    /// A table with so many users, some of whom are about.
    async fn filled(url: &str, users: i64) -> Result<Self> {
        // Migrates it.
        drop(service(url).await?);
        let filled = url.to_owned();
        tokio::task::spawn_blocking(move || Limit::open(&filled, 1, Beside::Nothing)?.fill(users))
            .await??;
        // Opened now, for a connection is made for a database of the size that it finds.
        let service = service(url).await?;
        let people = people::spread(PEOPLE, users).into();
        Ok(Self { url: url.to_owned(), users: service, people })
    }

    async fn call(&self, seconds: f64) -> Result<f64> {
        call(&self.users, &self.people, CALLERS, seconds).await
    }

    /// How many updates of rows needed no index to point at the new version.
    fn print_heap_only_updates(&self) -> Result<()> {
        let told = Limit::open(&self.url, 1, Beside::Nothing)?.heap_only_updates()?;
        println!("  updates, of which heap only, and the share of these: {told}\n");
        Ok(())
    }
}
