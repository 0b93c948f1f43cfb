//! PgBouncer in front of a PostgreSQL server.

use std::{
    fs,
    io::{BufRead, BufReader, Read as _, Write as _},
    os::unix::{fs::chown, process::CommandExt},
    path::PathBuf,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use tempfile::TempDir;

use crate::cluster::unprivileged;

/// How many sessions of the server all programs share that use one database.
const SESSIONS: usize = 3;

/// Runs PgBouncer until it is to stop, or until the process that holds the other end of the standard
/// input is gone, however it went, and then takes its folder away. PgBouncer, too, refuses to be
/// root; it says on the standard error when it is ready.
const SCRIPT: &str = r#"
trap '' INT TERM HUP
"$1" "$2/pgbouncer.ini" &
read -r order
kill -9 $!
[ "$order" = stop ] || rm -rf "$2"
"#;

/// PgBouncer in transaction mode; it ends with this value.
#[derive(Debug)]
pub(crate) struct Pooler {
    program: PathBuf,
    folder: TempDir,
    keeper: Option<Child>,
}

impl Pooler {
    /// Starts a pooler in front of the server whose socket is in a folder; `settings` are lines of
    /// PgBouncer's own.
    pub(crate) fn start(server: &str, settings: &str) -> Result<Self, String> {
        let program = program().ok_or("no pgbouncer in PATH or /usr/sbin")?;
        let folder = tempfile::Builder::new().prefix("rollcall-pgbouncer.").tempdir();
        let folder = folder.map_err(|error| error.to_string())?;
        if let Some((uid, gid)) = unprivileged()? {
            chown(folder.path(), Some(uid), Some(gid)).map_err(|error| error.to_string())?;
        }
        let here = folder.path().display();
        let settings = format!(
            "[databases]\n* = host={server} user=postgres\n\
             [pgbouncer]\nlisten_addr =\nlisten_port = {PORT}\nunix_socket_dir = {here}\n\
             auth_type = any\npool_mode = transaction\ndefault_pool_size = {SESSIONS}\n\
             max_client_conn = 900\nlog_connections = 0\nlog_disconnections = 0\nlog_stats = 0\n\
             server_login_retry = 1\n{settings}\n",
        );
        let written = fs::write(folder.path().join("pgbouncer.ini"), settings);
        written.map_err(|error| error.to_string())?;
        let mut pooler = Self { program, folder, keeper: None };
        pooler.restart()?;
        Ok(pooler)
    }

    /// Ends the pooler at once: connections are cut.
    pub(crate) fn stop(&mut self) {
        if let Some(mut keeper) = self.keeper.take() {
            let mut input = keeper.stdin.take().expect("a standard input");
            writeln!(input, "stop").expect("the keeper to read");
            keeper.wait().expect("the pooler to end");
        }
    }

    /// Starts the pooler where it was, and waits until it is ready.
    pub(crate) fn restart(&mut self) -> Result<(), String> {
        let mut command = Command::new("sh");
        command.args(["-c", SCRIPT, "sh"]).arg(&self.program).arg(self.folder.path());
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
        command.process_group(0).current_dir("/");
        if let Some((uid, gid)) = unprivileged()? {
            command.uid(uid).gid(gid);
        }
        let mut keeper = command.spawn().map_err(|error| error.to_string())?;
        let mut said = BufReader::new(keeper.stderr.take().ok_or("no standard error")?);
        let mut log = String::new();
        while !log.contains("process up") {
            match said.read_line(&mut log) {
                Ok(0) => return Err(format!("it did not start: {log}")),
                Ok(_) => {}
                Err(error) => return Err(error.to_string()),
            }
        }
        // What it says further on is read, so that it is not held up.
        std::thread::spawn(move || std::io::copy(&mut said, &mut std::io::sink()));
        self.keeper = Some(keeper);
        Ok(())
    }

    /// The URL of a database of the server, through the pooler.
    pub(crate) fn url(&self, database: &str) -> String {
        let here = self.folder.path().display();
        format!("postgres:///{database}?host={here}&port={PORT}&user=postgres")
    }
}

impl Drop for Pooler {
    fn drop(&mut self) {
        self.stop();
    }
}

/// The number in the name of the pooler's socket; nothing listens on a port.
const PORT: u16 = 6432;

/// `PGBOUNCER`, else the one that is installed: Debian keeps it out of most users' PATH.
fn program() -> Option<PathBuf> {
    if let Some(program) = std::env::var_os("PGBOUNCER") {
        return Some(program.into());
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain([PathBuf::from("/usr/sbin")])
        .map(|folder| folder.join("pgbouncer"))
        .find(|program| program.is_file())
}

/// Another program that works in the sessions of a database, and has left in all of them what
/// programs leave that have one to themselves.
#[derive(Debug)]
pub(crate) struct Neighbour {
    psql: PathBuf,
    url: String,
    /// What each session had then.
    left: Vec<String>,
}

/// Settings that differ from the server's own, and statements under the names that Diesel gives,
/// which are no statements of Rollcall.
const LEAVE: &str = "SET enable_seqscan = on; SET jit = on; SET plan_cache_mode = auto; \
                     SET work_mem = '5MB'; SET geqo_threshold = 13; \
                     DO $$ BEGIN FOR n IN 0..99 LOOP EXECUTE \
                     format('PREPARE __diesel_stmt_%s AS SELECT %s', n, n); \
                     END LOOP; END $$;\n";

/// What somebody has set in a session, other than what PgBouncer keeps apart for each program and
/// what ends with a transaction; and which statements it has.
const LOOK: &str = "SELECT name, setting FROM pg_settings WHERE source = 'session' \
                    AND name NOT IN ('application_name', 'client_encoding', 'DateStyle', \
                    'IntervalStyle', 'standard_conforming_strings', 'TimeZone', \
                    'transaction_isolation', 'transaction_read_only') UNION ALL \
                    SELECT 'statements', COUNT(*) || ' ' || COALESCE(md5(string_agg(\
                    statement, ' ' ORDER BY name)), '') FROM pg_prepared_statements ORDER BY 1;\n";

/// The answer to [`LOOK`] in a new session.
const NOTHING: &str = "statements|0 \n";

impl Neighbour {
    pub(crate) fn in_sessions(psql: PathBuf, url: &str) -> Self {
        let mut neighbour = Self { psql, url: url.to_owned(), left: Vec::new() };
        neighbour.left = neighbour.in_each_session(&[LEAVE, LOOK].concat());
        neighbour
    }

    /// Checks that each session has what was left there, and nothing else. PgBouncer replaces the
    /// session of a program that ends in the middle of an answer: a new one has nothing.
    pub(crate) fn check(&self) {
        let found = self.in_each_session(LOOK);
        let is_known = |session: &String| session == NOTHING || self.left.contains(session);
        assert!(found.iter().all(is_known), "left: {:?}, found: {found:?}", self.left);
        assert!(found.iter().any(|session| session != NOTHING), "every session is new");
    }

    /// Does the same in all sessions at once, because only then each is another one.
    fn in_each_session(&self, commands: &str) -> Vec<String> {
        let mut others: Vec<Psql> = (0..SESSIONS).map(|_| Psql::begin(self)).collect();
        let answers = others.iter_mut().map(|psql| psql.answer(commands)).collect();
        for psql in others {
            psql.commit();
        }
        answers
    }
}

/// A psql that is in a transaction.
struct Psql {
    process: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Psql {
    fn begin(neighbour: &Neighbour) -> Self {
        let mut process = Command::new(&neighbour.psql)
            .args(["-XqAt", "-v", "ON_ERROR_STOP=1", &neighbour.url])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("psql to start");
        let input = process.stdin.take().expect("a standard input");
        let output = BufReader::new(process.stdout.take().expect("a standard output"));
        let mut psql = Self { process, input, output };
        psql.answer("BEGIN;\n");
        psql
    }

    /// Sends commands, and waits until they are done.
    fn answer(&mut self, commands: &str) -> String {
        const DONE: &str = "-- done";
        self.input.write_all(commands.as_bytes()).expect("psql to read");
        writeln!(self.input, "\\echo {DONE}").expect("psql to read");
        let mut answer = String::new();
        for line in self.output.by_ref().lines() {
            let line = line.expect("text of psql");
            if line == DONE {
                return answer;
            }
            answer.push_str(&line);
            answer.push('\n');
        }
        panic!("psql has ended after {commands:?}");
    }

    fn commit(mut self) {
        self.answer("COMMIT;\n");
        drop(self.input);
        assert!(self.process.wait().expect("psql to end").success());
    }
}
