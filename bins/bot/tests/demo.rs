//! `bot --demo` as a new owner meets it: the box with the link, busy ports, browsers and chats.
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod running;

use std::{
    fs,
    io::Write as _,
    net::TcpListener,
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use reqwest::{Client, Response, StatusCode, redirect::Policy};
use rollcall_testkit::ThrowAwayDatabase;
use tokio::time::timeout;

use running::RunningBot;

const ANY_PORT: (&str, &str) = ("LISTEN_ADDR", "127.0.0.1:0");
const PATIENCE: Duration = Duration::from_secs(30);

/// The link in the box: a line of its own.
fn link(bot: &RunningBot) -> String {
    let log = bot.log();
    let lines = log.lines().skip_while(|line| !line.starts_with('╭'));
    let mut inside = lines.take_while(|line| !line.starts_with('╰')).map(str::trim);
    inside
        .find(|line| line.starts_with("http://"))
        .unwrap_or_else(|| panic!("no link:\n{log}"))
        .to_owned()
}

/// A new browser: without cookies, and on no page yet.
fn browser() -> Client {
    Client::builder().redirect(Policy::none()).build().unwrap()
}

/// Opens the link, presses its button, and returns the dashboard.
async fn dashboard(link: &str) -> String {
    let browser = browser();
    let page = browser.get(link).send().await.unwrap().error_for_status().unwrap();
    let page = page.text().await.unwrap();
    assert!(page.contains("any number of times, until the demo stops"), "{page}");
    let signed_in =
        browser.post(link).header("sec-fetch-site", "same-origin").send().await.unwrap();
    assert_eq!(signed_in.status(), StatusCode::SEE_OTHER);
    let admin = link.split("/link/").next().unwrap();
    let dashboard = browser.get(admin).header("cookie", cookie(&signed_in)).send().await.unwrap();
    dashboard.error_for_status().unwrap().text().await.unwrap()
}

fn cookie(response: &Response) -> String {
    let cookies = response.headers().get_all("set-cookie").iter();
    let values = cookies.map(|it| it.to_str().unwrap().split(';').next().unwrap());
    values.collect::<Vec<_>>().join("; ")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_link_in_the_box_signs_in_any_number_of_browsers() {
    let database = ThrowAwayDatabase::sqlite();
    let bot = RunningBot::demo(&database, &[ANY_PORT]).await;
    let link = link(&bot);
    for _ in 0..3 {
        let page = dashboard(&link).await;
        assert!(page.contains("The owner") && page.contains("Active today"), "{page}");
    }
    let mut wrong = link.clone();
    wrong.truncate(link.len() - 4);
    let refused = browser().post(&wrong).header("sec-fetch-site", "same-origin").send().await;
    assert_eq!(refused.unwrap().status(), StatusCode::UNAUTHORIZED);
    let output = bot.signal("INT").await;
    assert!(output.contains("updates and registered "), "{output}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_busy_port_is_reported_and_another_one_is_used() {
    let database = ThrowAwayDatabase::sqlite();
    let busy = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = busy.local_addr().unwrap().to_string();
    let bot = RunningBot::demo(&database, &[("LISTEN_ADDR", &address)]).await;
    let link = link(&bot);
    let used = link.split('/').nth(2).unwrap().to_owned();
    assert_ne!(used, address);
    let expected =
        format!("demo │ {address} is in use by another program; the demo uses {used}.\n");
    assert!(bot.has_said(&expected), "{}", bot.log());
    dashboard(&link).await;
    bot.signal("INT").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_demos_run_side_by_side() {
    let (one, two) = (ThrowAwayDatabase::sqlite(), ThrowAwayDatabase::sqlite());
    let first = RunningBot::demo(&one, &[ANY_PORT]).await;
    let address = link(&first).split('/').nth(2).unwrap().to_owned();
    let second = RunningBot::demo(&two, &[("LISTEN_ADDR", &address)]).await;
    for bot in [&first, &second] {
        dashboard(&link(bot)).await;
    }
    // The link of one demo does not open the other.
    let foreign = link(&first).split("/link/").nth(1).unwrap().to_owned();
    let url = format!("{}/link/{foreign}", link(&second).split("/link/").next().unwrap());
    let refused = browser().post(url).header("sec-fetch-site", "same-origin").send().await.unwrap();
    assert_eq!(refused.status(), StatusCode::UNAUTHORIZED);
    first.signal("INT").await;
    dashboard(&link(&second)).await;
    second.signal("TERM").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn chats_are_printed_only_with_verbose() {
    let database = ThrowAwayDatabase::sqlite();
    let quiet = RunningBot::demo(&database, &[ANY_PORT]).await;
    let address = link(&quiet).split('/').nth(2).unwrap().to_owned();
    receives(&format!("http://{address}/metrics")).await;
    let output = quiet.signal("INT").await;
    assert!(!output.contains("writes:") && !output.contains("the bot to "), "{output}");
    assert!(output.contains("--verbose"), "{output}");

    let open = RunningBot::demo_with(&database, &["--verbose"], &[ANY_PORT]).await;
    open.said(" writes: ").await;
    open.said("    the bot to ").await;
    // The first visitor goes on by a button, which has a label.
    open.said(" presses [").await;
    open.signal("INT").await;
}

/// Waits until the bot has received an update of a simulated user.
async fn receives(metrics: &str) {
    const UPDATES: &str = "rollcall_updates_total{";
    let received = async {
        loop {
            let text = reqwest::get(metrics).await.unwrap().text().await.unwrap();
            let mut counts = text.lines().filter(|line| line.starts_with(UPDATES));
            if counts.any(|count| !count.ends_with(" 0")) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(PATIENCE, received).await.expect("an update of a simulated user");
}

/// A folder of programs in which `xdg-open` writes what it opens into `opened`.
fn desktop() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("xdg-open");
    let opened = folder.path().join("opened");
    let script =
        format!("#!/bin/sh\nprintf %s \"$1\" > {0}.new\nmv {0}.new {0}\n", opened.display());
    write_program(&program, &script);
    folder
}

/// Writes a program in another process. What this one had open for writing, children of other tests
/// might have open too, and nobody could run it then.
fn write_program(program: &Path, script: &str) {
    let mut install = Command::new("install");
    install.args(["-m", "755", "/dev/stdin"]).arg(program).stdin(Stdio::piped());
    let mut install = install.spawn().unwrap();
    install.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
    assert!(install.wait().unwrap().success(), "install");
}

async fn exists(file: &Path) {
    let exists = async {
        while !file.exists() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(PATIENCE, exists).await.expect("a browser that was opened");
}

fn path_with(folder: &Path) -> String {
    format!("{}:/usr/bin:/bin", folder.display())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_browser_opens_the_link_on_a_desktop_only() {
    let database = ThrowAwayDatabase::sqlite();
    for (flag, screen, expected) in [
        (None, Some(("DISPLAY", ":99")), true),
        (None, Some(("WAYLAND_DISPLAY", "wayland-0")), true),
        (None, None, false),
        (Some("--no-open"), Some(("DISPLAY", ":99")), false),
    ] {
        let desktop = desktop();
        let path = path_with(desktop.path());
        let settings = [ANY_PORT, ("PATH", path.as_str())].into_iter().chain(screen);
        let settings: Vec<_> = settings.collect();
        let flags: Vec<_> = ["--verbose"].into_iter().chain(flag).collect();
        let bot = RunningBot::demo_with(&database, &flags, &settings).await;
        let file = desktop.path().join("opened");
        if expected {
            exists(&file).await;
        }
        // By then the browser would have been started.
        bot.said("    the bot to ").await;
        let link = link(&bot);
        bot.signal("INT").await;
        let opened = fs::read_to_string(file).ok();
        assert_eq!(opened, expected.then_some(link), "{flag:?} {screen:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_desktop_without_a_browser_is_reported() {
    let database = ThrowAwayDatabase::sqlite();
    let desktop = desktop();
    write_program(&desktop.path().join("xdg-open"), "#!/bin/sh\nexit 3\n");
    // No other program that opens URLs is on this path.
    let path = desktop.path().to_str().unwrap();
    let sh = std::os::unix::fs::symlink("/bin/sh", desktop.path().join("sh"));
    sh.unwrap();
    let bot = RunningBot::demo(&database, &[ANY_PORT, ("PATH", path), ("DISPLAY", ":99")]).await;
    bot.said("No browser could be opened: open the link yourself.").await;
    dashboard(&link(&bot)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_of_a_real_bot_are_not_used() {
    let database = ThrowAwayDatabase::sqlite();
    let token = ("TELEGRAM_BOT_TOKEN", "123:production");
    let bot = RunningBot::demo(&database, &[ANY_PORT, token]).await;
    let note = "demo │ The demo does not use your TELEGRAM_BOT_TOKEN and DATABASE_URL.\n";
    assert!(bot.has_said(note), "{}", bot.log());
    bot.signal("INT").await;
    assert!(!database.file().unwrap().exists());

    for flags in [
        ["--demo", "--telegram-bot-token", "123:production"],
        ["--demo", "--database-url", "sqlite://real.db"],
        ["--demo", "--public-url", "https://example.org"],
        ["--demo", "--schedule", "off"],
    ] {
        let (code, output) = RunningBot::refuses(&database, &flags).await;
        assert_eq!(code, 2, "{output}");
        assert!(output.contains("'--demo' cannot be used with"), "{output}");
        assert!(output.contains(flags[1]) && !output.contains("production"), "{output}");
    }
    for flag in ["--verbose", "--no-open"] {
        let (code, output) = RunningBot::refuses(&database, &[flag]).await;
        assert!(code == 2 && output.contains("--demo"), "{code} {output}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_demo_without_a_web_admin_explains_itself() {
    let database = ThrowAwayDatabase::sqlite();
    let bot = RunningBot::demo(&database, &[("LISTEN_ADDR", "off")]).await;
    let output = bot.signal("INT").await;
    assert!(output.contains("LISTEN_ADDR is off"), "{output}");
    assert!(!output.contains("/admin/link/"), "{output}");
}
