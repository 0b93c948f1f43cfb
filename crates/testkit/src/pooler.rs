//! A PgBouncer in front of a PostgreSQL server.

use std::{
    fs,
    io::{BufRead, BufReader, Read as _, Write as _},
    os::unix::{fs::chown, process::CommandExt},
    path::PathBuf,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use tempfile::TempDir;

use crate::cluster::unprivileged;

/// The number of server sessions that all clients of one database share.
const SESSIONS: usize = 3;

/// Runs PgBouncer until the order to stop, or until the standard input is closed, which happens
/// however the test's process ends; then it also deletes the folder. PgBouncer refuses to run as
/// root, and reports on the standard error when it is ready; only PgBouncer holds that, so it ends with
/// PgBouncer. The keeper waits for the killed PgBouncer to be gone, because a new one refuses to start
/// while something still answers at its socket.
const SCRIPT: &str = r#"
trap '' INT TERM HUP
"$1" "$2/pgbouncer.ini" &
exec 2>/dev/null
read -r order
kill -9 $!
wait $!
[ "$order" = stop ] || rm -rf "$2"
"#;

/// A PgBouncer in transaction mode; dropping this value stops it.
#[derive(Debug)]
pub(crate) struct Pooler {
    program: PathBuf,
    folder: TempDir,
    keeper: Option<Child>,
}

impl Pooler {
    /// Starts a pooler for the server with its socket in the folder `server`; `settings` are lines of
    /// PgBouncer's configuration.
    pub(crate) fn start(server: &str, settings: &str) -> Result<Self, String> {
        let program = program().ok_or("there is no pgbouncer in PATH or /usr/sbin")?;
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

    /// Stops the pooler immediately: connections are cut.
    pub(crate) fn stop(&mut self) {
        if let Some(mut keeper) = self.keeper.take() {
            let mut input = keeper.stdin.take().expect("the standard input is a pipe");
            writeln!(input, "stop").expect("the keeper reads its input");
            keeper.wait().expect("the pooler ends");
        }
    }

    /// Starts the pooler again in its folder, and waits until it is ready.
    pub(crate) fn restart(&mut self) -> Result<(), String> {
        let mut command = Command::new("sh");
        command.args(["-c", SCRIPT, "sh"]).arg(&self.program).arg(self.folder.path());
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
        command.process_group(0).current_dir("/");
        if let Some((uid, gid)) = unprivileged()? {
            command.uid(uid).gid(gid);
        }
        let mut keeper = command.spawn().map_err(|error| error.to_string())?;
        let mut stderr = BufReader::new(keeper.stderr.take().ok_or("there is no standard error")?);
        let mut log = String::new();
        while !log.contains("process up") {
            match stderr.read_line(&mut log) {
                Ok(0) => return Err(format!("PgBouncer did not start: {log}")),
                Ok(_) => {}
                Err(error) => return Err(error.to_string()),
            }
        }
        // Further output is read, so that the pipe does not fill up and block the pooler.
        std::thread::spawn(move || std::io::copy(&mut stderr, &mut std::io::sink()));
        self.keeper = Some(keeper);
        Ok(())
    }

    /// The pooler's URL of a database.
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

/// The number in the name of the pooler's socket. It does not listen on a TCP port.
const PORT: u16 = 6432;

/// The program in the variable `PGBOUNCER`, or the installed one, which is not in most users' PATH
/// on Debian.
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

/// Another program that uses the sessions of a database, and changes their state as if it did not
/// share them.
#[derive(Debug)]
pub(crate) struct OtherProgram {
    psql: PathBuf,
    url: String,
    /// The state of each session afterwards.
    states: Vec<String>,
}

/// Changes settings, and prepares statements under the names that Diesel uses.
const CHANGE_STATE: &str = "SET enable_seqscan = on; SET jit = on; SET plan_cache_mode = auto; \
                     SET work_mem = '5MB'; SET geqo_threshold = 13; \
                     DO $$ BEGIN FOR n IN 0..99 LOOP EXECUTE \
                     format('PREPARE __diesel_stmt_%s AS SELECT %s', n, n); \
                     END LOOP; END $$;\n";

/// Reads the settings that were changed in a session, and its prepared statements. It leaves out the
/// settings that PgBouncer restores for each client or that end with a transaction.
const READ_STATE: &str = "SELECT name, setting FROM pg_settings WHERE source = 'session' \
                    AND name NOT IN ('application_name', 'client_encoding', 'DateStyle', \
                    'IntervalStyle', 'standard_conforming_strings', 'TimeZone', \
                    'transaction_isolation', 'transaction_read_only') UNION ALL \
                    SELECT 'statements', COUNT(*) || ' ' || COALESCE(md5(string_agg(\
                    statement, ' ' ORDER BY name)), '') FROM pg_prepared_statements ORDER BY 1;\n";

/// The result of [`READ_STATE`] in a new session.
const NEW_STATE: &str = "statements|0 \n";

impl OtherProgram {
    pub(crate) fn in_sessions(psql: PathBuf, url: &str) -> Self {
        let mut program = Self { psql, url: url.to_owned(), states: Vec::new() };
        program.states = program.in_each_session(&[CHANGE_STATE, READ_STATE].concat());
        program
    }

    /// Checks that the state of each session has not changed. PgBouncer replaces a session if its
    /// client ends during a query: a new session has no state.
    pub(crate) fn check(&self) {
        let found = self.in_each_session(READ_STATE);
        let is_known = |session: &String| session == NEW_STATE || self.states.contains(session);
        assert!(found.iter().all(is_known), "before: {:?}, now: {found:?}", self.states);
        assert!(found.iter().any(|session| session != NEW_STATE), "every session is new");
    }

    /// Runs commands in all sessions at once: only concurrent transactions have different sessions.
    fn in_each_session(&self, commands: &str) -> Vec<String> {
        let mut others: Vec<Psql> = (0..SESSIONS).map(|_| Psql::begin(self)).collect();
        let answers = others.iter_mut().map(|psql| psql.run(commands)).collect();
        for psql in others {
            psql.commit();
        }
        answers
    }
}

/// A psql within a transaction.
struct Psql {
    process: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Psql {
    fn begin(program: &OtherProgram) -> Self {
        let mut process = Command::new(&program.psql)
            .args(["-XqAt", "-v", "ON_ERROR_STOP=1", &program.url])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("psql can be started");
        let input = process.stdin.take().expect("the standard input is a pipe");
        let output = BufReader::new(process.stdout.take().expect("the standard output is a pipe"));
        let mut psql = Self { process, input, output };
        psql.run("BEGIN;\n");
        psql
    }

    /// Sends commands, and returns their output.
    fn run(&mut self, commands: &str) -> String {
        const DONE: &str = "-- done";
        self.input.write_all(commands.as_bytes()).expect("psql reads its input");
        writeln!(self.input, "\\echo {DONE}").expect("psql reads its input");
        let mut answer = String::new();
        for line in self.output.by_ref().lines() {
            let line = line.expect("psql writes UTF-8");
            if line == DONE {
                return answer;
            }
            answer.push_str(&line);
            answer.push('\n');
        }
        panic!("psql ended after {commands:?}");
    }

    fn commit(mut self) {
        self.run("COMMIT;\n");
        drop(self.input);
        assert!(self.process.wait().expect("psql ends").success());
    }
}
