//! Clients that open connections and do not let go of them.

use std::time::{Duration, Instant};

use rollcall_simulator::Simulator;
use rollcall_testkit::ThrowAwayDatabase;
use tokio::{io::AsyncWriteExt, net::TcpStream};

use crate::{
    running::database::stored,
    server::{SECRET, Server, exchange, status},
};

stories!(a_thousand_clients_of_one_address_that_never_read, more_addresses_than_there_is_room_for,);

/// Asks for more than the kernel keeps for a client, and reads none of it.
const NEVER_READS: &str = "GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n";

async fn never_reads(server: &Server, host: u8) -> TcpStream {
    let mut connection = server.connect_from(host).await;
    // One that the server has closed meanwhile is as good.
    let _sent = connection.write_all(NEVER_READS.repeat(50).as_bytes()).await;
    connection
}

async fn a_thousand_clients_of_one_address_that_never_read(database: ThrowAwayDatabase) {
    let telegram = Simulator::start().await.unwrap();
    let server = Server::start(&telegram, &database, &[]).await;
    let (before, _) = server.bot.open_files();
    let mut held = Vec::new();
    for n in 0..1000 {
        held.push(never_reads(&server, 1).await);
        if n % 100 == 0 {
            // From the same address as the attacker, as behind a proxy on this machine.
            assert_eq!(server.deliver(n + 1, SECRET).await, 200);
        }
    }
    assert_eq!(status(&server.get("/readyz").await), Some(200));
    // A connection is closed when it has been there for a second and another one comes.
    let patience = Instant::now() + Duration::from_secs(20);
    let mut brought = 10;
    while server.bot.open_files().0 > before + 64 + 20 {
        assert!(
            Instant::now() < patience,
            "{before} files were open: {:?}",
            server.bot.open_files()
        );
        brought += 1;
        assert_eq!(server.deliver(10_000 + brought, SECRET).await, 200);
    }
    assert_eq!(stored(&database).await.len(), usize::try_from(brought).unwrap());
    let metrics = server.get("/metrics").await;
    assert!(metrics.contains("rollcall_http_connections_closed_total{reason=\"address\"}"));
    drop(held);
    let log = server.bot.terminate().await;
    assert!(log.contains("too many connections at once: the oldest ones were closed"), "{log}");
}

async fn more_addresses_than_there_is_room_for(database: ThrowAwayDatabase) {
    let telegram = Simulator::start().await.unwrap();
    let server = Server::start(&telegram, &database, &[("TEST_OPEN_FILES", "400")]).await;
    assert_eq!(server.bot.open_files().1, 400, "the soft limit is raised to the hard one");
    let mut held = Vec::new();
    for host in 2..=50 {
        for _ in 0..20 {
            held.push(never_reads(&server, host).await);
        }
        assert_eq!(server.deliver(i64::from(host), SECRET).await, 200);
    }
    let (open, limit) = server.bot.open_files();
    assert!(open < limit - 50, "{open} of {limit} files are open");
    assert_eq!(stored(&database).await.len(), 49);
    drop(held);
    server.bot.terminate().await;
}

/// Enough that what the bot allocates for itself meanwhile is small beside it.
const HEADS_OF_A_HOST: usize = 8;

#[tokio::test(flavor = "multi_thread")]
async fn the_head_of_a_request_has_an_end() {
    let (telegram, database) = (Simulator::start().await.unwrap(), ThrowAwayDatabase::sqlite());
    let server = Server::start(&telegram, &database, &[]).await;
    let before = server.bot.peak_memory_bytes();
    let mut held = Vec::new();
    for host in 1..=50 {
        for _ in 0..HEADS_OF_A_HOST {
            let mut connection = server.connect_from(host).await;
            let head = format!("GET / HTTP/1.1\r\nhost: x\r\nx-long: {}", "x".repeat(30_000));
            connection.write_all(head.as_bytes()).await.unwrap();
            held.push(connection);
        }
    }
    let endless = format!("GET / HTTP/1.1\r\nhost: x\r\nx-long: {}", "x".repeat(400_000));
    let answer = exchange(server.connect_from(1).await, &endless).await;
    assert!(matches!(status(&answer), None | Some(431)), "{answer}");
    let grown = server.bot.peak_memory_bytes() - before;
    let limit = u64::try_from(held.len()).unwrap() * 100_000;
    assert!(grown < limit, "{grown} bytes for {} heads", held.len());
    server.bot.terminate().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_secret_is_counted_and_logged_once() {
    let (telegram, database) = (Simulator::start().await.unwrap(), ThrowAwayDatabase::sqlite());
    let server = Server::start(&telegram, &database, &[]).await;
    let guesses = (0..20).map(|n| server.deliver(n, "a-secret-of-this-tesT"));
    let started = Instant::now();
    let answers = futures_util::future::join_all(guesses).await;
    assert!(answers.iter().all(|status| *status == 401), "{answers:?}");
    assert!(started.elapsed().as_millis() >= 900, "a guess takes a second");
    assert!(server.get("/metrics").await.contains("rollcall_webhook_refused_total 20"));
    assert!(stored(&database).await.is_empty());
    let log = server.bot.terminate().await;
    assert_eq!(log.matches("without the right WEBHOOK_SECRET").count(), 1, "{log}");
}
