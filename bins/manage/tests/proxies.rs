//! What the management commands say about proxies, and that they take them.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    io::Read,
    net::TcpListener,
    process::{Command, Stdio},
    sync::mpsc::{self, Receiver},
    thread,
};

use rollcall_testkit::ThrowAwayDatabase;

/// Runs `manage` and answers what it printed, errors last.
fn manage(database: &ThrowAwayDatabase, arguments: &[&str], settings: &[(&str, &str)]) -> String {
    manage_with_file(database, arguments, settings, "")
}

/// The same with a file `.env`.
fn manage_with_file(
    database: &ThrowAwayDatabase,
    arguments: &[&str],
    settings: &[(&str, &str)],
    file: &str,
) -> String {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join(".env"), file).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_manage"))
        .args(arguments)
        .env_clear()
        .env("DATABASE_URL", database.url())
        .envs(settings.iter().copied())
        .current_dir(folder.path())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    String::from_utf8([output.stdout, output.stderr].concat()).unwrap()
}

/// A server that closes every connection; answers its address, and with what they began.
fn proxy() -> (String, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let (sender, begun) = mpsc::channel();
    thread::spawn(move || {
        while let Ok((mut stream, _)) = listener.accept() {
            let mut bytes = vec![0; 512];
            let length = stream.read(&mut bytes).unwrap();
            bytes.truncate(length);
            // Before the connection ends, so that it is there when the client goes on.
            sender.send(String::from_utf8_lossy(&bytes).into_owned()).unwrap();
        }
    });
    (address, begun)
}

#[test]
fn check_shows_which_proxies_are_taken() {
    let database = ThrowAwayDatabase::sqlite();
    manage(&database, &["migrate"], &[]);
    let (address, begun) = proxy();
    let printed = manage_with_file(
        &database,
        &["check"],
        &[
            ("TELEGRAM_BOT_TOKEN", "123:hunter2"),
            ("TELEGRAM_PROXY", &format!("http://ada:hunter2@{address}")),
        ],
        "HTTPS_PROXY=socks5h://ada:hunter2@proxy.example.org\n",
    );
    for line in [
        &format!("- Proxy for Telegram: http://{address} (TELEGRAM_PROXY)\n"),
        "- Proxy for the NHL's API: socks5h://proxy.example.org:1080 (HTTPS_PROXY)\n",
        "✗ Telegram: a call to Telegram failed: ",
    ] {
        assert!(printed.contains(line), "{line:?} in:\n{printed}");
    }
    assert!(!printed.contains("hunter2") && !printed.contains("http://:"), "{printed}");
    let begun = begun.try_recv().unwrap();
    assert!(begun.starts_with("CONNECT api.telegram.org:443 HTTP/1.1\r\n"), "{begun}");
}

#[test]
fn check_warns_of_a_token_in_clear_and_names_what_is_no_proxy() {
    let database = ThrowAwayDatabase::sqlite();
    manage(&database, &["migrate"], &[]);
    let (address, begun) = proxy();
    let token = ("TELEGRAM_BOT_TOKEN", "123:hunter2");
    let proxy = format!("socks5h://{address}");
    let server = ("TELEGRAM_API_URL", "http://bot-api.invalid");
    let printed = manage(&database, &["check"], &[token, server, ("ALL_PROXY", &proxy)]);
    assert!(
        printed.contains("! Telegram: TELEGRAM_API_URL begins with http://: the bot's token"),
        "{printed}"
    );
    assert!(begun.try_recv().unwrap().starts_with('\u{5}'), "SOCKS is spoken");
    let printed = manage(&database, &["check"], &[token, ("ALL_PROXY", "socks://hunter2")]);
    assert!(
        printed.starts_with("✗ Settings: ALL_PROXY: the scheme socks:// is not supported;"),
        "{printed}"
    );
}

/// A week is asked for a few times, since the proxy may come back.
#[test]
fn games_are_fetched_through_the_proxy_of_the_environment() {
    let database = ThrowAwayDatabase::sqlite();
    manage(&database, &["migrate"], &[]);
    let (address, begun) = proxy();
    let printed = manage(
        &database,
        &["fetch-games"],
        &[
            ("all_proxy", &format!("http://ada:hunter2@{address}")),
            ("TELEGRAM_PROXY", "socks5://127.0.0.1:1"),
        ],
    );
    assert!(printed.contains("cannot reach the NHL's API"), "{printed}");
    assert!(!printed.contains("hunter2"), "{printed}");
    let begun: Vec<_> = begun.try_iter().collect();
    assert!(begun.len() > 1, "{begun:?}");
    for request in begun {
        assert!(request.starts_with("CONNECT api-web.nhle.com:443 HTTP/1.1\r\n"), "{request}");
    }
}
