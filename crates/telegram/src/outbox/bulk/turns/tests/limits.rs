//! How fast broadcasts are, and which messages go first.

use super::*;

#[tokio::test(start_paused = true)]
async fn replies_go_first_while_a_broadcast_goes_out() {
    let desk = Desk::open(30);
    let flood = desk.flood();
    let mut slowest = Duration::ZERO;
    for n in 0..100 {
        sleep(millis(170 + n % 7 * 10)).await;
        // The chats are those of strangers, and of recipients that still wait for their message.
        let chat_id = if n % 2 == 0 { 100_000 + n } else { 10_000 + n };
        slowest = slowest.max(desk.reply(chat_id.cast_signed()).await);
    }
    assert!(slowest < millis(40), "{slowest:?}");
    let all = desk.times(|_| true);
    assert!(busiest(&all, seconds(1)) <= 30);
    assert!(busiest(&desk.bulk_times(), seconds(1)) <= 25);
    let expected = usize::try_from(all.last().unwrap().as_millis() * 25 / 1000).unwrap();
    let sent = desk.bulk_times().len();
    assert!(sent * 100 >= expected * 97, "the broadcast gets what is left: {sent} of {expected}");
    drop(flood);
}

#[tokio::test(start_paused = true)]
async fn a_broadcast_waits_while_replies_need_the_whole_rate() {
    let desk = Desk::open(30);
    let flood = desk.flood();
    sleep(seconds(1)).await;
    let before = desk.bulk_times().len();
    // These arrive at once, and take tokens in advance.
    let mut replies = JoinSet::new();
    for n in 0..300 {
        let desk = desk.clone();
        replies.spawn(async move { desk.reply(100_000 + n).await });
    }
    let slowest = replies.join_all().await.into_iter().max().unwrap();
    assert!(slowest < millis(10_100), "{slowest:?}");
    assert!(desk.bulk_times().len() <= before + 1, "the broadcast got tokens of replies");
    sleep(seconds(2)).await;
    assert!(desk.bulk_times().len() > before + 40, "it goes on afterwards");
    drop(flood);
}

#[tokio::test(start_paused = true)]
async fn broadcasts_share_five_sixths_of_the_rate() {
    for (rate, share) in [(30, 25), (29, 24), (6, 5), (2, 1), (1, 1)] {
        let desk = Desk::open(rate);
        let (first, second) = (desk.clone(), desk.clone());
        let both = async {
            tokio::join!(
                first.broadcast(1..=500, unbounded()),
                second.broadcast(501..=1000, unbounded())
            )
        };
        let _ = timeout(seconds(20), both).await;
        let times = desk.bulk_times();
        assert_eq!(busiest(&times, seconds(1)), share, "of {rate}");
        assert!((share * 19..=share * 20 + 1).contains(&times.len()), "{} of {rate}", times.len());
    }
}

#[tokio::test(start_paused = true)]
async fn a_pace_is_an_upper_bound() {
    for (limit, rate, expected) in [(30, 10, 10), (30, 1000, 25), (0, 10, 10), (30, 1, 1)] {
        let desk = Desk::open(limit);
        let pace = Arc::new(BulkPace::new(rate));
        let _ = timeout(seconds(20), desk.broadcast(1..=1000, pace)).await;
        let times = desk.bulk_times();
        assert_eq!(busiest(&times, seconds(1)), expected, "{rate} of {limit}");
        assert!(times.len() >= expected * 19, "{rate} of {limit}: {}", times.len());
    }
}

#[tokio::test(start_paused = true)]
async fn a_thousand_a_second_without_limits_evenly_spaced() {
    let desk = Desk::open(0);
    desk.broadcast(1..=5000, Arc::new(BulkPace::new(1000))).await;
    let times = desk.bulk_times();
    let last = times.last().unwrap().as_secs_f64();
    assert!((4.9..5.1).contains(&last), "{last}");
    // A tenth of a second may be caught up, also at the start.
    assert!(busiest(&times, seconds(1)) <= 1100);
    assert!(busiest(&times[100..], seconds(1)) <= 1005);
    assert!(busiest(&times[100..], millis(100)) <= 105);
}

#[tokio::test(start_paused = true)]
async fn only_its_pace_bounds_a_paid_broadcast() {
    let desk = Desk::open(30);
    let flood = desk.flood();
    let pace = BulkPace::new(500);
    for chat_id in 100_000..101_000 {
        let route = Route { chat_id, pace: &pace, is_paid: true };
        let send = || {
            desk.note(Event::Bulk(chat_id));
            ready(Ok::<_, CallError>(()))
        };
        desk.turns.send(&route, send, || desk.probe(), pending()).await.unwrap();
    }
    let paid = |event| matches!(event, Event::Bulk(chat_id) if chat_id >= 100_000);
    let last = *desk.times(paid).last().unwrap();
    assert!((millis(1_850)..millis(2_100)).contains(&last), "{last:?}");
    assert!(desk.bulk_times().len() >= 1045, "the other broadcast goes on");
    assert!(desk.reply(7).await < millis(40));
    drop(flood);
}

#[tokio::test(start_paused = true)]
async fn a_message_that_waits_does_not_lock_its_chat() {
    let desk = Desk::open(30);
    let pace = Arc::new(BulkPace::new(1));
    desk.bulk(1, &pace).await;
    let waiting = tokio::spawn({
        let (desk, pace) = (desk.clone(), pace.clone());
        async move { desk.bulk(7, &pace).await }
    });
    sleep(millis(100)).await;
    assert!(desk.reply(7).await < millis(40));
    waiting.await.unwrap();
    assert!((millis(990)..millis(1_010)).contains(&desk.bulk_times()[1]));
}

#[tokio::test(start_paused = true)]
async fn a_request_without_a_response_delays_no_reply_to_the_chat() {
    let desk = Desk::open(30);
    let hanging = tokio::spawn({
        let desk = desk.clone();
        async move {
            let route = Route { chat_id: 7, pace: &unbounded(), is_paid: false };
            let send = pending::<Result<(), CallError>>;
            desk.turns.send(&route, send, || desk.probe(), pending()).await
        }
    });
    sleep(millis(10)).await;
    assert!(desk.reply(7).await < millis(40));
    hanging.abort();
}

#[tokio::test(start_paused = true)]
async fn a_busy_chat_delays_no_other_recipient() {
    let desk = Desk::open(30);
    // A reply is on its way to the chat for half a minute.
    let reply = tokio::spawn({
        let desk = desk.clone();
        async move {
            let slow = async |_| {
                sleep(seconds(30)).await;
                Ok::<_, CallError>(())
            };
            desk.gate.send(Destination { chat_id: 1, topic: None }, slow).await.unwrap();
        }
    });
    sleep(millis(10)).await;
    desk.broadcast(1..=100, unbounded()).await;
    reply.await.unwrap();
    let times = desk.bulk_times();
    assert!(times[98] < seconds(5), "{:?}", times[98]);
    assert!(times[99] >= seconds(30), "in the order of the chat: {:?}", times[99]);
}

#[tokio::test(start_paused = true)]
async fn a_chat_gets_messages_of_several_broadcasts_within_its_own_limit() {
    let desk = Desk::open(30);
    for _ in 0..6 {
        desk.bulk(7, &unbounded()).await;
    }
    assert!(busiest(&desk.bulk_times(), seconds(1)) <= 3);
    assert!((seconds(2)..seconds(4)).contains(desk.bulk_times().last().unwrap()));
}

#[tokio::test(start_paused = true)]
async fn stopping_ends_the_waiting_but_no_request() {
    let desk = Desk::open(30);
    let pace = BulkPace::new(1);
    desk.bulk(1, &pace).await;
    let route = Route { chat_id: 7, pace: &pace, is_paid: false };
    let send = || {
        desk.note(Event::Bulk(7));
        ready(Ok::<_, CallError>(()))
    };
    let stopped = desk.turns.send(&route, send, || desk.probe(), sleep(millis(100))).await;
    assert!(matches!(stopped, Err(BulkError::Stopped)), "{stopped:?}");
    assert_eq!(desk.bulk_times().len(), 1, "not sent");

    let slow = async || {
        sleep(seconds(10)).await;
        Ok::<_, CallError>(42)
    };
    let sent = desk.turns.send(&route, slow, || desk.probe(), sleep(seconds(5))).await;
    assert_eq!(sent.unwrap(), 42);
}
