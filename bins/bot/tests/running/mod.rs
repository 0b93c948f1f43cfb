//! A bot that runs: the real program, watched from outside.
#![allow(dead_code, unused_macros, reason = "each test file uses its own part of it")]

/// Generates a test for each story on each database.
macro_rules! stories {
    ($($story:ident,)+) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $story() {
                super::$story(rollcall_testkit::ThrowAwayDatabase::sqlite()).await;
            })+
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $story() {
                let database = rollcall_testkit::ThrowAwayDatabase::postgres();
                let Some(database) = database else { return };
                super::$story(database).await;
            })+
        }
    };
}

pub(crate) mod chat;
pub(crate) mod database;
pub(crate) mod owner;

use std::{process::Stdio, time::Duration};

use rollcall_simulator::Simulator;
use rollcall_testkit::ThrowAwayDatabase;
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, BufReader},
    process::{Child, Command},
    sync::watch,
    time::timeout,
};

/// How long a test waits for something that the bot does, before the test fails.
const PATIENCE: Duration = Duration::from_secs(60);

/// Starts the bot. A file beyond its limit is an error to be handled, not a signal that kills. With
/// `TEST_OPEN_FILES` the bot may have so many files open, and begins with a soft limit of 128.
const LAUNCH: &str = r#"trap '' XFSZ
[ -z "$TEST_OPEN_FILES" ] || { ulimit -Sn 128; ulimit -Hn "$TEST_OPEN_FILES"; }
exec "$0" "$@""#;

/// Each test's simulated Telegram is its own, so there is nothing to look for first.
const TAKE_OVER: &[&str] = &["--take-over"];

/// For [`RunningBot::registers`].
pub(crate) const WATCHED: &[(&str, &str)] = &[("METRICS_ADDR", "127.0.0.1:0")];

/// A running bot, killed when it is dropped.
pub(crate) struct RunningBot {
    process: Child,
    output: watch::Receiver<String>,
    /// The working directory: empty, so that no `.env` of the developer's is read.
    _folder: TempDir,
}

impl RunningBot {
    /// Starts the bot on a Telegram and a database, and waits until it takes updates.
    pub(crate) async fn start(
        telegram: &Simulator,
        database: &ThrowAwayDatabase,
        settings: &[(&str, &str)],
    ) -> Self {
        let url = telegram.url();
        let own = [("TELEGRAM_API_URL", url.as_str()), ("TELEGRAM_BOT_TOKEN", telegram.token())];
        let bot = Self::start_until(database, &[&own, settings].concat(), "ready: @").await;
        telegram.wait_until_polled().await.unwrap();
        bot
    }

    /// Starts the bot on a Telegram and a database, and waits for nothing.
    pub(crate) fn launch(
        telegram: &Simulator,
        database: &ThrowAwayDatabase,
        settings: &[(&str, &str)],
    ) -> Self {
        let url = telegram.url();
        let own = [("TELEGRAM_API_URL", url.as_str()), ("TELEGRAM_BOT_TOKEN", telegram.token())];
        Self::spawn(database, TAKE_OVER, &[&own, settings].concat())
    }

    /// Starts the bot as its users do at first, without `--take-over`, and waits for nothing.
    pub(crate) fn cautious(
        telegram: &Simulator,
        database: &ThrowAwayDatabase,
        settings: &[(&str, &str)],
    ) -> Self {
        let url = telegram.url();
        let own = [("TELEGRAM_API_URL", url.as_str()), ("TELEGRAM_BOT_TOKEN", telegram.token())];
        Self::spawn(database, &[], &[&own, settings].concat())
    }

    /// Starts the bot and waits until it has said something.
    pub(crate) async fn start_until(
        database: &ThrowAwayDatabase,
        settings: &[(&str, &str)],
        said: &str,
    ) -> Self {
        let bot = Self::spawn(database, TAKE_OVER, settings);
        bot.said(said).await;
        bot
    }

    /// Starts the demonstration and waits until it runs.
    pub(crate) async fn demo(database: &ThrowAwayDatabase, settings: &[(&str, &str)]) -> Self {
        Self::demo_with(database, &[], settings).await
    }

    /// Starts the demonstration with more flags and waits until it runs.
    pub(crate) async fn demo_with(
        database: &ThrowAwayDatabase,
        flags: &[&str],
        settings: &[(&str, &str)],
    ) -> Self {
        let bot = Self::spawn(database, &[&["--demo"], flags].concat(), settings);
        bot.said("╰─").await;
        bot
    }

    /// Runs the bot with flags that it refuses; returns its exit code and output.
    pub(crate) async fn refuses(database: &ThrowAwayDatabase, flags: &[&str]) -> (i32, String) {
        Self::spawn(database, flags, &[]).ended().await
    }

    /// Starts the bot with no room on the disk for files of more than `bytes`, until
    /// [`RunningBot::give_room`], and waits until it takes updates.
    pub(crate) async fn start_with_little_room(
        telegram: &Simulator,
        database: &ThrowAwayDatabase,
        bytes: u64,
    ) -> Self {
        let bot = Self::start(telegram, database, &[]).await;
        bot.limit_files(&bytes.to_string());
        bot
    }

    /// Lets the bot's files grow as they like.
    pub(crate) fn give_room(&self) {
        self.limit_files("unlimited");
    }

    /// Sets the soft limit of the size of files, beyond which writing fails as on a full disk.
    fn limit_files(&self, bytes: &str) {
        let id = self.process.id().expect("a bot that runs").to_string();
        let limit = format!("--fsize={bytes}:");
        let limited = std::process::Command::new("prlimit").args(["--pid", &id, &limit]).status();
        assert!(limited.unwrap().success());
    }

    /// Runs a bot that is to fail by itself; answers its exit code and what it said.
    pub(crate) async fn fails(
        telegram: &Simulator,
        database: &ThrowAwayDatabase,
        settings: &[(&str, &str)],
    ) -> (i32, String) {
        let url = telegram.url();
        let own = [
            ("TELEGRAM_API_URL", url.as_str()),
            ("TELEGRAM_BOT_TOKEN", telegram.token()),
            ("RUST_LOG", "warn"),
        ];
        Self::spawn(database, TAKE_OVER, &[&own, settings].concat()).ended().await
    }

    /// Waits until the bot has said something.
    pub(crate) async fn said(&self, text: &str) {
        let mut output = self.output.clone();
        let said = timeout(PATIENCE, output.wait_for(|output| output.contains(text))).await;
        assert!(matches!(said, Ok(Ok(_))), "not said: {text:?} in:\n{}", *self.output.borrow());
    }

    /// Waits until interactions are being registered. The bot needs `METRICS_ADDR=127.0.0.1:0`.
    pub(crate) async fn registers(&self) {
        const QUEUED: &str = "rollcall_queued_interactions ";
        self.said("metrics, healthz and readyz are at ").await;
        let log = self.log();
        let address =
            log.split("readyz are at ").nth(1).unwrap().split_whitespace().next().unwrap();
        let url = format!("http://{address}/metrics");
        let queued = async || {
            let metrics = reqwest::get(&url).await.unwrap().text().await.unwrap();
            let queued =
                metrics.lines().find_map(|line| line.strip_prefix(QUEUED)).map(str::to_owned);
            queued.is_some_and(|queued| queued != "0")
        };
        let registers = async {
            while !queued().await {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        timeout(PATIENCE, registers).await.expect("interactions that are being registered");
    }

    /// Whether the bot has said something by now.
    pub(crate) fn has_said(&self, text: &str) -> bool {
        self.output.borrow().contains(text)
    }

    /// What the bot has said by now.
    pub(crate) fn log(&self) -> String {
        self.output.borrow().clone()
    }

    /// Asks the bot to end with SIGTERM; see [`RunningBot::signal`].
    pub(crate) async fn terminate(self) -> String {
        self.signal("TERM").await
    }

    /// Sends a signal, waits until the bot has ended well and answers all that it said.
    pub(crate) async fn signal(self, signal: &str) -> String {
        self.send(signal).await;
        let (code, output) = self.ended().await;
        assert_eq!(code, 0, "{output}");
        output
    }

    /// Sends a signal.
    pub(crate) async fn send(&self, signal: &str) {
        let id = self.process.id().expect("a bot that runs").to_string();
        let kill = ["-c".to_owned(), format!("kill -{signal} {id}")];
        assert!(Command::new("sh").args(kill).status().await.unwrap().success());
    }

    /// The most memory that the bot has had so far.
    pub(crate) fn peak_memory_bytes(&self) -> u64 {
        let id = self.process.id().expect("a bot that runs");
        let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        peak.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
    }

    /// How many files and connections the bot has open, and how many it may have (the soft limit).
    pub(crate) fn open_files(&self) -> (usize, usize) {
        let id = self.process.id().expect("a bot that runs");
        let open = std::fs::read_dir(format!("/proc/{id}/fd")).unwrap().count();
        let limits = std::fs::read_to_string(format!("/proc/{id}/limits")).unwrap();
        let soft = limits.lines().find_map(|line| line.strip_prefix("Max open files")).unwrap();
        (open, soft.split_whitespace().next().unwrap().parse().unwrap())
    }

    /// Kills the bot at once, as a power cut would.
    pub(crate) async fn kill(&mut self) {
        self.process.kill().await.unwrap();
    }

    /// Waits until the bot has ended; answers its exit code and all that it said.
    pub(crate) async fn ended(mut self) -> (i32, String) {
        let Ok(status) = timeout(PATIENCE, self.process.wait()).await else {
            panic!("the bot goes on:\n{}", *self.output.borrow());
        };
        // The sender is gone once both of the process's outputs are read to their end.
        while self.output.changed().await.is_ok() {}
        let output = self.output.borrow().clone();
        (status.unwrap().code().expect("an exit code"), output)
    }

    fn spawn(database: &ThrowAwayDatabase, arguments: &[&str], settings: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut process = Command::new("sh")
            .args(["-c", LAUNCH, env!("CARGO_BIN_EXE_bot")])
            .args(arguments)
            .env_clear()
            .env("DATABASE_URL", database.url())
            // The simulated Telegram has no limits; a test that wants some says so.
            .env("SEND_RATE", "0")
            // Tests run at once, and there is one default port.
            .env("LISTEN_ADDR", "off")
            // A test that wants games says from where.
            .env("NHL_API_URL", "off")
            .envs(settings.iter().copied())
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let (sender, output) = watch::channel(String::new());
        collect(process.stdout.take().unwrap(), sender.clone());
        collect(process.stderr.take().unwrap(), sender);
        Self { process, output, _folder: folder }
    }
}

/// Adds what is read to the output, line by line.
fn collect(source: impl AsyncRead + Send + Unpin + 'static, output: watch::Sender<String>) {
    tokio::spawn(async move {
        let mut lines = BufReader::new(source).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            output.send_modify(|output| {
                output.push_str(&line);
                output.push('\n');
            });
        }
    });
}
