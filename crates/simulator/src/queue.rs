//! The queue of updates for the bot, and what happened to the updates before.

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::time::Instant;

/// The kinds of updates in `allowed_updates`; see [Update].
///
/// [Update]: https://core.telegram.org/bots/api#update
pub const UPDATE_KINDS: &[&str] = &[
    "message",
    "edited_message",
    "channel_post",
    "edited_channel_post",
    "business_connection",
    "business_message",
    "edited_business_message",
    "deleted_business_messages",
    "guest_message",
    "message_reaction",
    "message_reaction_count",
    "inline_query",
    "chosen_inline_result",
    "callback_query",
    "shipping_query",
    "pre_checkout_query",
    "purchased_paid_media",
    "poll",
    "poll_answer",
    "my_chat_member",
    "chat_member",
    "chat_join_request",
    "chat_boost",
    "removed_chat_boost",
    "managed_bot",
    "subscription",
    "stopped_message_generation",
];

/// Kinds that a bot receives only if it asks for them by name.
const ONLY_ON_REQUEST: &[&str] = &["chat_member", "message_reaction", "message_reaction_count"];

/// How many refused and delivered updates are kept.
const MEMORY: usize = 100_000;

/// An update to be queued.
#[derive(Debug)]
pub(crate) struct Incoming {
    /// Its id, or `None` for the next one.
    pub(crate) id: Option<i64>,
    /// Its kind; an empty kind is never refused.
    pub(crate) kind: String,
    /// The chat, or the user if there is no chat. A webhook receives the updates of one key in order.
    pub(crate) ordering_key: i64,
    /// The update's JSON after the `update_id`, from the comma to the closing brace; the whole text
    /// of a raw update.
    pub(crate) json: String,
    /// Whether `json` is sent unchanged.
    pub(crate) raw: bool,
}

/// The updates of a bot.
#[derive(Debug)]
pub(crate) struct Queue {
    pending: VecDeque<Pending>,
    next_id: i64,
    confirmed: i64,
    /// The highest id that getUpdates has returned.
    fetched: i64,
    /// How many updates getUpdates has returned, repeated ones included.
    fetched_in_all: u64,
    allowed: Option<Vec<String>>,
    refused: BTreeMap<i64, String>,
    busy_keys: HashSet<i64>,
    delivered: VecDeque<i64>,
}

#[derive(Debug)]
struct Pending {
    id: i64,
    ordering_key: i64,
    json: String,
    delivery: Delivery,
}

/// The state of an update's delivery to the webhook.
#[derive(Debug)]
enum Delivery {
    Waiting,
    InFlight { failures: u32 },
    Retry { not_before: Instant, failures: u32 },
}

/// What a webhook's worker should do next.
#[derive(Debug)]
pub(crate) enum NextDelivery {
    Deliver { id: i64, json: String, failures: u32 },
    WaitUntil(Instant),
    Wait,
}

impl Queue {
    pub(crate) fn new(first_id: i64) -> Self {
        Self {
            pending: VecDeque::new(),
            next_id: first_id,
            confirmed: 0,
            fetched: 0,
            fetched_in_all: 0,
            allowed: None,
            refused: BTreeMap::new(),
            busy_keys: HashSet::new(),
            delivered: VecDeque::new(),
        }
    }

    /// Queues an update, unless its kind is not allowed. Returns its id in both cases.
    pub(crate) fn push(&mut self, incoming: Incoming) -> i64 {
        let id = incoming.id.unwrap_or(self.next_id);
        self.next_id = self.next_id.max(id.saturating_add(1));
        if !self.allows(&incoming.kind) {
            self.refused.insert(id, incoming.kind);
            if self.refused.len() > MEMORY {
                self.refused.pop_first();
            }
            return id;
        }
        let json = if incoming.raw {
            incoming.json
        } else {
            format!("{{\"update_id\":{id}{}", incoming.json)
        };
        let pending =
            Pending { id, ordering_key: incoming.ordering_key, json, delivery: Delivery::Waiting };
        if self.pending.back().is_none_or(|last| last.id <= id) {
            self.pending.push_back(pending);
        } else {
            let place = self.pending.partition_point(|other| other.id <= id);
            self.pending.insert(place, pending);
        }
        id
    }

    pub(crate) fn len(&self) -> usize {
        self.pending.len()
    }

    pub(crate) fn next_id(&self) -> i64 {
        self.next_id
    }

    pub(crate) fn confirmed(&self) -> i64 {
        self.confirmed
    }

    /// Whether an update was queued and is no longer pending.
    pub(crate) fn is_done(&self, id: i64) -> bool {
        id < self.next_id && !self.refused.contains_key(&id) && self.find(id).is_none()
    }

    /// The kind of an update that was refused because the bot does not want its kind.
    pub(crate) fn refused(&self, id: i64) -> Option<&str> {
        self.refused.get(&id).map(String::as_str)
    }

    /// Whether getUpdates has returned an update.
    pub(crate) fn was_fetched(&self, id: i64) -> bool {
        id <= self.fetched
    }

    pub(crate) fn fetched_in_all(&self) -> u64 {
        self.fetched_in_all
    }

    pub(crate) fn delivered(&self) -> Vec<i64> {
        self.delivered.iter().copied().collect()
    }

    pub(crate) fn allowed(&self) -> Option<&[String]> {
        self.allowed.as_deref()
    }

    /// Sets the kinds that the bot wants; an empty list restores the default.
    pub(crate) fn allow(&mut self, kinds: Vec<String>) {
        self.allowed = Some(kinds).filter(|kinds| !kinds.is_empty());
    }

    pub(crate) fn clear(&mut self) {
        self.pending.clear();
        self.busy_keys.clear();
        self.confirmed = self.confirmed.max(self.next_id);
    }

    /// Confirms the updates that a getUpdates request with this `offset` confirms.
    ///
    /// As on Telegram, an offset more than ten ahead of the newest update confirms nothing.
    pub(crate) fn confirm(&mut self, offset: i64) {
        if offset < 0 {
            let keep = usize::try_from(offset.unsigned_abs()).unwrap_or(usize::MAX);
            let forget = self.pending.len().saturating_sub(keep);
            self.pending.drain(..forget);
            if let Some(first) = self.pending.front() {
                self.confirmed = self.confirmed.max(first.id);
            }
        } else if offset > 0 && offset <= self.next_id.saturating_add(10) {
            let gone = self.pending.partition_point(|update| update.id < offset);
            self.pending.drain(..gone);
            self.confirmed = self.confirmed.max(offset);
        }
    }

    /// The first `limit` updates as the response to getUpdates; `None` if there are none.
    pub(crate) fn answer(&mut self, limit: usize) -> Option<String> {
        let last = self.pending.iter().take(limit).next_back()?.id;
        self.fetched = self.fetched.max(last);
        let bytes: usize =
            self.pending.iter().take(limit).map(|update| update.json.len() + 1).sum();
        let mut answer = String::with_capacity(bytes + 32);
        answer.push_str("{\"ok\":true,\"result\":[");
        for (place, update) in self.pending.iter().take(limit).enumerate() {
            if place > 0 {
                answer.push(',');
            }
            answer.push_str(&update.json);
            self.fetched_in_all += 1;
        }
        answer.push_str("]}");
        Some(answer)
    }

    /// Takes the next update to deliver to a webhook. Updates of one chat are delivered one by one.
    pub(crate) fn next_delivery(&mut self, now: Instant) -> NextDelivery {
        let mut wait_until: Option<Instant> = None;
        for update in &mut self.pending {
            let failures = match update.delivery {
                Delivery::InFlight { .. } => continue,
                Delivery::Waiting if self.busy_keys.contains(&update.ordering_key) => continue,
                Delivery::Waiting => 0,
                Delivery::Retry { not_before, .. } if not_before > now => {
                    wait_until =
                        Some(wait_until.map_or(not_before, |soonest| soonest.min(not_before)));
                    continue;
                }
                Delivery::Retry { failures, .. } => failures,
            };
            update.delivery = Delivery::InFlight { failures };
            self.busy_keys.insert(update.ordering_key);
            return NextDelivery::Deliver { id: update.id, json: update.json.clone(), failures };
        }
        wait_until.map_or(NextDelivery::Wait, NextDelivery::WaitUntil)
    }

    /// The webhook accepted the update.
    pub(crate) fn finish(&mut self, id: i64) {
        let Some(place) = self.in_flight_index(id) else { return };
        if let Some(update) = self.pending.remove(place) {
            self.busy_keys.remove(&update.ordering_key);
        }
        self.confirmed = self.pending.front().map_or(self.next_id, |first| first.id);
        if self.delivered.len() == MEMORY {
            self.delivered.pop_front();
        }
        self.delivered.push_back(id);
    }

    /// The webhook did not accept the update: it is retried before others of its chat.
    pub(crate) fn retry(&mut self, id: i64, not_before: Instant) {
        let Some(update) = self.in_flight_index(id).and_then(|place| self.pending.get_mut(place))
        else {
            return;
        };
        if let Delivery::InFlight { failures } = update.delivery {
            update.delivery = Delivery::Retry { not_before, failures: failures.saturating_add(1) };
        }
    }

    /// Resets all deliveries, because the webhook has changed.
    pub(crate) fn reset_deliveries(&mut self) {
        self.busy_keys.clear();
        for update in &mut self.pending {
            update.delivery = Delivery::Waiting;
        }
    }

    /// Unknown kinds are always allowed, so that a bot can be tested with them.
    fn allows(&self, kind: &str) -> bool {
        match &self.allowed {
            None => !ONLY_ON_REQUEST.contains(&kind),
            Some(kinds) => {
                kinds.iter().any(|allowed| allowed == kind) || !UPDATE_KINDS.contains(&kind)
            }
        }
    }

    fn find(&self, id: i64) -> Option<usize> {
        let place = self.pending.partition_point(|update| update.id < id);
        self.pending.get(place).is_some_and(|update| update.id == id).then_some(place)
    }

    pub(crate) fn is_in_flight(&self, id: i64) -> bool {
        self.in_flight_index(id).is_some()
    }

    fn in_flight_index(&self, id: i64) -> Option<usize> {
        let first = self.find(id)?;
        let is_in_flight = |update: &Pending| {
            update.id == id && matches!(update.delivery, Delivery::InFlight { .. })
        };
        self.pending.range(first..).position(is_in_flight).map(|place| first + place)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn queue_of(updates: &[(&str, i64)]) -> Queue {
        let mut queue = Queue::new(1);
        for &(kind, ordering_key) in updates {
            push(&mut queue, kind, ordering_key);
        }
        queue
    }

    fn push(queue: &mut Queue, kind: &str, ordering_key: i64) -> i64 {
        let json = format!(",\"{kind}\":{{}}}}");
        queue.push(Incoming { id: None, kind: kind.into(), ordering_key, json, raw: false })
    }

    fn taken(next: NextDelivery) -> i64 {
        match next {
            NextDelivery::Deliver { id, .. } => id,
            other => panic!("nothing to deliver: {other:?}"),
        }
    }

    #[test]
    fn updates_of_a_chat_are_delivered_in_order_without_delaying_others() {
        let mut queue = queue_of(&[("message", 7), ("message", 7), ("message", 8)]);
        let now = Instant::now();

        assert_eq!(taken(queue.next_delivery(now)), 1);
        assert_eq!(taken(queue.next_delivery(now)), 3, "2 has to wait for 1");
        assert!(matches!(queue.next_delivery(now), NextDelivery::Wait));

        let later = now + Duration::from_secs(1);
        queue.retry(1, later);
        assert!(matches!(queue.next_delivery(now), NextDelivery::WaitUntil(at) if at == later));
        assert_eq!(taken(queue.next_delivery(later)), 1);
        queue.finish(1);
        assert_eq!(taken(queue.next_delivery(later)), 2);
        queue.finish(3);
        queue.finish(2);
        assert_eq!(queue.delivered(), [1, 3, 2]);
        assert_eq!(queue.confirmed(), 4);
    }

    #[test]
    fn updates_are_returned_in_the_order_of_their_ids() {
        let mut queue = Queue::new(10);
        for id in [12, 11, 12] {
            let json = format!(",\"from_push\":{id}}}");
            queue.push(Incoming {
                id: Some(id),
                kind: "message".into(),
                ordering_key: 0,
                json,
                raw: false,
            });
        }
        let answer: serde_json::Value = serde_json::from_str(&queue.answer(100).unwrap()).unwrap();
        let ids: Vec<_> =
            answer["result"].as_array().unwrap().iter().map(|u| &u["update_id"]).collect();
        assert_eq!(ids, [11, 12, 12]);
        assert_eq!(queue.next_id(), 13);
    }

    #[test]
    fn an_offset_far_ahead_confirms_nothing() {
        let mut queue = queue_of(&[("message", 7)]);
        queue.confirm(13);
        assert_eq!(queue.len(), 1);
        queue.confirm(12);
        assert_eq!(queue.len(), 0);
    }
}
