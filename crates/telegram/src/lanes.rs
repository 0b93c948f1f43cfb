//! Work in lanes: within a lane one after the other, across lanes at once.

use std::{
    collections::{HashMap, VecDeque},
    future::Future,
    panic::AssertUnwindSafe,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use futures_util::FutureExt;
use rollcall_domain::TelegramId;

use crate::slots::{Limit, Slot, SlotBounds, Slots};

/// Work with its slot, which it holds until it is done.
type Work = (Pin<Box<dyn Future<Output = ()> + Send>>, Slot);

/// Lanes of work, a lane for each chat. How much work waits is bounded: in all, of each sender, of
/// all groups together, and in each lane.
#[derive(Clone)]
pub(crate) struct Lanes {
    /// The lanes that somebody works on, with what waits in each.
    waiting: Arc<Mutex<HashMap<i64, VecDeque<Work>>>>,
    slots: Slots,
    bounds: LaneBounds,
}

/// How much work may wait in a lane.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LaneBounds {
    /// In all.
    pub(crate) all: usize,
    /// Of one sender in a group, so that there is room for its other members.
    pub(crate) sender_in_group: usize,
}

impl Lanes {
    pub(crate) fn new(slots: SlotBounds, bounds: LaneBounds) -> Self {
        Self { waiting: Arc::default(), slots: Slots::new(slots), bounds }
    }

    /// Puts work that `sender` asked for at the end of the lane of `chat`.
    ///
    /// # Errors
    /// The bound that leaves no room for it.
    pub(crate) fn push(
        &self,
        chat: i64,
        sender: TelegramId,
        work: impl Future<Output = ()> + Send + 'static,
    ) -> Result<(), Limit> {
        let in_group = chat != sender.get();
        let slot = self.slots.take(sender, in_group)?;
        let work: Work = (Box::pin(work), slot);
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
                queue.push_back(work);
            }
            None => {
                waiting.insert(chat, VecDeque::new());
                drop(waiting);
                tokio::spawn(self.clone().work_on(chat, work));
            }
        }
        Ok(())
    }

    /// Waits until all work is done.
    pub(crate) async fn finished(&self) {
        self.slots.all_free().await;
    }

    async fn work_on(self, chat: i64, first: Work) {
        let mut next = Some(first);
        while let Some((work, slot)) = next {
            if AssertUnwindSafe(work).catch_unwind().await.is_err() {
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

    fn lock(&self) -> MutexGuard<'_, HashMap<i64, VecDeque<Work>>> {
        // Nothing panics while it is held.
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

    /// Lanes with bounds of slots (in all, of groups, of a sender) and of lanes.
    fn lanes([all, groups, sender]: [u32; 3], [lane, sender_in_group]: [usize; 2]) -> Lanes {
        let slots = SlotBounds { all, groups, sender };
        Lanes::new(slots, LaneBounds { all: lane, sender_in_group })
    }

    /// What holds work until it is closed.
    fn gate() -> Arc<Semaphore> {
        Arc::new(Semaphore::new(0))
    }

    /// Work that goes on until the gate is closed.
    fn held(gate: &Arc<Semaphore>) -> impl Future<Output = ()> + Send + 'static {
        let gate = gate.clone();
        async move { drop(gate.acquire().await) }
    }

    #[tokio::test]
    async fn a_slow_lane_keeps_its_order_and_delays_no_other() {
        let lanes = lanes([10; 3], [10; 2]);
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
        lanes.push(1, person(1), slow).unwrap();
        lanes.push(1, person(1), note("slow 2")).unwrap();
        let (other, pass) = (note("quick"), passed.clone());
        let quick = async move {
            other.await;
            pass.close();
        };
        lanes.push(2, person(2), quick).unwrap();
        held(&passed).await;
        gate.close();
        lanes.finished().await;
        assert_eq!(*done.lock().unwrap(), ["quick", "slow 1", "slow 2"]);
        assert!(lanes.lock().is_empty());
    }

    #[tokio::test]
    async fn a_panic_ends_neither_the_lane_nor_the_count() {
        let lanes = lanes([2; 3], [1; 2]);
        lanes.push(-1, person(1), async { panic!("on purpose") }).unwrap();
        let (done, seen) = tokio::sync::oneshot::channel();
        lanes.push(-1, person(1), async { done.send(()).unwrap() }).unwrap();
        seen.await.unwrap();
        lanes.finished().await;
        assert_eq!(lanes.slots.count(), (0, 0, 0));
    }

    #[tokio::test]
    async fn there_is_no_more_room_than_the_bound() {
        let lanes = lanes([1; 3], [1; 2]);
        let gate = gate();
        lanes.push(1, person(1), held(&gate)).unwrap();
        assert_eq!(lanes.push(2, person(2), async {}), Err(Limit::All));
        gate.close();
        lanes.finished().await;
        lanes.push(2, person(2), async {}).unwrap();
        lanes.finished().await;
        assert_eq!(lanes.slots.count(), (0, 0, 0));
    }

    #[tokio::test]
    async fn a_lane_does_not_take_the_room_of_the_others() {
        let lanes = lanes([10; 3], [2; 2]);
        let gate = gate();
        lanes.push(1, person(1), held(&gate)).unwrap();
        let full = Err(Limit::Chat);
        for expected in [Ok(()), Ok(()), full, full] {
            assert_eq!(lanes.push(1, person(1), async {}), expected);
        }
        assert_eq!(lanes.slots.count(), (3, 0, 1), "what is refused takes no slot");
        lanes.push(2, person(2), async {}).unwrap();
        gate.close();
        lanes.finished().await;
        assert_eq!(lanes.slots.count(), (0, 0, 0));
    }

    #[tokio::test]
    async fn a_sender_leaves_room_in_a_group_for_its_other_members() {
        let lanes = lanes([100; 3], [20, 5]);
        let gate = gate();
        lanes.push(-1, person(1), held(&gate)).unwrap();
        for n in 0..10 {
            let expected = if n < 5 { Ok(()) } else { Err(Limit::Sender) };
            assert_eq!(lanes.push(-1, person(1), async {}), expected);
        }
        lanes.push(-1, person(2), async {}).unwrap();
        // A private chat has no other members.
        lanes.push(1, person(1), held(&gate)).unwrap();
        for _ in 0..20 {
            lanes.push(1, person(1), async {}).unwrap();
        }
        assert_eq!(lanes.push(1, person(1), async {}), Err(Limit::Chat));
        gate.close();
        lanes.finished().await;
        assert_eq!(lanes.slots.count(), (0, 0, 0));
    }

    /// However many groups a sender floods, others get in, in groups and in private.
    #[tokio::test]
    async fn one_sender_in_many_groups_leaves_room_for_everybody_else() {
        let lanes = lanes([4000, 2000, 20], [20, 5]);
        let gate = gate();
        let mut refused = 0;
        for n in 0..195 * 20 {
            let pushed = lanes.push(-1 - n % 195, person(1), held(&gate));
            refused += u32::from(pushed == Err(Limit::Sender));
        }
        assert_eq!((refused, lanes.slots.count()), (3880, (20, 20, 1)));
        for id in 2..=100 {
            lanes.push(-1, person(id), async {}).unwrap_or_else(|limit| {
                assert_eq!(limit, Limit::Chat);
            });
            lanes.push(id, person(id), async {}).unwrap();
        }
        for id in 0..4000 {
            let _ = lanes.push(-1000 - id, person(1000 + id), held(&gate));
        }
        assert_eq!(lanes.slots.count().1, 2000, "groups take no more than their share");
        lanes.push(7, person(7), async {}).unwrap();
    }

    /// Whatever is waiting or under way when the program ends.
    #[test]
    fn slots_are_given_back_at_shutdown() {
        let runtime = tokio::runtime::Builder::new_multi_thread().build().unwrap();
        let lanes = lanes([100, 100, 100], [20, 20]);
        let slots = lanes.slots.clone();
        let gate = gate();
        runtime.block_on(async {
            for n in 0..50 {
                lanes.push(-1 - n % 5, person(1 + n % 3), held(&gate)).unwrap();
            }
        });
        assert_eq!(slots.count(), (50, 50, 3));
        drop(lanes);
        runtime.shutdown_timeout(std::time::Duration::from_secs(10));
        assert_eq!(slots.count(), (0, 0, 0));
    }
}
