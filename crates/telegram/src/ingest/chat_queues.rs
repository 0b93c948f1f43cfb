//! Queues of requests: in order within a chat, concurrent across chats.

use std::{
    collections::{HashMap, VecDeque},
    future::Future,
    panic::AssertUnwindSafe,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use futures_util::FutureExt;
use rollcall_domain::TelegramId;

use super::slots::{Limit, Slot, SlotBounds, Slots};

/// A job with its slot, which it holds until it is done.
type Job = (Pin<Box<dyn Future<Output = ()> + Send>>, Slot);

/// A queue of jobs for each chat. The number of jobs is bounded: in all, per sender, for all groups
/// together, and per queue.
#[derive(Clone)]
pub(crate) struct ChatQueues {
    /// The chats with a running job, and the jobs that wait behind it.
    waiting: Arc<Mutex<HashMap<i64, VecDeque<Job>>>>,
    slots: Slots,
    bounds: QueueBounds,
}

/// How many jobs may wait in one queue.
#[derive(Clone, Copy, Debug)]
pub(crate) struct QueueBounds {
    /// In all.
    pub(crate) all: usize,
    /// Per sender in a group, so that there is room for its other members.
    pub(crate) sender_in_group: usize,
}

impl ChatQueues {
    pub(crate) fn new(slots: SlotBounds, bounds: QueueBounds) -> Self {
        Self { waiting: Arc::default(), slots: Slots::new(slots), bounds }
    }

    /// Appends a job that `sender` asked for to the queue of `chat`.
    ///
    /// # Errors
    /// The limit that it would exceed.
    pub(crate) fn push(
        &self,
        chat: i64,
        sender: TelegramId,
        job: impl Future<Output = ()> + Send + 'static,
    ) -> Result<(), Limit> {
        let in_group = chat != sender.get();
        let slot = self.slots.take(sender, in_group)?;
        let job: Job = (Box::pin(job), slot);
        let mut waiting = self.lock();
        match waiting.get_mut(&chat) {
            Some(queue) => {
                if queue.len() >= self.bounds.all {
                    return Err(Limit::Chat);
                }
                let of_sender = || queue.iter().filter(|(_, slot)| slot.sender() == sender).count();
                if in_group && of_sender() >= self.bounds.sender_in_group {
                    return Err(Limit::Sender);
                }
                queue.push_back(job);
            }
            None => {
                waiting.insert(chat, VecDeque::new());
                drop(waiting);
                tokio::spawn(self.clone().run(chat, job));
            }
        }
        Ok(())
    }

    /// Waits until all jobs are done.
    pub(crate) async fn finished(&self) {
        self.slots.all_free().await;
    }

    async fn run(self, chat: i64, first: Job) {
        let mut next = Some(first);
        while let Some((job, slot)) = next {
            if AssertUnwindSafe(job).catch_unwind().await.is_err() {
                log::error!("a handler panicked");
            }
            drop(slot);
            let mut waiting = self.lock();
            next = waiting.get_mut(&chat).and_then(VecDeque::pop_front);
            if next.is_none() {
                waiting.remove(&chat);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<i64, VecDeque<Job>>> {
        // No code panics while holding it.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::Semaphore;

    use super::*;

    fn person(id: i64) -> TelegramId {
        id.try_into().unwrap()
    }

    /// Queues with limits of slots (in all, for groups, per sender) and of each queue.
    fn queues([all, groups, sender]: [u32; 3], [queue, sender_in_group]: [usize; 2]) -> ChatQueues {
        let slots = SlotBounds { all, groups, sender };
        ChatQueues::new(slots, QueueBounds { all: queue, sender_in_group })
    }

    /// Keeps jobs from finishing until it is closed.
    fn gate() -> Arc<Semaphore> {
        Arc::new(Semaphore::new(0))
    }

    /// A job that runs until the gate is closed.
    fn held(gate: &Arc<Semaphore>) -> impl Future<Output = ()> + Send + 'static {
        let gate = gate.clone();
        async move { drop(gate.acquire().await) }
    }

    #[tokio::test]
    async fn a_slow_queue_keeps_its_order_and_delays_no_other() {
        let queues = queues([10; 3], [10; 2]);
        let done = Arc::new(Mutex::new(Vec::new()));
        let note = |what: &'static str| {
            let done = done.clone();
            async move { done.lock().unwrap().push(what) }
        };
        let (gate, passed) = (gate(), gate());

        let (first, opened) = (note("slow 1"), held(&gate));
        let slow = async move {
            opened.await;
            first.await;
        };
        queues.push(1, person(1), slow).unwrap();
        queues.push(1, person(1), note("slow 2")).unwrap();
        let (other, pass) = (note("quick"), passed.clone());
        let quick = async move {
            other.await;
            pass.close();
        };
        queues.push(2, person(2), quick).unwrap();
        held(&passed).await;
        gate.close();
        queues.finished().await;
        assert_eq!(*done.lock().unwrap(), ["quick", "slow 1", "slow 2"]);
        assert!(queues.lock().is_empty());
    }

    #[tokio::test]
    async fn a_panic_ends_neither_the_queue_nor_the_count() {
        let queues = queues([2; 3], [1; 2]);
        queues.push(-1, person(1), async { panic!("on purpose") }).unwrap();
        let (done, seen) = tokio::sync::oneshot::channel();
        queues.push(-1, person(1), async { done.send(()).unwrap() }).unwrap();
        seen.await.unwrap();
        queues.finished().await;
        assert_eq!(queues.slots.count(), (0, 0, 0));
    }

    #[tokio::test]
    async fn there_are_no_more_jobs_than_the_bound() {
        let queues = queues([1; 3], [1; 2]);
        let gate = gate();
        queues.push(1, person(1), held(&gate)).unwrap();
        assert_eq!(queues.push(2, person(2), async {}), Err(Limit::All));
        gate.close();
        queues.finished().await;
        queues.push(2, person(2), async {}).unwrap();
        queues.finished().await;
        assert_eq!(queues.slots.count(), (0, 0, 0));
    }

    #[tokio::test]
    async fn a_full_queue_leaves_room_for_the_others() {
        let queues = queues([10; 3], [2; 2]);
        let gate = gate();
        queues.push(1, person(1), held(&gate)).unwrap();
        let full = Err(Limit::Chat);
        for expected in [Ok(()), Ok(()), full, full] {
            assert_eq!(queues.push(1, person(1), async {}), expected);
        }
        assert_eq!(queues.slots.count(), (3, 0, 1), "a refused job takes no slot");
        queues.push(2, person(2), async {}).unwrap();
        gate.close();
        queues.finished().await;
        assert_eq!(queues.slots.count(), (0, 0, 0));
    }

    #[tokio::test]
    async fn a_sender_leaves_room_in_a_group_for_its_other_members() {
        let queues = queues([100; 3], [20, 5]);
        let gate = gate();
        queues.push(-1, person(1), held(&gate)).unwrap();
        for n in 0..10 {
            let expected = if n < 5 { Ok(()) } else { Err(Limit::Sender) };
            assert_eq!(queues.push(-1, person(1), async {}), expected);
        }
        queues.push(-1, person(2), async {}).unwrap();
        // A private chat has no other members.
        queues.push(1, person(1), held(&gate)).unwrap();
        for _ in 0..20 {
            queues.push(1, person(1), async {}).unwrap();
        }
        assert_eq!(queues.push(1, person(1), async {}), Err(Limit::Chat));
        gate.close();
        queues.finished().await;
        assert_eq!(queues.slots.count(), (0, 0, 0));
    }

    /// A sender who floods many groups leaves room for others, in groups and in private.
    #[tokio::test]
    async fn one_sender_in_many_groups_leaves_room_for_others() {
        let queues = queues([4000, 2000, 20], [20, 5]);
        let gate = gate();
        let mut refused = 0;
        for n in 0..195 * 20 {
            let pushed = queues.push(-1 - n % 195, person(1), held(&gate));
            refused += u32::from(pushed == Err(Limit::Sender));
        }
        assert_eq!((refused, queues.slots.count()), (3880, (20, 20, 1)));
        for id in 2..=100 {
            queues.push(-1, person(id), async {}).unwrap_or_else(|limit| {
                assert_eq!(limit, Limit::Chat);
            });
            queues.push(id, person(id), async {}).unwrap();
        }
        for id in 0..4000 {
            let _ = queues.push(-1000 - id, person(1000 + id), held(&gate));
        }
        assert_eq!(queues.slots.count().1, 2000, "groups take no more than their share");
        queues.push(7, person(7), async {}).unwrap();
    }

    /// The same for jobs that wait or run when the program ends.
    #[test]
    fn slots_are_given_back_at_shutdown() {
        let runtime = tokio::runtime::Builder::new_multi_thread().build().unwrap();
        let queues = queues([100, 100, 100], [20, 20]);
        let slots = queues.slots.clone();
        let gate = gate();
        runtime.block_on(async {
            for n in 0..50 {
                queues.push(-1 - n % 5, person(1 + n % 3), held(&gate)).unwrap();
            }
        });
        assert_eq!(slots.count(), (50, 50, 3));
        drop(queues);
        runtime.shutdown_timeout(std::time::Duration::from_secs(10));
        assert_eq!(slots.count(), (0, 0, 0));
    }
}
