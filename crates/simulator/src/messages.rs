//! The bot's messages.

use std::collections::{HashMap, VecDeque};

use crate::record::SentMessage;

/// The bot's last messages, and how many there have been. Finding one takes no longer when there are
/// many.
pub(crate) struct Messages {
    limit: usize,
    /// Oldest first. Their ids increase, because all chats share one counter.
    kept: VecDeque<SentMessage>,
    /// The ids in `kept`, by chat.
    by_chat: HashMap<i64, VecDeque<i64>>,
    /// How many messages each chat has got, including those that are no longer kept.
    per_chat: HashMap<i64, u64>,
    count: u64,
    paid: u64,
    /// The last message in each chat that a wait has returned.
    seen: HashMap<i64, i64>,
}

impl Messages {
    /// Keeps the last `limit` messages.
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            limit,
            kept: VecDeque::new(),
            by_chat: HashMap::new(),
            per_chat: HashMap::new(),
            count: 0,
            paid: 0,
            seen: HashMap::new(),
        }
    }

    pub(crate) fn push(&mut self, message: &SentMessage, is_paid: bool) {
        *self.per_chat.entry(message.chat_id).or_default() += 1;
        self.count += 1;
        self.paid += u64::from(is_paid);
        if self.limit == 0 {
            return;
        }
        if self.kept.len() >= self.limit {
            self.forget_oldest();
        }
        self.by_chat.entry(message.chat_id).or_default().push_back(message.message_id);
        self.kept.push_back(message.clone());
    }

    /// Deletes a message. It still counts.
    pub(crate) fn remove(&mut self, chat_id: i64, message_id: i64) {
        let Some(place) = self.place(message_id) else { return };
        if self.kept.get(place).is_none_or(|message| message.chat_id != chat_id) {
            return;
        }
        self.kept.remove(place);
        if let Some(ids) = self.by_chat.get_mut(&chat_id) {
            ids.retain(|id| *id != message_id);
        }
    }

    fn forget_oldest(&mut self) {
        let Some(oldest) = self.kept.pop_front() else { return };
        if let Some(ids) = self.by_chat.get_mut(&oldest.chat_id) {
            ids.pop_front();
            if ids.is_empty() {
                self.by_chat.remove(&oldest.chat_id);
            }
        }
    }

    pub(crate) fn get(&self, chat_id: i64, message_id: i64) -> Option<&SentMessage> {
        let place = self.place(message_id)?;
        self.kept.get(place).filter(|message| message.chat_id == chat_id)
    }

    pub(crate) fn get_mut(&mut self, chat_id: i64, message_id: i64) -> Option<&mut SentMessage> {
        let place = self.place(message_id)?;
        self.kept.get_mut(place).filter(|message| message.chat_id == chat_id)
    }

    fn place(&self, message_id: i64) -> Option<usize> {
        self.kept.binary_search_by_key(&message_id, |message| message.message_id).ok()
    }

    /// The messages in a chat, oldest first.
    pub(crate) fn in_chat(&self, chat_id: i64) -> impl Iterator<Item = &SentMessage> {
        let ids = self.by_chat.get(&chat_id).into_iter().flatten();
        ids.filter_map(move |id| self.get(chat_id, *id))
    }

    /// The first message to the chat that no earlier call has returned.
    pub(crate) fn next_unseen(&mut self, chat_id: i64) -> Option<SentMessage> {
        let seen = self.seen.get(&chat_id).copied().unwrap_or(0);
        let next = self.in_chat(chat_id).find(|message| message.message_id > seen)?.clone();
        self.seen.insert(chat_id, next.message_id);
        Some(next)
    }

    pub(crate) fn per_chat(&self) -> &HashMap<i64, u64> {
        &self.per_chat
    }

    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    pub(crate) fn paid(&self) -> u64 {
        self.paid
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn message(chat_id: i64, message_id: i64) -> SentMessage {
        let (text, json, params) = (format!("{message_id}"), Value::Null, Value::Null);
        SentMessage { chat_id, message_id, text, edits: 0, json, params }
    }

    #[test]
    fn only_the_last_messages_are_kept_but_all_are_counted() {
        let mut messages = Messages::new(3);
        for (chat_id, message_id) in [(7, 1), (8, 2), (7, 4), (7, 5), (9, 9)] {
            messages.push(&message(chat_id, message_id), chat_id == 7);
        }
        let ids = |chat_id| messages.in_chat(chat_id).map(|m| m.message_id).collect::<Vec<_>>();
        assert_eq!([ids(7), ids(8), ids(9)], [vec![4, 5], vec![], vec![9]]);
        assert!(messages.get(7, 1).is_none() && messages.get(8, 4).is_none());
        assert_eq!(messages.get(7, 5).unwrap().text, "5");
        assert_eq!(messages.per_chat(), &HashMap::from([(7, 3), (8, 1), (9, 1)]));
        assert_eq!((messages.count(), messages.paid()), (5, 3));
        assert_eq!(messages.by_chat.len(), 2);

        assert_eq!(messages.next_unseen(7).unwrap().message_id, 4);
        assert_eq!(messages.next_unseen(7).unwrap().message_id, 5);
        assert_eq!(messages.next_unseen(7), None);
    }

    #[test]
    fn without_records_messages_are_counted() {
        let mut messages = Messages::new(0);
        messages.push(&message(7, 1), false);
        assert_eq!((messages.count(), messages.in_chat(7).count()), (1, 0));
    }

    #[test]
    fn a_deleted_message_is_gone_but_counted() {
        let mut messages = Messages::new(9);
        for (chat_id, message_id) in [(7, 1), (8, 2), (7, 4)] {
            messages.push(&message(chat_id, message_id), false);
        }
        messages.remove(8, 1);
        messages.remove(7, 1);
        messages.remove(7, 99);
        let ids: Vec<i64> = messages.in_chat(7).map(|message| message.message_id).collect();
        assert_eq!((ids, messages.count(), messages.per_chat()[&7]), (vec![4], 3, 2));
        assert!(messages.get(7, 1).is_none() && messages.get(8, 2).is_some());
    }
}
