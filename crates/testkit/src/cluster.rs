//! A PostgreSQL server for the tests of one process.

use std::{
    fs,
    io::{BufRead, BufReader, Read as _},
    iter,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering},
    },
    thread,
    time::Duration,
};

use crate::network::Machine;

/// Creates a cluster in a temporary folder, starts it and prints the folder. It ends and deletes the
/// cluster once the standard input is closed, which happens however the test's process ends.
/// Parameters: the folder of PostgreSQL's programs, the server's options, and for a standby the folder
/// or address of its primary. A standby is called by the name of its folder.
const SCRIPT: &str = r#"
trap '' INT TERM HUP
folder=$(mktemp -d /tmp/rollcall-postgres.XXXXXX) && cd "$folder" || exit 1
if [ -n "$3" ]; then
    primary="host=$3 user=postgres application_name=${folder##*.}"
    "$1/pg_basebackup" -D data -d "$primary" -R -X stream -c fast --no-sync
else
    "$1/initdb" -D data -U postgres -A trust -E UTF8 --locale=C.UTF-8 --no-sync &&
    echo 'host all,replication all all trust' >>data/pg_hba.conf
fi >log 2>&1 &&
"$1/pg_ctl" start -w -D data -l log -o "-c listen_addresses='' -k '$folder' $2" >>log 2>&1 &&
echo "$folder" && read -r _
if [ -f data/postmaster.pid ]; then
    # A frozen server could not end.
    read -r server <data/postmaster.pid
    kill -CONT "$server" $(cat "/proc/$server/task/$server/children") >>log 2>&1
    "$1/pg_ctl" stop -m immediate -D data >>log 2>&1
else
    cat log >&2
fi
rm -rf "$folder"
"#;

/// Options of a fast server that does not keep data after a crash, with an unusual time zone.
const NOT_DURABLE: &str = "-c fsync=off -c full_page_writes=off -c max_connections=200 \
                        -c timezone=Asia/Tokyo";
/// Options of a durable server, with memory for ten million users.
const DURABLE: &str = "-c shared_buffers=2GB -c max_wal_size=4GB";

/// A running server, which listens on a socket in its folder, and at the address of its machine if it has one.
#[derive(Debug)]
pub(crate) struct Cluster {
    programs: PathBuf,
    /// The server's options.
    options: &'static str,
    folder: String,
    /// The address of its machine, if it has one.
    address: Option<String>,
    databases: AtomicU32,
    /// Stops the server when this process ends.
    _keeper: Child,
}

impl Cluster {
    /// Stops the server like a crash of its machine: connections are cut.
    pub(crate) fn stop(&self) {
        self.control(&["stop", "-m", "immediate"]);
    }

    /// Starts the server again.
    pub(crate) fn restart(&self) {
        let address = self.address.as_deref().unwrap_or_default();
        let options = format!("-c listen_addresses={address} -k {} {}", self.folder, self.options);
        self.control(&["start", "-w", "-l", "log", "-o", &options]);
    }

    /// A streaming standby of this server.
    pub(crate) fn standby(&self) -> Result<Self, String> {
        Self::start(self.options, Some(&self.folder), None)
    }

    /// The same on a machine. Both reach each other over the network if this server is on a machine.
    pub(crate) fn standby_on(&self, machine: &Machine) -> Result<Self, String> {
        let primary = self.address.as_ref().unwrap_or(&self.folder);
        Self::start(self.options, Some(primary), Some(machine))
    }

    /// A server for tests on a machine.
    pub(crate) fn on(machine: &Machine) -> Result<Self, String> {
        Self::start(NOT_DURABLE, None, Some(machine))
    }

    /// Makes a primary of a standby.
    pub(crate) fn promote(&self) {
        self.control(&["promote", "-w"]);
    }

    /// The answer of psql, in a database of this server.
    pub(crate) fn query(&self, database: &str, sql: &str) -> String {
        let mut psql = Command::new(self.programs.join("psql"));
        psql.args(["-XqAt", "-v", "ON_ERROR_STOP=1", "-c", sql, &self.url(database)]);
        let output = psql.output().expect("psql can be started");
        assert!(output.status.success(), "{sql}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("psql writes UTF-8").trim_end().to_owned()
    }

    /// Sends a signal to the server and the processes that it has started.
    pub(crate) fn signal(&self, signal: &str) {
        signal_all(signal, &self.processes());
    }

    /// Ends all processes by a signal that they cannot handle.
    pub(crate) fn kill(&self) {
        let processes = self.processes();
        signal_all("KILL", &processes);
        while processes.iter().any(|process| runs(process)) {
            thread::sleep(Duration::from_millis(5));
        }
        // A killed process that its parent has not awaited keeps a new server from starting.
        for file in ["data/postmaster.pid", ".s.PGSQL.5432.lock"] {
            let removed = fs::remove_file(Path::new(&self.folder).join(file));
            removed.expect("a killed server leaves its lock files");
        }
    }

    /// The server, and the processes that it has started.
    fn processes(&self) -> Vec<String> {
        let file = Path::new(&self.folder).join("data/postmaster.pid");
        let lines = fs::read_to_string(file).expect("the server runs");
        let server = lines.lines().next().expect("its process").to_owned();
        let children = fs::read_to_string(format!("/proc/{server}/task/{server}/children"));
        let children = children.expect("the server's processes");
        iter::once(server).chain(children.split_whitespace().map(str::to_owned)).collect()
    }

    fn control(&self, arguments: &[&str]) {
        let mut command = Command::new(self.programs.join("pg_ctl"));
        command.args(arguments).args(["-D", "data"]).current_dir(&self.folder);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        if let Ok(Some((uid, gid))) = unprivileged() {
            command.uid(uid).gid(gid);
        }
        assert!(command.status().expect("pg_ctl can be started").success(), "pg_ctl {arguments:?}");
    }

    /// The server of this process, started at the first call; or the reason why it did not start.
    pub(crate) fn of_this_process() -> Result<&'static Self, String> {
        static CLUSTER: OnceLock<Result<Cluster, String>> = OnceLock::new();
        CLUSTER.get_or_init(|| Self::start(NOT_DURABLE, None, None)).as_ref().map_err(Clone::clone)
    }

    /// Creates an empty database and returns its name.
    pub(crate) fn create_database(&self) -> String {
        self.clone_database("template0")
    }

    /// Creates a copy of a database that is not in use, and returns its name.
    pub(crate) fn clone_database(&self, original: &str) -> String {
        let name = format!("test_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        self.run("createdb", &["-h", &self.folder, "-U", "postgres", "-T", original, &name]);
        name
    }

    /// Writes a dump of a database to a file.
    pub(crate) fn dump(&self, database: &str, file: &Path) {
        let file = format!("--file={}", file.display());
        self.run("pg_dump", &["--format=custom", &file, "-d", &self.url(database)]);
    }

    /// Reads a dump into a database, in place of the tables that it has.
    pub(crate) fn restore(&self, database: &str, file: &Path) {
        let file = file.display().to_string();
        self.run("pg_restore", &["--clean", "--if-exists", "-d", &self.url(database), &file]);
    }

    fn run(&self, program: &str, arguments: &[&str]) {
        let output = Command::new(self.programs.join(program)).args(arguments).output();
        let output = output.unwrap_or_else(|error| panic!("{program} can be started: {error}"));
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    /// The URL of a database.
    pub(crate) fn url(&self, database: &str) -> String {
        format!("postgres:///{database}?host={}&user=postgres", self.folder)
    }

    /// The folder of the server's socket.
    pub(crate) fn folder(&self) -> &str {
        &self.folder
    }

    /// PostgreSQL's client.
    pub(crate) fn psql(&self) -> PathBuf {
        self.programs.join("psql")
    }

    /// A server for tests.
    pub(crate) fn not_durable() -> Result<Self, String> {
        Self::start(NOT_DURABLE, None, None)
    }

    /// A server for benchmarks: commits are on the disk when they return.
    pub(crate) fn durable() -> Result<Self, String> {
        Self::start(DURABLE, None, None)
    }

    fn start(
        options: &'static str,
        primary: Option<&str>,
        machine: Option<&Machine>,
    ) -> Result<Self, String> {
        let programs = programs().ok_or("there is no initdb in PATH or /usr/lib/postgresql")?;
        let account = unprivileged()?;
        let address = machine.map(|machine| machine.address().to_owned());
        let mut command = match machine.map(Machine::entered) {
            None => Command::new("sh"),
            Some(entered) => {
                let mut command = Command::new(&entered[0]);
                command.args(&entered[1..]);
                // Entering a machine needs the rights that the account lacks.
                if let Some((uid, gid)) = account {
                    command.args([format!("--setuid={uid}"), format!("--setgid={gid}")]);
                }
                command.arg("sh");
                command
            }
        };
        let listens = address.iter().map(|address| format!(" -c listen_addresses={address}"));
        let listens: String = listens.collect();
        command.args(["-c", SCRIPT, "sh"]).arg(&programs).arg(options.to_owned() + &listens);
        command.arg(primary.unwrap_or_default());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // A separate process group: Ctrl-C ends the tests only, and their end stops the server.
        command.process_group(0).env("LC_ALL", "C").current_dir("/");
        if let (Some((uid, gid)), None) = (account, machine) {
            command.uid(uid).gid(gid);
        }
        let mut keeper = command.spawn().map_err(|error| error.to_string())?;
        let mut folder = String::new();
        if let Some(stdout) = keeper.stdout.take() {
            BufReader::new(stdout).read_line(&mut folder).map_err(|error| error.to_string())?;
        }
        if folder.is_empty() {
            let mut log = String::new();
            drop(keeper.stdin.take());
            if let Some(mut stderr) = keeper.stderr.take() {
                stderr.read_to_string(&mut log).map_err(|error| error.to_string())?;
            }
            return Err(format!("PostgreSQL did not start: {log}"));
        }
        let folder = folder.trim().to_owned();
        Ok(Self {
            programs,
            options,
            folder,
            address,
            databases: AtomicU32::new(0),
            _keeper: keeper,
        })
    }
}

/// Sends a signal to a server, and then to the processes that it has started: one of these may have
/// ended by now.
fn signal_all(signal: &str, processes: &[String]) {
    let kill = |processes: &[String]| {
        let mut command = Command::new("kill");
        command.arg(format!("-{signal}")).args(processes).stderr(Stdio::null());
        command.status().expect("kill can be started").success()
    };
    let (server, others) = processes.split_at(1);
    assert!(kill(server), "kill -{signal}");
    kill(others);
}

/// Whether a process has not ended; its parent may still have to await it.
fn runs(process: &str) -> bool {
    let state = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    // The name of the program, before the state, is in brackets.
    state.rsplit_once(") ").is_some_and(|(_, state)| !state.starts_with(['Z', 'X']))
}

/// The folder of the newest PostgreSQL's programs, which Debian does not add to PATH.
fn programs() -> Option<PathBuf> {
    let version = |folder: &PathBuf| {
        folder.file_name().and_then(|name| name.to_str()).and_then(|name| name.parse::<u32>().ok())
    };
    let mut debian: Vec<PathBuf> = fs::read_dir("/usr/lib/postgresql")
        .map(|entries| entries.flatten().map(|entry| entry.path()).collect())
        .unwrap_or_default();
    debian.sort_by_key(version);
    let path = std::env::var_os("PATH").unwrap_or_default();
    debian
        .into_iter()
        .rev()
        .map(|folder| folder.join("bin"))
        .chain(std::env::split_paths(&path))
        .find(|folder| folder.join("initdb").is_file())
}

/// The account for the server if this process is root: PostgreSQL refuses to run as root.
pub(crate) fn unprivileged() -> Result<Option<(u32, u32)>, String> {
    use std::os::unix::fs::MetadataExt;
    let root = fs::metadata(Path::new("/proc/self")).is_ok_and(|metadata| metadata.uid() == 0);
    if !root {
        return Ok(None);
    }
    let accounts = fs::read_to_string("/etc/passwd").map_err(|error| error.to_string())?;
    accounts
        .lines()
        .map(|line| line.split(':').collect::<Vec<_>>())
        .find(|fields| fields.first() == Some(&"postgres"))
        .and_then(|fields| Some((fields.get(2)?.parse().ok()?, fields.get(3)?.parse().ok()?)))
        .map(Some)
        .ok_or_else(|| "this process is root, and there is no account `postgres`".to_owned())
}
