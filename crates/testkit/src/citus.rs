//! Databases on a cluster of Citus that was set up before: its coordinator is named by `ROLLCALL_CITUS_URL`.

use std::{
    process::Command,
    sync::atomic::{AtomicU32, Ordering},
};

/// The environment variable with the URL of a database on the coordinator, whose workers it knows. Its user may
/// create databases and the extension. The nodes take connections without a password.
const VARIABLE: &str = "ROLLCALL_CITUS_URL";

/// A database on all nodes. It is deleted with this value.
#[derive(Debug)]
pub(crate) struct CitusDatabase {
    name: String,
    /// The coordinator, and then its workers.
    nodes: Vec<Node>,
}

#[derive(Debug)]
struct Node {
    host: String,
    port: String,
}

impl CitusDatabase {
    /// An empty database with the extension, not distributed; `None` if no coordinator is named.
    pub(crate) fn create() -> Option<Self> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let known = std::env::var(VARIABLE).ok().filter(|url| !url.is_empty())?;
        let nodes = psql(
            &known,
            "SELECT nodename || ' ' || nodeport FROM pg_dist_node WHERE noderole = 'primary' \
             ORDER BY groupid",
        );
        let nodes: Vec<Node> = nodes
            .lines()
            .map(|line| {
                let (host, port) = line.split_once(' ').expect("host and port");
                Node { host: host.to_owned(), port: port.to_owned() }
            })
            .collect();
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("rollcall_test_{}_{number}", std::process::id());
        let database = Self { name, nodes };
        for node in &database.nodes {
            let create = format!(
                "SET citus.enable_create_database_propagation = off; \
                 CREATE DATABASE {} TEMPLATE template0",
                database.name
            );
            psql_each(&node.url("postgres"), &create);
            psql(&node.url(&database.name), "CREATE EXTENSION citus");
        }
        let [coordinator, workers @ ..] = database.nodes.as_slice() else {
            panic!("{VARIABLE} names no coordinator with workers")
        };
        let Node { host, port } = coordinator;
        psql(&database.url(), &format!("SELECT citus_set_coordinator_host('{host}', {port})"));
        for Node { host, port } in workers {
            psql(&database.url(), &format!("SELECT citus_add_node('{host}', {port})"));
        }
        Some(database)
    }

    /// The URLs of the database, by its servers.
    pub(crate) fn urls(&self) -> Vec<String> {
        self.nodes.iter().map(|node| node.url(&self.name)).collect()
    }

    /// The URL of the database on the coordinator.
    pub(crate) fn url(&self) -> String {
        self.nodes.first().expect("a coordinator").url(&self.name)
    }
}

impl Drop for CitusDatabase {
    fn drop(&mut self) {
        for node in &self.nodes {
            let drop = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
            psql_each(
                &node.url("postgres"),
                &format!("SET citus.enable_create_database_propagation = off; {drop}"),
            );
        }
    }
}

impl Node {
    fn url(&self, database: &str) -> String {
        format!("postgres://postgres@{}:{}/{database}", self.host, self.port)
    }
}

/// Executes SQL, and returns the rows.
fn psql(url: &str, sql: &str) -> String {
    run(url, &[sql])
}

/// Executes each statement by itself, outside a transaction.
fn psql_each(url: &str, statements: &str) -> String {
    run(url, &statements.split("; ").collect::<Vec<_>>())
}

fn run(url: &str, statements: &[&str]) -> String {
    let mut command = Command::new("psql");
    command.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", url]);
    for statement in statements {
        command.args(["-c", statement]);
    }
    let output = command.output().expect("psql can be started");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8")
}
