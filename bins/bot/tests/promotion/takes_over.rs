//! A synchronous standby takes over from a primary that is lost.

use std::time::{Duration, Instant};

use rollcall_simulator::Simulator;
use rollcall_testkit::{Machine, Network, ThrowAwayDatabase, ThrowAwayServer};
use tokio::{task::block_in_place, time::sleep};

use crate::{
    deliveries::{Deliveries, Hook},
    is_exact,
};

/// How many connections Telegram has, to both bots together.
const CONNECTIONS: usize = 40;
/// After how many milliseconds without a primary the standby is promoted, in turn. In the beginning
/// there are several kinds of waits, so these differ more.
const PROMOTED_AFTER_MS: [u64; 10] = [3000, 0, 500, 1500, 5000, 8000, 12_000, 2000, 20_000, 30_000];
/// How soon both bots have to confirm updates again, after the promotion.
const AFTER_KILL: Duration = Duration::from_secs(2);
const AFTER_SILENCE: Duration = Duration::from_secs(15);

#[tokio::test(flavor = "multi_thread")]
async fn from_a_killed_primary() {
    let here = || Servers::here();
    repeat("killed", AFTER_KILL, here, |servers| servers.primary.kill()).await;
}

/// Its processes stop. The kernel goes on: it takes connections, and acknowledges what it gets.
#[tokio::test(flavor = "multi_thread")]
async fn from_a_frozen_primary() {
    let here = || Servers::here();
    repeat("frozen", AFTER_SILENCE, here, |servers| servers.primary.freeze()).await;
}

/// All packets to and from its machine are lost.
#[tokio::test(flavor = "multi_thread")]
async fn from_a_primary_that_is_cut_off() {
    let Some(network) = Network::of("takes_over::from_a_primary_that_is_cut_off") else { return };
    let on_network = || Servers::on(&network);
    repeat("cut off", AFTER_SILENCE, on_network, Servers::cut_off).await;
}

/// A primary and its synchronous standby.
struct Servers {
    primary: ThrowAwayServer,
    standby: ThrowAwayServer,
    database: ThrowAwayDatabase,
    /// The database on whichever of them can be written.
    url: String,
    machines: Vec<Machine>,
}

impl Servers {
    /// On this machine.
    fn here() -> Option<Self> {
        let primary = ThrowAwayServer::start()?;
        let standby = primary.standby();
        let hosts = [primary.host(), standby.host()].join(",");
        Some(Self::new(primary, standby, &hosts, Vec::new()))
    }

    /// Each on a machine of its own.
    fn on(network: &Network) -> Option<Self> {
        let machines = vec![network.machine(), network.machine()];
        let primary = ThrowAwayServer::start_on(&machines[0])?;
        let standby = primary.standby_on(&machines[1]);
        let hosts = [machines[0].address(), machines[1].address()].join(",");
        Some(Self::new(primary, standby, &hosts, machines))
    }

    fn new(
        primary: ThrowAwayServer,
        standby: ThrowAwayServer,
        hosts: &str,
        machines: Vec<Machine>,
    ) -> Self {
        primary.await_standbys(1);
        let database = primary.database();
        let url = database.url().replace(primary.host(), hosts);
        let url = format!("{url}&target_session_attrs=read-write");
        Self { primary, standby, database, url, machines }
    }

    /// Loses the packets to and from the primary.
    fn cut_off(&self) {
        self.machines[0].cut_off();
    }
}

/// Runs the story as often as the environment says.
async fn repeat(
    how: &str,
    limit: Duration,
    start: impl Fn() -> Option<Servers>,
    lose: impl Fn(&Servers),
) {
    let runs = std::env::var("ROLLCALL_PROMOTIONS").map(|runs| runs.parse::<usize>().unwrap());
    // A single run shares the machine with other tests, whose work may double the time.
    let limit = if runs.is_ok() { limit } else { 2 * limit };
    let mut resumed = Vec::new();
    for run in 0..runs.unwrap_or(1) {
        let Some(servers) = block_in_place(&start) else { return };
        let after = Duration::from_millis(PROMOTED_AFTER_MS[run % PROMOTED_AFTER_MS.len()]);
        resumed.push(takes_over(how, &servers, &lose, after).await);
        assert!(resumed[run] <= limit, "{how}: {:?}", resumed[run]);
    }
    resumed.sort();
    let seconds = |at: usize| resumed[at].as_secs_f64();
    println!(
        "{how}: {} promotions; confirmations resume after {:.2}, {:.2}, {:.2} s (minimum, median, maximum)",
        resumed.len(),
        seconds(0),
        (seconds((resumed.len() - 1) / 2) + seconds(resumed.len() / 2)) / 2.0,
        seconds(resumed.len() - 1),
    );
}

/// Answers how long after the promotion both bots have confirmed an update.
async fn takes_over(
    how: &str,
    servers: &Servers,
    lose: impl Fn(&Servers),
    promoted_after: Duration,
) -> Duration {
    let telegram = Simulator::start().await.unwrap();
    let hooks = [Hook::new().await, Hook::new().await];
    let database = (&servers.database, servers.url.as_str());
    let one = hooks[0].start(&telegram, database).await;
    let two = hooks[1].start(&telegram, database).await;
    let deliveries = Deliveries::start(&hooks, CONNECTIONS);
    deliveries.each_confirms(300, Instant::now()).await;

    block_in_place(|| lose(servers));
    sleep(promoted_after).await;
    block_in_place(|| servers.standby.promote());
    let promoted = Instant::now();
    let resumed = deliveries.each_confirms(300, promoted).await;
    let delivered = deliveries.finish().await;
    println!(
        "{how}: promoted after {promoted_after:?}, resumed {resumed:?} later; {} updates, {} deliveries \
         not confirmed",
        delivered.updates, delivered.repeated
    );
    for hook in &hooks {
        hook.is_ready().await;
    }
    tokio::join!(one.terminate(), two.terminate());
    is_exact(&servers.standby, &servers.database, &delivered).await;
    resumed
}
