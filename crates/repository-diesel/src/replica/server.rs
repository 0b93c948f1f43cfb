use std::{
    sync::{Arc, Mutex, PoisonError, Weak},
    time::{Duration, Instant},
};

use diesel::r2d2::R2D2Connection as _;
use tokio::{
    sync::watch,
    time::{sleep, timeout},
};

use super::{
    lag::Lag,
    look::{Looker, Primary, replayed},
    state::{Reason, State},
    status::{ReplicaStatus, WalPosition},
};
use crate::base::{
    connection::{AnyConnection, CONNECTIONS, Connector, Silence},
    database_url::DatabaseUrl,
    error::Failure,
    server::{Server, blocking},
};

/// How often the replica is looked at.
const LOOK: Duration = Duration::from_secs(1);
/// How long a server may take to answer a look. Readers wait no longer for one that has become silent.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long a reader waits for a connection, before it reads the primary.
const CONNECTION_TIMEOUT: Duration = Duration::from_millis(500);
/// How often a reader that waits for a change asks whether the replica has it.
const ASK: Duration = Duration::from_millis(5);

/// A replica, and what is known about it.
#[derive(Debug)]
pub(crate) struct Replica {
    url: DatabaseUrl,
    primary: Server,
    state: watch::Sender<State>,
    lag: Mutex<Lag>,
    /// The connection that looks at it, while it does not.
    looker: Mutex<Option<Looker>>,
}

impl std::fmt::Debug for Looker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Looker").finish_non_exhaustive()
    }
}

impl Replica {
    /// Looks at a replica for the first time, and from then on once a second until the value is dropped.
    ///
    /// # Errors
    /// The difference, if it has another database.
    pub(super) async fn open(primary: Server, url: DatabaseUrl) -> Result<Arc<Self>, String> {
        let (state, _) = watch::channel(State::Down(Reason::Unknown));
        let (lag, looker) = Default::default();
        let replica = Arc::new(Self { url, primary, state, lag, looker });
        replica.look().await;
        if let State::Down(Reason::Other(difference)) = &*replica.state.borrow() {
            return Err(difference.clone());
        }
        tokio::spawn(keep_looking(Arc::downgrade(&replica)));
        Ok(replica)
    }

    /// Does work that only reads, once. `None` if it could not be done here, for whatever reason: it is to
    /// be done on the primary then. If the caller is cancelled, or the replica becomes silent, the work
    /// still ends.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Server, &mut AnyConnection) -> Result<T, Failure> + Send + 'static,
    ) -> Option<T> {
        let mut state = self.state.subscribe();
        let server = state.borrow().server()?.clone();
        let reading = blocking(move || attempt(&server, work));
        let done = tokio::select! {
            done = reading => done,
            // The value cannot be dropped meanwhile: this one is borrowed.
            _ = state.wait_for(|state| !state.is_up()) => Err(None),
        };
        match done {
            Ok(seen) => Some(seen),
            Err(away) => {
                metrics::counter!("rollcall_replica_failed_reads_total").increment(1);
                if let Some(reason) = away {
                    self.set(State::Down(Reason::Away(self.url.redact(&reason))));
                }
                None
            }
        }
    }

    /// Whether the replica has replayed the log up to a position. Waits for that up to `longest`; without
    /// a wait, the last look decides.
    pub(super) async fn has(&self, position: WalPosition, longest: Duration) -> bool {
        let begun = Instant::now();
        let mut known = self.state.borrow().replayed();
        while known.is_none_or(|replayed| replayed < position) {
            if begun.elapsed() >= longest {
                return false;
            }
            let Some(found) = self.read(|_, connection| Ok(replayed(connection)?)).await else {
                return false;
            };
            known = found;
            if known.is_none_or(|replayed| replayed < position) {
                sleep(ASK).await;
            }
        }
        true
    }

    /// How it is.
    pub(super) fn status(&self) -> ReplicaStatus {
        ReplicaStatus { url: self.url.clone(), lag: self.state.borrow().lag() }
    }

    /// Looks at the primary and at the replica, and notes what is found.
    pub(super) async fn look(self: &Arc<Self>) {
        let primary = {
            let server = self.primary.clone();
            let look = blocking(move || {
                let mut connection = server.connection().ok()?;
                Primary::look(&mut connection).ok()
            });
            timeout(PATIENCE, look).await.ok().flatten()
        };
        // Without the primary, nothing can be compared: what is known stays.
        let Some(primary) = primary else { return };
        lock(&self.lag).note(Instant::now(), primary.position);
        let this = Arc::clone(self);
        let found = timeout(PATIENCE, blocking(move || this.look_blocking(&primary))).await;
        let state = found.unwrap_or_else(|_| {
            let text = format!("it has not answered for {} seconds", PATIENCE.as_secs());
            State::Down(Reason::Away(text))
        });
        self.set(state);
    }

    fn look_blocking(&self, primary: &Primary) -> State {
        let looker = lock(&self.looker).take();
        let looker = looker.map_or_else(|| Looker::open(&self.url, primary), Ok);
        let found = looker.and_then(|mut looker| {
            let found = looker.look(&self.url, primary)?;
            let sessions = looker.sessions;
            *lock(&self.looker) = Some(looker);
            Ok((found, sessions))
        });
        let (found, sessions) = match found {
            Ok(found) => found,
            Err(reason) => return State::Down(reason),
        };
        let lag = match found.replayed {
            Some(replayed) => lock(&self.lag).of(Instant::now(), replayed, found.age),
            None => found.age,
        };
        let server = self.state.borrow().server().cloned().unwrap_or_else(|| {
            let connector =
                Connector::new(self.url.clone(), sessions, None, false, Silence::default());
            Server::new(self.url.clone(), connector, CONNECTIONS, CONNECTION_TIMEOUT)
        });
        State::Up { server, replayed: found.replayed, lag }
    }

    /// Notes how the replica is. The log says when that changes.
    fn set(&self, state: State) {
        let lag = state.lag();
        metrics::gauge!("rollcall_replica_up").set(if lag.is_ok() { 1 } else { 0 });
        metrics::gauge!("rollcall_replica_lag_seconds")
            .set(lag.as_ref().map_or(0.0, Duration::as_secs_f64));
        let before = self.state.send_replace(state.clone());
        match (before, state) {
            (State::Down(Reason::Unknown | Reason::Unusable(_)), State::Up { .. }) => {
                log::info!("lists, figures and exports are read on the replica {}", self.url);
            }
            (State::Down(_), State::Up { .. }) => {
                log::info!("the replica {} is read again", self.url);
            }
            // That ends the start, with the reason.
            (State::Down(Reason::Unknown), State::Down(Reason::Other(_))) => {}
            (before, State::Down(reason)) if !before.is_down_alike(&reason) => {
                log::warn!(
                    "the replica {} cannot be read, so the primary is read instead: {}",
                    self.url,
                    reason.text()
                );
            }
            _ => {}
        }
    }
}

/// Looks at a replica once a second.
async fn keep_looking(replica: Weak<Replica>) {
    loop {
        sleep(LOOK).await;
        let Some(replica) = replica.upgrade() else { return };
        replica.look().await;
    }
}

/// Does work on a connection. The error has a reason if the server is away.
fn attempt<T>(
    server: &Server,
    work: impl FnOnce(&Server, &mut AnyConnection) -> Result<T, Failure>,
) -> Result<T, Option<String>> {
    let mut connection = match server.connection() {
        Ok(connection) => connection,
        Err(_) if server.is_busy() => return Err(None),
        Err(error) => return Err(Some(error.to_string())),
    };
    work(server, &mut connection).map_err(|failure| {
        // Lets a connection that was cut notice it, so that the pool drops it.
        drop(connection.ping());
        let error = failure.into_error(&mut connection);
        log::debug!(error:%; "could not read the replica");
        connection.is_broken().then(|| error.to_string())
    })
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
