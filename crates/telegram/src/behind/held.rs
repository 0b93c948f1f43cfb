//! What the bot behind has to get, and how it gets it.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use chrono::{DateTime, Utc};
use rollcall_domain::UpdateSubscription;
use rollcall_service::UserService;
use tokio::{
    sync::{Notify, oneshot, watch},
    task::JoinSet,
};

use super::{
    attempt::Sender,
    hook::{Hook, InvalidWebhook},
    parcel::Parcel,
    pulls::{PullError, Pulls},
    pulse::Pulse,
    state::State,
    url::{ForwardSecret, ForwardUrl},
};
use crate::{
    client::Client,
    error::BotError,
    update::{Update, kind},
};

/// How many updates are delivered at once to `FORWARD_URL`: as many as Telegram itself does by default.
const CONNECTIONS: usize = 40;
/// How many updates, and how many bytes of them, may wait in memory.
const MOST_WAITING: usize = 1000;
const MOST_BYTES: usize = 32 << 20;
/// How long deliveries that are under way may take when the process stops.
const LAST_DELIVERIES: Duration = Duration::from_secs(3);
/// Kinds that a bot gets only if it asks for them (Bot API, "getUpdates").
const ONLY_ON_REQUEST: [&str; 3] = ["chat_member", "message_reaction", "message_reaction_count"];

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

/// Another bot that gets the updates. Cheap to clone; clones share the updates that wait for it.
#[derive(Clone)]
pub struct Behind {
    pub(super) shared: Arc<Shared>,
}

pub(super) struct Shared {
    pub(super) client: Client,
    pub(super) users: UserService,
    pub(super) give_up_after: Duration,
    held: Mutex<Held>,
    pulse: Mutex<Pulse>,
    /// The deliveries of all chats with updates. Locked after `held`.
    chats: Mutex<JoinSet<()>>,
    /// Notified when no update waits any more.
    pub(super) all_settled: Notify,
    /// Notified when the bot behind accepts updates again.
    pub(super) recovered: Notify,
    /// Notified when there is something new for getUpdates.
    pub(super) arrived: Notify,
    /// Notified when updates are to be fetched although others wait.
    pub(super) wanted: Notify,
    /// Becomes true when nothing more is to be delivered.
    pub(super) stop: watch::Sender<bool>,
}

/// The updates, and how the bot behind gets them.
pub(super) struct Held {
    pub(super) state: State,
    pub(super) way: Way,
    pub(super) pulls: Pulls,
    /// The kinds that the bot behind wants, or those of Telegram's default if there are none; `None` if it
    /// gets every update.
    allowed: Option<Vec<String>>,
    pub(super) last_failure: Option<(DateTime<Utc>, String)>,
}

/// How the bot behind gets its updates.
pub(super) enum Way {
    /// By webhook.
    Push(Arc<Hook>),
    /// By getUpdates.
    Pull,
}

impl Behind {
    /// A bot that gets every update at one address.
    pub(crate) fn forwarding(
        forwarding: Forwarding,
        client: Client,
        users: UserService,
    ) -> Result<Self, BotError> {
        let Forwarding { url, secret, give_up_after } = forwarding;
        log::info!("updates are forwarded to the bot at {}", url.origin());
        let way = Way::Push(Arc::new(Hook::new(Sender::new(url, secret)?, CONNECTIONS)));
        Ok(Self::new(way, None, give_up_after, client, users))
    }

    /// A bot that chooses itself how it gets its updates, and has chosen nothing yet.
    pub(crate) fn choosing(give_up_after: Duration, client: Client, users: UserService) -> Self {
        Self::new(Way::Pull, Some(Vec::new()), give_up_after, client, users)
    }

    fn new(
        way: Way,
        allowed: Option<Vec<String>>,
        give_up_after: Duration,
        client: Client,
        users: UserService,
    ) -> Self {
        let held = Held {
            state: State::default(),
            way,
            pulls: Pulls::default(),
            allowed,
            last_failure: None,
        };
        let shared = Shared {
            client,
            users,
            give_up_after,
            held: Mutex::new(held),
            pulse: Mutex::default(),
            chats: Mutex::default(),
            all_settled: Notify::new(),
            recovered: Notify::new(),
            arrived: Notify::new(),
            wanted: Notify::new(),
            stop: watch::Sender::new(false),
        };
        Self { shared: Arc::new(shared) }
    }

    /// Checks the webhook of a subscription.
    ///
    /// # Errors
    /// If it has an invalid address or secret.
    pub(crate) fn check(subscription: &UpdateSubscription) -> Result<(), InvalidWebhook> {
        subscription.webhook.as_ref().map(Hook::of_subscription).transpose().map(drop)
    }

    /// From now on, updates go where `subscription` says, those that wait too. With `drop_pending`, the
    /// bot behind gets none of the updates that wait, here or at Telegram.
    ///
    /// # Errors
    /// If its webhook has an invalid address or secret.
    pub(crate) fn subscribe(
        &self,
        subscription: &UpdateSubscription,
        drop_pending: bool,
    ) -> Result<(), InvalidWebhook> {
        let hook = subscription.webhook.as_ref().map(Hook::of_subscription).transpose()?;
        let mut held = self.held();
        held.allowed = Some(subscription.allowed_updates.clone());
        held.last_failure = None;
        if hook.is_some() {
            held.pulls.end(PullError::WebhookSet);
        }
        // Requests on their way to the former webhook end.
        drop(std::mem::take(&mut *self.chats()));
        *self.pulse() = Pulse::default();
        if drop_pending {
            held.drain(0);
        }
        let waiting = held.state.unqueue();
        held.way = hook.map_or(Way::Pull, |hook| Way::Push(Arc::new(hook)));
        if let Way::Push(hook) = &held.way {
            let hook = hook.clone();
            for parcel in waiting {
                let first = held.state.queue(parcel);
                first.into_iter().for_each(|parcel| self.spawn(hook.clone(), parcel));
            }
        }
        self.announce(held);
        Ok(())
    }

    /// Sets the kinds of updates that the bot behind gets from now on.
    pub(crate) fn allow(&self, kinds: Vec<String>) {
        self.held().allowed = Some(kinds);
    }

    /// When and why an update was not accepted last, since the webhook was set.
    pub(crate) fn last_failure(&self) -> Option<(DateTime<Utc>, String)> {
        self.held().last_failure.clone()
    }

    /// Whether an update waits or was settled before.
    pub(crate) fn knows(&self, update_id: i64) -> bool {
        self.held().state.knows(update_id)
    }

    /// The first update that is not settled.
    pub(crate) fn first_unsettled(&self) -> Option<i64> {
        self.held().state.first_unsettled()
    }

    /// How many updates wait.
    pub(crate) fn waiting(&self) -> usize {
        self.held().state.waiting()
    }

    /// Whether more updates may wait in memory.
    pub(crate) fn has_room(&self) -> bool {
        let held = self.held();
        held.state.waiting() < MOST_WAITING && held.state.bytes() < MOST_BYTES
    }

    /// Takes registered updates for the bot behind, but for known ones. Those of a chat are to come in order.
    pub(crate) fn deliver(&self, updates: &[&Update<'_>]) {
        let parcels: Vec<Parcel> = updates.iter().copied().filter_map(Parcel::of).collect();
        // At once, so that an answer to getUpdates has all of them.
        let mut held = self.held();
        for parcel in parcels {
            self.take(&mut held, parcel);
        }
        self.announce(held);
    }

    fn take(&self, held: &mut Held, parcel: Parcel) {
        if !held.allows(&parcel) {
            return held.state.note_settled(parcel.update_id);
        }
        let Some(parcel) = held.state.add(parcel) else { return };
        if let Some(number) = held.pulls.kept {
            held.state.keep_last(number);
        } else if let Way::Push(hook) = &held.way {
            let hook = hook.clone();
            let first = held.state.queue(parcel);
            first.into_iter().for_each(|parcel| self.spawn(hook.clone(), parcel));
        }
    }

    /// Notes that an update is not for the bot behind, so that it is not taken again.
    pub(crate) fn leave_out(&self, update_id: i64) {
        self.held().state.note_settled(update_id);
    }

    /// Waits until an update is settled. Returns whether it is: not if nothing more is delivered.
    pub(crate) async fn settled(&self, update_id: i64) -> bool {
        let (sender, settled) = oneshot::channel();
        if !self.held().state.watch(update_id, sender) {
            return true;
        }
        settled.await.is_ok()
    }

    /// Waits until all updates are settled.
    pub(crate) async fn all_settled(&self) {
        loop {
            let mut notified = std::pin::pin!(self.shared.all_settled.notified());
            notified.as_mut().enable();
            if self.waiting() == 0 {
                return;
            }
            notified.await;
        }
    }

    /// Forgets the settled updates before this id, because Telegram does not deliver them again.
    pub(crate) fn forget_before(&self, update_id: i64) {
        self.held().state.forget_before(update_id);
    }

    /// Begins no more deliveries, and waits a limited time for those under way.
    pub(crate) async fn finish(&self) {
        self.shared.stop.send_replace(true);
        self.end_pulls();
        let mut chats = std::mem::take(&mut *self.chats());
        let ended = async { while chats.join_next().await.is_some() {} };
        if tokio::time::timeout(LAST_DELIVERIES, ended).await.is_err() {
            log::warn!(
                "some updates are still on their way to the bot behind; Telegram redelivers them"
            );
        }
        // Who waits for them is released.
        self.held().state.release();
    }

    /// Wakes who waits for a change of `held`.
    pub(super) fn announce(&self, held: MutexGuard<'_, Held>) {
        let is_settled = held.state.waiting() == 0;
        drop(held);
        self.shared.arrived.notify_waiters();
        self.shared.wanted.notify_waiters();
        if is_settled {
            self.shared.all_settled.notify_waiters();
        }
    }

    pub(super) fn held(&self) -> MutexGuard<'_, Held> {
        // No code panics while holding it.
        self.shared.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn chats(&self) -> MutexGuard<'_, JoinSet<()>> {
        self.shared.chats.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn pulse(&self) -> MutexGuard<'_, Pulse> {
        self.shared.pulse.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    /// Whether the bot behind wants updates of this kind.
    fn allows(&self, parcel: &Parcel) -> bool {
        let Some(allowed) = &self.allowed else { return true };
        let Some(kind) = kind(parcel.json()) else { return true };
        match allowed.is_empty() {
            true => !ONLY_ON_REQUEST.contains(&kind.as_ref()),
            false => allowed.iter().any(|allowed| *allowed == kind),
        }
    }

    /// Settles all updates that wait, here or at Telegram, but the last ones.
    pub(super) fn drain(&mut self, kept: usize) {
        self.state.keep_last(kept);
        self.pulls.drain(kept);
    }
}
