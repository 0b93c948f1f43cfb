//! Delivers updates to the webhook of the bot behind: those of a chat in order, those of many chats at
//! once. Until an update is settled, it is delivered again and again, at least every five seconds.

use std::{sync::Arc, time::Duration};

use rollcall_domain::{Backoff, Clock, QuarantinedUpdate};
use rollcall_service::ServiceError;
use tokio::time::{Instant, sleep};

use super::{
    answer::MethodCall,
    attempt::{Attempt, Failure},
    held::{Behind, Way},
    hook::Hook,
    parcel::Parcel,
    pulse::Verdict,
};

/// The longest first delay before an update is delivered again, and the longest of all.
const DELAYS: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(5));

impl Behind {
    /// Delivers the updates of a chat to a webhook, beginning with this one.
    pub(super) fn spawn(&self, hook: Arc<Hook>, first: Arc<Parcel>) {
        let mut chats = self.chats();
        // Those that have ended are dropped, so that the set stays small.
        while chats.try_join_next().is_some() {}
        chats.spawn(self.clone().run(hook, first));
    }

    /// Delivers the updates of a chat one after another.
    async fn run(self, hook: Arc<Hook>, first: Arc<Parcel>) {
        let mut next = Some(first);
        while let Some(parcel) = next {
            let Some(call) = self.until_settled(&hook, &parcel).await else { return };
            next = self.settle(&hook, &parcel);
            if let Some(call) = call {
                call.execute(&self.shared.client).await;
            }
        }
    }

    /// Settles an update. Returns the next one of its chat, unless the webhook has changed.
    fn settle(&self, hook: &Arc<Hook>, parcel: &Parcel) -> Option<Arc<Parcel>> {
        let mut held = self.held();
        let is_last = held.state.settle(parcel.update_id);
        let is_current = matches!(&held.way, Way::Push(current) if Arc::ptr_eq(current, hook));
        let next = is_current.then(|| held.state.next_of(parcel.chat)).flatten();
        drop(held);
        if is_last {
            self.shared.all_settled.notify_waiters();
        }
        next
    }

    /// Delivers an update until it is settled. Returns the method that the bot behind answered with;
    /// `None` if nothing more is to be delivered.
    async fn until_settled(&self, hook: &Hook, parcel: &Parcel) -> Option<Option<MethodCall>> {
        let mut stop = self.shared.stop.subscribe();
        let mut delays = Backoff::new(DELAYS.0, DELAYS.1);
        loop {
            let attempt = {
                let permit = tokio::select! {
                    permit = hook.connections.acquire() => permit,
                    _ = stop.wait_for(|stop| *stop) => return None,
                };
                let begun = Instant::now();
                let attempt = hook.sender.deliver(parcel).await;
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
        let now = self.shared.client.clock().now();
        self.held().last_failure = Some((now, failure.to_string()));
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
}
