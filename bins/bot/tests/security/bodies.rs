//! Bodies that Telegram does not send, brought to the webhook with the right secret. `PROPTEST_CASES`
//! sets how many.

use proptest::{
    collection::vec,
    prelude::*,
    sample::{Index, select},
    strategy::ValueTree,
    test_runner::{Config, TestRunner},
};
use rollcall_simulator::Simulator;
use rollcall_testkit::ThrowAwayDatabase;

use crate::{
    running::database::stored,
    server::{PATH, SECRET, Server, exchange, message, status},
};

stories!(no_body_stops_the_webhook,);

/// Any bytes, an update with some of its bytes replaced, or JSON that nests deeply.
fn body() -> impl Strategy<Value = Vec<u8>> {
    let spoilt = (any::<Index>(), vec(any::<u8>(), 0..6), 0_usize..6).prop_map(|(at, by, len)| {
        let mut body = message(1).into_bytes();
        let at = at.index(body.len());
        let end = (at + len).min(body.len());
        body.splice(at..end, by);
        body
    });
    let deep = (select(vec!["[", "{\"message\":", "{\"a\":["]), 1_usize..20_000)
        .prop_map(|(open, depth)| open.repeat(depth).into_bytes());
    prop_oneof![2 => vec(any::<u8>(), 0..200), 6 => spoilt, 1 => deep]
}

async fn no_body_stops_the_webhook(database: ThrowAwayDatabase) {
    let telegram = Simulator::start().await.unwrap();
    let server = Server::start(&telegram, &database, &[]).await;
    let config = Config::default();
    let (cases, strategy, mut runner) = (config.cases, body(), TestRunner::new(config));
    for case in 0..cases {
        let body = strategy.new_tree(&mut runner).unwrap().current();
        let head = format!(
            "POST {PATH} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\
             x-telegram-bot-api-secret-token: {SECRET}\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        let request = [head.as_bytes(), &body].concat();
        let answer = exchange(server.connect_from(1).await, &request).await;
        let shown = String::from_utf8_lossy(&body);
        assert_eq!(status(&answer), Some(200), "case {case}: {answer}\n{shown:.300}");
    }
    // It still registers.
    assert_eq!(server.deliver(4_000_000, SECRET).await, 200);
    let users = stored(&database).await;
    assert!(users.iter().any(|user| user.telegram_id.get() == 4_000_000), "{users:?}");
    server.bot.terminate().await;
}
