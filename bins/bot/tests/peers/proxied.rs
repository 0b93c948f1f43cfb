//! Bots whose one line was changed: their Bot API server is Rollcall.

use std::{path::Path, process::Stdio, time::Duration};

use rollcall_simulator::{Person, Simulator};
use rollcall_testkit::{PeerLanguage, ThrowAwayDatabase};
use serde_json::Value;
use tempfile::TempDir;
use tokio::{
    process::{Child, Command},
    time::{sleep, timeout},
};

use super::{
    PATIENCE,
    behind::free_address,
    running::{
        RunningBot,
        database::{counted, quarantined, stored},
    },
};

stories!(django_by_polling, django_by_webhook, grammy_by_polling,);

/// Answers as the bot in `django` does, but keeps its numbers in memory.
const GRAMMY: &str = r#"
    import { Bot, GrammyError } from "grammy";

    const { TELEGRAM_BOT_TOKEN, TELEGRAM_API_URL } = process.env;
    const bot = new Bot(TELEGRAM_BOT_TOKEN, { client: { apiRoot: TELEGRAM_API_URL } });
    const messages = new Map();
    bot.command("call", async (ctx) => {
        const id = Number(ctx.match);
        let found = "called";
        try {
            await send(id, "come back");
        } catch (error) {
            found = error.error_code === 403 ? "gone" : "lost";
        }
        await send(ctx.from.id, `${id}: ${found}`);
    });
    bot.on("message:text", async (ctx) => {
        const number = (messages.get(ctx.from.id) ?? 0) + 1;
        messages.set(ctx.from.id, number);
        await send(ctx.from.id, `${number}: ${ctx.message.text}`);
    });
    process.once("SIGTERM", () => bot.stop());
    await bot.start();

    /** Sends a message. While the Bot API server is away, it tries again. */
    async function send(chat, text) {
        for (;;) {
            try {
                return await bot.api.sendMessage(chat, text);
            } catch (error) {
                if (error instanceof GrammyError && error.error_code < 500) throw error;
                await new Promise((resolve) => setTimeout(resolve, 100));
            }
        }
    }
"#;

async fn django_by_polling(database: ThrowAwayDatabase) {
    check_django(&database, &[]).await;
}

async fn django_by_webhook(database: ThrowAwayDatabase) {
    let port = free_address().await.port().to_string();
    check_django(&database, &["--webhook", &port]).await;
}

async fn grammy_by_polling(database: ThrowAwayDatabase) {
    let run = || PeerLanguage::JavaScript.run(GRAMMY);
    // It confirms an update once it has handled it, so it may be killed.
    check(&database, &run, "KILL").await;
}

/// A project that stores its users itself, also while Rollcall is in front.
async fn check_django(database: &ThrowAwayDatabase, flags: &[&str]) {
    let project = Project::new();
    if !project.migrate() {
        return;
    }
    let run = || {
        let mut command = project.manage("bot")?;
        command.args(flags);
        Some(command)
    };
    // It confirms updates before it has handled them. So it loses some if it is killed, also without
    // Rollcall.
    check(database, &run, "TERM").await;
    let customers = project.customers();
    assert_eq!(customers.len(), PEOPLE + 1, "all are stored there too");
    for customer in customers {
        let (id, fields) = (customer["pk"].as_i64().unwrap(), &customer["fields"]);
        assert_eq!(fields["has_blocked"], id == LOST, "{customer}");
        let messages = if id == LOST { 1 } else { 9 };
        assert!(fields["messages"].as_u64() >= Some(messages), "{customer}");
    }
}

/// How many people write.
const PEOPLE: usize = 20;
/// The id of one more, whose account is deleted.
const LOST: i64 = 99;

/// Runs a bot at Telegram, and then with Rollcall in front of it, while either side is restarted.
async fn check(
    database: &ThrowAwayDatabase,
    run: &dyn Fn() -> Option<std::process::Command>,
    end_of_peer: &str,
) {
    let telegram = Simulator::builder().wait_timeout(PATIENCE).start().await.unwrap();
    let people: Vec<Person> = (1..).take(PEOPLE).map(|id| Person::new(id, "Ann")).collect();
    let write = |text: &str| {
        for person in &people {
            telegram.write(person, text);
        }
        u64::try_from(people.len()).unwrap()
    };
    let start = |root: &str| Some(Peer::start(run()?, root, telegram.token()));

    let Some(mut peer) = start(&telegram.url()) else { return };
    write("before");
    assert_eq!(answers(&telegram, &people, "before").await, PEOPLE);
    peer.end("TERM").await;

    let address = free_address().await.to_string();
    let settings = [("API_PROXY_ADDR", address.as_str())];
    let root = format!("http://{address}");
    let mut peer = start(&root).unwrap();
    let bot = RunningBot::launch(&telegram, database, &settings);
    let mut written = write("hello") + write("how are you?");
    assert_eq!(answers(&telegram, &people, "hello").await, PEOPLE, "each is answered once");
    assert_eq!(answers(&telegram, &people, "how are you?").await, PEOPLE);

    // A call that fails reaches the bot, and Rollcall.
    let lost = [Person::new(LOST, "Bob")];
    telegram.write(&lost[0], "hello");
    assert_eq!(answers(&telegram, &lost, "hello").await, 1);
    telegram.deactivate(&lost[0]);
    telegram.write(&people[0], &format!("/call {LOST}"));
    assert_eq!(answers(&telegram, &people[..1], "gone").await, 1);
    while unreachable(database).await != [LOST] {
        sleep(Duration::from_millis(20)).await;
    }
    written += 2;

    // Rollcall is restarted while people write.
    written += write("during a restart");
    bot.terminate().await;
    written += write("meanwhile");
    let mut bot = RunningBot::launch(&telegram, database, &settings);
    assert_eq!(answers(&telegram, &people, "during a restart").await, PEOPLE);
    assert_eq!(answers(&telegram, &people, "meanwhile").await, PEOPLE);

    // It is killed. What was on its way may come twice.
    written += write("during a crash");
    bot.kill().await;
    written += write("after a crash");
    let bot = RunningBot::launch(&telegram, database, &settings);
    assert!(answers(&telegram, &people, "during a crash").await >= PEOPLE);
    assert!(answers(&telegram, &people, "after a crash").await >= PEOPLE);

    // The bot behind ends, and comes back.
    written += write("at its end");
    peer.end(end_of_peer).await;
    written += write("while it is away");
    let mut peer = start(&root).unwrap();
    let at_its_end = answers(&telegram, &people, "at its end").await;
    let expected = if end_of_peer == "KILL" { PEOPLE..2 * PEOPLE + 1 } else { PEOPLE..PEOPLE + 1 };
    assert!(expected.contains(&at_its_end), "{at_its_end} answers");
    assert_eq!(answers(&telegram, &people, "while it is away").await, PEOPLE);

    telegram.wait_until_drained().await.unwrap();
    peer.end("TERM").await;
    bot.terminate().await;
    assert_eq!(counted(database).await, written, "each update is counted once");
    assert_eq!(stored(database).await.len(), PEOPLE + 1);
    assert_eq!(quarantined(database).await, 0);
}

/// Waits until each of them has an answer to a text; returns how many there are.
async fn answers(telegram: &Simulator, people: &[Person], text: &str) -> usize {
    let end = format!(": {text}");
    let to = |id: i64| telegram.texts_to(id).iter().filter(|it| it.ends_with(&end)).count();
    let count = || people.iter().map(|person| to(person.id)).collect::<Vec<usize>>();
    let all = telegram.wait_for(text, |_| {
        let counts = count();
        counts.iter().all(|count| *count > 0).then(|| counts.iter().sum())
    });
    all.await.unwrap_or_else(|error| panic!("{error}; {:?}", count()))
}

/// The users that cannot be reached.
async fn unreachable(database: &ThrowAwayDatabase) -> Vec<i64> {
    let users = stored(database).await;
    let lost = users.iter().filter(|user| user.reachability.obstacle.is_some());
    lost.map(|user| user.telegram_id.get()).collect()
}

/// A Django project with a database of its own.
struct Project(TempDir);

impl Project {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// One of its management commands.
    fn manage(&self, name: &str) -> Option<std::process::Command> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers/django");
        let mut command = PeerLanguage::Python.command()?;
        command.current_dir(folder).args(["manage.py", name]);
        command.env("SHOP_DATABASE", self.0.path().join("shop.db"));
        Some(command)
    }

    /// Creates its tables. Returns whether Python's frameworks are installed.
    fn migrate(&self) -> bool {
        let Some(command) = self.manage("migrate") else { return false };
        finish(command);
        true
    }

    /// The customers in its database.
    fn customers(&self) -> Vec<Value> {
        let mut command = self.manage("dumpdata").unwrap();
        command.arg("shop.Customer");
        serde_json::from_slice(&finish(command)).unwrap()
    }
}

/// Runs a command that needs no bot; returns its output.
fn finish(mut command: std::process::Command) -> Vec<u8> {
    command.env("TELEGRAM_BOT_TOKEN", "1:none").env("TELEGRAM_API_URL", "http://127.0.0.1:1");
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// A running bot in another language, killed when it is dropped.
struct Peer(Child);

impl Peer {
    fn start(mut command: std::process::Command, root: &str, token: &str) -> Self {
        command.env("TELEGRAM_API_URL", root).env("TELEGRAM_BOT_TOKEN", token);
        command.stdin(Stdio::null());
        Self(Command::from(command).kill_on_drop(true).spawn().unwrap())
    }

    /// Sends it a signal, and waits for its end.
    async fn end(&mut self, signal: &str) {
        let id = self.0.id().expect("a bot that runs");
        let kill = ["-c".to_owned(), format!("kill -{signal} {id}")];
        assert!(Command::new("sh").args(kill).status().await.unwrap().success());
        let status = timeout(PATIENCE, self.0.wait()).await.expect("the bot ends").unwrap();
        assert!(status.success() || signal == "KILL", "{status}");
    }
}
