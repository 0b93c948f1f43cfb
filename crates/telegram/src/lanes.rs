//! Work in lanes: within a lane one after the other, across lanes at once.

use std::{
    collections::{HashMap, VecDeque},
    future::Future,
    panic::AssertUnwindSafe,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use futures_util::FutureExt;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Work with the permit to be in memory, which it holds until it is done.
type Work = (Pin<Box<dyn Future<Output = ()> + Send>>, OwnedSemaphorePermit);

/// Lanes of work, a lane for each chat. How much work waits is bounded, in all and in each lane.
#[derive(Clone)]
pub(crate) struct Lanes {
    /// The lanes that somebody works on, with what waits in each.
    waiting: Arc<Mutex<HashMap<i64, VecDeque<Work>>>>,
    permits: Arc<Semaphore>,
    bound: u32,
    lane_bound: usize,
}

impl Lanes {
    /// Lanes that hold up to `bound` pieces of work, waiting and under way, and each of them up to
    /// `lane_bound` that wait.
    pub(crate) fn new(bound: u32, lane_bound: usize) -> Self {
        let permits = usize::try_from(bound).unwrap_or(Semaphore::MAX_PERMITS);
        let permits = Arc::new(Semaphore::new(permits));
        Self { waiting: Arc::default(), permits, bound, lane_bound }
    }

    /// Puts work at the end of a lane; answers whether there was room for it.
    #[must_use]
    pub(crate) fn push(&self, lane: i64, work: impl Future<Output = ()> + Send + 'static) -> bool {
        let Ok(permit) = self.permits.clone().try_acquire_owned() else { return false };
        let work: Work = (Box::pin(work), permit);
        let mut waiting = self.lock();
        match waiting.get_mut(&lane) {
            Some(queue) if queue.len() >= self.lane_bound => return false,
            Some(queue) => queue.push_back(work),
            None => {
                waiting.insert(lane, VecDeque::new());
                drop(waiting);
                tokio::spawn(self.clone().work_on(lane, work));
            }
        }
        true
    }

    /// Waits until all work is done.
    pub(crate) async fn finished(&self) {
        drop(self.permits.acquire_many(self.bound).await);
    }

    async fn work_on(self, lane: i64, first: Work) {
        let mut next = Some(first);
        while let Some((work, permit)) = next {
            if AssertUnwindSafe(work).catch_unwind().await.is_err() {
                log::error!("a handler panicked");
            }
            drop(permit);
            let mut waiting = self.lock();
            next = waiting.get_mut(&lane).and_then(VecDeque::pop_front);
            if next.is_none() {
                waiting.remove(&lane);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<i64, VecDeque<Work>>> {
        // Nothing panics while it is held.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::Notify;

    use super::*;

    #[tokio::test]
    async fn a_slow_lane_keeps_its_order_and_delays_no_other() {
        let lanes = Lanes::new(10, 10);
        let done = Arc::new(Mutex::new(Vec::new()));
        let note = |what: &'static str| {
            let done = done.clone();
            async move { done.lock().unwrap().push(what) }
        };
        let (gate, passed) = (Arc::new(Notify::new()), Arc::new(Notify::new()));

        let (first, open) = (note("slow 1"), gate.clone());
        let slow = async move {
            open.notified().await;
            first.await;
        };
        assert!(lanes.push(1, slow));
        assert!(lanes.push(1, note("slow 2")));
        let (other, pass) = (note("quick"), passed.clone());
        let quick = async move {
            other.await;
            pass.notify_one();
        };
        assert!(lanes.push(2, quick));
        passed.notified().await;
        gate.notify_one();
        lanes.finished().await;
        assert_eq!(*done.lock().unwrap(), ["quick", "slow 1", "slow 2"]);
        assert!(lanes.lock().is_empty());
    }

    #[tokio::test]
    async fn a_panic_ends_neither_the_lane_nor_the_count() {
        let lanes = Lanes::new(2, 1);
        assert!(lanes.push(1, async { panic!("on purpose") }));
        let (said, told) = tokio::sync::oneshot::channel();
        assert!(lanes.push(1, async { said.send(()).unwrap() }));
        told.await.unwrap();
        lanes.finished().await;
    }

    #[tokio::test]
    async fn there_is_no_more_room_than_the_bound() {
        let lanes = Lanes::new(1, 1);
        let gate = Arc::new(Notify::new());
        let open = gate.clone();
        assert!(lanes.push(1, async move { open.notified().await }));
        assert!(!lanes.push(2, async {}));
        gate.notify_one();
        lanes.finished().await;
        assert!(lanes.push(2, async {}));
        lanes.finished().await;
    }

    #[tokio::test]
    async fn a_lane_does_not_take_the_room_of_the_others() {
        let lanes = Lanes::new(10, 2);
        let gate = Arc::new(Notify::new());
        let open = gate.clone();
        assert!(lanes.push(1, async move { open.notified().await }));
        for room in [true, true, false, false] {
            assert_eq!(lanes.push(1, async {}), room);
        }
        assert!(lanes.push(2, async {}));
        gate.notify_one();
        lanes.finished().await;
    }
}
