//! The updates that wait for the bot behind, and those that it has accepted.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use tokio::sync::oneshot;

use super::parcel::Parcel;

/// How many settled updates are remembered. By webhook, Telegram may deliver one again whose response
/// it did not get.
const MOST_SETTLED: usize = 10_000;

/// The updates that wait for the bot behind, and those that are settled.
#[derive(Default)]
pub(super) struct State {
    /// The chats with a delivery under way, and the updates behind it.
    chats: HashMap<i64, VecDeque<Parcel>>,
    /// All updates that are not settled, and who waits for them.
    unsettled: BTreeMap<i64, Vec<oneshot::Sender<()>>>,
    settled: BTreeSet<i64>,
    bytes: usize,
    is_released: bool,
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

    /// Adds an update, unless it is known. Returns it if no other update of its chat is under way.
    pub(super) fn add(&mut self, parcel: Parcel) -> Option<Parcel> {
        if self.knows(parcel.update_id) {
            return None;
        }
        self.unsettled.insert(parcel.update_id, Vec::new());
        self.bytes += parcel.json().len();
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

    /// Settles an update. Returns whether no other update waits, and the next one of its chat.
    pub(super) fn settle(&mut self, chat: i64, parcel: &Parcel) -> (bool, Option<Parcel>) {
        self.bytes -= parcel.json().len();
        for waiting in self.unsettled.remove(&parcel.update_id).unwrap_or_default() {
            // A request that has ended meanwhile does not wait any more.
            let _gone = waiting.send(());
        }
        self.note_settled(parcel.update_id);
        let next = self.chats.get_mut(&chat).and_then(VecDeque::pop_front);
        if next.is_none() {
            self.chats.remove(&chat);
        }
        (self.unsettled.is_empty(), next)
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
            Some(all) => {
                all.push(waiting);
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
        for waiting in self.unsettled.values_mut() {
            waiting.clear();
        }
    }
}
