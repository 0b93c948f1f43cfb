use std::{
    future::{pending, ready},
    sync::atomic::{AtomicU32, Ordering::Relaxed},
};

use rollcall_domain::UnreachableReason;
use tokio::{
    task::JoinSet,
    time::{advance, timeout},
};

use super::*;
use crate::destination::Topic;

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn refused(code: i64, description: &str) -> CallError {
    let description = description.to_owned();
    CallError::Refused {
        method: "sendMessage",
        code,
        description,
        retry_after: None,
        migrate_to_chat_id: None,
    }
}

fn too_many(retry_after_s: u64) -> CallError {
    CallError::Refused {
        method: "sendMessage",
        code: 429,
        description: "Too Many Requests".to_owned(),
        retry_after: Some(seconds(retry_after_s)),
        migrate_to_chat_id: None,
    }
}

fn whole(chat_id: i64) -> Destination {
    Destination { chat_id, topic: None }
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
        self.post(whole(chat_id), |_| answer()).await
    }

    /// Sends to a Telegram whose answer depends on the place.
    async fn post(
        &self,
        to: Destination,
        answer: impl Fn(Destination) -> Result<(), CallError>,
    ) -> Result<(), SendError> {
        let send = |to: Destination| {
            lock(&self.sent).push((self.opened.elapsed(), to.chat_id));
            ready(answer(to))
        };
        self.gate.send(to, send).await
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

    /// Which chats messages were sent to, in order.
    fn chats(&self) -> Vec<i64> {
        lock(&self.sent).iter().map(|(_, chat_id)| *chat_id).collect()
    }

    fn times(&self) -> Vec<Duration> {
        lock(&self.sent).iter().map(|(at, _)| *at).collect()
    }
}

fn moved_to(chat_id: i64) -> CallError {
    CallError::Refused {
        method: "sendMessage",
        code: 400,
        description: "Bad Request: group chat was upgraded to a supergroup chat".to_owned(),
        retry_after: None,
        migrate_to_chat_id: Some(chat_id),
    }
}

/// A Telegram in which a group has become a supergroup, and that another one.
fn twice_moved(to: Destination) -> Result<(), CallError> {
    match to.chat_id {
        -7 => Err(moved_to(-1007)),
        -1007 => Err(moved_to(-2007)),
        _ => Ok(()),
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
async fn however_many_groups_wait_a_private_chat_waits_for_few_of_them() {
    let desk = Desk::open(30);
    let crowd = tokio::spawn({
        let desk = desk.clone();
        async move { desk.send_to((1..=600).map(|n| -n)).await }
    });
    sleep(seconds(1)).await;
    for chat_id in 1..=10 {
        let before = Instant::now();
        desk.send(chat_id).await;
        assert!(before.elapsed() < Duration::from_millis(110), "{:?}", before.elapsed());
    }
    // They take nothing from each other that nobody uses.
    let times = crowd.await.unwrap();
    assert_eq!(times.len(), 610);
    assert!(*times.last().unwrap() < Duration::from_millis(20_500), "{:?}", times.last());
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
        (403, "Forbidden: bot was blocked by the user", Some(UnreachableReason::Blocked)),
        (403, "Forbidden: user is deactivated", Some(UnreachableReason::Deactivated)),
        (400, "Bad Request: chat not found", Some(UnreachableReason::ChatNotFound)),
        (
            403,
            "Forbidden: bot can't initiate conversation with a user",
            Some(UnreachableReason::NeverStarted),
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
    let hanging = desk.gate.send(whole(7), |_| pending::<Result<(), CallError>>());
    assert!(timeout(seconds(4), hanging).await.is_err());
    desk.send(7).await;
    advance(seconds(10)).await;
    lock(&desk.gate.chats).forget_idle();
    assert!(lock(&desk.gate.chats).known.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_message_follows_its_group() {
    let desk = Desk::open(30);
    desk.post(whole(-7), twice_moved).await.unwrap();
    assert_eq!(desk.chats(), [-7, -1007, -2007]);
    // Remembered, of each of them.
    for chat_id in [-7, -1007, -2007] {
        desk.post(whole(chat_id), twice_moved).await.unwrap();
    }
    assert_eq!(desk.chats()[3..], [-2007; 3]);
    assert_eq!([-7, -1007, 7].map(|id| desk.gate.current(id)), [-2007, -2007, 7]);

    // Also where it was announced before anything was refused.
    let desk = Desk::open(30);
    assert!(desk.gate.learn(Migration { from: -7, to: -1007 }));
    desk.send(-7).await;
    assert_eq!(desk.chats(), [-1007]);
}

#[tokio::test(start_paused = true)]
async fn no_message_goes_round_for_ever() {
    let desk = Desk::open(0);
    // In a circle.
    let circle = |to: Destination| Err(moved_to(if to.chat_id == -7 { -8 } else { -7 }));
    let error = desk.post(whole(-7), circle).await.unwrap_err();
    assert!(matches!(error, SendError::Call(_)), "{error}");
    assert_eq!(desk.chats(), [-7, -8]);
    // Ever on.
    let desk = Desk::open(0);
    desk.post(whole(-7), |to| Err(moved_to(to.chat_id - 1))).await.unwrap_err();
    assert_eq!(desk.chats(), [-7, -8, -9, -10]);
    // What is meant for a person never goes to a group.
    let desk = Desk::open(0);
    desk.post(whole(7), |_| Err(moved_to(-1007))).await.unwrap_err();
    desk.post(whole(-7), |_| Err(moved_to(7))).await.unwrap_err();
    assert_eq!(desk.chats(), [7, -7]);
}

#[tokio::test(start_paused = true)]
async fn a_queue_follows_its_group_in_order_and_keeps_the_limits_of_the_new_one() {
    for waits_s in [0, 20] {
        let desk = Desk::open(1000);
        let order = Arc::new(Mutex::new(Vec::new()));
        let mut sending = JoinSet::new();
        // The supergroup is busy, and maybe held back: whatever else, nothing overtakes.
        for _ in 0..3 {
            desk.send(-1007).await;
        }
        if waits_s > 0 {
            desk.gate.refused(&mut *desk.gate.chat(-1007).lock_owned().await, seconds(waits_s));
        }
        for n in 0..12 {
            let (desk, order) = (desk.clone(), order.clone());
            // The first ones do not know that the group has moved, the last ones write there.
            let chat_id = if n < 8 { -7 } else { -1007 };
            sending.spawn(async move {
                let answer = |to: Destination| match to.chat_id {
                    -7 => Err(moved_to(-1007)),
                    _ => {
                        lock(&order).push(n);
                        Ok(())
                    }
                };
                desk.post(whole(chat_id), answer).await.unwrap();
            });
            // Each is in its queue before the next one comes.
            tokio::task::yield_now().await;
        }
        sending.join_all().await;
        let order = lock(&order).clone();
        let of_the_group: Vec<i32> = order.iter().copied().filter(|n| *n < 8).collect();
        assert_eq!(of_the_group, (0..8).collect::<Vec<_>>(), "{order:?}");
        assert_eq!(desk.chats().iter().filter(|chat| **chat == -7).count(), 1, "asked once");
        let there: Vec<Duration> =
            lock(&desk.sent).iter().filter(|(_, id)| *id == -1007).map(|(at, _)| *at).collect();
        assert_eq!(there.len(), 15);
        assert!(busiest(&there, seconds(60)) <= 20 && busiest(&there, seconds(1)) <= 5);
        assert!(there[3] >= seconds(waits_s), "{there:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_refused_topic_is_left_out_once() {
    let thread = Some(Topic::Thread(1 << 40));
    let direct = Some(Topic::DirectMessages(5));
    let no_thread = |to: Destination| match to.topic {
        Some(_) => Err(refused(400, "Bad Request: message thread not found")),
        None => Ok(()),
    };
    for chat_id in [7, -7] {
        let desk = Desk::open(30);
        desk.post(Destination { chat_id, topic: thread }, no_thread).await.unwrap();
        assert_eq!(desk.chats(), [chat_id, chat_id]);
        // Once only: the whole chat may be closed, too.
        let desk = Desk::open(30);
        let closed = |_| Err(refused(400, "Bad Request: TOPIC_CLOSED"));
        desk.post(Destination { chat_id, topic: thread }, closed).await.unwrap_err();
        desk.post(whole(chat_id), closed).await.unwrap_err();
        assert_eq!(desk.chats().len(), 3);
    }
    // Direct messages never go to anybody else, nor does what is refused for another reason.
    let desk = Desk::open(30);
    desk.post(Destination { chat_id: -7, topic: direct }, no_thread).await.unwrap_err();
    let blocked = |_| Err(refused(403, "Forbidden: bot was blocked by the user"));
    let error = desk.post(Destination { chat_id: 7, topic: thread }, blocked).await.unwrap_err();
    assert!(matches!(error, SendError::Unreachable { .. }), "{error}");
    assert_eq!(desk.chats(), [-7, 7]);
}

#[tokio::test(start_paused = true)]
async fn what_is_sent_without_its_topic_keeps_its_turn() {
    let desk = Desk::open(30);
    let order = Arc::new(Mutex::new(Vec::new()));
    let mut sending = JoinSet::new();
    for n in 0..6 {
        let (desk, order) = (desk.clone(), order.clone());
        let topic = (n % 2 == 0).then_some(Topic::Thread(3));
        sending.spawn(async move {
            let answer = |to: Destination| match to.topic {
                Some(_) => Err(refused(400, "Bad Request: TOPIC_DELETED")),
                None => {
                    lock(&order).push(n);
                    Ok(())
                }
            };
            desk.post(Destination { chat_id: 7, topic }, answer).await.unwrap();
        });
        tokio::task::yield_now().await;
    }
    sending.join_all().await;
    assert_eq!(*lock(&order), (0..6).collect::<Vec<_>>());
    assert_eq!(desk.times().len(), 9);
    assert_eq!(busiest(&desk.times(), Duration::from_millis(900)), 3, "each try counts");
}

#[tokio::test(start_paused = true)]
async fn a_change_stands_in_the_queue_of_the_new_chat_but_is_not_sent_there() {
    let desk = Desk::open(30);
    let tries = AtomicU32::new(0);
    let change = || {
        tries.fetch_add(1, Relaxed);
        ready(Err::<(), _>(moved_to(-1007)))
    };
    let error = desk.gate.change(-7, change).await.unwrap_err();
    assert!(error.is_of_lost_message(), "{error}");
    assert_eq!(tries.load(Relaxed), 1);
    assert_eq!(desk.gate.current(-7), -1007);
    // From now on it waits for the supergroup.
    let held = desk.gate.chat(-1007).lock_owned().await;
    let waiting = desk.gate.change(-7, || ready(Ok(())));
    assert!(timeout(seconds(5), waiting).await.is_err());
    drop(held);
    desk.gate.change(-7, || ready(Ok(()))).await.unwrap();
}
