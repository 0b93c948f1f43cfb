//! Bots with the real frameworks of other languages, which send their updates to `manage runserver` by
//! the client libraries. The programs are the examples of the libraries' READMEs.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

#[path = "../program/mod.rs"]
mod program;

use std::{collections::BTreeMap, fs, process::Stdio, time::Duration};

use program::run;
use rollcall_domain::{Figure, UserFilter, UserSort};
use rollcall_repository::{ActivityRepository, DirectoryRepository, QuarantineRepository};
use rollcall_repository_diesel::{Database, DieselQuarantineRepository, DieselUserRepository};
use rollcall_simulator::{Person, Simulator, Update};
use rollcall_testkit::{PeerLanguage, ThrowAwayDatabase};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
    time::timeout,
};

const PATIENCE: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread")]
async fn python_telegram_bot_by_its_client() {
    // `base_url` is the framework's own setting of another Bot API server.
    let url = r#".base_url(os.environ["TELEGRAM_API_URL"] + "/bot").build()"#;
    check(PeerLanguage::Python, "python-telegram-bot", &[(".build()", url)]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn aiogram_by_its_client() {
    let session = r#"Bot(os.environ["TELEGRAM_BOT_TOKEN"], session=__import__("aiogram").client.session.aiohttp.AiohttpSession(
        api=__import__("aiogram").client.telegram.TelegramAPIServer.from_base(os.environ["TELEGRAM_API_URL"])))"#;
    let bot = r#"Bot(os.environ["TELEGRAM_BOT_TOKEN"])"#;
    check(PeerLanguage::Python, "aiogram", &[(bot, session)]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn grammy_by_its_client() {
    let (token, url) = (
        "process.env.TELEGRAM_BOT_TOKEN",
        "process.env.TELEGRAM_BOT_TOKEN, { client: { apiRoot: process.env.TELEGRAM_API_URL } }",
    );
    let every = r#"bot.start({ allowed_updates: (await import("grammy")).API_CONSTANTS.ALL_UPDATE_TYPES })"#;
    check(PeerLanguage::JavaScript, "grammY", &[(token, url), ("bot.start()", every)]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn telegraf_by_its_client() {
    let (token, url) = (
        "process.env.TELEGRAM_BOT_TOKEN",
        "process.env.TELEGRAM_BOT_TOKEN, { telegram: { apiRoot: process.env.TELEGRAM_API_URL } }",
    );
    check(PeerLanguage::JavaScript, "telegraf", &[(token, url)]).await;
}

/// The libraries' own tests.
#[test]
fn the_clients_pass_their_own_tests() {
    let runs: [(PeerLanguage, &[&str]); 2] = [
        (PeerLanguage::Python, &["-m", "unittest", "discover", "-s", "tests"]),
        (PeerLanguage::JavaScript, &["--test", "test/"]),
    ];
    for (language, arguments) in runs {
        let Some(mut command) = language.command() else { return };
        let output = command.args(arguments).current_dir(language.client()).output().unwrap();
        let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert!(output.status.success(), "{text}");
        assert!(text.contains("Ran ") || text.contains("# pass "), "{text}");
    }
}

/// The types of the JavaScript library fit both frameworks.
#[test]
fn the_types_of_the_middleware_fit() {
    let Some(mut command) = PeerLanguage::JavaScript.command() else { return };
    let program = r#"
        import { Bot, type Context } from "grammy";
        import { Telegraf } from "telegraf";
        import { rollcall, type RollcallMiddleware } from "rollcall-bot";
        const middleware: RollcallMiddleware = rollcall({ url: "http://127.0.0.1:8080", key: "k" });
        new Bot<Context>("1:a").use(middleware);
        new Telegraf("1:a").use(middleware);
        const sent: number = middleware.sent;
        export const flushed: Promise<void> = middleware.flush(sent);
    "#;
    let folder = tempfile::tempdir_in(command.get_current_dir().unwrap()).unwrap();
    let file = folder.path().join("types.mts");
    fs::write(&file, program).unwrap();
    command.args(["node_modules/typescript/bin/tsc", "--noEmit", "--strict", "--skipLibCheck"]);
    command.args(["--module", "nodenext", "--target", "es2022", "--types", "node"]).arg(&file);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

/// Runs a README's example with changes, against the simulated Telegram, until its bot has answered the
/// last message. Then its users and figures must be those of the same updates as Telegram sent them.
async fn check(language: PeerLanguage, framework: &str, changes: &[(&str, &str)]) {
    for database in ThrowAwayDatabase::of_each_kind() {
        let program = example(language, framework, changes);
        let Some(command) = language.run(&program) else { return };
        let telegram =
            Simulator::builder().every_kind_allowed().wait_timeout(PATIENCE).start().await.unwrap();
        for update in Update::examples() {
            telegram.push(update);
        }
        telegram.push_raw(
            r#"{"update_id":5000,"kind_of_2030":{"from":{"id":77,"is_bot":false,"first_name":"Z"}}}"#,
        );
        telegram.write(&Person::new(1815, "Ada").username("ada"), "/start ad_1");
        let expected = expected(&telegram, &database).await;

        let server = Server::start(&database, telegram.bot_id()).await;
        let peer = Peer::start(command, &telegram, &server);
        telegram
            .wait_for_message(1815)
            .await
            .unwrap_or_else(|error| panic!("{framework}: {error}"));
        assert_eq!(telegram.texts_to(1815), ["hello"], "the bot answers as before");
        peer.terminate().await;
        assert_eq!(registered(&database).await, expected, "{framework}");
    }
}

/// The example of a framework in the README of its library.
fn example(language: PeerLanguage, framework: &str, changes: &[(&str, &str)]) -> String {
    let readme = fs::read_to_string(language.client().join("README.md")).unwrap();
    let section = readme.split_once(&format!("## {framework}\n")).unwrap().1;
    let code = section.split("```").nth(1).unwrap();
    let mut code = code.split_once('\n').unwrap().1.to_owned();
    for (from, to) in changes {
        assert!(code.contains(from), "{from} in {code}");
        code = code.replace(from, to);
    }
    code
}

/// What Rollcall registers if it gets the waiting updates as Telegram sends them.
async fn expected(telegram: &Simulator, like: &ThrowAwayDatabase) -> Registered {
    let database = match like.file() {
        Some(_) => ThrowAwayDatabase::sqlite(),
        None => ThrowAwayDatabase::postgres().unwrap(),
    };
    let url = format!("{}/bot{}/getUpdates", telegram.url(), telegram.token());
    let client = reqwest::Client::new();
    let updates = client.get(url).send().await.unwrap().text().await.unwrap();
    let server = Server::start(&database, telegram.bot_id()).await;
    let request = client.post(format!("{}/ingest", server.url)).bearer_auth(&server.key);
    let taken: Value = request.body(updates).send().await.unwrap().json().await.unwrap();
    assert!(taken["registered"].as_u64().unwrap() > 30, "{taken}");
    assert_eq!(taken["set_aside"], json!(0));
    registered(&database).await
}

/// Users, what they did, and how many updates could not be read.
type Registered = (Vec<String>, BTreeMap<String, i64>, u64);

async fn registered(database: &ThrowAwayDatabase) -> Registered {
    let database = Database::open_existing(database.url().parse().unwrap()).await.unwrap();
    let quarantined = DieselQuarantineRepository::new(database.clone()).count().await.unwrap();
    let users = DieselUserRepository::new(database);
    let page = users.users(&UserFilter::new(), UserSort::default(), None, 1000).await.unwrap();
    let mut rows: Vec<String> = page
        .rows
        .iter()
        .map(|row| {
            let user = &row.user;
            let (id, names) =
                (user.telegram_id, (&user.first_name, &user.last_name, &user.username));
            format!(
                "{id} {names:?} {:?} {:?} {:?}",
                user.language_code, user.source, user.reachability
            )
        })
        .collect();
    rows.sort_unstable();
    let (first, last) = ("1970-01-01".parse().unwrap(), "2100-01-01".parse().unwrap());
    let mut kinds = BTreeMap::new();
    for count in users.sums_by_label(&[Figure::Kind], first, last).await.unwrap() {
        *kinds.entry(count.label).or_default() += count.value;
    }
    (rows, kinds, quarantined)
}

/// A running `manage runserver` with a key, killed when it is dropped.
struct Server {
    url: String,
    key: String,
    _process: Child,
    _folder: TempDir,
}

impl Server {
    async fn start(database: &ThrowAwayDatabase, bot_id: i64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let settings = [("DATABASE_URL", database.url())];
        let bot_id = bot_id.to_string();
        let create = ["api-keys", "create", "shop", "--scope", "ingest", "--bot-id", &bot_id];
        let (code, key, error) = run(folder.path(), &create, b"", &settings);
        assert_eq!(code, 0, "{error}");
        let mut process = Command::new(env!("CARGO_BIN_EXE_manage"))
            .args(["runserver", "--listen", "127.0.0.1:0"])
            .env_clear()
            .envs(settings)
            .current_dir(folder.path())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let line = timeout(PATIENCE, lines.next_line()).await.expect("a line").unwrap().unwrap();
        let url = line.split_once("http://").unwrap().1.split('/').next().unwrap().to_owned();
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        let (url, key) = (format!("http://{url}"), key.trim().to_owned());
        Self { url, key, _process: process, _folder: folder }
    }
}

/// A running bot in another language, killed when it is dropped.
struct Peer(Child);

impl Peer {
    fn start(mut command: std::process::Command, telegram: &Simulator, server: &Server) -> Self {
        command
            .env("TELEGRAM_API_URL", telegram.url())
            .env("TELEGRAM_BOT_TOKEN", telegram.token())
            .env("ROLLCALL_URL", &server.url)
            .env("ROLLCALL_KEY", &server.key)
            .stdin(Stdio::null());
        Self(Command::from(command).kill_on_drop(true).spawn().unwrap())
    }

    /// Ends it as systemd does. What it has not sent yet, it sends now.
    async fn terminate(mut self) {
        let id = self.0.id().expect("a bot that runs").to_string();
        let kill = ["-c".to_owned(), format!("kill -TERM {id}")];
        assert!(Command::new("sh").args(kill).status().await.unwrap().success());
        let status = timeout(PATIENCE, self.0.wait()).await.expect("the bot ends").unwrap();
        assert!(status.success(), "{status}");
    }
}
