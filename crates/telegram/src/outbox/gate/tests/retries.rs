//! Waiting, retries and giving up.

use super::*;

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
async fn a_message_waits_as_long_as_telegram_asks() {
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
async fn nothing_is_sent_before_the_time_that_telegram_asks_for() {
    for rate in [0, 30] {
        let desk = Desk::open(rate);
        let error = desk.send_with(7, || Err(too_many(100_000))).await.unwrap_err();
        assert_eq!(error.to_string(), "Telegram asks to wait for another 100000 s");
        for _ in 0..20 {
            advance(seconds(4_990)).await;
            let error = desk.send_with(7, || Ok(())).await.unwrap_err();
            assert!(matches!(error, SendError::Held { .. }), "{error}");
        }
        assert_eq!(desk.times().len(), 1, "not even tried");
        // The remaining time is short enough to wait.
        advance(seconds(150)).await;
        desk.send(7).await;
        assert!(desk.times()[1] >= seconds(100_000));
    }
}

#[tokio::test(start_paused = true)]
async fn a_time_that_overflows_the_clock_is_long() {
    let desk = Desk::open(30);
    let error = desk.send_with(7, || Err(too_many(u64::MAX))).await.unwrap_err();
    assert!(matches!(error, SendError::Held { left } if left > seconds(86_400)), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_message_does_not_wait_forever() {
    let desk = Desk::open(30);
    let error = desk.send_with(7, || Err(too_many(10))).await.unwrap_err();
    assert!(matches!(error, SendError::Held { .. }), "{error}");
    assert!(desk.opened.elapsed() <= PATIENCE + seconds(1));
}

#[tokio::test(start_paused = true)]
async fn others_wait_a_second_for_a_chat_that_has_to_wait() {
    let desk = Desk::open(30);
    desk.send_with(7, || Err(too_many(100_000))).await.unwrap_err();
    let times = desk.send_to([8, 9]).await;
    assert!(times[1] >= seconds(1) && times[2] < Duration::from_millis(1100), "{times:?}");

    // If Telegram means the whole bot, it gets about one request a second.
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
async fn transient_errors_are_retried_a_few_times() {
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
async fn a_permanent_error_has_its_cause() {
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
            let found = match desk.send_with(chat_id, answer).await.unwrap_err() {
                SendError::Unreachable { cause, .. } => Some(cause),
                SendError::Held { .. } => panic!("held"),
                SendError::Call(_) => None,
            };
            assert_eq!(found, cause.filter(|_| chat_id > 0), "{description}");
            assert_eq!(desk.times().len(), 1, "not retried: {description}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn idle_chats_are_removed() {
    for rate in [0, 30] {
        let desk = Desk::open(rate);
        for chat_id in 1..=5000 {
            desk.send(chat_id).await;
            assert!(lock(&desk.gate.chats).known.len() <= 2 * FEW_CHATS);
        }
    }
    // But not a chat for which Telegram asked to wait.
    let desk = Desk::open(0);
    desk.send_with(7, || Err(too_many(100_000))).await.unwrap_err();
    for chat_id in 1000..2000 {
        desk.send(chat_id).await;
    }
    desk.send_with(7, || Ok(())).await.unwrap_err();
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_message_leaves_nothing_behind() {
    let desk = Desk::open(30);
    let hanging = desk.gate.send(whole(7), |_| pending::<Result<(), CallError>>());
    assert!(timeout(seconds(4), hanging).await.is_err());
    desk.send(7).await;
    advance(seconds(10)).await;
    lock(&desk.gate.chats).forget_idle();
    assert!(lock(&desk.gate.chats).known.is_empty());
}
