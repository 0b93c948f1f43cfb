//! Bots with the real frameworks of other languages behind Rollcall.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

#[macro_use]
#[path = "../running/mod.rs"]
mod running;
#[path = "../behind/mod.rs"]
mod behind;

mod proxied;

use std::{process::Stdio, time::Duration};

use rollcall_simulator::{Person, Simulator, Update};
use rollcall_testkit::{PeerLanguage, ThrowAwayDatabase};
use running::{
    RunningBot,
    database::{quarantined, stored},
};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
    time::timeout,
};

stories!(telegraf_by_webhook,);

const PATIENCE: Duration = Duration::from_secs(60);
const SECRET: &str = "between_us";

/// A bot as its documentation shows it; it answers in the response to the webhook.
const TELEGRAF: &str = r#"
    import { createServer } from "node:http";
    import { Telegraf } from "telegraf";

    const { TELEGRAM_BOT_TOKEN, TELEGRAM_API_URL, SECRET } = process.env;
    const bot = new Telegraf(TELEGRAM_BOT_TOKEN, { telegram: { apiRoot: TELEGRAM_API_URL, webhookReply: true } });
    bot.start((ctx) => ctx.reply(`welcome ${ctx.payload}`));
    bot.on("text", (ctx) => ctx.reply("hello"));
    const server = createServer(bot.webhookCallback("/hook", { secretToken: SECRET }));
    server.listen(0, "127.0.0.1", () => console.log(server.address().port));
"#;

async fn telegraf_by_webhook(database: ThrowAwayDatabase) {
    let telegram =
        Simulator::builder().every_kind_allowed().wait_timeout(PATIENCE).start().await.unwrap();
    let Some(command) = PeerLanguage::JavaScript.run(TELEGRAF) else { return };
    let (_peer, port) = start(command, &telegram).await;
    let url = format!("http://127.0.0.1:{port}/hook");
    let settings = [("FORWARD_URL", url.as_str()), ("FORWARD_SECRET", SECRET)];
    let bot = RunningBot::start(&telegram, &database, &settings).await;
    for update in Update::examples() {
        telegram.push(update);
    }
    telegram.write(&Person::new(1815, "Ada"), "/start ad_1");
    telegram.write(&Person::new(1815, "Ada"), "how are you?");
    let last = telegram.write(&Person::new(1906, "Grete"), "hi");
    telegram.wait_until_confirmed(last).await.unwrap();
    telegram.wait_for_message(1906).await.unwrap();
    assert_eq!(telegram.texts_to(1815), ["welcome ad_1", "hello"]);
    assert_eq!(telegram.texts_to(1906), ["hello"]);
    let users = stored(&database).await;
    let ada = users.iter().find(|user| user.telegram_id.get() == 1815).expect("Ada is stored");
    assert_eq!(ada.source.as_ref().map(ToString::to_string).as_deref(), Some("ad_1"));
    assert_eq!(quarantined(&database).await, 0, "telegraf accepts every kind of update");
    bot.terminate().await;
}

/// Starts a bot, and waits for the port that it prints.
async fn start(mut command: std::process::Command, telegram: &Simulator) -> (Child, u16) {
    command
        .env("TELEGRAM_API_URL", telegram.url())
        .env("TELEGRAM_BOT_TOKEN", telegram.token())
        .env("SECRET", SECRET)
        .stdin(Stdio::null())
        .stdout(Stdio::piped());
    let mut process = Command::from(command).kill_on_drop(true).spawn().unwrap();
    let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
    let line = timeout(PATIENCE, lines.next_line()).await.expect("a line").unwrap().unwrap();
    (process, line.parse().unwrap())
}
