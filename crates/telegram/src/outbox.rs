//! The outbox: every message goes through it, as fast as Telegram allows and no faster.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use frankenstein::methods::{AnswerCallbackQueryParams, EditMessageTextParams, SendMessageParams};
use rollcall_domain::Obstacle;
use serde::{Serialize, de::IgnoredAny};
use tokio::time::{Instant, sleep, sleep_until};

use crate::{
    backoff::Backoff,
    client::{CallError, Client},
};

/// A private chat takes a message a second, and a few at once ("My bot is hitting limits" in
/// Telegram's Bots FAQ).
const PRIVATE: Pace = Pace { every: Duration::from_secs(1), at_once: 3 };
/// A group takes twenty messages in any minute: five at once, and then fifteen a minute.
const GROUP: Pace = Pace { every: Duration::from_secs(4), at_once: 5 };
/// How often a message is tried again where that may help and Telegram does not say when.
const RETRIES: u32 = 3;
/// How long a message may wait for what Telegram asks for in all. Nobody wants an answer that comes
/// later, and nothing is kept in memory for the hours that Telegram may ask for.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long everybody waits when Telegram refuses one chat; see [`Gate::refused`].
const SHARED_HOLD: Duration = Duration::from_secs(1);
/// How long it makes sense to wait with the answer to a button: clients show that they wait for it.
const LONGEST_SPIN: Duration = Duration::from_secs(10);
/// Below this many, chats are not looked through for idle ones.
const FEW_CHATS: usize = 64;

/// Sends messages, in order within a chat. Cheap to clone.
///
/// It keeps Telegram's limits: in all, for each private chat and for each group. What Telegram asks
/// to wait for is waited out, and what may pass is tried again a few times; a message whose answer
/// was lost may so be sent twice.
#[derive(Clone)]
pub(crate) struct Outbox {
    client: Client,
    gate: Arc<Gate>,
}

impl Outbox {
    /// An outbox that sends up to `rate` messages a second in all; 0 lifts this limit and those of
    /// each chat.
    pub(crate) fn new(client: Client, rate: u32) -> Self {
        Self { client, gate: Arc::new(Gate::new(rate)) }
    }

    /// Sends a message to a chat, after those before it; answers once it is sent or never will be.
    ///
    /// # Errors
    /// [`SendError::Unreachable`] where nothing can be sent to the person any more, and others where
    /// this message could not be sent.
    pub(crate) async fn send(
        &self,
        chat_id: i64,
        message: &SendMessageParams,
    ) -> Result<(), SendError> {
        self.deliver(chat_id, "sendMessage", message).await
    }

    /// Changes a message in a chat, as [`Outbox::send`] sends one. One that is so already is fine.
    ///
    /// # Errors
    /// As of [`Outbox::send`].
    pub(crate) async fn edit(
        &self,
        chat_id: i64,
        message: &EditMessageTextParams,
    ) -> Result<(), SendError> {
        match self.deliver(chat_id, "editMessageText", message).await {
            Err(SendError::Call(error)) if is_unmodified(&error) => Ok(()),
            result => result,
        }
    }

    /// Answers the press of a button, once: it waits no longer than the person who pressed it, and
    /// no more than the message below which it stands.
    ///
    /// # Errors
    /// When Telegram does not take it, or has not said so.
    pub(crate) async fn answer(&self, answer: &AnswerCallbackQueryParams) -> Result<(), CallError> {
        let mut retries = RETRIES;
        let mut backoff = Backoff::new(fastrand::Rng::new());
        loop {
            let call = self.client.call::<IgnoredAny>("answerCallbackQuery", answer);
            match call.await {
                // It was not taken, for certain; where there was no answer, it may have been.
                Err(error @ CallError::Refused { .. }) if error.may_pass() && retries > 0 => {
                    let wait = error.retry_after().unwrap_or_else(|| backoff.next());
                    if wait > LONGEST_SPIN {
                        return Err(error);
                    }
                    retries -= 1;
                    sleep(wait).await;
                }
                result => return result.map(drop),
            }
        }
    }

    async fn deliver(
        &self,
        chat_id: i64,
        method: &'static str,
        message: &impl Serialize,
    ) -> Result<(), SendError> {
        let send = || self.client.call::<IgnoredAny>(method, message);
        let sent = self.gate.deliver(chat_id, send).await;
        let outcome = match &sent {
            Ok(_) => "sent",
            Err(SendError::Unreachable { .. }) => "unreachable",
            Err(SendError::Held { .. }) => "held",
            Err(SendError::Call(error)) if is_unmodified(error) => "unmodified",
            Err(SendError::Call(_)) => "failed",
        };
        metrics::counter!("rollcall_sends_total", "outcome" => outcome).increment(1);
        sent.map(drop)
    }
}

/// Whether Telegram refused a change because there is none.
fn is_unmodified(error: &CallError) -> bool {
    matches!(
        error,
        CallError::Refused { code: 400, description, .. }
            if description.contains("message is not modified")
    )
}

/// Why a message was not sent. Holds nobody's words.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SendError {
    /// The bot cannot write to this person, until they write to it again.
    #[error("the person cannot be reached: {}", cause.name())]
    Unreachable {
        /// Why.
        cause: Obstacle,
        /// How Telegram said it.
        source: CallError,
    },
    /// Telegram wants nothing sent to this chat for longer than a message can wait.
    #[error("Telegram asks to wait for another {:.0} s", left.as_secs_f64())]
    Held {
        /// How long.
        left: Duration,
    },
    /// Telegram refuses this message, or was not to be reached however often it was tried.
    #[error("the message cannot be sent")]
    Call(#[source] CallError),
}

/// Reads from the description why a person cannot be reached, for there is no other place that
/// tells it.
fn obstacle(error: &CallError) -> Option<Obstacle> {
    const CAUSES: [(i64, &str, Obstacle); 4] = [
        (403, "bot was blocked by the user", Obstacle::Blocked),
        (403, "user is deactivated", Obstacle::Deactivated),
        (400, "chat not found", Obstacle::ChatNotFound),
        (403, "bot can't initiate conversation with a user", Obstacle::NeverStarted),
    ];
    let CallError::Refused { code, description, .. } = error else { return None };
    let means = |&&(its_code, words, _): &&(i64, &str, Obstacle)| {
        *code == its_code && description.contains(words)
    };
    CAUSES.iter().find(means).map(|(.., obstacle)| *obstacle)
}

impl SendError {
    fn new(chat_id: i64, error: CallError) -> Self {
        match obstacle(&error) {
            // Groups have negative ids, and tell nothing about a person.
            Some(cause) if chat_id > 0 => Self::Unreachable { cause, source: error },
            _ => Self::Call(error),
        }
    }
}

/// Decides when a message may be sent, and whether it is tried again.
struct Gate {
    /// What all chats share; `None` where there are no limits.
    all: Option<Mutex<Bucket>>,
    /// Until when nothing is sent to anybody.
    held_until: Mutex<Instant>,
    chats: Mutex<Chats>,
}

/// A chat's state, held by whoever sends to it, one after the other.
type Chat = Arc<tokio::sync::Mutex<ChatState>>;

struct ChatState {
    bucket: Option<Bucket>,
    /// Until when nothing is sent to it.
    held_until: Instant,
}

/// The chats that were sent to of late.
struct Chats {
    known: HashMap<i64, Chat>,
    /// How many there may be before idle ones are forgotten.
    enough: usize,
}

impl Gate {
    fn new(rate: u32) -> Self {
        // Evenly spaced, so that no second sees more than its share.
        let pace = |rate| Pace { every: Duration::from_secs(1) / rate, at_once: 1 };
        let all = (rate > 0).then(|| Mutex::new(Bucket::new(pace(rate))));
        let chats = Chats { known: HashMap::new(), enough: FEW_CHATS };
        Self { all, held_until: Mutex::new(Instant::now()), chats: Mutex::new(chats) }
    }

    /// Calls `send` when the time for it has come, as often as it takes or makes sense.
    async fn deliver<T, F>(&self, chat_id: i64, send: impl Fn() -> F) -> Result<T, SendError>
    where
        F: Future<Output = Result<T, CallError>>,
    {
        // Whoever waits for a chat gets it in the order in which they came.
        let chat = self.chat(chat_id);
        let mut chat = chat.lock().await;
        let give_up = Instant::now() + PATIENCE;
        let mut backoff = Backoff::new(fastrand::Rng::new());
        let mut retries = RETRIES;
        loop {
            if chat.held_until > give_up {
                return Err(SendError::Held { left: chat.held_until - Instant::now() });
            }
            self.turn(&mut chat).await;
            let error = match send().await {
                Ok(sent) => return Ok(sent),
                Err(error) => error,
            };
            if let Some(wait) = error.retry_after() {
                metrics::counter!("rollcall_send_waits_total").increment(1);
                self.refused(&mut chat, wait);
            } else if error.may_pass() && retries > 0 {
                retries -= 1;
                sleep(backoff.next()).await;
            } else {
                return Err(SendError::new(chat_id, error));
            }
        }
    }

    /// Waits until a message may be sent to the chat: the chat's turn first, so that a chat that
    /// has to wait takes nothing of what all share.
    async fn turn(&self, chat: &mut ChatState) {
        sleep_until(chat.held_until).await;
        if let Some(bucket) = &chat.bucket {
            sleep_until(bucket.token_at()).await;
        }
        loop {
            let held_until = *lock(&self.held_until);
            sleep_until(held_until).await;
            if let Some(all) = &self.all {
                let turn = lock(all).take();
                sleep_until(turn).await;
            }
            // Whoever waited in vain queues again, so that they do not all come at once.
            if *lock(&self.held_until) <= Instant::now() {
                break;
            }
        }
        // Taken only now: nobody else sends to this chat, and its rest has lasted until now.
        if let Some(bucket) = &mut chat.bucket {
            bucket.take();
        }
    }

    /// Notes that Telegram asks to wait. It does not tell whether it means the chat or the whole
    /// bot. So the chat waits as long as it says; all others wait a second at most, or else one
    /// flooded group could silence the bot. If the bot was meant, each of them is told so when its
    /// turn comes, and Telegram is asked about once a second rather than thirty times.
    fn refused(&self, chat: &mut ChatState, wait: Duration) {
        let now = Instant::now();
        // Longer than a clock can tell is as good as a year.
        let until = now.checked_add(wait).unwrap_or(now + Duration::from_secs(366 * 86_400));
        chat.held_until = until;
        let mut held_until = lock(&self.held_until);
        *held_until = (*held_until).max(until.min(now + SHARED_HOLD));
    }

    /// The state of a chat.
    fn chat(&self, chat_id: i64) -> Chat {
        let mut chats = lock(&self.chats);
        if chats.known.len() >= chats.enough {
            chats.forget_idle();
        }
        let pace = if chat_id < 0 { GROUP } else { PRIVATE };
        let new = || ChatState {
            bucket: self.all.is_some().then(|| Bucket::new(pace)),
            held_until: Instant::now(),
        };
        chats
            .known
            .entry(chat_id)
            .or_insert_with(|| Arc::new(tokio::sync::Mutex::new(new())))
            .clone()
    }
}

impl Chats {
    /// Forgets the chats that are as good as new. Done when they have doubled since the last time,
    /// so that it costs little for each message.
    fn forget_idle(&mut self) {
        let now = Instant::now();
        self.known.retain(|_, chat| {
            // Whoever uses it holds it, and nobody new can get at it now.
            let idle = Arc::strong_count(chat) == 1
                && chat.try_lock().is_ok_and(|chat| chat.is_as_new(now));
            !idle
        });
        self.enough = FEW_CHATS.max(self.known.len() * 2);
    }
}

impl ChatState {
    fn is_as_new(&self, now: Instant) -> bool {
        self.held_until <= now && self.bucket.as_ref().is_none_or(|bucket| bucket.full_at <= now)
    }
}

/// One thing each `every`, and up to `at_once` after a rest.
#[derive(Clone, Copy)]
struct Pace {
    every: Duration,
    at_once: u32,
}

/// A token bucket, kept as the time when it is full again.
struct Bucket {
    pace: Pace,
    full_at: Instant,
}

impl Bucket {
    fn new(pace: Pace) -> Self {
        Self { pace, full_at: Instant::now() }
    }

    /// When there is a token.
    fn token_at(&self) -> Instant {
        let now = Instant::now();
        let without_it = self.full_at.max(now) + self.pace.every;
        let to_fill = self.pace.every * self.pace.at_once;
        without_it.checked_sub(to_fill).map_or(now, |there| there.max(now))
    }

    /// Takes a token, even one that is still to come; answers when it is there.
    fn take(&mut self) -> Instant {
        let token_at = self.token_at();
        self.full_at = self.full_at.max(Instant::now()) + self.pace.every;
        token_at
    }
}

/// Nothing panics while one of these is held.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::{
        future::{pending, ready},
        sync::atomic::{AtomicU32, Ordering::Relaxed},
    };

    use tokio::{
        task::JoinSet,
        time::{advance, timeout},
    };

    use super::*;

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn refused(code: i64, description: &str) -> CallError {
        let description = description.to_owned();
        CallError::Refused { method: "sendMessage", code, description, retry_after: None }
    }

    fn too_many(retry_after_s: u64) -> CallError {
        CallError::Refused {
            method: "sendMessage",
            code: 429,
            description: "Too Many Requests".to_owned(),
            retry_after: Some(seconds(retry_after_s)),
        }
    }

    /// A gate with a Telegram behind it, which notes when what was sent to whom.
    #[derive(Clone)]
    struct Desk {
        gate: Arc<Gate>,
        sent: Arc<Mutex<Vec<(Duration, i64)>>>,
        opened: Instant,
    }

    impl Desk {
        fn open(rate: u32) -> Self {
            Self { gate: Arc::new(Gate::new(rate)), sent: Arc::default(), opened: Instant::now() }
        }

        async fn send(&self, chat_id: i64) {
            self.send_with(chat_id, || Ok(())).await.unwrap();
        }

        /// Sends to a Telegram that answers as it is told.
        async fn send_with(
            &self,
            chat_id: i64,
            answer: impl Fn() -> Result<(), CallError>,
        ) -> Result<(), SendError> {
            let send = || {
                lock(&self.sent).push((self.opened.elapsed(), chat_id));
                ready(answer())
            };
            self.gate.deliver(chat_id, send).await
        }

        /// Sends to all of these chats at once; answers when each message was sent, in order.
        async fn send_to(&self, chats: impl IntoIterator<Item = i64>) -> Vec<Duration> {
            let mut sending = JoinSet::new();
            for chat_id in chats {
                let desk = self.clone();
                sending.spawn(async move { desk.send(chat_id).await });
            }
            sending.join_all().await;
            self.times()
        }

        fn times(&self) -> Vec<Duration> {
            lock(&self.sent).iter().map(|(at, _)| *at).collect()
        }
    }

    /// The most that were sent within any span of this length.
    fn busiest(times: &[Duration], span: Duration) -> usize {
        let within =
            |start: Duration| times.iter().filter(move |&&at| at >= start && at < start + span);
        times.iter().map(|&start| within(start).count()).max().unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn thirty_a_second_in_all() {
        let times = Desk::open(30).send_to(1..=300).await;
        assert_eq!(busiest(&times, seconds(1)), 30);
        let last = times.last().unwrap().as_secs_f64();
        assert!((9.9..10.1).contains(&last), "no slower than allowed: {last}");
    }

    #[tokio::test(start_paused = true)]
    async fn the_rate_is_a_setting() {
        let times = Desk::open(2).send_to(1..=10).await;
        assert_eq!(busiest(&times, seconds(1)), 2);
        // Faster than the clock ticks.
        let times = Desk::open(5000).send_to(1..=5000).await;
        assert!((0.95..1.1).contains(&times.last().unwrap().as_secs_f64()));
    }

    #[tokio::test(start_paused = true)]
    async fn a_private_chat_takes_three_at_once_and_then_one_a_second() {
        let desk = Desk::open(1000);
        let times: Vec<_> =
            desk.send_to([7; 6]).await.iter().map(|at| at.as_secs_f64().round()).collect();
        assert_eq!(times, [0.0, 0.0, 0.0, 1.0, 2.0, 3.0]);
        // After a rest there are three again.
        advance(seconds(60)).await;
        let times = desk.send_to([7; 4]).await;
        assert_eq!(busiest(&times[6..], Duration::from_millis(500)), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn a_chat_saves_nothing_up_while_its_message_waits_for_others() {
        let desk = Desk::open(1000);
        let all = desk.gate.all.as_ref().unwrap();
        for _ in 0..5000 {
            lock(all).take();
        }
        let times = desk.send_to([7; 6]).await;
        assert!(times[0] >= seconds(5));
        assert_eq!(busiest(&times, Duration::from_millis(500)), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn a_group_takes_twenty_in_any_minute() {
        let times = Desk::open(1000).send_to([-7; 100]).await;
        let most = busiest(&times, seconds(60));
        assert!((19..=20).contains(&most), "{most}");
        assert!(times[4] < seconds(1), "five at once: {times:?}");
        assert!(*times.last().unwrap() < seconds(400), "no slower than allowed: {times:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn nought_lifts_every_limit() {
        let desk = Desk::open(0);
        let times = desk.send_to((0..1000).map(|n| if n % 2 == 0 { -7 } else { 7 })).await;
        assert_eq!(times, vec![Duration::ZERO; 1000]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_chat_that_waits_delays_no_other() {
        let desk = Desk::open(30);
        let crowded = tokio::spawn({
            let desk = desk.clone();
            async move { desk.send_to([-7; 50]).await }
        });
        advance(seconds(10)).await;
        let before = Instant::now();
        desk.send(8).await;
        assert!(before.elapsed() < Duration::from_millis(100));
        crowded.abort();
    }

    #[tokio::test(start_paused = true)]
    async fn messages_to_a_chat_keep_their_order_whatever_fails() {
        let desk = Desk::open(30);
        let order = Arc::new(Mutex::new(Vec::new()));
        let mut sending = JoinSet::new();
        for n in 0..10 {
            let (desk, order, tries) = (desk.clone(), order.clone(), AtomicU32::new(0));
            sending.spawn(async move {
                let answer = || match tries.fetch_add(1, Relaxed) {
                    0 if n % 3 == 0 => Err(refused(500, "Internal Server Error")),
                    1 if n == 3 => Err(too_many(5)),
                    _ => {
                        lock(&order).push(n);
                        Ok(())
                    }
                };
                desk.send_with(7, answer).await.unwrap();
            });
        }
        sending.join_all().await;
        assert_eq!(*lock(&order), (0..10).collect::<Vec<_>>());
    }

    #[tokio::test(start_paused = true)]
    async fn what_telegram_asks_for_is_waited_out() {
        for rate in [0, 30] {
            let desk = Desk::open(rate);
            let tries = AtomicU32::new(0);
            let answer = || match tries.fetch_add(1, Relaxed) {
                0 => Err(too_many(20)),
                1 => Err(too_many(1)),
                _ => Ok(()),
            };
            desk.send_with(7, answer).await.unwrap();
            let times = desk.times();
            assert_eq!(times.len(), 3);
            assert!(times[1] >= seconds(20) && times[2] < seconds(25), "{times:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_is_sent_while_telegram_wants_nothing_however_long() {
        for rate in [0, 30] {
            let desk = Desk::open(rate);
            let error = desk.send_with(7, || Err(too_many(100_000))).await.unwrap_err();
            assert_eq!(error.to_string(), "Telegram asks to wait for another 100000 s");
            for _ in 0..20 {
                advance(seconds(4_990)).await;
                let error = desk.send_with(7, || Ok(())).await.unwrap_err();
                assert!(matches!(error, SendError::Held { .. }), "{error}");
            }
            assert_eq!(desk.times().len(), 1, "not even asked");
            // The rest is short enough to be waited out.
            advance(seconds(150)).await;
            desk.send(7).await;
            assert!(desk.times()[1] >= seconds(100_000));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn times_that_no_clock_can_tell_are_long() {
        let desk = Desk::open(30);
        let error = desk.send_with(7, || Err(too_many(u64::MAX))).await.unwrap_err();
        assert!(matches!(error, SendError::Held { left } if left > seconds(86_400)), "{error}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_message_does_not_wait_for_ever() {
        let desk = Desk::open(30);
        let error = desk.send_with(7, || Err(too_many(10))).await.unwrap_err();
        assert!(matches!(error, SendError::Held { .. }), "{error}");
        assert!(desk.opened.elapsed() <= PATIENCE + seconds(1));
    }

    #[tokio::test(start_paused = true)]
    async fn others_wait_a_second_for_a_chat_that_is_refused() {
        let desk = Desk::open(30);
        desk.send_with(7, || Err(too_many(100_000))).await.unwrap_err();
        let times = desk.send_to([8, 9]).await;
        assert!(times[1] >= seconds(1) && times[2] < Duration::from_millis(1100), "{times:?}");

        // When the whole bot is meant, Telegram is asked about once a second.
        let desk = Desk::open(30);
        let mut sending = JoinSet::new();
        for chat_id in 1..=100 {
            let desk = desk.clone();
            sending.spawn(async move {
                desk.send_with(chat_id, || Err(too_many(100_000))).await.unwrap_err();
            });
        }
        let _ = timeout(seconds(10), sending.join_all()).await;
        assert!(busiest(&desk.times(), seconds(1)) <= 2, "{:?}", desk.times());
        assert!(desk.times().len() <= 22, "{:?}", desk.times());
    }

    #[tokio::test(start_paused = true)]
    async fn what_may_pass_is_tried_again_a_few_times() {
        let desk = Desk::open(30);
        let tries = AtomicU32::new(0);
        let answer = || match tries.fetch_add(1, Relaxed) {
            0..3 => Err(refused(502, "Bad Gateway")),
            _ => Ok(()),
        };
        desk.send_with(7, answer).await.unwrap();

        let desk = Desk::open(30);
        let error = desk.send_with(7, || Err(refused(502, "Bad Gateway"))).await.unwrap_err();
        assert!(matches!(error, SendError::Call(_)), "{error}");
        assert_eq!(desk.times().len(), 4);
        assert!(desk.opened.elapsed() < seconds(10));
    }

    #[tokio::test(start_paused = true)]
    async fn what_does_not_pass_is_told_by_its_cause() {
        for (code, description, cause) in [
            (403, "Forbidden: bot was blocked by the user", Some(Obstacle::Blocked)),
            (403, "Forbidden: user is deactivated", Some(Obstacle::Deactivated)),
            (400, "Bad Request: chat not found", Some(Obstacle::ChatNotFound)),
            (
                403,
                "Forbidden: bot can't initiate conversation with a user",
                Some(Obstacle::NeverStarted),
            ),
            (403, "Forbidden: bot can't send messages to bots", None),
            (400, "Bad Request: message is too long", None),
        ] {
            for chat_id in [7, -7] {
                let desk = Desk::open(30);
                let answer = || Err(refused(code, description));
                let told = match desk.send_with(chat_id, answer).await.unwrap_err() {
                    SendError::Unreachable { cause, .. } => Some(cause),
                    SendError::Held { .. } => panic!("held"),
                    SendError::Call(_) => None,
                };
                assert_eq!(told, cause.filter(|_| chat_id > 0), "{description}");
                assert_eq!(desk.times().len(), 1, "not tried again: {description}");
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn idle_chats_are_forgotten() {
        for rate in [0, 30] {
            let desk = Desk::open(rate);
            for chat_id in 1..=5000 {
                desk.send(chat_id).await;
                assert!(lock(&desk.gate.chats).known.len() <= 2 * FEW_CHATS);
            }
        }
        // But not what Telegram asked for.
        let desk = Desk::open(0);
        desk.send_with(7, || Err(too_many(100_000))).await.unwrap_err();
        for chat_id in 1000..2000 {
            desk.send(chat_id).await;
        }
        desk.send_with(7, || Ok(())).await.unwrap_err();
    }

    #[tokio::test(start_paused = true)]
    async fn who_gives_up_leaves_nothing_behind() {
        let desk = Desk::open(30);
        let hanging = desk.gate.deliver(7, pending::<Result<(), CallError>>);
        assert!(timeout(seconds(4), hanging).await.is_err());
        desk.send(7).await;
        advance(seconds(10)).await;
        lock(&desk.gate.chats).forget_idle();
        assert!(lock(&desk.gate.chats).known.is_empty());
    }
}
