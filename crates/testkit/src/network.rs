use std::{
    io::{BufRead as _, BufReader},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU8, Ordering},
};

use crate::optional::OptionalServer;

const NETWORK: OptionalServer =
    OptionalServer { name: "a network of its own", variable: "ROLLCALL_REQUIRE_NETWORK" };

/// The environment variable of a process that has a network of its own.
const INSIDE: &str = "ROLLCALL_INSIDE_NETWORK";

/// The switch between this process and the machines.
const SWITCH: &str = "rollcall";

/// A network of this process alone, in namespaces of Linux: some machines behind a switch. It ends with
/// the process, and no other process notices it.
#[derive(Debug)]
pub struct Network {
    machines: AtomicU8,
}

impl Network {
    /// The network, if this process has one. Otherwise the test of this name runs again in a process that
    /// has one, and the answer is `None`: then the test is done.
    ///
    /// If this process may not create networks, the test is skipped; a line on the standard error says so.
    ///
    /// # Panics
    /// If the test fails, or if it is skipped and `ROLLCALL_REQUIRE_NETWORK` is 1.
    pub fn of(test: &str) -> Option<Self> {
        if std::env::var_os(INSIDE).is_some() {
            return Some(Self::create());
        }
        NETWORK.or_skipped(can_create())?;
        let this = std::env::current_exe().expect("the test's program has a path");
        let mut command = Command::new("unshare");
        command.arg("--net").arg(this).args(["--exact", test, "--nocapture", "--test-threads=1"]);
        let output = command.env(INSIDE, "1").output().expect("unshare can be started");
        let said =
            [output.stdout, output.stderr].map(|it| String::from_utf8_lossy(&it).into_owned());
        print!("{}", said.concat());
        assert!(output.status.success(), "{test} fails in a network of its own");
        assert!(said[0].contains("1 passed"), "there is no test {test}");
        None
    }

    fn create() -> Self {
        ip("link set lo up");
        ip(&format!("link add {SWITCH} type bridge"));
        ip(&format!("address add 10.0.0.1/24 dev {SWITCH}"));
        ip(&format!("link set {SWITCH} up"));
        Self { machines: AtomicU8::new(1) }
    }

    /// One more machine.
    ///
    /// # Panics
    /// If it cannot be created.
    pub fn machine(&self) -> Machine {
        let number = self.machines.fetch_add(1, Ordering::Relaxed) + 1;
        let mut command = Command::new("unshare");
        command.args(["--net", "sh", "-c", "echo; read -r _"]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut keeper = command.spawn().expect("unshare can be started");
        let stdout = keeper.stdout.take().expect("the standard output is a pipe");
        // A line says that the namespace is there.
        let line = BufReader::new(stdout).read_line(&mut String::new());
        assert_eq!(line.expect("the namespace is created"), 1);

        let process = keeper.id();
        let (port, hardware) = (format!("machine{number}"), format!("02:00:00:00:00:{number:02x}"));
        let machine = Machine { keeper, address: format!("10.0.0.{number}"), port };
        let Machine { address, port, .. } = &machine;
        ip(&format!("link add {port} type veth peer name eth0 address {hardware} netns {process}"));
        machine.ip("link set lo up");
        machine.ip(&format!("address add {address}/24 dev eth0"));
        machine.ip("link set eth0 up");
        ip(&format!("link set {port} up"));
        machine.connect();
        // Nobody asks on the network where it is, so nobody notices at once that it is gone.
        ip(&format!("neighbour add {address} lladdr {hardware} nud permanent dev {SWITCH}"));
        machine
    }
}

/// A machine in a [`Network`]. It ends with this value; its programs have to end before.
#[derive(Debug)]
pub struct Machine {
    /// The namespace lives as long as this process.
    keeper: Child,
    address: String,
    /// Its port of the switch.
    port: String,
}

impl Machine {
    /// Its address.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Loses all packets to and from it from now on.
    ///
    /// # Panics
    /// If `ip` fails.
    pub fn cut_off(&self) {
        ip(&format!("link set {} nomaster", self.port));
    }

    /// Lets packets pass.
    ///
    /// # Panics
    /// If `ip` fails.
    pub fn connect(&self) {
        ip(&format!("link set {} master {SWITCH}", self.port));
    }

    /// Runs `ip` on it.
    fn ip(&self, arguments: &str) {
        let [program, rest @ ..] = &self.entered()[..] else { panic!("no program") };
        run(Command::new(program).args(rest).arg("ip"), arguments);
    }

    /// The command, to be followed by another one, that runs that one on this machine.
    pub(crate) fn entered(&self) -> Vec<String> {
        vec!["nsenter".to_owned(), format!("--net=/proc/{}/ns/net", self.keeper.id())]
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        // Its end closes the namespace, also if this fails.
        drop(self.keeper.kill());
        drop(self.keeper.wait());
    }
}

/// Whether this process may create networks, or the reason why not.
fn can_create() -> Result<(), String> {
    let mut command = Command::new("unshare");
    command.args(["--net", "ip", "link", "add", SWITCH, "type", "bridge"]);
    let output = command.output().map_err(|error| format!("unshare: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    Err(String::from_utf8_lossy(&output.stderr).trim().to_owned())
}

/// Runs `ip` of the package iproute2.
fn ip(arguments: &str) {
    run(&mut Command::new("ip"), arguments);
}

fn run(command: &mut Command, arguments: &str) {
    let output = command.args(arguments.split(' ')).output().expect("ip can be started");
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "ip {arguments}: {error}");
}
