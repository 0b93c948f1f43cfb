//! The updates that wait for the bot behind, and those that it has accepted.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, VecDeque},
    sync::Arc,
};

use tokio::sync::oneshot;

use super::parcel::Parcel;

/// How many settled updates are remembered. By webhook, Telegram may deliver one again whose response
/// it did not get.
const MOST_SETTLED: usize = 10_000;
/// How far an offset may be ahead of the newest update and still confirm updates. After a week without
/// updates, Telegram begins with any id, also a smaller one.
const FARTHEST_OFFSET: i64 = 10;

/// The updates that wait for the bot behind, and those that are settled.
#[derive(Default)]
pub(super) struct State {
    /// The chats with a delivery under way, and the updates behind it.
    chats: HashMap<i64, VecDeque<Arc<Parcel>>>,
    /// All updates that are not settled.
    unsettled: BTreeMap<i64, Unsettled>,
    settled: BTreeSet<i64>,
    bytes: usize,
    is_released: bool,
}

struct Unsettled {
    parcel: Arc<Parcel>,
    /// Notified when it is settled.
    waiting: Vec<oneshot::Sender<()>>,
    /// Whether the bot behind has got it as the answer to getUpdates.
    was_given: bool,
}

impl State {
    pub(super) fn knows(&self, update_id: i64) -> bool {
        self.unsettled.contains_key(&update_id) || self.settled.contains(&update_id)
    }

    pub(super) fn first_unsettled(&self) -> Option<i64> {
        self.unsettled.keys().next().copied()
    }

    pub(super) fn waiting(&self) -> usize {
        self.unsettled.len()
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Adds an update, unless it is known.
    pub(super) fn add(&mut self, parcel: Parcel) -> Option<Arc<Parcel>> {
        if self.knows(parcel.update_id) {
            return None;
        }
        let parcel = Arc::new(parcel);
        self.bytes += parcel.json().len();
        let unsettled = Unsettled { parcel: parcel.clone(), waiting: Vec::new(), was_given: false };
        self.unsettled.insert(parcel.update_id, unsettled);
        Some(parcel)
    }

    /// Settles an update. Returns whether no other update waits.
    pub(super) fn settle(&mut self, update_id: i64) -> bool {
        if let Some(Unsettled { parcel, waiting, .. }) = self.unsettled.remove(&update_id) {
            self.bytes -= parcel.json().len();
            for waiting in waiting {
                // A request that has ended meanwhile does not wait any more.
                let _gone = waiting.send(());
            }
        }
        self.note_settled(update_id);
        self.unsettled.is_empty()
    }

    /// Notes an update that needs nothing more.
    pub(super) fn note_settled(&mut self, update_id: i64) {
        self.settled.insert(update_id);
        if self.settled.len() > MOST_SETTLED {
            self.settled.pop_first();
        }
    }

    /// Has `waiting` notified when an update is settled. Returns whether it is not settled yet.
    pub(super) fn watch(&mut self, update_id: i64, waiting: oneshot::Sender<()>) -> bool {
        match self.unsettled.get_mut(&update_id) {
            // Dropped, so that it is not waited for.
            Some(_) if self.is_released => true,
            Some(unsettled) => {
                unsettled.waiting.push(waiting);
                true
            }
            None => false,
        }
    }

    pub(super) fn forget_before(&mut self, update_id: i64) {
        self.settled = self.settled.split_off(&update_id);
    }

    /// Nothing more is delivered: nobody needs to wait any more.
    pub(super) fn release(&mut self) {
        self.is_released = true;
        for unsettled in self.unsettled.values_mut() {
            unsettled.waiting.clear();
        }
    }
}

/// The deliveries to a webhook, in order per chat.
impl State {
    /// Queues an update of [`State::add`]. Returns it if no other update of its chat is under way.
    pub(super) fn queue(&mut self, parcel: Arc<Parcel>) -> Option<Arc<Parcel>> {
        match self.chats.get_mut(&parcel.chat) {
            Some(queue) => {
                queue.push_back(parcel);
                None
            }
            None => {
                self.chats.insert(parcel.chat, VecDeque::new());
                Some(parcel)
            }
        }
    }

    /// The next update of a chat whose last one is settled.
    pub(super) fn next_of(&mut self, chat: i64) -> Option<Arc<Parcel>> {
        let next = self.chats.get_mut(&chat).and_then(VecDeque::pop_front);
        if next.is_none() {
            self.chats.remove(&chat);
        }
        next
    }

    /// All updates that wait, in order, out of their queues.
    pub(super) fn unqueue(&mut self) -> Vec<Arc<Parcel>> {
        self.chats.clear();
        self.unsettled.values().map(|it| it.parcel.clone()).collect()
    }
}

/// The answers to getUpdates.
impl State {
    /// Settles the updates before an offset. If they came `in_order`, it says that the bot behind has them.
    /// Otherwise one of them may have come late, so only those are settled that it was given.
    pub(super) fn confirm(&mut self, offset: i64, in_order: bool) {
        let newest = self.unsettled.keys().next_back().copied().unwrap_or_default();
        if in_order && offset > newest.saturating_add(FARTHEST_OFFSET) {
            return;
        }
        let before = self.unsettled.range(..offset).filter(|(_, it)| in_order || it.was_given);
        let confirmed: Vec<i64> = before.map(|(id, _)| *id).collect();
        for update_id in confirmed {
            self.settle(update_id);
        }
    }

    /// Settles all updates but the last ones.
    pub(super) fn keep_last(&mut self, number: usize) {
        while self.unsettled.len() > number
            && let Some(first) = self.first_unsettled()
        {
            self.settle(first);
        }
    }

    /// The first updates, for an answer to getUpdates.
    pub(super) fn give(&mut self, limit: usize) -> Vec<Arc<Parcel>> {
        let first = self.unsettled.values_mut().take(limit);
        first
            .map(|unsettled| {
                unsettled.was_given = true;
                unsettled.parcel.clone()
            })
            .collect()
    }
}
