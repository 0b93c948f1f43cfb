//! Lines 3 and 4: registration in a large table compared with a small one, with the same number of
//! active people; and, on PostgreSQL, the number of heap-only updates.

use std::sync::Arc;

use anyhow::Result;
use rollcall_service::UserService;

use crate::{
    database::{Databases, service},
    limit::{BatchContent, Limit},
    people::{self, Person},
    report::Pairs,
    write::{CALLERS, call},
};

/// The number of active people in either table.
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
        println!("  {name}: added {large} users");
        // Warm-up.
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
    /// A table with this many users, some of them active.
    async fn filled(url: &str, users: i64) -> Result<Self> {
        // Migrates the database.
        drop(service(url).await?);
        let filled = url.to_owned();
        tokio::task::spawn_blocking(move || {
            Limit::open(&filled, 1, BatchContent::Users)?.fill(users)
        })
        .await??;
        // Opened after filling, because a connection is configured for the size of the database.
        let service = service(url).await?;
        let people = people::spread(PEOPLE, users).into();
        Ok(Self { url: url.to_owned(), users: service, people })
    }

    async fn call(&self, seconds: f64) -> Result<f64> {
        call(&self.users, &self.people, CALLERS, seconds).await
    }

    /// Prints how many updates did not change an index.
    fn print_heap_only_updates(&self) -> Result<()> {
        let counts = Limit::open(&self.url, 1, BatchContent::Users)?.heap_only_updates()?;
        println!("  updates, heap-only updates, and their share: {counts}\n");
        Ok(())
    }
}
