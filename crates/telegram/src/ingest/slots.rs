//! Bounds the requests in memory: in all, for groups, and per sender.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use rollcall_domain::TelegramId;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How many slots may be taken at once.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SlotBounds {
    /// In all.
    pub(crate) all: u32,
    /// For all groups, so that there is always room for private chats.
    pub(crate) groups: u32,
    /// Per sender, over all chats.
    pub(crate) sender: u32,
}

/// The limit that a request would exceed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Limit {
    /// All requests in memory.
    All,
    /// All groups together.
    Groups,
    /// One sender, over all chats or in one group.
    Sender,
    /// One chat.
    Chat,
}

impl Limit {
    /// Its label in metrics.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Groups => "groups",
            Self::Sender => "sender",
            Self::Chat => "chat",
        }
    }
}

/// Counts the requests in memory. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Slots {
    bounds: SlotBounds,
    free: Arc<Semaphore>,
    taken: Arc<Mutex<Taken>>,
}

#[derive(Default)]
struct Taken {
    groups: u32,
    /// Senders with at least one slot, so never more entries than slots.
    senders: HashMap<TelegramId, u32>,
}

impl Slots {
    pub(crate) fn new(bounds: SlotBounds) -> Self {
        let all = usize::try_from(bounds.all).unwrap_or(Semaphore::MAX_PERMITS);
        Self { bounds, free: Arc::new(Semaphore::new(all)), taken: Arc::default() }
    }

    /// Takes a slot for a request of `sender`, in a group or in private.
    ///
    /// # Errors
    /// The limit that it would exceed.
    pub(crate) fn take(&self, sender: TelegramId, in_group: bool) -> Result<Slot, Limit> {
        let mut taken = self.lock();
        if taken.of(sender) >= self.bounds.sender {
            return Err(Limit::Sender);
        }
        if in_group && taken.groups >= self.bounds.groups {
            return Err(Limit::Groups);
        }
        let permit = self.free.clone().try_acquire_owned().map_err(|_| Limit::All)?;
        *taken.senders.entry(sender).or_default() += 1;
        taken.groups += u32::from(in_group);
        Ok(Slot { sender, in_group, taken: self.taken.clone(), _permit: permit })
    }

    /// Waits until every slot is free.
    pub(crate) async fn all_free(&self) {
        drop(self.free.acquire_many(self.bounds.all).await);
    }

    fn lock(&self) -> MutexGuard<'_, Taken> {
        lock(&self.taken)
    }
}

impl Taken {
    fn of(&self, sender: TelegramId) -> u32 {
        self.senders.get(&sender).copied().unwrap_or_default()
    }
}

/// A slot for one request. Dropping it frees the slot.
pub(crate) struct Slot {
    sender: TelegramId,
    in_group: bool,
    taken: Arc<Mutex<Taken>>,
    _permit: OwnedSemaphorePermit,
}

impl Slot {
    pub(crate) fn sender(&self) -> TelegramId {
        self.sender
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut taken = lock(&self.taken);
        taken.groups -= u32::from(self.in_group);
        match taken.of(self.sender) {
            0 | 1 => taken.senders.remove(&self.sender),
            several => taken.senders.insert(self.sender, several - 1),
        };
    }
}

fn lock(taken: &Mutex<Taken>) -> MutexGuard<'_, Taken> {
    // No code panics while holding it.
    taken.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
impl Slots {
    /// How many are taken: in all, by groups, and by how many senders.
    pub(crate) fn count(&self) -> (u32, u32, usize) {
        let free = u32::try_from(self.free.available_permits()).unwrap();
        let taken = self.lock();
        assert_eq!(taken.senders.values().sum::<u32>(), self.bounds.all - free);
        (self.bounds.all - free, taken.groups, taken.senders.len())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const BOUNDS: SlotBounds = SlotBounds { all: 10, groups: 5, sender: 3 };

    fn person(id: i64) -> TelegramId {
        id.try_into().unwrap()
    }

    #[test]
    fn a_sender_has_a_share_over_all_chats() {
        let slots = Slots::new(BOUNDS);
        let taken: Vec<_> =
            [true, false, true].map(|group| slots.take(person(1), group).unwrap()).into();
        for in_group in [true, false] {
            assert_eq!(slots.take(person(1), in_group).err(), Some(Limit::Sender));
        }
        assert!(slots.take(person(2), true).is_ok());
        drop(taken);
        assert_eq!(slots.count(), (0, 0, 0));
    }

    #[test]
    fn groups_leave_room_for_private_chats() {
        let slots = Slots::new(BOUNDS);
        let mut taken: Vec<_> = (1..=5).map(|id| slots.take(person(id), true).unwrap()).collect();
        assert_eq!(slots.take(person(6), true).err(), Some(Limit::Groups));
        taken.extend((1..=5).map(|id| slots.take(person(id), false).unwrap()));
        assert_eq!(slots.take(person(6), false).err(), Some(Limit::All));
        // The free slot of a private chat does not raise the limit of groups.
        taken.pop();
        assert_eq!(slots.take(person(6), true).err(), Some(Limit::Groups));
        assert!(slots.take(person(6), false).is_ok());
        assert_eq!(slots.count(), (9, 5, 5));
    }

    proptest! {
        /// The bounds hold after every step, and a refused request would have exceeded one.
        #[test]
        fn the_bounds_hold_in_every_order(
            steps in prop::collection::vec((1..6_i64, any::<bool>(), 0..3_usize), 0..200)
        ) {
            let slots = Slots::new(BOUNDS);
            let mut taken: Vec<Slot> = Vec::new();
            for (n, (id, in_group, step)) in steps.into_iter().enumerate() {
                if step == 0 && !taken.is_empty() {
                    taken.swap_remove(n % taken.len());
                    continue;
                }
                let of = |it: &&Slot| it.sender == person(id);
                let expected = if taken.iter().filter(of).count() >= 3 {
                    Some(Limit::Sender)
                } else if in_group && taken.iter().filter(|it| it.in_group).count() >= 5 {
                    Some(Limit::Groups)
                } else {
                    (taken.len() >= 10).then_some(Limit::All)
                };
                match slots.take(person(id), in_group) {
                    Ok(slot) => {
                        prop_assert_eq!(None, expected);
                        taken.push(slot);
                    }
                    Err(limit) => prop_assert_eq!(Some(limit), expected),
                }
            }
            drop(taken);
            prop_assert_eq!(slots.count(), (0, 0, 0));
        }
    }
}
