//! How fast messages are sent.

use super::*;

#[tokio::test(start_paused = true)]
async fn thirty_a_second_in_all() {
    let times = Desk::open(30).send_to(1..=300).await;
    assert_eq!(busiest(&times, seconds(1)), 30);
    let last = times.last().unwrap().as_secs_f64();
    assert!((9.9..10.1).contains(&last), "no slower than allowed: {last}");
}

#[tokio::test(start_paused = true)]
async fn what_need_not_wait_goes_at_once() {
    // A timer would wait for the next millisecond.
    advance(Duration::from_micros(300)).await;
    let desk = Desk::open(1000);
    desk.send(7).await;
    desk.gate.pass(Some(8)).await.unwrap();
    desk.send(9).await;
    assert_eq!(desk.times(), [Duration::ZERO; 2]);
}

#[tokio::test(start_paused = true)]
async fn the_rate_is_a_setting() {
    let times = Desk::open(2).send_to(1..=10).await;
    assert_eq!(busiest(&times, seconds(1)), 2);
    // A rate above the resolution of the clock.
    let times = Desk::open(5000).send_to(1..=5000).await;
    assert!((0.95..1.1).contains(&times.last().unwrap().as_secs_f64()));
}

#[tokio::test(start_paused = true)]
async fn a_private_chat_gets_three_at_once_and_then_one_a_second() {
    let desk = Desk::open(1000);
    let times: Vec<_> =
        desk.send_to([7; 6]).await.iter().map(|at| at.as_secs_f64().round()).collect();
    assert_eq!(times, [0.0, 0.0, 0.0, 1.0, 2.0, 3.0]);
    // After a pause, three at once again.
    advance(seconds(60)).await;
    let times = desk.send_to([7; 4]).await;
    assert_eq!(busiest(&times[6..], Duration::from_millis(500)), 3);
}

#[tokio::test(start_paused = true)]
async fn a_chat_saves_no_tokens_while_its_message_waits_for_others() {
    let desk = Desk::open(1000);
    let all = desk.gate.all.as_ref().unwrap();
    for _ in 0..5000 {
        lock(all).take();
    }
    let times = desk.send_to([7; 6]).await;
    assert!(times[0] >= Duration::from_millis(4_990));
    assert_eq!(busiest(&times, Duration::from_millis(500)), 3);
}

#[tokio::test(start_paused = true)]
async fn a_group_gets_twenty_in_any_minute() {
    let times = Desk::open(1000).send_to([-7; 100]).await;
    let most = busiest(&times, seconds(60));
    assert!((19..=20).contains(&most), "{most}");
    assert!(times[4] < seconds(1), "five at once: {times:?}");
    assert!(*times.last().unwrap() < seconds(400), "no slower than allowed: {times:?}");
}

#[tokio::test(start_paused = true)]
async fn a_rate_of_zero_disables_every_limit() {
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
async fn a_private_chat_waits_for_few_groups_however_many_there_are() {
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
    // The groups leave no part of the shared limit unused.
    let times = crowd.await.unwrap();
    assert_eq!(times.len(), 610);
    assert!(*times.last().unwrap() < Duration::from_millis(20_500), "{:?}", times.last());
}
