use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use tempfile::{NamedTempFile, TempDir};

use crate::{
    citus::CitusDatabase,
    cluster::Cluster,
    network::Machine,
    optional::OptionalServer,
    pooler::{OtherProgram, Pooler},
};

const POSTGRES: OptionalServer =
    OptionalServer { name: "PostgreSQL", variable: "ROLLCALL_REQUIRE_POSTGRES" };
const PGBOUNCER: OptionalServer =
    OptionalServer { name: "PgBouncer", variable: "ROLLCALL_REQUIRE_PGBOUNCER" };

/// A database of one test, empty at first. It is deleted with this value or with the test's process.
#[derive(Debug)]
pub struct ThrowAwayDatabase {
    url: String,
    /// The SQLite file's folder. A PostgreSQL database is deleted with its cluster.
    folder: Option<TempDir>,
    /// A database of Citus, which is deleted with this value.
    citus: Option<CitusDatabase>,
}

impl ThrowAwayDatabase {
    /// A SQLite file in a temporary folder.
    pub fn sqlite() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be created");
        let url = format!("sqlite://{}", folder.path().join("rollcall.db").display());
        Self { url, folder: Some(folder), citus: None }
    }

    /// A database on a PostgreSQL server that this process starts once. `None` if PostgreSQL could
    /// not be started; a line on the standard error, which no test runner captures, says so.
    ///
    /// # Panics
    /// If PostgreSQL could not be started and `ROLLCALL_REQUIRE_POSTGRES` is 1.
    pub fn postgres() -> Option<Self> {
        let cluster = POSTGRES.or_skipped(Cluster::of_this_process())?;
        Some(Self::on(cluster))
    }

    /// A database of Citus, not distributed yet. `None` if `ROLLCALL_CITUS_URL` names no coordinator.
    ///
    /// # Panics
    /// If the cluster refuses.
    pub fn citus() -> Option<Self> {
        let citus = CitusDatabase::create()?;
        Some(Self { url: citus.url(), folder: None, citus: Some(citus) })
    }

    /// The URLs of a database of Citus, by its servers: the coordinator and then its workers.
    pub fn nodes(&self) -> Vec<String> {
        self.citus.as_ref().map(CitusDatabase::urls).unwrap_or_default()
    }

    /// The PostgreSQL database of a contract: one of Citus, if `ROLLCALL_CITUS_URL` names a coordinator, and
    /// else that of [`ThrowAwayDatabase::postgres`].
    ///
    /// # Panics
    /// As that, and if the cluster refuses.
    pub fn of_contract() -> Option<Self> {
        Self::citus().or_else(Self::postgres)
    }

    /// An empty database on a server.
    fn on(cluster: &Cluster) -> Self {
        let url = cluster.url(&cluster.create_database());
        Self { url, folder: None, citus: None }
    }

    /// One database of each available kind; see [`ThrowAwayDatabase::postgres`].
    pub fn of_each_kind() -> Vec<Self> {
        [Some(Self::sqlite()), Self::postgres()].into_iter().flatten().collect()
    }

    /// The URL for the setting `DATABASE_URL`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// A dump of a PostgreSQL database, which [`ThrowAwayDatabase::restore`] reads. A pooler in front of
    /// it is passed by.
    ///
    /// # Panics
    /// If this is no database of the server of this process, or its programs fail.
    pub fn dump(&self) -> NamedTempFile {
        let file = NamedTempFile::new().expect("a temporary file can be created");
        let cluster = Cluster::of_this_process().expect("the cluster is running");
        cluster.dump(self.name(), file.path());
        file
    }

    /// Replaces the tables by those of a dump.
    ///
    /// # Panics
    /// As [`ThrowAwayDatabase::dump`].
    pub fn restore(&self, dump: &NamedTempFile) {
        let cluster = Cluster::of_this_process().expect("the cluster is running");
        cluster.restore(self.name(), dump.path());
    }

    /// A copy of a PostgreSQL database that is not in use, by `CREATE DATABASE … TEMPLATE`.
    ///
    /// # Panics
    /// As [`ThrowAwayDatabase::dump`].
    pub fn cloned(&self) -> Self {
        let cluster = Cluster::of_this_process().expect("the cluster is running");
        Self { url: cluster.url(&cluster.clone_database(self.name())), folder: None, citus: None }
    }

    /// The name of a PostgreSQL database.
    fn name(&self) -> &str {
        let name = self.url.strip_prefix("postgres:///").and_then(|it| it.split('?').next());
        name.expect("a PostgreSQL database")
    }

    /// The SQLite file; `None` for PostgreSQL.
    pub fn file(&self) -> Option<PathBuf> {
        self.folder.as_ref().map(|folder| folder.path().join("rollcall.db"))
    }
}

/// How long a server may take to do what a test asked it for.
const PATIENCE: Duration = Duration::from_secs(60);

/// A PostgreSQL server of one test, which may stop and start it. It is deleted with this value.
#[derive(Debug)]
pub struct ThrowAwayServer(Cluster);

impl ThrowAwayServer {
    /// A running server; `None` and panics are as for [`ThrowAwayDatabase::postgres`].
    pub fn start() -> Option<Self> {
        POSTGRES.or_skipped(Cluster::not_durable()).map(Self)
    }

    /// A running server on a machine, which can be reached at its address, too; `None` and panics are as
    /// for [`ThrowAwayDatabase::postgres`].
    pub fn start_on(machine: &Machine) -> Option<Self> {
        POSTGRES.or_skipped(Cluster::on(machine)).map(Self)
    }

    /// A running server for benchmarks: commits are on the disk when they return.
    ///
    /// # Errors
    /// If PostgreSQL is not installed, or does not start.
    pub fn durable() -> Result<Self, String> {
        Cluster::durable().map(Self)
    }

    /// Creates an empty database.
    pub fn database(&self) -> ThrowAwayDatabase {
        ThrowAwayDatabase::on(&self.0)
    }

    /// A streaming standby of this server, which has the same databases and can be read. It replays
    /// what this server writes as soon as it arrives. Delay that by
    /// `standby.set("recovery_min_apply_delay", "25ms")`, and let commits wait for it by
    /// [`ThrowAwayServer::await_standbys`].
    ///
    /// # Panics
    /// If it does not start.
    #[must_use]
    pub fn standby(&self) -> Self {
        Self(self.0.standby().expect("a standby starts"))
    }

    /// A standby of this server, as [`ThrowAwayServer::standby`], on a machine. If this server is on a
    /// machine, the standby reaches it over the network.
    ///
    /// # Panics
    /// If it does not start.
    #[must_use]
    pub fn standby_on(&self, machine: &Machine) -> Self {
        Self(self.0.standby_on(machine).expect("a standby starts"))
    }

    /// Lets each commit wait until `number` standbys have replayed it (`synchronous_standby_names`, and
    /// `synchronous_commit = remote_apply`); 0 ends that.
    ///
    /// # Panics
    /// If the server does not answer.
    pub fn await_standbys(&self, number: u32) {
        self.set("synchronous_commit", "remote_apply");
        let names = if number == 0 { String::new() } else { format!("ANY {number} (*)") };
        self.set("synchronous_standby_names", &names);
        let waited_for = "SELECT COUNT(*) FROM pg_stat_replication WHERE sync_state = 'quorum'";
        self.until(waited_for, &number.to_string());
    }

    /// Changes a setting of the running server, also for connections that exist.
    ///
    /// # Panics
    /// If the server does not answer, or refuses.
    pub fn set(&self, name: &str, value: &str) {
        self.0.query("postgres", &format!("ALTER SYSTEM SET {name} = '{value}'"));
        self.0.query("postgres", "SELECT pg_reload_conf()");
        self.until(&format!("SHOW {name}"), value);
    }

    /// Makes a primary of this standby, and returns once it can be written.
    ///
    /// # Panics
    /// If it is no standby.
    pub fn promote(&self) {
        self.0.promote();
    }

    /// Waits until a standby has replayed all that this server has written so far.
    ///
    /// # Panics
    /// If that takes longer than a minute.
    pub fn await_replay(&self, standby: &Self) {
        let written = self.0.query("postgres", "SELECT pg_current_wal_flush_lsn()");
        standby.until(&format!("SELECT pg_last_wal_replay_lsn() >= '{written}'"), "t");
    }

    /// Waits until a query has this answer.
    fn until(&self, sql: &str, answer: &str) {
        let begun = Instant::now();
        loop {
            let last = self.0.query("postgres", sql);
            if last == answer {
                return;
            }
            assert!(begun.elapsed() < PATIENCE, "{sql}: {last}, not {answer}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// The answer of this server's psql to a statement in a database: a line for each row, with `|`
    /// between columns.
    ///
    /// # Panics
    /// If the server does not answer, or refuses.
    pub fn query(&self, database: &ThrowAwayDatabase, sql: &str) -> String {
        self.0.query(database.name(), sql)
    }

    /// The URL of a database on this server; that of its primary has the same name.
    pub fn url_of(&self, database: &ThrowAwayDatabase) -> String {
        self.0.url(database.name())
    }

    /// The host of this server in a URL: a folder.
    pub fn host(&self) -> &str {
        self.0.folder()
    }

    /// Ends all processes of the server at once by a signal that they cannot handle.
    pub fn kill(&self) {
        self.0.kill();
    }

    /// Stops the server like a crash of its machine: connections are cut.
    pub fn stop(&self) {
        self.0.stop();
    }

    /// Starts the server again.
    pub fn restart(&self) {
        self.0.restart();
    }

    /// Stops all processes of the server without ending them: connections stay, and nobody answers.
    pub fn freeze(&self) {
        self.0.signal("STOP");
    }

    /// Lets a frozen server go on.
    pub fn thaw(&self) {
        self.0.signal("CONT");
    }
}

/// A database on the PostgreSQL server of this process, behind a separate PgBouncer.
#[derive(Debug)]
pub struct PooledDatabase {
    pooler: Pooler,
    other_program: Option<OtherProgram>,
    database: ThrowAwayDatabase,
}

impl PooledDatabase {
    /// An empty database behind PgBouncer in transaction mode. Another program has changed settings
    /// and prepared statements in the few sessions that PgBouncer shares. `None` as for
    /// [`ThrowAwayDatabase::postgres`], and if PgBouncer could not be started.
    ///
    /// # Panics
    /// As [`ThrowAwayDatabase::postgres`], and likewise for PgBouncer with
    /// `ROLLCALL_REQUIRE_PGBOUNCER`.
    pub fn start() -> Option<Self> {
        let mut pooled = Self::with_settings("")?;
        let cluster = Cluster::of_this_process().expect("the cluster is running");
        pooled.other_program =
            Some(OtherProgram::in_sessions(cluster.psql(), pooled.database.url()));
        Some(pooled)
    }

    /// The same with additional settings of PgBouncer, and without another program.
    ///
    /// # Panics
    /// As [`PooledDatabase::start`].
    pub fn with_settings(settings: &str) -> Option<Self> {
        Self::through_pooler(POSTGRES.or_skipped(Cluster::of_this_process())?, settings)
    }

    /// The same on a server that the test can stop and start. While the server is away, a query
    /// waits two seconds in the pooler, where PgBouncer's own limit is two minutes.
    ///
    /// # Panics
    /// As [`PooledDatabase::start`].
    pub fn on(server: &ThrowAwayServer) -> Option<Self> {
        Self::through_pooler(&server.0, "query_wait_timeout = 2")
    }

    /// A database that a server has, such as that of the primary on a standby.
    ///
    /// # Panics
    /// As [`PooledDatabase::start`].
    pub fn in_front_of(server: &ThrowAwayServer, database: &ThrowAwayDatabase) -> Option<Self> {
        Self::of(&server.0, database.name(), "")
    }

    fn through_pooler(cluster: &Cluster, settings: &str) -> Option<Self> {
        Self::of(cluster, &cluster.create_database(), settings)
    }

    fn of(cluster: &Cluster, database: &str, settings: &str) -> Option<Self> {
        let pooler = PGBOUNCER.or_skipped(Pooler::start(cluster.folder(), settings))?;
        let database = ThrowAwayDatabase { url: pooler.url(database), folder: None, citus: None };
        Some(Self { pooler, other_program: None, database })
    }

    /// The database; its URL is that of the pooler.
    pub fn database(&self) -> &ThrowAwayDatabase {
        &self.database
    }

    /// Checks that the sessions are unchanged since the other program used them.
    ///
    /// # Panics
    /// If they have changed, or there is no other program.
    pub fn check_sessions(&self) {
        self.other_program.as_ref().expect("there is another program").check();
    }

    /// Stops the pooler like a crash of its machine: connections are cut.
    pub fn stop(&mut self) {
        self.pooler.stop();
    }

    /// Starts the pooler again, with new sessions.
    ///
    /// # Panics
    /// If it does not start.
    pub fn restart(&mut self) {
        self.pooler.restart().expect("the pooler can be started again");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_standby_follows_its_primary_and_takes_over() {
        let Some(primary) = ThrowAwayServer::start() else { return };
        let database = primary.database();
        let standby = primary.standby();
        primary.await_standbys(1);
        primary.query(&database, "CREATE TABLE t AS SELECT 1 AS x");
        assert_eq!(standby.query(&database, "SELECT x, pg_is_in_recovery() FROM t"), "1|t");
        primary.await_standbys(0);

        standby.kill();
        primary.query(&database, "UPDATE t SET x = 2");
        standby.restart();
        primary.await_replay(&standby);
        assert_eq!(standby.query(&database, "SELECT x FROM t"), "2");

        standby.set("recovery_min_apply_delay", "1min");
        primary.query(&database, "UPDATE t SET x = 3");
        assert_eq!(standby.query(&database, "SELECT x FROM t"), "2");
        standby.set("recovery_min_apply_delay", "0");
        primary.await_replay(&standby);

        primary.kill();
        standby.promote();
        standby.query(&database, "UPDATE t SET x = x + 1");
        assert_eq!(standby.query(&database, "SELECT x, pg_is_in_recovery() FROM t"), "4|f");
    }
}
