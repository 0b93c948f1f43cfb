//! Waiting for Telegram, and what is unknown after a failure.

use super::*;

#[tokio::test(start_paused = true)]
async fn all_broadcasts_wait_as_long_as_telegram_asks() {
    for rate in [0, 30] {
        let desk = Desk::open(rate);
        let tries = AtomicU32::new(0);
        let answer = || match tries.fetch_add(1, Relaxed) {
            0 => Err(too_many(20)),
            1 => Err(too_many(5)),
            _ => Ok(()),
        };
        let pace = unbounded();
        let (first, ()) = tokio::join!(desk.bulk_with(7, &pace, answer), async {
            sleep(millis(10)).await;
            desk.bulk(8, &unbounded()).await;
            desk.bulk(9, &unbounded()).await;
        });
        first.unwrap();
        let times = desk.bulk_times();
        // The first message is sent once more after each wait; no other is sent meanwhile.
        assert_eq!(times.iter().filter(|&&at| at < seconds(20)).count(), 1, "{times:?}");
        assert_eq!(times.len(), 5);
        assert!(times[4] < seconds(27), "{times:?}");
        // Other chats wait for a second only.
        let desk = Desk::open(rate);
        let pace = unbounded();
        let waiting = desk.bulk_with(7, &pace, || Err(too_many(20)));
        assert!(timeout(millis(10), waiting).await.is_err());
        let took = desk.reply(8).await;
        assert!((millis(900)..millis(1_100)).contains(&took), "{took:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn no_number_of_short_waits_fails_a_message() {
    let desk = Desk::open(30);
    let tries = AtomicU32::new(0);
    let answer = || match tries.fetch_add(1, Relaxed) {
        0..20 => Err(too_many(30)),
        _ => Ok(()),
    };
    desk.bulk_with(7, &unbounded(), answer).await.unwrap();
    assert!(desk.opened.elapsed() >= seconds(600));
}

#[tokio::test(start_paused = true)]
async fn a_message_is_given_back_if_telegram_asks_for_a_long_wait() {
    let desk = Desk::open(30);
    let error = desk.bulk_with(7, &unbounded(), || Err(too_many(3600))).await.unwrap_err();
    assert_eq!(error.to_string(), "the message has to wait for another 3600 s");
    assert!(!error.may_have_been_sent());
    // So are all others, without a request.
    sleep(seconds(3000)).await;
    let error = desk.bulk_with(8, &unbounded(), || Ok(())).await.unwrap_err();
    assert!(matches!(error, BulkError::Later { left } if left <= seconds(600)), "{error}");
    assert_eq!(desk.bulk_times().len(), 1);
    sleep(seconds(550)).await;
    desk.bulk(8, &unbounded()).await;
    assert!(desk.bulk_times()[1] >= seconds(3600));

    // A wait that overflows the clock.
    let error = desk.bulk_with(7, &unbounded(), || Err(too_many(u64::MAX))).await.unwrap_err();
    assert!(matches!(error, BulkError::Later { left } if left > seconds(86_400)), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_chat_that_has_to_wait_long_for_a_reply_delays_no_other_recipient() {
    let desk = Desk::open(30);
    let to = Destination { chat_id: 7, topic: None };
    let refused = desk.gate.send(to, |_| ready(Err::<(), _>(too_many(3600)))).await;
    assert!(refused.is_err());
    let error = desk.bulk_with(7, &unbounded(), || Ok(())).await.unwrap_err();
    assert!(matches!(error, BulkError::Later { left } if left > seconds(3500)), "{error}");
    desk.bulk(8, &unbounded()).await;
    assert!(desk.bulk_times()[0] < seconds(2), "{:?}", desk.bulk_times());
}

#[tokio::test(start_paused = true)]
async fn a_message_that_may_have_been_sent_is_not_sent_again() {
    for error in [
        lost(),
        CallError::TooLong { method: "sendMessage", status: 200 },
        refused(500, "Internal Server Error: restart", None),
    ] {
        let desk = Desk::open(30);
        let error = Mutex::new(Some(error));
        let answer = || Err(lock(&error).take().unwrap());
        let unknown = desk.bulk_with(7, &unbounded(), answer).await.unwrap_err();
        assert!(unknown.may_have_been_sent(), "{unknown}");
        assert_eq!(desk.bulk_times().len(), 1);
        // The next one is sent as soon as Telegram answers a probe.
        desk.bulk(8, &unbounded()).await;
        assert_eq!(desk.probes(), 1);
        assert!(desk.bulk_times()[1] < millis(100), "{:?}", desk.bulk_times());
        desk.bulk(9, &unbounded()).await;
        assert_eq!(desk.probes(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn an_outage_costs_only_the_messages_on_their_way() {
    let desk = Desk::open(30);
    *lock(&desk.is_up) = false;
    // Two requests are on their way when Telegram goes down.
    let mut on_their_way = JoinSet::new();
    for chat_id in [1, 2] {
        let desk = desk.clone();
        on_their_way.spawn(async move {
            let route = Route { chat_id, pace: &unbounded(), is_paid: false };
            let send = async || {
                desk.note(Event::Bulk(chat_id));
                sleep(seconds(1)).await;
                Err::<(), _>(lost())
            };
            desk.turns.send(&route, send, || desk.probe(), pending()).await.unwrap_err()
        });
    }
    let errors = on_their_way.join_all().await;
    assert!(errors.iter().all(BulkError::may_have_been_sent));

    let waiting = tokio::spawn({
        let desk = desk.clone();
        async move { desk.broadcast(10..20, unbounded()).await }
    });
    sleep(seconds(30)).await;
    assert_eq!(desk.bulk_times().len(), 2, "nothing is sent while no probe is answered");
    assert!((5..=12).contains(&desk.probes()), "{}", desk.probes());
    *lock(&desk.is_up) = true;
    waiting.await.unwrap();
    assert_eq!(desk.bulk_times().len(), 12);
}

#[tokio::test(start_paused = true)]
async fn messages_are_given_back_during_a_lasting_outage() {
    let desk = Desk::open(30);
    *lock(&desk.is_up) = false;
    desk.bulk_with(1, &unbounded(), || Err(broken())).await.unwrap_err();
    let left = match desk.bulk_with(2, &unbounded(), || Ok(())).await.unwrap_err() {
        BulkError::Later { left } => left,
        error => panic!("{error}"),
    };
    assert!((seconds(1)..=seconds(60)).contains(&left), "{left:?}");
    assert!(desk.opened.elapsed() < seconds(150), "{:?}", desk.opened.elapsed());
    // Then it works again.
    *lock(&desk.is_up) = true;
    sleep(left).await;
    desk.bulk(2, &unbounded()).await;
    assert_eq!(desk.bulk_times().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_message_that_telegram_has_not_taken_is_sent_again() {
    let desk = Desk::open(30);
    let tries = AtomicU32::new(0);
    let answer = || match tries.fetch_add(1, Relaxed) {
        0..5 => Err(broken()),
        _ => Ok(()),
    };
    desk.bulk_with(7, &unbounded(), answer).await.unwrap();
    let times = desk.bulk_times();
    assert_eq!(times.len(), 6);
    assert!(times[1] < millis(100) && times[5] > seconds(2), "{times:?}");

    // If only this message fails, it is given back, and others are sent meanwhile.
    let desk = Desk::open(30);
    let failing = tokio::spawn({
        let desk = desk.clone();
        async move { desk.bulk_with(7, &unbounded(), || Err(broken())).await.unwrap_err() }
    });
    while !failing.is_finished() {
        desk.bulk(8, &unbounded()).await;
        sleep(seconds(1)).await;
    }
    let error = failing.await.unwrap();
    assert!(matches!(error, BulkError::Later { .. }), "{error}");
    assert!((seconds(60)..seconds(150)).contains(&desk.opened.elapsed()));
}

#[tokio::test(start_paused = true)]
async fn a_refusal_is_final() {
    let desk = Desk::open(30);
    let answer = || Err(refused(400, "Bad Request: message is too long", None));
    let error = desk.bulk_with(7, &unbounded(), answer).await.unwrap_err();
    assert!(matches!(error, BulkError::Content(_)), "{error}");
    let answer = || Err(refused(403, "Forbidden: bot was blocked by the user", None));
    let error = desk.bulk_with(7, &unbounded(), answer).await.unwrap_err();
    assert!(matches!(error, BulkError::Unreachable { .. }), "{error}");
    assert_eq!((desk.bulk_times().len(), desk.probes()), (2, 0));
}
