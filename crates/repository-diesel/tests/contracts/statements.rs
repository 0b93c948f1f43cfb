//! The lists of the statements for PostgreSQL and for Citus have every one that the contracts send.
//!
//! `ROLLCALL_UPDATE_STATEMENTS=1 cargo test -p rollcall-repository-diesel --test contracts` adds those that
//! it lacks. Empty the file first to drop those that nothing sends any more.

use std::{
    collections::BTreeSet,
    fs,
    sync::{LazyLock, Mutex, PoisonError},
};

use diesel::connection::{Instrumentation, InstrumentationEvent};

const PLAIN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/base/statements.sql");
const DISTRIBUTED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/base/statements-citus.sql");

type Listed = LazyLock<Mutex<BTreeSet<String>>>;
static LISTED: Listed = LazyLock::new(|| listed(PLAIN));
static LISTED_DISTRIBUTED: Listed = LazyLock::new(|| listed(DISTRIBUTED));

fn listed(file: &str) -> Mutex<BTreeSet<String>> {
    let listed = fs::read_to_string(file).unwrap();
    Mutex::new(listed.lines().map(str::to_owned).collect())
}

/// What watches a new connection.
pub(super) fn watch() -> Option<Box<dyn Instrumentation>> {
    // A connection to a distributed database asks for this once it is open.
    Some(Box::new(Watch(Database::Distributed)))
}

struct Watch(Database);

enum Database {
    Sqlite,
    Plain,
    Distributed,
}

impl Instrumentation for Watch {
    fn on_connection_event(&mut self, event: InstrumentationEvent<'_>) {
        match event {
            InstrumentationEvent::StartEstablishConnection { url, .. } => {
                let is_postgres = url.starts_with("postgres");
                self.0 = if is_postgres { Database::Plain } else { Database::Sqlite };
            }
            // What stays prepared: all but what is composed, such as the lists of the directory.
            InstrumentationEvent::CacheQuery { sql, .. } => self.check(sql),
            InstrumentationEvent::StartQuery { query, .. } => {
                let sql = query.to_string();
                let sql = sql.split(" -- binds: ").next().unwrap();
                if sql.starts_with("LOCK") {
                    self.check(sql);
                }
            }
            _ => {}
        }
    }
}

impl Watch {
    fn check(&self, sql: &str) {
        match self.0 {
            Database::Sqlite => {}
            Database::Plain => check(PLAIN, &LISTED, sql),
            Database::Distributed => check(DISTRIBUTED, &LISTED_DISTRIBUTED, sql),
        }
    }
}

fn check(file: &str, listed: &Listed, sql: &str) {
    let line = sql.split_whitespace().collect::<Vec<_>>().join(" ");
    // Diesel's own, of migrations.
    if line.contains("__diesel_schema_migrations") {
        return;
    }
    let mut listed = listed.lock().unwrap_or_else(PoisonError::into_inner);
    if listed.contains(&line) {
        return;
    }
    assert!(
        std::env::var("ROLLCALL_UPDATE_STATEMENTS").as_deref() == Ok("1"),
        "{file} lacks a statement, see {}: {line}",
        file!()
    );
    listed.insert(line);
    let lines: String = listed.iter().flat_map(|line| [line, "\n"]).collect();
    fs::write(file, lines).unwrap();
}
