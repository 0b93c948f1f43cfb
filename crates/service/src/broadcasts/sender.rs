//! The process that sends: it takes the lease, prepares broadcasts and sends them.

use std::{collections::BTreeMap, time::Duration};

use rollcall_domain::{Backoff, Broadcast, BroadcastState, PauseReason};
use tokio::{
    sync::watch,
    task::{Id, JoinSet},
    time::{Instant, sleep},
};

use super::{
    experiment,
    lease::Lease,
    send::Sending,
    work::{Stopped, Work, requested},
};
use crate::{AudienceError, Outage, ServiceError, pace::Pace};

/// How often the database is asked for broadcasts.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How often it is looked whether the activity after a broadcast can be counted.
const LOOK_FOR_ACTIVITY_EVERY: Duration = Duration::from_secs(60);
/// How many recipients are looked at at once, so that a part takes a few milliseconds.
const ACTIVITY_PART: u32 = 500;
/// The pause between two parts, so that other work comes first.
const ACTIVITY_PAUSE: Duration = Duration::from_millis(5);
/// The longest pause while the database cannot be used.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Prepares and sends broadcasts.
pub struct BroadcastSender {
    lease: Lease,
    held_until: watch::Sender<Option<Instant>>,
    work: Work,
    /// When it is next looked for activity to count.
    next_activity: Instant,
}

impl BroadcastSender {
    /// `held_until` shows to the work until when this process has the lease.
    pub(super) fn new(
        lease: Lease,
        held_until: watch::Sender<Option<Instant>>,
        work: Work,
    ) -> Self {
        Self { lease, held_until, work, next_activity: Instant::now() }
    }

    /// Works until the process should stop. Then it waits for the messages that are going out, stores
    /// what became of them, and gives the lease back.
    pub async fn run(mut self) {
        let mut outage =
            Outage::new("cannot look for broadcasts", Backoff::new(LOOK_EVERY, LONGEST_PAUSE));
        // The broadcasts that are worked on.
        let mut tasks = Tasks::default();
        while !*self.work.stop.borrow() {
            let pause = match self.look(&mut tasks).await {
                Ok(()) => {
                    outage.end();
                    self.lease.times.renew_every.min(LOOK_EVERY)
                }
                Err(error) => outage.record(&error),
            };
            let mut stop = self.work.stop.clone();
            tokio::select! {
                () = requested(&mut stop) => {}
                () = tasks.next() => {}
                () = sleep(pause) => {}
            }
        }
        // The lease stays while messages go out.
        while !tasks.is_empty() {
            tokio::select! {
                () = tasks.next() => {}
                () = sleep(self.lease.times.renew_every) => {
                    let _renewed = self.lease.take().await;
                    self.held_until.send_replace(self.lease.held_until());
                }
            }
        }
        if self.lease.held_until().is_some()
            && let Err(error) = self.lease.end().await
        {
            log::warn!(error:%; "cannot give back the lease of broadcasts");
        }
    }

    /// Looks for broadcasts to work on, and renews the lease while there are any.
    async fn look(&mut self, tasks: &mut Tasks) -> Result<(), ServiceError> {
        let active = self.work.broadcasts.active_broadcasts(self.work.clock.now()).await?;
        let claimed = self.work.broadcasts.claimed_broadcasts().await?;
        let uncounted = self.uncounted_activity(tasks).await?;
        let is_idle = active.is_empty() && claimed.is_empty() && uncounted.is_none();
        if is_idle && tasks.is_empty() {
            if self.lease.held_until().is_some() {
                self.held_until.send_replace(None);
                self.lease.end().await?;
            }
            return Ok(());
        }
        let had = self.lease.held_until().is_some();
        let has = self.lease.take().await?;
        self.held_until.send_replace(self.lease.held_until());
        if !has {
            if had {
                log::warn!("another process sends the broadcasts now");
            }
            tasks.abort();
            return Ok(());
        }
        // What it reads now is not changed by another process any more: a database that was restored
        // has its broadcasts paused.
        for broadcast in self.work.broadcasts.active_broadcasts(self.work.clock.now()).await? {
            tasks.begin(broadcast, &self.work);
        }
        if let Some(id) = uncounted {
            tasks.count(id, &self.work);
        }
        // A process ended while it was sending, and then an owner paused or cancelled the broadcast.
        for id in claimed.into_iter().filter(|id| !tasks.has(*id)) {
            let now = self.work.clock.now();
            self.work.broadcasts.recover_recipients(&self.work.holder, id, false, now).await?;
        }
        Ok(())
    }

    /// A broadcast of which the activity is to be counted, if it is time to look for one.
    async fn uncounted_activity(&mut self, tasks: &Tasks) -> Result<Option<i64>, ServiceError> {
        if Instant::now() < self.next_activity || tasks.is_counting() {
            return Ok(None);
        }
        let uncounted = self.work.broadcasts.uncounted_activity(self.work.clock.now()).await?;
        if uncounted.is_none() {
            self.next_activity = Instant::now() + LOOK_FOR_ACTIVITY_EVERY;
        }
        Ok(uncounted)
    }
}

/// The work on several broadcasts at once.
#[derive(Default)]
struct Tasks {
    tasks: JoinSet<()>,
    broadcasts: BTreeMap<Id, i64>,
    /// The one that counts the activity after a broadcast.
    counting: Option<Id>,
}

impl Tasks {
    fn is_empty(&self) -> bool {
        self.tasks.is_empty()
    }

    /// Whether a broadcast is worked on.
    fn has(&self, id: i64) -> bool {
        self.broadcasts.values().any(|other| *other == id)
    }

    /// Begins to work on a broadcast, unless it is worked on.
    fn begin(&mut self, broadcast: Broadcast, work: &Work) {
        let id = broadcast.id;
        if !self.has(id) {
            let task = self.tasks.spawn(work.clone().on(broadcast));
            self.broadcasts.insert(task.id(), id);
        }
    }

    /// Whether the activity after a broadcast is being counted.
    fn is_counting(&self) -> bool {
        self.counting.is_some()
    }

    /// Counts the activity after a broadcast, unless that of another one is being counted.
    fn count(&mut self, id: i64, work: &Work) {
        if self.counting.is_none() {
            self.counting = Some(self.tasks.spawn(work.clone().count_activity(id)).id());
        }
    }

    /// Waits until the work on one has ended; forever if there is none.
    async fn next(&mut self) {
        let task = match self.tasks.join_next_with_id().await {
            Some(Ok((task, ()))) => task,
            Some(Err(error)) => error.id(),
            None => std::future::pending().await,
        };
        self.broadcasts.remove(&task);
        self.counting = self.counting.filter(|counting| *counting != task);
    }

    fn abort(&mut self) {
        self.tasks.abort_all();
    }
}

impl Work {
    /// Works on a broadcast until it is sent, paused, or the process should stop.
    async fn on(self, broadcast: Broadcast) {
        let id = broadcast.id;
        let mut pauses = Backoff::new(LOOK_EVERY, LONGEST_PAUSE);
        let mut broadcast = Some(broadcast);
        while let Some(known) = broadcast.take() {
            let error = match self.step(known).await {
                Ok(()) | Err(Stopped::LeaseLost) => return,
                Err(Stopped::Service(error)) => error,
            };
            log::warn!(broadcast = id, error:%; "a broadcast waits for the database");
            loop {
                sleep(pauses.next(fastrand::f64())).await;
                if *self.stop.borrow() {
                    return;
                }
                if let Ok(found) = self.broadcasts.broadcast(id).await {
                    broadcast = found;
                    break;
                }
            }
        }
    }

    /// Counts how many recipients of a broadcast were active after it.
    async fn count_activity(self, id: i64) {
        while !*self.stop.borrow() {
            let now = self.clock.now();
            match self.broadcasts.count_activity(&self.holder, id, ACTIVITY_PART, now).await {
                Ok(Some(false)) => sleep(ACTIVITY_PAUSE).await,
                Ok(Some(true)) => {
                    log::info!(broadcast = id; "the activity after a broadcast is counted");
                    return;
                }
                // Another process goes on.
                Ok(None) => return,
                Err(error) => {
                    log::warn!(broadcast = id, error:%; "cannot count the activity after a broadcast");
                    sleep(LOOK_EVERY).await;
                    return;
                }
            }
        }
    }

    async fn step(&self, mut broadcast: Broadcast) -> Result<(), Stopped> {
        if broadcast.state == BroadcastState::Scheduled {
            let now = self.clock.now();
            let begun = self.broadcasts.begin_scheduled(&self.holder, broadcast.id, now).await?;
            if !begun.ok_or(Stopped::LeaseLost)? {
                return Ok(());
            }
            log::info!(broadcast = broadcast.id; "a scheduled broadcast begins");
            let Some(begun) = self.broadcasts.broadcast(broadcast.id).await? else { return Ok(()) };
            broadcast = begun;
        }
        if broadcast.state == BroadcastState::Preparing {
            if !self.prepare(&broadcast).await? {
                return Ok(());
            }
            let Some(prepared) = self.broadcasts.broadcast(broadcast.id).await? else {
                return Ok(());
            };
            broadcast = prepared;
        }
        if broadcast.state == BroadcastState::Sending {
            match experiment::messages(&broadcast.plan).collect::<Result<Vec<_>, _>>() {
                Ok(messages) => Sending::new(self, &broadcast, messages).run().await?,
                Err(error) => {
                    log::error!(broadcast = broadcast.id, error:%; "a broadcast is paused");
                    self.pause(broadcast.id, PauseReason::Content).await?;
                }
            }
        }
        Ok(())
    }

    /// Stores the recipients of a broadcast. Returns whether all are stored.
    async fn prepare(&self, broadcast: &Broadcast) -> Result<bool, Stopped> {
        let started_at = broadcast.started_at.unwrap_or_else(|| self.clock.now());
        let filter = broadcast.plan.filter.clone().without_bots();
        let selection =
            match self.audience.selection_at(&filter, broadcast.plan.zone, started_at).await {
                Ok(selection) => selection,
                Err(AudienceError::Service(error)) => return Err(error.into()),
                Err(error) => {
                    log::error!(broadcast = broadcast.id, error:%; "a broadcast is paused");
                    self.pause(broadcast.id, PauseReason::Audience).await?;
                    return Ok(false);
                }
            };
        let mut pace = Pace::default();
        let mut part =
            self.audience.matching(&selection, broadcast.prepared_to, pace.size()).await?;
        let mut number = 0;
        while !*self.stop.borrow() {
            let now = self.clock.now();
            let (id, last) = (broadcast.id, part.last);
            let add = self.broadcasts.add_recipients(&self.holder, id, &part.ids, last, now);
            // The next part is read while this one is stored.
            let read = async {
                match last {
                    Some(_) => {
                        self.audience.matching(&selection, last, pace.size()).await.map(Some)
                    }
                    None => Ok(None),
                }
            };
            let (added, next) = tokio::join!(add, read);
            let added = added?.ok_or(Stopped::LeaseLost)?;
            number += part.ids.len();
            if !added.is_preparing {
                log::info!(broadcast = id, recipients = number; "a broadcast is prepared");
                return Ok(last.is_none());
            }
            pace.follow(added.held);
            let Some(next) = next? else { return Ok(true) };
            part = next;
        }
        Ok(false)
    }
}
