//! An account that an attacker keeps locked, and its owner.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use rollcall_domain::Role;
use rollcall_simulator::Simulator;
use rollcall_testkit::ThrowAwayDatabase;
use tokio::task::JoinSet;

use crate::{
    server::{Server, cookie, status},
    sign_in::{admins, audited},
};

stories!(an_account_that_is_kept_locked_lets_known_devices_in,);

const PASSWORD: &str = "correct horse battery";
const ATTACKERS: usize = 8;

async fn an_account_that_is_kept_locked_lets_known_devices_in(database: ThrowAwayDatabase) {
    let telegram = Simulator::start().await.unwrap();
    let settings = [("TRUSTED_PROXIES", "127.0.0.1")];
    let server = Arc::new(Server::start(&telegram, &database, &settings).await);
    let admins = admins(&database).await;
    admins.create_account(&"ada".parse().unwrap(), PASSWORD, Role::Owner, None).await.unwrap();
    let first = sign_in(&server, "203.0.113.1", "", PASSWORD).await;
    assert_eq!(status(&first), Some(303), "{first}");
    let known = cookie(&first, "rollcall_device");

    let stop = Arc::new(AtomicBool::new(false));
    let next = Arc::new(AtomicU32::new(0));
    let mut attack = JoinSet::new();
    for _ in 0..ATTACKERS {
        let (server, stop, next) = (Arc::clone(&server), stop.clone(), next.clone());
        attack.spawn(async move {
            while !stop.load(Relaxed) {
                let guess = sign_in(&server, &address(&next), "rollcall_device=x", "wrong").await;
                assert!(matches!(status(&guess), Some(401 | 429 | 503)), "{guess}");
            }
        });
    }
    let stranger = async || sign_in(&server, "203.0.113.2", "", PASSWORD).await;
    let refused = while_locked(&server, &next, stranger).await;
    assert_eq!(status(&refused), Some(429), "{refused}");
    let made_up = format!("rollcall_device={}", "A".repeat(86));
    let written = while_locked(&server, &next, async || {
        let before = audited(&admins).await;
        let refused = sign_in(&server, "203.0.113.2", &made_up, PASSWORD).await;
        (status(&refused), audited(&admins).await - before)
    });
    assert_eq!(written.await, (Some(429), 0));

    // From another address, and another one each time, the owner is let in at the first try.
    for n in 3..6 {
        let started = Instant::now();
        let signed_in = sign_in(&server, &format!("203.0.113.{n}"), &known, PASSWORD).await;
        assert_eq!(status(&signed_in), Some(303), "{signed_in}");
        println!("a known device is let in after {:?}", started.elapsed());
    }
    // The cookie alone guesses no better than anybody else.
    let guesses = while_locked(&server, &next, async || {
        let mut guesses = Vec::new();
        for n in 0..6 {
            let guess = sign_in(&server, &format!("203.0.113.{n}"), &known, "wrong").await;
            guesses.push(status(&guess).unwrap());
        }
        guesses
    });
    assert!(guesses.await.ends_with(&[429]));

    // With another password, no device is known any more.
    let (name, new) = ("ada".parse().unwrap(), "battery staple");
    admins.set_password(&name, new, None).await.unwrap();
    let forgotten = async || sign_in(&server, "203.0.113.9", &known, new).await;
    let refused = while_locked(&server, &next, forgotten).await;
    assert_eq!(status(&refused), Some(429), "{refused}");
    stop.store(true, Relaxed);
    attack.join_all().await;
    let server = Arc::into_inner(server).unwrap();
    let log = server.bot.terminate().await;
    assert!(!log.contains(&known), "{log}");
}

/// Does something that is over before the account can be tried at again: its wait doubles with each
/// guess that is let through, up to a minute.
async fn while_locked<T>(server: &Server, next: &AtomicU32, work: impl AsyncFn() -> T) -> T {
    let patience = Instant::now() + Duration::from_secs(180);
    loop {
        assert!(Instant::now() < patience, "the account is not locked");
        let started = Instant::now();
        let wait = retry_after(&sign_in(server, &address(next), "", "wrong").await);
        let done = work().await;
        // From the refusal on, which is answered after a second.
        if started.elapsed() < Duration::from_secs(wait) {
            return done;
        }
    }
}

/// An address that did not try before.
fn address(next: &AtomicU32) -> String {
    let [.., third, fourth] = next.fetch_add(1, Relaxed).to_be_bytes();
    format!("198.51.{third}.{fourth}")
}

/// Signs in as somebody at `address` does through the proxy; returns the whole answer.
async fn sign_in(server: &Server, address: &str, cookie: &str, password: &str) -> String {
    let form = format!("name=ada&password={}", password.replace(' ', "+"));
    let headers = [("x-forwarded-for", address), ("cookie", cookie)];
    server.send_form("/admin/sign-in", &headers, &form).await
}

/// For how many seconds an answer asks to wait; 0 where it does not.
fn retry_after(answer: &str) -> u64 {
    let line = answer.lines().find_map(|line| line.strip_prefix("retry-after: "));
    line.filter(|_| status(answer) == Some(429)).map_or(0, |seconds| seconds.parse().unwrap())
}
