//! Groups that become supergroups, and topics that Telegram refuses.

use super::*;
use crate::destination::Topic;

#[tokio::test(start_paused = true)]
async fn a_message_follows_its_group() {
    let desk = Desk::open(30);
    desk.post(whole(-7), twice_moved).await.unwrap();
    assert_eq!(desk.chats(), [-7, -1007, -2007]);
    // The gate remembers it for each of them.
    for chat_id in [-7, -1007, -2007] {
        desk.post(whole(chat_id), twice_moved).await.unwrap();
    }
    assert_eq!(desk.chats()[3..], [-2007; 3]);
    assert_eq!([-7, -1007, 7].map(|id| desk.gate.current(id)), [-2007, -2007, 7]);

    // The same if an update announced it before any refusal.
    let desk = Desk::open(30);
    assert!(desk.gate.learn(Migration { from: -7, to: -1007 }));
    desk.send(-7).await;
    assert_eq!(desk.chats(), [-1007]);
}

#[tokio::test(start_paused = true)]
async fn no_message_follows_its_chat_forever() {
    let desk = Desk::open(0);
    // In a circle.
    let circle = |to: Destination| Err(moved_to(if to.chat_id == -7 { -8 } else { -7 }));
    let error = desk.post(whole(-7), circle).await.unwrap_err();
    assert!(matches!(error, SendError::Call(_)), "{error}");
    assert_eq!(desk.chats(), [-7, -8]);
    // A new id each time.
    let desk = Desk::open(0);
    desk.post(whole(-7), |to| Err(moved_to(to.chat_id - 1))).await.unwrap_err();
    assert_eq!(desk.chats(), [-7, -8, -9, -10]);
    // A message for a user never goes to a group.
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
        // The supergroup is busy, and may have to wait; no message overtakes another.
        for _ in 0..3 {
            desk.send(-1007).await;
        }
        if waits_s > 0 {
            desk.gate.refused(&mut *desk.gate.chat(-1007).lock_owned().await, seconds(waits_s));
        }
        for n in 0..12 {
            let (desk, order) = (desk.clone(), order.clone());
            // The first messages go to the old group, the last ones to the new one.
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
            // Each message is in its queue before the next one.
            tokio::task::yield_now().await;
        }
        sending.join_all().await;
        let order = lock(&order).clone();
        let of_the_group: Vec<i32> = order.iter().copied().filter(|n| *n < 8).collect();
        assert_eq!(of_the_group, (0..8).collect::<Vec<_>>(), "{order:?}");
        assert_eq!(desk.chats().iter().filter(|chat| **chat == -7).count(), 1, "tried once");
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
        // Only once: the whole chat may be closed, too.
        let desk = Desk::open(30);
        let closed = |_| Err(refused(400, "Bad Request: TOPIC_CLOSED"));
        desk.post(Destination { chat_id, topic: thread }, closed).await.unwrap_err();
        desk.post(whole(chat_id), closed).await.unwrap_err();
        assert_eq!(desk.chats().len(), 3);
    }
    // Direct messages never go elsewhere; other refusals do not concern the topic.
    let desk = Desk::open(30);
    desk.post(Destination { chat_id: -7, topic: direct }, no_thread).await.unwrap_err();
    let blocked = |_| Err(refused(403, "Forbidden: bot was blocked by the user"));
    let error = desk.post(Destination { chat_id: 7, topic: thread }, blocked).await.unwrap_err();
    assert!(matches!(error, SendError::Unreachable { .. }), "{error}");
    assert_eq!(desk.chats(), [-7, 7]);
}

#[tokio::test(start_paused = true)]
async fn a_message_without_its_refused_topic_keeps_its_turn() {
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
    assert_eq!(busiest(&desk.times(), Duration::from_millis(900)), 3, "each attempt counts");
}

#[tokio::test(start_paused = true)]
async fn an_edit_waits_in_the_queue_of_the_new_chat_but_is_not_sent_there() {
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
    // Later edits wait for the supergroup.
    let held = desk.gate.chat(-1007).lock_owned().await;
    let waiting = desk.gate.change(-7, || ready(Ok(())));
    assert!(timeout(seconds(5), waiting).await.is_err());
    drop(held);
    desk.gate.change(-7, || ready(Ok(()))).await.unwrap();
}
