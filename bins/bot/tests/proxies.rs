//! Proxies on the way to Telegram and the NHL: the real program, with real proxies between it and
//! the simulated servers.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod running;

use std::{net::SocketAddr, time::Duration};

use base64::{Engine, prelude::BASE64_STANDARD};
use rollcall_simulator::{NhlApi, Person, Simulator};
use rollcall_testkit::ThrowAwayDatabase;
use running::RunningBot;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinHandle,
    time::timeout,
};

/// How long the bot may take for what it does at once.
const PATIENCE: Duration = Duration::from_secs(15);
/// A name that no name server knows: only a proxy gets further with it.
const NOWHERE: &str = "http://bot-api.invalid:8081";
/// An address at which nobody listens: only a proxy gets further with it.
const NOBODY: &str = "http://127.0.0.1:1";
const USER: &str = "ada";
/// With characters that a URL has to escape, and one that it has not.
const PASSWORD: &str = "hunter2 100%@:/'";
const ESCAPED: &str = "ada:hunter2%20100%25%40%3A%2F'";

/// A proxy that takes every connection to one server, and writes down what it was asked for.
struct Proxy {
    address: SocketAddr,
    seen: watch::Receiver<String>,
    server: JoinHandle<()>,
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Http,
    Socks,
    /// Takes what comes, and answers nothing.
    Deaf,
}

impl Proxy {
    /// A proxy to the server at this URL.
    async fn start(kind: Kind, server: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = server.trim_start_matches("http://").to_owned();
        let (sender, seen) = watch::channel(String::new());
        let server = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(pass(kind, stream, server.clone(), sender.clone()));
            }
        });
        Self { address, seen, server }
    }

    /// Its URL with a scheme, and with user name and password.
    fn url(&self, scheme: &str) -> String {
        format!("{scheme}://{ESCAPED}@{}", self.address)
    }

    /// What it was asked for by now.
    fn seen(&self) -> String {
        self.seen.borrow().clone()
    }

    /// Waits until it was asked for something.
    async fn saw(&self, text: &str) {
        let mut seen = self.seen.clone();
        let saw = timeout(PATIENCE, seen.wait_for(|seen| seen.contains(text))).await;
        assert!(matches!(saw, Ok(Ok(_))), "not seen: {text:?} in:\n{}", self.seen());
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// Serves one connection; one that ends early is the client's affair.
async fn pass(
    kind: Kind,
    mut stream: TcpStream,
    server: String,
    seen: watch::Sender<String>,
) -> Option<()> {
    let note = |line: String| seen.send_modify(|seen| seen.push_str(&format!("{line}\n")));
    match kind {
        Kind::Deaf => {
            let mut bytes = [0; 2];
            stream.read_exact(&mut bytes).await.ok()?;
            note(format!("{bytes:x?}"));
        }
        Kind::Http => {
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.push(stream.read_u8().await.ok()?);
            }
            note(String::from_utf8(head.clone()).unwrap());
            if head.starts_with(b"CONNECT ") {
                stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.ok()?;
                let mut hello = vec![0; 4096];
                let length = stream.read(&mut hello).await.ok()?;
                hello.truncate(length);
                note(String::from_utf8_lossy(&hello).into_owned());
                return None;
            }
            let mut server = TcpStream::connect(server).await.ok()?;
            server.write_all(&head).await.ok()?;
            copy_bidirectional(&mut stream, &mut server).await.ok()?;
        }
        Kind::Socks => {
            // RFC 1928 and 1929, as far as a client goes that has a user name and a password.
            assert_eq!(stream.read_u8().await.ok()?, 5, "the version of SOCKS");
            let methods = text(&mut stream).await?;
            assert_eq!(methods, "\u{2}", "it offers its user name and password");
            stream.write_all(&[5, 2]).await.ok()?;
            assert_eq!(stream.read_u8().await.ok()?, 1);
            let user = text(&mut stream).await?;
            let password = text(&mut stream).await?;
            note(format!("{user} {password}"));
            if password != PASSWORD {
                stream.write_all(&[1, 1]).await.ok()?;
                return None;
            }
            stream.write_all(&[1, 0]).await.ok()?;
            let mut request = [0; 3];
            stream.read_exact(&mut request).await.ok()?;
            assert_eq!(request, [5, 1, 0], "it asks for a connection");
            let host = match stream.read_u8().await.ok()? {
                1 => std::net::Ipv4Addr::from(stream.read_u32().await.ok()?).to_string(),
                3 => text(&mut stream).await?,
                4 => std::net::Ipv6Addr::from(stream.read_u128().await.ok()?).to_string(),
                other => panic!("an address of type {other}"),
            };
            note(format!("CONNECT {host}:{}", stream.read_u16().await.ok()?));
            stream.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]).await.ok()?;
            let mut server = TcpStream::connect(server).await.ok()?;
            copy_bidirectional(&mut stream, &mut server).await.ok()?;
        }
    }
    Some(())
}

/// A text with its length before it.
async fn text(stream: &mut TcpStream) -> Option<String> {
    let mut text = vec![0; stream.read_u8().await.ok()?.into()];
    stream.read_exact(&mut text).await.ok()?;
    Some(String::from_utf8(text).unwrap())
}

/// Has the bot register somebody and answer, all of it through a proxy. Answers its log, which is as
/// talkative as it gets.
async fn talk_through(
    telegram: &Simulator,
    api_url: &str,
    (setting, proxy): (&str, &str),
) -> String {
    let database = ThrowAwayDatabase::sqlite();
    let settings = [("TELEGRAM_API_URL", api_url), (setting, proxy), ("RUST_LOG", "trace")];
    let bot = RunningBot::start(telegram, &database, &settings).await;
    let update = telegram.write(&Person::new(1815, "Ada"), "/start");
    telegram.wait_for_message(1815).await.unwrap();
    telegram.wait_until_confirmed(update).await.unwrap();
    assert!(telegram.calls("getMe") > 0 && telegram.calls("getUpdates") > 0);
    let log = bot.terminate().await;
    assert!(!log.contains("hunter2") && !log.contains(telegram.token()), "{log}");
    log
}

/// What the log says about the proxy, which stands there before Telegram is asked for anything.
#[track_caller]
fn assert_named(log: &str, scheme: &str, proxy: &Proxy, setting: &str) {
    let named = format!("using the proxy {scheme}://{} ({setting}) for Telegram\n", proxy.address);
    let at = log.find(&named).unwrap_or_else(|| panic!("{named} in:\n{log}"));
    assert!(at < log.find("ready: @").unwrap(), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn socks5_looks_names_up_here_and_socks5h_at_the_proxy() {
    for (scheme, api_url, asked_for) in [
        ("socks5", NOBODY, "CONNECT 127.0.0.1:1\n"),
        // Of the one or the other kind, but an address.
        ("socks5", "http://localhost:1", "1:1\n"),
        ("socks5h", NOWHERE, "CONNECT bot-api.invalid:8081\n"),
        ("socks5h", "http://bot-api.invalid", "CONNECT bot-api.invalid:80\n"),
    ] {
        let telegram = Simulator::start().await.unwrap();
        let proxy = Proxy::start(Kind::Socks, &telegram.url()).await;
        let log = talk_through(&telegram, api_url, ("TELEGRAM_PROXY", &proxy.url(scheme))).await;
        assert_named(&log, scheme, &proxy, "TELEGRAM_PROXY");
        let seen = proxy.seen();
        assert!(seen.starts_with(&format!("{USER} {PASSWORD}\nCONNECT ")), "{seen}");
        assert!(seen.contains(asked_for) && !seen.contains("localhost"), "{seen}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_http_proxy_is_given_the_request_and_its_credentials() {
    let telegram = Simulator::start().await.unwrap();
    let proxy = Proxy::start(Kind::Http, &telegram.url()).await;
    let log = talk_through(&telegram, NOWHERE, ("TELEGRAM_PROXY", &proxy.url("http"))).await;
    assert_named(&log, "http", &proxy, "TELEGRAM_PROXY");
    let seen = proxy.seen().to_lowercase();
    assert!(seen.contains(&format!("post {NOWHERE}/bot")), "{seen}");
    let credentials = BASE64_STANDARD.encode(format!("{USER}:{PASSWORD}"));
    let expected = format!("proxy-authorization: basic {credentials}").to_lowercase();
    assert!(seen.contains(&expected), "{seen}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_usual_variables_are_understood() {
    for setting in ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"] {
        let telegram = Simulator::start().await.unwrap();
        let proxy = Proxy::start(Kind::Socks, &telegram.url()).await;
        let log = talk_through(&telegram, NOWHERE, (setting, &proxy.url("socks5h"))).await;
        assert_named(&log, "socks5h", &proxy, setting);
    }
}

/// The way to Telegram itself: a tunnel, in which the proxy sees nothing but the name.
#[tokio::test(flavor = "multi_thread")]
async fn https_goes_through_an_http_proxy_encrypted() {
    for setting in ["TELEGRAM_PROXY", "HTTPS_PROXY", "https_proxy", "ALL_PROXY"] {
        let database = ThrowAwayDatabase::sqlite();
        let proxy = Proxy::start(Kind::Http, NOBODY).await;
        let url = proxy.url("http");
        let token = ("TELEGRAM_BOT_TOKEN", "123:production");
        let begun = "Telegram cannot be reached; trying again until it works";
        let bot = RunningBot::start_until(&database, &[token, (setting, &url)], begun).await;
        proxy.saw("CONNECT api.telegram.org:443 HTTP/1.1\r\n").await;
        // What follows begins with the name in clear, as TLS does.
        proxy.saw("\u{16}\u{3}").await;
        let log = bot.terminate().await;
        let seen = proxy.seen();
        assert!(seen.to_lowercase().contains("proxy-authorization: basic "), "{seen}");
        assert!(
            !seen.contains("production") && !log.contains("begins with http://"),
            "{seen}{log}"
        );
        assert!(!log.contains("hunter2") && !log.contains("production"), "{log}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_https_proxy_is_spoken_to_encrypted() {
    let database = ThrowAwayDatabase::sqlite();
    let proxy = Proxy::start(Kind::Deaf, NOBODY).await;
    let url = proxy.url("https");
    let settings = [("TELEGRAM_BOT_TOKEN", "123:production"), ("TELEGRAM_PROXY", url.as_str())];
    let begun = "Telegram cannot be reached; trying again until it works";
    let bot = RunningBot::start_until(&database, &settings, begun).await;
    proxy.saw("[16, 3]\n").await;
    let log = bot.terminate().await;
    assert!(!log.contains("hunter2"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn some_hosts_are_reached_without_it() {
    let (telegram, database) = (Simulator::start().await.unwrap(), ThrowAwayDatabase::sqlite());
    let proxy = Proxy::start(Kind::Socks, NOBODY).await;
    let url = proxy.url("socks5");
    let settings = [("ALL_PROXY", url.as_str()), ("NO_PROXY", "localhost,127.0.0.0/8")];
    let log = RunningBot::start(&telegram, &database, &settings).await.terminate().await;
    assert!(!log.contains("proxy"), "{log}");
    assert_eq!(proxy.seen(), "");
}

/// The schedule takes the way that the environment has; TELEGRAM_PROXY is for Telegram alone.
#[tokio::test(flavor = "multi_thread")]
async fn the_schedule_has_the_proxy_of_the_environment() {
    let (telegram, nhl) = (Simulator::start().await.unwrap(), NhlApi::start().await.unwrap());
    nhl.generate_season();
    let database = ThrowAwayDatabase::sqlite();
    let to_telegram = Proxy::start(Kind::Socks, &telegram.url()).await;
    let to_nhl = Proxy::start(Kind::Http, &nhl.url()).await;
    let (telegram_proxy, http_proxy) = (to_telegram.url("socks5h"), to_nhl.url("http"));
    let settings = [
        ("TELEGRAM_API_URL", NOWHERE),
        ("TELEGRAM_PROXY", telegram_proxy.as_str()),
        ("HTTP_PROXY", http_proxy.as_str()),
        ("NHL_API_URL", "http://nhl.invalid"),
    ];
    let bot = RunningBot::start(&telegram, &database, &settings).await;
    bot.said("fetched the schedule").await;
    let log = bot.terminate().await;
    let named = format!("using the proxy http://{} (HTTP_PROXY) for the NHL's API", to_nhl.address);
    assert!(log.contains(&named), "{log}");
    assert_named(&log, "socks5h", &to_telegram, "TELEGRAM_PROXY");
    assert!(!to_telegram.seen().contains("nhl"), "{}", to_telegram.seen());
    let seen = to_nhl.seen();
    assert!(seen.contains("GET http://nhl.invalid/v1/schedule/"), "{seen}");
    assert!(!seen.contains("bot-api") && !log.contains("hunter2"), "{seen}{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_travels_in_clear_is_warned_of() {
    let warning = "WARN  rollcall_app::bot] TELEGRAM_API_URL begins with http://: the bot's token";
    for (api_url, warns) in [(NOWHERE, true), (NOBODY, false)] {
        let telegram = Simulator::start().await.unwrap();
        let proxy = Proxy::start(Kind::Http, &telegram.url()).await;
        let log = talk_through(&telegram, api_url, ("TELEGRAM_PROXY", &proxy.url("http"))).await;
        assert_eq!(log.matches(warning).count(), usize::from(warns), "{log}");
    }
}

/// Trouble with a proxy is named, and goes by when the proxy is mended.
#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_that_refuses_is_waited_for() {
    let (telegram, database) = (Simulator::start().await.unwrap(), ThrowAwayDatabase::sqlite());
    let proxy = Proxy::start(Kind::Socks, &telegram.url()).await;
    let url = format!("socks5h://ada:wrong-hunter2@{}", proxy.address);
    let settings = [("TELEGRAM_API_URL", NOWHERE), ("TELEGRAM_PROXY", url.as_str())];
    let bot = RunningBot::launch(&telegram, &database, &settings);
    bot.said("credentials not accepted").await;
    let log = bot.terminate().await;
    assert!(log.contains("Telegram cannot be reached; trying again until it works"), "{log}");
    assert!(!log.contains("hunter2"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_proxy_stops_the_bot_with_the_name_of_the_setting() {
    let (telegram, database) = (Simulator::start().await.unwrap(), ThrowAwayDatabase::sqlite());
    for (setting, value, expected) in [
        ("TELEGRAM_PROXY", "socks4://ada:hunter2@h:1", "the scheme socks4:// is not supported;"),
        ("TELEGRAM_PROXY", "127.0.0.1:1080", "it is not the address of a proxy;"),
        ("TELEGRAM_PROXY", "http://ada:hunter2/@h", "it is not the address of a proxy;"),
        ("ALL_PROXY", "socks://ada:hunter2@h:1", "the scheme socks:// is not supported;"),
        ("all_proxy", "ftp://h", "the scheme ftp:// is not supported;"),
        ("HTTP_PROXY", "http://h:hunter2", "it is not the address of a proxy;"),
        ("http_proxy", "quic://h", "the scheme quic:// is not supported;"),
    ] {
        let (code, output) = RunningBot::fails(&telegram, &database, &[(setting, value)]).await;
        assert_eq!(code, 1, "{output}");
        let expected =
            format!("error: {setting}: {expected} expected http://, https://, socks5://");
        assert!(output.starts_with(&expected), "{output}");
        assert_eq!(output.lines().count(), 1, "{output}");
        assert!(!output.contains("hunter2"), "{output}");
    }
}
