//! Which parts of the bot a client reaches, by which name and from where.

use rollcall_simulator::Simulator;
use rollcall_testkit::ThrowAwayDatabase;
use tokio::net::TcpStream;

use crate::server::{SECRET, Server, exchange, get, status};

stories!(
    only_its_own_names_reach_the_admin,
    only_allowed_networks_reach_the_admin,
    metrics_can_be_kept_apart,
    problems_are_reported_where_the_owner_says,
);

async fn only_its_own_names_reach_the_admin(database: ThrowAwayDatabase) {
    let telegram = Simulator::start().await.unwrap();
    let settings = [("PUBLIC_URL", "https://bot.example.org")];
    let server = Server::start(&telegram, &database, &settings).await;
    for (name, expected) in [
        ("bot.example.org", 200),
        ("localhost:1", 200),
        ("127.0.0.1", 200),
        ("[::1]:8080", 200),
        ("rebound.evil.example", 421),
        ("localhost.evil.example", 421),
    ] {
        let answer = server.get_as(name, "/admin/sign-in").await;
        assert_eq!(status(&answer), Some(expected), "{name}: {answer}");
        // No page is shown here, and a proxy may use any name for them.
        for path in ["/healthz", "/readyz", "/metrics"] {
            assert_eq!(status(&server.get_as(name, path).await), Some(200), "{name} {path}");
        }
    }
    let page = server.get("/admin/sign-in").await;
    assert!(page.contains("strict-transport-security: max-age=31536000"), "{page}");
    // The webhook is reached by any name, as "x" is.
    assert_eq!(server.deliver(1, SECRET).await, 200);
    let log = server.bot.terminate().await;
    assert!(log.contains("TRUSTED_PROXIES is not set"), "{log}");
}

async fn only_allowed_networks_reach_the_admin(database: ThrowAwayDatabase) {
    let telegram = Simulator::start().await.unwrap();
    let settings = [("ADMIN_ALLOW", "10.0.0.0/8, 127.0.0.7")];
    let server = Server::start(&telegram, &database, &settings).await;
    let ask = async |host, path| {
        status(&exchange(server.connect_from(host).await, &get("localhost", path)).await)
    };
    assert_eq!(ask(7, "/admin/sign-in").await, Some(200));
    assert_eq!(ask(8, "/admin/sign-in").await, Some(403));
    assert_eq!(ask(8, "/admin/assets/style.css").await, Some(403));
    assert_eq!(ask(8, "/healthz").await, Some(200));
    assert_eq!(server.deliver(1, SECRET).await, 200);
    server.bot.terminate().await;
}

async fn metrics_can_be_kept_apart(database: ThrowAwayDatabase) {
    let telegram = Simulator::start().await.unwrap();
    let server = Server::start(&telegram, &database, &[("METRICS_ADDR", "127.0.0.9:0")]).await;
    let log = server.bot.log();
    let address = log.split("metrics, healthz and readyz are at ").nth(1).unwrap();
    let address = address.split_whitespace().next().unwrap();
    for path in ["/metrics", "/healthz", "/readyz"] {
        assert_eq!(status(&server.get(path).await), Some(404), "{path}");
        let watched = TcpStream::connect(address).await.unwrap();
        assert_eq!(status(&exchange(watched, &get("x", path)).await), Some(200), "{path}");
    }
    let watched = TcpStream::connect(address).await.unwrap();
    assert_eq!(status(&exchange(watched, &get("localhost", "/admin")).await), Some(404));
    server.bot.terminate().await;
}

async fn problems_are_reported_where_the_owner_says(database: ThrowAwayDatabase) {
    const PATH: &str = "/.well-known/security.txt";
    let telegram = Simulator::start().await.unwrap();
    let server = Server::start(&telegram, &database, &[]).await;
    assert_eq!(status(&server.get(PATH).await), Some(404));
    server.bot.terminate().await;
    let settings = [("SECURITY_CONTACT", "mailto:security@example.org")];
    let server = Server::start(&telegram, &database, &settings).await;
    let answer = server.get(PATH).await;
    assert_eq!(status(&answer), Some(200));
    assert!(answer.contains("content-type: text/plain; charset=utf-8"), "{answer}");
    assert!(answer.contains("Contact: mailto:security@example.org\nExpires: 2"), "{answer}");
    server.bot.terminate().await;
}
