//! Sending one broadcast: recipients are claimed shortly before their messages go out, and settled
//! shortly after.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use chrono::{DateTime, Utc};
use rollcall_domain::{
    Backoff, Broadcast, LabelName, PauseReason, RecipientState, TelegramId, TelegramUser, Variant,
};
use rollcall_repository::{RecipientOutcome, Rest};
use tokio::{
    sync::watch,
    task::JoinSet,
    time::{Instant, sleep, sleep_until},
};

use super::{
    content::Message,
    messenger::{Delivery, Lane, OptOutButton},
    pictures::Letter,
    safety::Safety,
    work::{Stopped, Work, requested},
};

/// How long outcomes wait to be stored together.
const SETTLE_EVERY: Duration = Duration::from_millis(200);
/// How long messages that are going out are waited for when the process should stop.
const PATIENCE: Duration = Duration::from_secs(10);
/// The fewest and the most recipients that are claimed at a time. After a crash, so many are unknown.
const WINDOW: (usize, usize) = (5, 200);
/// The first and the longest pause while Telegram or the database cannot be reached.
const PAUSES: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));
/// The shortest and the longest sleep until the next recipient is due. An owner may have ended the broadcast
/// meanwhile, and clocks may be set.
const WAITS: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(30));

/// A broadcast that is being sent.
pub(super) struct Sending<'a> {
    work: &'a Work,
    id: i64,
    /// The messages of the variants, from A on.
    messages: Vec<Arc<Message>>,
    /// The variant that all get, because it is decided.
    winner: Option<Variant>,
    /// The category that a button of the messages opts out of.
    opt_out: Option<LabelName>,
    lane: Arc<dyn Lane>,
    /// How many recipients may be claimed.
    window: usize,
    /// The last recipient that was looked at in the order of ids.
    after: Option<TelegramId>,
    /// Up to where it is stored that no recipient is queued or claimed.
    stored_to: Option<TelegramId>,
    /// Claimed recipients without a stored outcome.
    open: BTreeSet<TelegramId>,
    /// Those of them that had to wait for their time. They have a due time, so the order of ids does not
    /// hold for them.
    waited: BTreeSet<TelegramId>,
    /// Recipients that are queued again.
    put_back: BTreeSet<TelegramId>,
    sends: JoinSet<(TelegramId, Delivery)>,
    outcomes: Vec<RecipientOutcome>,
    settle_at: Option<Instant>,
    safety: Safety,
    next: Next,
    /// Becomes true when messages that wait for their turn are not to be sent.
    halt: watch::Sender<bool>,
    /// Until when no recipient is claimed: something could not be reached, or all wait for their time.
    waits_until: Option<Instant>,
    pauses: Backoff,
}

/// What follows once no message is going out.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Next {
    /// More recipients are claimed.
    Claim,
    /// The database may have claimed some although it returned an error.
    Recover,
    /// The recipients that are left wait for the winner.
    Decide,
    /// No recipient was queued.
    Finish,
    /// The work ends: the broadcast is not being sent any more, or the process should stop.
    End,
}

impl<'a> Sending<'a> {
    pub(super) fn new(work: &'a Work, broadcast: &Broadcast, messages: Vec<Message>) -> Self {
        let plan = &broadcast.plan;
        let lane = work.messenger.lane(plan.rate, plan.is_paid);
        // An eighth of a second: little is unknown after a crash, and Telegram usually answers sooner.
        let window = lane.rate().map_or(WINDOW.1, |rate| {
            usize::try_from(rate / 8).unwrap_or(usize::MAX).clamp(WINDOW.0, WINDOW.1)
        });
        Self {
            work,
            id: broadcast.id,
            messages: messages.into_iter().map(Arc::new).collect(),
            winner: broadcast.decision.as_ref().map(|it| it.winner),
            opt_out: plan.has_opt_out_button.then(|| plan.category.clone()),
            lane,
            window,
            after: broadcast.settled_to,
            stored_to: broadcast.settled_to,
            open: BTreeSet::new(),
            waited: BTreeSet::new(),
            put_back: BTreeSet::new(),
            sends: JoinSet::new(),
            outcomes: Vec::new(),
            settle_at: None,
            safety: Safety::default(),
            next: Next::Claim,
            halt: watch::Sender::new(false),
            waits_until: None,
            pauses: Backoff::new(PAUSES.0, PAUSES.1),
        }
    }

    /// Sends until no recipient is left, the broadcast is paused or cancelled, or the process should
    /// stop.
    pub(super) async fn run(mut self) -> Result<(), Stopped> {
        let unknown = self.recover(false).await?;
        if unknown > 0 {
            log::warn!(broadcast = self.id, recipients = unknown; "a process ended while it was sending to these");
        }
        let mut stop = self.work.stop.clone();
        let mut ends_at = None;
        loop {
            if self.next == Next::Claim && self.has_room() && !self.is_waiting() {
                self.claim().await?;
            }
            if self.open.is_empty() && !self.is_waiting() {
                match self.next {
                    Next::Claim => continue,
                    Next::Recover => {
                        self.recover(true).await?;
                        self.after = self.settled_to();
                        self.next = Next::Claim;
                    }
                    Next::Decide => self.decide().await?,
                    Next::Finish => {
                        if self.finish().await? {
                            return Ok(());
                        }
                        self.next = Next::Claim;
                    }
                    Next::End => return Ok(()),
                }
                continue;
            }
            let wakes_at = [self.settle_at, self.waits_until, ends_at].into_iter().flatten().min();
            tokio::select! {
                Some(sent) = self.sends.join_next() => {
                    if let Ok((id, delivery)) = sent {
                        self.note(id, delivery).await?;
                    }
                    if self.sends.is_empty() {
                        self.note_lost().await?;
                    }
                }
                () = until(wakes_at) => {}
                () = requested(&mut stop), if ends_at.is_none() => {
                    self.end();
                    ends_at = Some(Instant::now() + PATIENCE);
                }
            }
            let is_due = self.settle_at.is_some_and(|at| at <= Instant::now());
            if is_due || self.outcomes.len() > self.window / 2 || self.sends.is_empty() {
                self.settle().await?;
            }
            if ends_at.is_some_and(|at| at <= Instant::now()) {
                log::warn!(broadcast = self.id, recipients = self.open.len(); "stopped while sending to these");
                return Ok(());
            }
        }
    }

    /// How many recipients may be claimed now: the first message with a picture uploads it.
    fn window(&self) -> usize {
        let messages = match self.winner {
            Some(winner) => self.messages.get(winner.place()..=winner.place()).unwrap_or_default(),
            None => &self.messages,
        };
        let has_to_upload = messages.iter().any(|it| self.work.pictures.has_to_upload(it));
        if has_to_upload { 1 } else { self.window }
    }

    /// Whether it is time to claim more.
    fn has_room(&self) -> bool {
        self.open.len() <= self.window() / 2
    }

    /// Whether nothing is to be claimed or ended yet.
    fn is_waiting(&mut self) -> bool {
        if self.waits_until.is_some_and(|until| until <= Instant::now()) {
            self.waits_until = None;
        }
        self.waits_until.is_some()
    }

    fn wait_until(&mut self, until: DateTime<Utc>, now: DateTime<Utc>) {
        let pause = (until - now).to_std().unwrap_or_default();
        let (shortest, longest) = WAITS;
        self.waits_until = Some(Instant::now() + pause.clamp(shortest, longest));
    }

    fn wait(&mut self) {
        if self.waits_until.is_none() && self.next != Next::End {
            self.waits_until = Some(Instant::now() + self.pauses.next(fastrand::f64()));
        }
    }

    /// Claims recipients, and begins to send to them.
    async fn claim(&mut self) -> Result<(), Stopped> {
        if self.outcomes.iter().any(|it| it.state == RecipientState::Queued) {
            self.settle().await?;
        }
        if !self.put_back.is_empty() {
            self.after = self.settled_to();
        }
        let limit =
            u32::try_from(self.window().saturating_sub(self.open.len())).unwrap_or(u32::MAX);
        let now = self.work.clock.now();
        let claimed = self
            .work
            .broadcasts
            .claim_recipients(&self.work.holder, self.id, self.after, limit, now)
            .await;
        let claim = match claimed {
            Ok(claim) => claim.ok_or(Stopped::LeaseLost)?,
            Err(error) => {
                log::warn!(broadcast = self.id, error:%; "a broadcast waits for the database");
                self.next = Next::Recover;
                self.wait();
                return Ok(());
            }
        };
        if let Some(last) = claim.last {
            self.after = Some(last);
            self.put_back = self.put_back.split_off(&last);
            self.put_back.remove(&last);
        }
        match claim.rest {
            _ if !claim.is_sending => self.end(),
            Rest::More => {}
            Rest::Waits(until) => self.wait_until(until, now),
            Rest::Undecided => self.next = Next::Decide,
            Rest::Nothing => self.next = Next::Finish,
        }
        if claim.users.is_empty() && claim.is_sending {
            self.store_position().await?;
        }
        self.waited.extend(claim.waited);
        let mut opt_outs = self.opt_out_buttons(&claim.users).await;
        for user in claim.users {
            self.open.insert(user.telegram_id);
            let variant = claim.variants.get(&user.telegram_id).copied().unwrap_or_default();
            let message = self.messages.get(variant.place()).or_else(|| self.messages.first());
            // Without a task, the recipient counts as unknown.
            let Some(message) = message.cloned() else { continue };
            let opt_out = opt_outs.remove(&user.telegram_id);
            let (work, lane) = (self.work.clone(), self.lane.clone());
            let (stop, broadcast) = (self.halt.subscribe(), Some(self.id));
            self.sends.spawn(async move {
                let letter = Letter { message: &message, to: &user, opt_out, broadcast };
                (user.telegram_id, send(&work, &*lane, letter, stop).await)
            });
        }
        let left = claim.opt_outs + claim.blocks;
        let is_too_much = claim.is_sending && self.safety.note_left(left);
        self.stop_if(is_too_much).await
    }

    /// The opt-out buttons of these users, in the languages in which the bot answers them.
    async fn opt_out_buttons(&self, users: &[TelegramUser]) -> BTreeMap<TelegramId, OptOutButton> {
        let Some(category) = &self.opt_out else { return BTreeMap::new() };
        let ids: Vec<TelegramId> = users.iter().map(|user| user.telegram_id).collect();
        let mut preferences = self.work.preferences.of(&ids).await.unwrap_or_else(|error| {
            log::warn!(broadcast = self.id, error:%; "cannot read the languages of users");
            BTreeMap::new()
        });
        let button = |user: &TelegramUser| {
            let chosen = preferences.remove(&user.telegram_id).unwrap_or_default();
            let language = chosen.language_or(user.language_code.as_deref());
            (user.telegram_id, OptOutButton { category: category.clone(), language })
        };
        users.iter().map(button).collect()
    }

    /// Pauses the broadcast if too many of the last outcomes are bad.
    async fn stop_if(&mut self, is_too_much: bool) -> Result<(), Stopped> {
        if is_too_much && self.next != Next::End {
            log::warn!(broadcast = self.id; "too many recipients did not get the message or opted out: the broadcast is paused");
            self.pause(PauseReason::Safety).await?;
        }
        Ok(())
    }

    /// Notes what became of a message.
    async fn note(&mut self, id: TelegramId, delivery: Delivery) -> Result<(), Stopped> {
        let is_bad = matches!(delivery, Delivery::Unreachable(_) | Delivery::Failed(_));
        let was_reached = !matches!(delivery, Delivery::NotYet);
        let (state, reason, message_id) = match delivery {
            Delivery::Sent(message_id) | Delivery::Uploaded { message_id, .. } => {
                (RecipientState::Sent, None, Some(message_id))
            }
            Delivery::Unreachable(reason) => {
                (RecipientState::Unreachable, Some(reason.name().to_owned()), None)
            }
            Delivery::Failed(reason) => (RecipientState::Failed, Some(reason), None),
            Delivery::Unknown => (RecipientState::Unknown, None, None),
            Delivery::NotYet => {
                self.wait();
                (RecipientState::Queued, None, None)
            }
            Delivery::Content(reason) | Delivery::LostPicture(reason) => {
                if self.next != Next::End {
                    log::error!(broadcast = self.id, reason; "Telegram refuses the message: the broadcast is paused");
                    self.pause(PauseReason::Content).await?;
                }
                (RecipientState::Queued, None, None)
            }
        };
        if state == RecipientState::Queued {
            if !self.waited.contains(&id) {
                self.put_back.insert(id);
            }
        } else {
            metrics::counter!("rollcall_broadcast_messages_total", "outcome" => state.name())
                .increment(1);
            if was_reached {
                self.pauses.reset();
            }
            let is_too_much = self.safety.note(is_bad);
            self.stop_if(is_too_much).await?;
        }
        let at = self.work.clock.now();
        self.outcomes.push(RecipientOutcome { telegram_id: id, state, reason, message_id, at });
        self.settle_at.get_or_insert_with(|| Instant::now() + SETTLE_EVERY);
        Ok(())
    }

    /// Sends nothing more.
    fn end(&mut self) {
        self.next = Next::End;
        self.waits_until = None;
        self.halt.send_replace(true);
    }

    /// Notes the recipients of which no task reports any more, because it panicked.
    async fn note_lost(&mut self) -> Result<(), Stopped> {
        let noted: BTreeSet<TelegramId> = self.outcomes.iter().map(|it| it.telegram_id).collect();
        let lost: Vec<TelegramId> = self.open.difference(&noted).copied().collect();
        for id in lost {
            self.note(id, Delivery::Unknown).await?;
        }
        Ok(())
    }

    async fn pause(&mut self, reason: PauseReason) -> Result<(), Stopped> {
        self.end();
        self.work.pause(self.id, reason).await
    }

    /// No recipient up to this one is queued or claimed, except those with a due time.
    fn settled_to(&self) -> Option<TelegramId> {
        let first_open = self.open.iter().find(|id| !self.waited.contains(id));
        match first_open.into_iter().chain(self.put_back.first()).min() {
            Some(id) => TelegramId::try_from(id.get() - 1).ok(),
            None => self.after,
        }
    }

    /// Stores the outcomes, however long the database cannot be reached.
    async fn settle(&mut self) -> Result<(), Stopped> {
        self.settle_at = None;
        if self.outcomes.is_empty() {
            return Ok(());
        }
        for outcome in &self.outcomes {
            self.open.remove(&outcome.telegram_id);
            self.waited.remove(&outcome.telegram_id);
        }
        self.store().await
    }

    /// Stores how far the order of ids was followed, if nothing else stores it: all that were looked at
    /// wait, or were skipped.
    async fn store_position(&mut self) -> Result<(), Stopped> {
        match self.outcomes.is_empty() && self.settled_to() > self.stored_to {
            true => self.store().await,
            false => Ok(()),
        }
    }

    async fn store(&mut self) -> Result<(), Stopped> {
        let settled_to = self.settled_to();
        let mut pauses = Backoff::new(PAUSES.0, PAUSES.1);
        loop {
            let settled = self
                .work
                .broadcasts
                .settle_recipients(&self.work.holder, self.id, &self.outcomes, settled_to)
                .await;
            match settled {
                Ok(settled) => {
                    self.outcomes.clear();
                    self.stored_to = self.stored_to.max(settled_to);
                    return settled.ok_or(Stopped::LeaseLost);
                }
                Err(error) => {
                    log::warn!(broadcast = self.id, error:%; "a broadcast waits for the database");
                    sleep(pauses.next(fastrand::f64())).await;
                }
            }
        }
    }

    async fn recover(&self, are_unsent: bool) -> Result<u64, Stopped> {
        let now = self.work.clock.now();
        let (holder, broadcasts) = (&self.work.holder, &self.work.broadcasts);
        let recovered = broadcasts.recover_recipients(holder, self.id, are_unsent, now).await?;
        recovered.ok_or(Stopped::LeaseLost)
    }

    /// Decides the winner if it is time, and goes on with the recipients that waited for it.
    async fn decide(&mut self) -> Result<(), Stopped> {
        self.settle().await?;
        self.next = Next::Claim;
        if !self.put_back.is_empty() {
            return Ok(());
        }
        let now = self.work.clock.now();
        let (holder, broadcasts) = (&self.work.holder, &self.work.broadcasts);
        let decided = broadcasts.decide_winner(holder, self.id, now).await?;
        if let Some(until) = decided.ok_or(Stopped::LeaseLost)? {
            self.wait_until(until, now);
            return Ok(());
        }
        log::info!(broadcast = self.id; "the winner of a broadcast is decided");
        let decided = self.work.broadcasts.broadcast(self.id).await?;
        self.winner = decided.and_then(|it| it.decision).map(|it| it.winner);
        (self.after, self.stored_to) = (None, None);
        Ok(())
    }

    async fn finish(&mut self) -> Result<bool, Stopped> {
        self.settle().await?;
        let now = self.work.clock.now();
        let finished =
            self.work.broadcasts.finish_broadcast(&self.work.holder, self.id, now).await?;
        let is_finished = finished.ok_or(Stopped::LeaseLost)?;
        if is_finished {
            log::info!(broadcast = self.id; "a broadcast is finished");
        } else {
            // Some were queued again.
            self.after = self.settled_to();
            self.wait();
        }
        Ok(is_finished)
    }
}

/// Sends to one user, while this process has the lease.
async fn send(
    work: &Work,
    lane: &dyn Lane,
    letter: Letter<'_>,
    stop: watch::Receiver<bool>,
) -> Delivery {
    let mut held_until = work.held_until.clone();
    let has_lease = held_until.wait_for(|until| until.is_some_and(|until| until > Instant::now()));
    if has_lease.await.is_err() {
        return Delivery::NotYet;
    }
    let sent_at = work.clock.now();
    let to = letter.to.telegram_id;
    let delivery = work.pictures.send(lane, letter, stop).await;
    if let Delivery::Unreachable(reason) = &delivery
        && let Err(error) = work.users.mark_unreachable(to, *reason, sent_at).await
    {
        log::warn!(error:%; "cannot store that a user is unreachable");
    }
    delivery
}

async fn until(at: Option<Instant>) {
    match at {
        Some(at) => sleep_until(at).await,
        None => std::future::pending().await,
    }
}
