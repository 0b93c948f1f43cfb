//! The bot behind: another bot, which gets each update after it was registered, as if Telegram
//! delivered it by webhook.
//!
//! An update is settled once the bot behind has accepted it (HTTP status 2xx), or once it is set aside.
//! Only then may it be acknowledged to Telegram. The updates of a chat are delivered in order, those of
//! many chats at once. Until an update is settled, it is delivered again and again, at least every five
//! seconds.
//!
//! An update is set aside only if the bot behind accepts others: `pulse` decides.

mod answer;
mod attempt;
mod order;
mod parcel;
mod pulse;
mod state;
mod url;

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use rollcall_domain::{Backoff, QuarantinedUpdate};
use rollcall_service::{ServiceError, UserService};
use tokio::{
    sync::{Notify, Semaphore, oneshot, watch},
    task::JoinSet,
    time::{Instant, sleep},
};

pub use attempt::Failure;
pub use url::{ForwardSecret, ForwardUrl, InvalidForwardSecret, InvalidForwardUrl};

use self::{
    answer::MethodCall,
    attempt::{Attempt, Sender},
    parcel::Parcel,
    pulse::{Pulse, Verdict},
    state::State,
};
use crate::{client::Client, error::BotError, update::Update};

/// How many updates are delivered at once: as many as Telegram itself does by default.
const CONNECTIONS: usize = 40;
/// The longest first delay before an update is delivered again, and the longest of all.
const DELAYS: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(5));
/// How many updates, and how many bytes of them, may wait in memory.
const MOST_WAITING: usize = 1000;
const MOST_BYTES: usize = 32 << 20;
/// How long deliveries that are under way may take when the process stops.
const LAST_DELIVERIES: Duration = Duration::from_secs(3);

/// Where updates go after they are registered.
#[derive(Clone, Debug)]
pub struct Forwarding {
    /// The webhook of the bot behind.
    pub url: ForwardUrl,
    /// The secret in every request.
    pub secret: Option<ForwardSecret>,
    /// How long an update is delivered again while the bot behind refuses it but accepts others.
    pub give_up_after: Duration,
}

/// Delivers updates to the bot behind. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Behind {
    shared: Arc<Shared>,
}

struct Shared {
    sender: Sender,
    client: Client,
    users: UserService,
    give_up_after: Duration,
    state: Mutex<State>,
    pulse: Mutex<Pulse>,
    connections: Semaphore,
    /// The deliveries of all chats with updates.
    chats: Mutex<JoinSet<()>>,
    /// Notified when no update waits any more.
    all_settled: Notify,
    /// Notified when the bot behind accepts updates again.
    recovered: Notify,
    /// Becomes true when nothing more is to be delivered.
    stop: watch::Sender<bool>,
}

/// Delivers one update from the quarantine to the bot behind. A method in its response is not executed.
///
/// # Errors
/// If the bot behind does not accept it.
pub async fn redeliver(
    forwarding: &Forwarding,
    update: &QuarantinedUpdate,
) -> Result<(), RedeliveryError> {
    let sender = Sender::new(forwarding.url.clone(), forwarding.secret.clone())?;
    match sender.deliver(&Parcel::again(update)).await {
        Attempt::Accepted(_) => Ok(()),
        Attempt::Failed(failure) => Err(RedeliveryError::NotAccepted(failure)),
    }
}

/// Why an update from the quarantine was not delivered.
#[derive(Debug, thiserror::Error)]
pub enum RedeliveryError {
    /// The client cannot be created.
    #[error(transparent)]
    Client(#[from] BotError),
    /// The bot behind did not accept it.
    #[error("the bot behind does not accept it")]
    NotAccepted(#[source] Failure),
}

impl Behind {
    pub(crate) fn new(
        forwarding: Forwarding,
        client: Client,
        users: UserService,
    ) -> Result<Self, BotError> {
        let Forwarding { url, secret, give_up_after } = forwarding;
        log::info!("updates are forwarded to the bot at {}", url.origin());
        let shared = Shared {
            sender: Sender::new(url, secret)?,
            client,
            users,
            give_up_after,
            state: Mutex::default(),
            pulse: Mutex::default(),
            connections: Semaphore::new(CONNECTIONS),
            chats: Mutex::default(),
            all_settled: Notify::new(),
            recovered: Notify::new(),
            stop: watch::Sender::new(false),
        };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// Whether an update waits or was settled before.
    pub(crate) fn knows(&self, update_id: i64) -> bool {
        self.state().knows(update_id)
    }

    /// The first update that is not settled.
    pub(crate) fn first_unsettled(&self) -> Option<i64> {
        self.state().first_unsettled()
    }

    /// How many updates wait.
    pub(crate) fn waiting(&self) -> usize {
        self.state().waiting()
    }

    /// Whether more updates may wait in memory.
    pub(crate) fn has_room(&self) -> bool {
        let state = self.state();
        state.waiting() < MOST_WAITING && state.bytes() < MOST_BYTES
    }

    /// Begins to deliver a registered update, unless it is known. Updates of a chat are to come in order.
    pub(crate) fn deliver(&self, update: &Update<'_>) {
        let Some(parcel) = Parcel::of(update) else { return };
        let (chat, parcel) = (parcel.chat, self.state().add(parcel));
        if let Some(parcel) = parcel {
            let mut chats = self.shared.chats.lock().unwrap_or_else(PoisonError::into_inner);
            // Those that have ended are dropped, so that the set stays small.
            while chats.try_join_next().is_some() {}
            chats.spawn(self.clone().run(chat, parcel));
        }
    }

    /// Notes that an update is not for the bot behind, so that it is not taken again.
    pub(crate) fn leave_out(&self, update_id: i64) {
        self.state().note_settled(update_id);
    }

    /// Waits until an update is settled. Returns whether it is: not if nothing more is delivered.
    pub(crate) async fn settled(&self, update_id: i64) -> bool {
        let (sender, settled) = oneshot::channel();
        if !self.state().watch(update_id, sender) {
            return true;
        }
        settled.await.is_ok()
    }

    /// Waits until all updates are settled.
    pub(crate) async fn all_settled(&self) {
        loop {
            let mut notified = std::pin::pin!(self.shared.all_settled.notified());
            notified.as_mut().enable();
            if self.state().waiting() == 0 {
                return;
            }
            notified.await;
        }
    }

    /// Forgets the settled updates before this id, because Telegram does not deliver them again.
    pub(crate) fn forget_before(&self, update_id: i64) {
        self.state().forget_before(update_id);
    }

    /// Begins no more deliveries, and waits a limited time for those under way.
    pub(crate) async fn finish(&self) {
        self.shared.stop.send_replace(true);
        let mut chats = {
            let mut chats = self.shared.chats.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::take(&mut *chats)
        };
        let ended = async { while chats.join_next().await.is_some() {} };
        if tokio::time::timeout(LAST_DELIVERIES, ended).await.is_err() {
            log::warn!(
                "some updates are still on their way to the bot behind; Telegram redelivers them"
            );
        }
        // Who waits for them is released.
        self.state().release();
    }

    /// Delivers the updates of a chat one after another.
    async fn run(self, chat: i64, first: Parcel) {
        let mut next = Some(first);
        while let Some(parcel) = next {
            let Some(call) = self.until_settled(&parcel).await else { return };
            let (is_last, following) = self.state().settle(chat, &parcel);
            if is_last {
                self.shared.all_settled.notify_waiters();
            }
            if let Some(call) = call {
                call.execute(&self.shared.client).await;
            }
            next = following;
        }
    }

    /// Delivers an update until it is settled. Returns the method that the bot behind answered with;
    /// `None` if nothing more is to be delivered.
    async fn until_settled(&self, parcel: &Parcel) -> Option<Option<MethodCall>> {
        let mut stop = self.shared.stop.subscribe();
        let mut delays = Backoff::new(DELAYS.0, DELAYS.1);
        loop {
            let attempt = {
                let permit = tokio::select! {
                    permit = self.shared.connections.acquire() => permit,
                    _ = stop.wait_for(|stop| *stop) => return None,
                };
                let begun = Instant::now();
                let attempt = self.shared.sender.deliver(parcel).await;
                drop(permit);
                metrics::histogram!("rollcall_forward_seconds").record(begun.elapsed());
                attempt
            };
            let failure = match attempt {
                Attempt::Accepted(call) => {
                    self.accepted(parcel.update_id);
                    return Some(call);
                }
                Attempt::Failed(failure) => failure,
            };
            let verdict = self.failed(parcel.update_id, &failure);
            let mut wait = delays.next(fastrand::f64());
            match verdict {
                Verdict::SetAside => match self.set_aside(parcel, &failure).await {
                    Ok(()) => return Some(None),
                    Err(error) => log::warn!(error:%; "an update cannot be set aside"),
                },
                Verdict::RetryUntil(end) => {
                    wait = wait.min(end.saturating_duration_since(Instant::now()));
                }
                Verdict::Retry => {}
            }
            tokio::select! {
                () = sleep(wait) => {}
                () = self.shared.recovered.notified() => {}
                _ = stop.wait_for(|stop| *stop) => return None,
            }
        }
    }

    fn accepted(&self, update_id: i64) {
        metrics::counter!("rollcall_forwarded_updates_total", "outcome" => "accepted").increment(1);
        if self.pulse().accepted(update_id) {
            self.shared.recovered.notify_waiters();
        }
    }

    fn failed(&self, update_id: i64, failure: &Failure) -> Verdict {
        metrics::counter!("rollcall_forwarded_updates_total", "outcome" => failure.outcome())
            .increment(1);
        self.pulse().failed(update_id, failure, self.shared.give_up_after)
    }

    async fn set_aside(&self, parcel: &Parcel, failure: &Failure) -> Result<(), ServiceError> {
        let reason = format!("the bot behind does not accept it: {failure}");
        let update = QuarantinedUpdate { reason, undelivered: true, ..parcel.quarantined() };
        self.shared.users.register_with(Vec::new(), vec![update]).await?;
        metrics::counter!("rollcall_forwarded_updates_total", "outcome" => "set_aside")
            .increment(1);
        log::error!(
            update_id = parcel.update_id, reason:% = failure;
            "the bot behind accepts other updates but not this one: it is set aside"
        );
        self.pulse().forget(parcel.update_id);
        Ok(())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // No code panics while holding it.
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn pulse(&self) -> MutexGuard<'_, Pulse> {
        self.shared.pulse.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
