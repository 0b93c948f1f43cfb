//! Guessing passwords, by so many that registration could suffer from it.

use std::{
    ops::Range,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use rollcall_domain::SystemClock;
use rollcall_repository::AuditFilter;
use rollcall_repository_diesel::{Database, DieselAdminRepository};
use rollcall_service::AdminService;
use rollcall_simulator::Simulator;
use rollcall_testkit::ThrowAwayDatabase;
use tokio::task::JoinSet;

use crate::server::{SECRET, Server, exchange, status};

stories!(refused_sign_ins_neither_write_nor_hold_up_registration,);

/// The last part of the addresses that guess.
const HOSTS: Range<u8> = 100..140;

/// How many connections sign in at once. `FLOOD=1500 cargo test --release -p bot --test security
/// sign_in -- --nocapture` prints the figures of a larger flood.
fn flood() -> usize {
    std::env::var("FLOOD").map_or(300, |connections| connections.parse().unwrap())
}

async fn refused_sign_ins_neither_write_nor_hold_up_registration(database: ThrowAwayDatabase) {
    let telegram = Simulator::start().await.unwrap();
    let server = Arc::new(Server::start(&telegram, &database, &[]).await);
    let admins = admins(&database).await;
    // Each address guesses at an account until both together have to wait, for half a minute.
    let mut guesses = JoinSet::new();
    for host in HOSTS {
        let server = Arc::clone(&server);
        guesses.spawn(async move {
            for status in [401, 401, 401, 401, 401, 429] {
                // While too many sign in at once, some are asked to come again.
                let mut answer = guess(&server, host).await;
                while answer == Some(503) {
                    answer = guess(&server, host).await;
                }
                assert_eq!(answer, Some(status));
            }
        });
    }
    guesses.join_all().await;

    let before = p95(&server, 0).await;
    let rows = audited(&admins).await;
    let stop = Arc::new(AtomicBool::new(false));
    let refused = Arc::new(AtomicUsize::new(0));
    let mut guessing = JoinSet::new();
    for n in 0..flood() {
        let (server, stop, refused) = (Arc::clone(&server), stop.clone(), refused.clone());
        guessing.spawn(async move {
            let host = HOSTS.start + u8::try_from(n % HOSTS.len()).unwrap();
            while !stop.load(Relaxed) {
                let answer = guess(&server, host).await;
                assert!(matches!(answer, Some(429) | None), "{answer:?} from {host}");
                refused.fetch_add(usize::from(answer.is_some()), Relaxed);
            }
        });
    }
    let patience = Instant::now() + Duration::from_secs(30);
    while refused.load(Relaxed) < flood() {
        assert!(Instant::now() < patience, "{refused:?} of {} were refused", flood());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let during = p95(&server, 10_000).await;
    assert_eq!(status(&server.get("/readyz").await), Some(200));
    stop.store(true, Relaxed);
    guessing.join_all().await;
    assert_eq!(audited(&admins).await, rows, "nothing is written of what is refused");
    println!(
        "p95 of a registration: {before:?}, and {during:?} beside {} connections whose sign-ins \
         are refused ({refused:?} were)",
        flood()
    );
    // Lenient, since the clients of this test take the same processors.
    let bound = (before * 6).max(Duration::from_millis(250));
    assert!(during < bound, "{before:?} before, {during:?} during the flood");
}

pub(crate) async fn admins(database: &ThrowAwayDatabase) -> AdminService {
    let database = Database::open_existing(database.url().parse().unwrap()).await.unwrap();
    AdminService::new(DieselAdminRepository::new(database), SystemClock, [].into())
}

/// How many entries the audit log has.
pub(crate) async fn audited(admins: &AdminService) -> usize {
    admins.audit_log(&AuditFilter::all(), None, 1000).await.unwrap().len()
}

/// Tries a wrong password from 127.0.0.`host`, with an account for each and the made-up cookie of a
/// known device; returns the status.
async fn guess(server: &Server, host: u8) -> Option<u16> {
    let body = format!("name=account-{host}&password=wrong-password");
    let request = format!(
        "POST /admin/sign-in HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\
         cookie: rollcall_device={}\r\n\
         sec-fetch-site: same-origin\r\ncontent-type: application/x-www-form-urlencoded\r\n\
         content-length: {}\r\n\r\n{body}",
        "A".repeat(86),
        body.len()
    );
    status(&exchange(server.connect_from(host).await, &request).await)
}

/// How long 19 of 20 deliveries of an update take at most.
async fn p95(server: &Server, first_update: i64) -> Duration {
    let mut times = Vec::new();
    for n in 1..=200 {
        let started = Instant::now();
        assert_eq!(server.deliver(first_update + n, SECRET).await, 200);
        times.push(started.elapsed());
    }
    times.sort_unstable();
    times[190]
}
