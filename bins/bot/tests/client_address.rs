//! Whose request a reverse proxy passes on: the real bot, which slows down guesses at passwords by
//! the address that they come from.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod running;

use rollcall_simulator::Simulator;
use rollcall_testkit::ThrowAwayDatabase;
use running::RunningBot;

/// A bot behind a reverse proxy on this machine.
struct Site {
    _bot: RunningBot,
    _telegram: Simulator,
    _database: ThrowAwayDatabase,
    url: String,
    /// What the proxy calls the header that it writes, and what the other one is called.
    headers: [&'static str; 2],
}

impl Site {
    async fn start(settings: &[(&str, &str)], headers: [&'static str; 2]) -> Self {
        let (telegram, database) = (Simulator::start().await.unwrap(), ThrowAwayDatabase::sqlite());
        let own = [("LISTEN_ADDR", "127.0.0.1:0"), ("TRUSTED_PROXIES", "127.0.0.1")];
        let bot = RunningBot::start(&telegram, &database, &[&own, settings].concat()).await;
        let log = bot.log();
        let url = log.split("the web admin is at ").nth(1).unwrap().lines().next().unwrap();
        let url = url.to_owned();
        Self { url, _bot: bot, _telegram: telegram, _database: database, headers }
    }

    /// Guesses a password; answers the status. The proxy has written these lines, and the client
    /// the other header.
    async fn guess(&self, lines: &[String], forged: String) -> u16 {
        let request = reqwest::Client::builder().no_proxy().build().unwrap();
        let mut request = request
            .post(format!("{}/sign-in", self.url))
            .header("sec-fetch-site", "same-origin")
            .header("content-type", "application/x-www-form-urlencoded")
            .header(self.headers[1], forged)
            .body("name=ada&password=guess");
        for line in lines {
            request = request.header(self.headers[0], line);
        }
        request.send().await.unwrap().status().as_u16()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn guesses_count_for_the_client_in_x_forwarded_for() {
    for settings in [&[][..], &[("FORWARDED_HEADER", "x-forwarded-for")]] {
        let site = Site::start(settings, ["x-forwarded-for", "forwarded"]).await;
        let guess = async |n: u32, client: String| {
            let lines = [format!("1.1.1.{n}"), format!("192.0.2.{n}, {client}")];
            site.guess(&lines, format!("for=203.0.113.{n}")).await
        };
        for n in 0..5 {
            assert_eq!(guess(n, format!("[2001:db8::1]:471{n}")).await, 401);
        }
        assert_eq!(guess(5, "[2001:db8::1]".to_owned()).await, 429);
        assert_eq!(guess(6, "198.51.100.1:4711".to_owned()).await, 401, "somebody else");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn guesses_count_for_the_client_in_forwarded() {
    let settings = [("FORWARDED_HEADER", "forwarded")];
    let site = Site::start(&settings, ["forwarded", "x-forwarded-for"]).await;
    let guess = async |n: u32, client: String| {
        let lines = [format!("for=1.1.1.{n}"), format!("for=192.0.2.{n};proto=https, {client}")];
        site.guess(&lines, format!("203.0.113.{n}")).await
    };
    for n in 0..5 {
        assert_eq!(guess(n, format!("For=\"[2001:db8::1]:471{n}\";proto=https")).await, 401);
    }
    assert_eq!(guess(5, "for=\"[2001:db8::1]\"".to_owned()).await, 429);
    assert_eq!(guess(6, "for=198.51.100.1".to_owned()).await, 401, "somebody else");
    // Nobody whose address is known: the proxy's own.
    assert_eq!(guess(7, "for=unknown".to_owned()).await, 401);
}
