//! How many connections are open at once, in all and from one address.
//!
//! At a limit, the connection that has been open longest is closed in favour of the new one. A
//! client with an honest request needs milliseconds, so it gets its answer even while somebody
//! opens connections as fast as they can and leaves them open.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use ipnet::IpNet;
use rollcall_domain::{LogPace, client_network};
use tokio::{sync::Notify, time::Instant};

/// The limits on connections.
#[derive(Clone, Debug)]
pub(crate) struct Limits {
    /// The most connections at once.
    pub(crate) in_all: usize,
    /// The most connections at once from one address; of IPv6, from one /64 network.
    pub(crate) per_address: usize,
    /// How long a connection is kept although its address has too many: Telegram may open a hundred
    /// at once, and needs a moment to show the secret on each.
    pub(crate) grace: Duration,
    /// Reverse proxies, whose connections count only in all.
    pub(crate) trusted_proxies: Vec<IpNet>,
}

impl Limits {
    /// The most connections from one address. A browser opens six.
    const PER_ADDRESS: usize = 64;
    const GRACE: Duration = Duration::from_secs(1);

    pub(crate) fn new(in_all: usize, trusted_proxies: Vec<IpNet>) -> Self {
        Self { in_all, per_address: Self::PER_ADDRESS, grace: Self::GRACE, trusted_proxies }
    }
}

/// The connections that are open. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Connections {
    limits: Arc<Limits>,
    open: Arc<Mutex<Open>>,
}

#[derive(Default)]
struct Open {
    /// The number of the next connection: a smaller number has been open longer.
    next: u64,
    all: BTreeMap<u64, Connection>,
    /// Those that may be closed in favour of others.
    strangers: BTreeSet<u64>,
    by_address: HashMap<IpAddr, BTreeSet<u64>>,
    closed: LogPace,
}

struct Connection {
    address: IpAddr,
    since: Instant,
    close: Arc<Notify>,
}

impl Connections {
    pub(crate) fn new(limits: Limits) -> Self {
        Self { limits: Arc::new(limits), open: Arc::default() }
    }

    /// Admits a connection from `peer`; where a limit is reached, another one is closed for it.
    /// `None` where every open connection belongs to a proxy or to Telegram.
    pub(crate) fn admit(&self, peer: IpAddr) -> Option<Ticket> {
        let address = client_network(peer);
        let is_proxy =
            self.limits.trusted_proxies.iter().any(|it| it.contains(&peer.to_canonical()));
        let now = Instant::now();
        let mut open = self.lock();
        if !is_proxy {
            while let Some(oldest) = open.surplus(address, &self.limits, now) {
                open.close(oldest, "address");
            }
        }
        if open.all.len() >= self.limits.in_all {
            let oldest = open.strangers.first().copied()?;
            open.close(oldest, "all");
        }
        let number = open.next;
        open.next += 1;
        let close = Arc::new(Notify::new());
        open.all.insert(number, Connection { address, since: now, close: Arc::clone(&close) });
        if !is_proxy {
            open.strangers.insert(number);
            open.by_address.entry(address).or_default().insert(number);
        }
        drop(open);
        Some(Ticket { connections: self.clone(), number, close })
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        // Nothing panics while it is held.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Open {
    /// The oldest connection of an address that has no room for another one.
    fn surplus(&self, address: IpAddr, limits: &Limits, now: Instant) -> Option<u64> {
        let of_address = self.by_address.get(&address)?;
        let oldest = *of_address.first()?;
        let age = now - self.all.get(&oldest)?.since;
        (of_address.len() >= limits.per_address && age >= limits.grace).then_some(oldest)
    }

    /// Closes a connection: it counts no longer, and its task ends at its next turn.
    fn close(&mut self, number: u64, reason: &'static str) {
        metrics::counter!("rollcall_http_connections_closed_total", "reason" => reason)
            .increment(1);
        if let Some(connections) = self.closed.note(Instant::now().into_std()) {
            log::warn!(
                connections;
                "too many connections at once: the oldest ones were closed"
            );
        }
        if let Some(connection) = self.remove(number) {
            connection.close.notify_one();
        }
    }

    fn remove(&mut self, number: u64) -> Option<Connection> {
        self.trust(number);
        self.all.remove(&number)
    }

    /// Counts a connection in all only, and keeps it open when a limit is reached.
    fn trust(&mut self, number: u64) {
        let Some(connection) = self.all.get(&number) else { return };
        self.strangers.remove(&number);
        if let Some(of_address) = self.by_address.get_mut(&connection.address) {
            of_address.remove(&number);
            if of_address.is_empty() {
                self.by_address.remove(&connection.address);
            }
        }
    }
}

/// A connection that was admitted; it counts until this is dropped.
pub(crate) struct Ticket {
    connections: Connections,
    number: u64,
    close: Arc<Notify>,
}

impl Ticket {
    /// Resolves when the connection is to be closed in favour of another one.
    pub(crate) async fn closed(&self) {
        self.close.notified().await;
    }

    /// Notes that a request on this connection proved where it comes from: it no longer counts for
    /// its address.
    pub(crate) fn trust(&self) {
        self.connections.lock().trust(self.number);
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let _connection = self.connections.lock().remove(self.number);
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    fn connections(in_all: usize, per_address: usize) -> Connections {
        let trusted_proxies = vec!["10.0.0.0/8".parse().unwrap()];
        let grace = Duration::from_secs(1);
        Connections::new(Limits { in_all, per_address, grace, trusted_proxies })
    }

    fn admit(connections: &Connections, address: &str) -> Ticket {
        connections.admit(address.parse().unwrap()).unwrap()
    }

    /// Lets the connections grow older than the grace period.
    async fn pass_the_grace() {
        tokio::time::advance(Duration::from_secs(1)).await;
    }

    fn is_closed(ticket: &Ticket) -> bool {
        ticket.closed().now_or_never().is_some()
    }

    #[tokio::test(start_paused = true)]
    async fn the_oldest_of_an_address_makes_room() {
        let connections = connections(100, 2);
        let first = admit(&connections, "192.0.2.1");
        let second = admit(&connections, "192.0.2.1");
        let other = admit(&connections, "192.0.2.2");
        pass_the_grace().await;
        let third = admit(&connections, "::ffff:192.0.2.1");
        assert!(
            is_closed(&first) && !is_closed(&second) && !is_closed(&third) && !is_closed(&other)
        );
        drop(second);
        pass_the_grace().await;
        let fourth = admit(&connections, "192.0.2.1");
        assert!(!is_closed(&third) && !is_closed(&fourth));
    }

    #[tokio::test(start_paused = true)]
    async fn many_at_once_are_admitted_and_closed_when_they_stay() {
        let connections = connections(100, 2);
        let held: Vec<Ticket> = (0..10).map(|_| admit(&connections, "192.0.2.1")).collect();
        assert!(!held.iter().any(is_closed));
        pass_the_grace().await;
        let next = admit(&connections, "192.0.2.1");
        let closed: Vec<bool> = held.iter().map(is_closed).collect();
        assert_eq!(closed, [[true; 5], [true, true, true, true, false]].concat());
        assert!(!is_closed(&next));
    }

    #[tokio::test(start_paused = true)]
    async fn a_network_of_ipv6_is_one_address() {
        let connections = connections(100, 1);
        let first = admit(&connections, "2001:db8::1");
        let other = admit(&connections, "2001:db8:0:1::1");
        pass_the_grace().await;
        let _same = admit(&connections, "2001:db8::ffff");
        assert!(is_closed(&first) && !is_closed(&other));
    }

    #[tokio::test(start_paused = true)]
    async fn proxies_and_proven_connections_are_kept() {
        let connections = connections(4, 1);
        let proxied: Vec<Ticket> = (0..2).map(|_| admit(&connections, "10.1.2.3")).collect();
        let webhook = admit(&connections, "192.0.2.1");
        webhook.trust();
        pass_the_grace().await;
        let stranger = admit(&connections, "192.0.2.1");
        pass_the_grace().await;
        let newer = admit(&connections, "192.0.2.3");
        assert!(is_closed(&stranger), "the only one that may be closed in all");
        newer.trust();
        assert!(connections.admit("192.0.2.4".parse().unwrap()).is_none());
        assert!(!proxied.iter().chain([&webhook, &newer]).any(is_closed));
        drop(proxied);
        assert!(connections.admit("192.0.2.4".parse().unwrap()).is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_is_left_of_connections_that_ended() {
        let connections = connections(10, 2);
        for n in 0..50_u8 {
            let _ticket = admit(&connections, &format!("192.0.2.{n}"));
            let ticket = admit(&connections, "192.0.2.1");
            ticket.trust();
        }
        let open = connections.lock();
        assert!(open.all.is_empty() && open.strangers.is_empty() && open.by_address.is_empty());
    }
}
