//! The client with a server that behaves like the NHL's API, and with faults.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    error::Error as _,
    time::{Duration, Instant},
};

use chrono::NaiveDate;
use rollcall_domain::{GameState, Score, SystemClock};
use rollcall_nhl::{Client, FetchError, Timing};
use rollcall_simulator::{Fault, NhlApi, NhlGame};
use serde_json::json;

const QUICK: Timing = Timing {
    timeout: Duration::from_millis(400),
    first_pause: Duration::from_millis(5),
    longest_pause: Duration::from_secs(2),
};

fn client(api: &NhlApi) -> Client {
    Client::new(api.url().parse().unwrap(), None, QUICK, SystemClock).unwrap()
}

fn monday() -> NaiveDate {
    "2026-11-23".parse().unwrap()
}

async fn with_a_game() -> NhlApi {
    let api = NhlApi::start().await.unwrap();
    api.put(NhlGame::new(2_026_020_301, "BOS", "MTL", "2026-11-24T00:30:00Z"));
    api
}

#[tokio::test]
async fn a_week_is_fetched_again_only_if_it_has_changed() {
    let api = with_a_game().await;
    let client = client(&api);
    let week = client.week(monday()).await.unwrap();
    assert_eq!(week.games[0].home.name, "Montréal Canadiens");
    assert_eq!(week.next, "2026-11-30".parse().ok());
    assert_eq!(client.week(monday()).await.unwrap(), week);

    api.put(
        NhlGame::new(2_026_020_301, "BOS", "MTL", "2026-11-24T00:30:00Z").state("LIVE").score(1, 0),
    );
    let changed = client.week(monday()).await.unwrap();
    assert_eq!(changed.games[0].state, GameState::Live);

    let requests = api.requests();
    let [first, second, third] = requests.as_slice() else { unreachable!("{requests:?}") };
    assert_eq!(first.path, "/v1/schedule/2026-11-23");
    assert_eq!(first.user_agent, concat!("rollcall/", env!("CARGO_PKG_VERSION")));
    assert_eq!(first.if_none_match, None);
    assert!(second.if_none_match.is_some() && second.if_none_match == third.if_none_match);
}

#[tokio::test]
async fn scores_are_fetched() {
    let api = NhlApi::start().await.unwrap();
    let game = |id| NhlGame::new(id, "BOS", "MTL", "2026-11-24T00:30:00Z").state("CRIT");
    api.put(game(1).score(2, 3));
    api.put(game(2).score(-1, 3));
    let scores = client(&api).scores(monday()).await.unwrap();
    assert_eq!(scores.updates.len(), 1);
    assert_eq!(scores.updates[0].score, Some(Score { away: 2, home: 3 }));
    assert_eq!(scores.skipped[0].id, Some(2));
    assert_eq!(api.requests()[0].path, "/v1/score/2026-11-23");
}

#[tokio::test]
async fn a_week_is_returned_without_its_invalid_games() {
    let api = with_a_game().await;
    let start = "2026-11-24T01:00:00Z";
    api.put(NhlGame::new(2, "NYR", "NYI", start).with("awayTeam", json!({ "id": "many" })));
    api.put(NhlGame::new(3, "NYR", "NYI", start).state("HOVERING").with("new", json!([{}])));
    let week = client(&api).week(monday()).await.unwrap();
    let mut ids: Vec<i64> = week.games.iter().map(|game| game.id).collect();
    ids.sort_unstable();
    assert_eq!(ids, [3, 2_026_020_301]);
    assert_eq!(week.skipped.len(), 1);
    assert_eq!(week.skipped[0].id, Some(2));
}

#[tokio::test]
async fn temporary_errors_are_retried() {
    let api = with_a_game().await;
    for fault in [
        Fault::internal(),
        Fault::bad_gateway(),
        Fault::Closed,
        Fault::CutOff,
        Fault::Slow(Duration::from_secs(5)),
    ] {
        api.fail_next(fault.clone());
        let week = client(&api).week(monday()).await.unwrap();
        assert_eq!(week.games.len(), 1, "{fault:?}");
    }
}

#[tokio::test]
async fn retry_after_is_respected_up_to_a_limit() {
    let api = with_a_game().await;
    api.fail_next(Fault::too_many_requests(1));
    let begun = Instant::now();
    client(&api).week(monday()).await.unwrap();
    assert!(begun.elapsed() >= Duration::from_secs(1));

    api.fail_next(Fault::too_many_requests(3600));
    let error = client(&api).week(monday()).await.unwrap_err();
    assert!(matches!(error, FetchError::Refused { status: 429, .. }), "{error}");
}

#[tokio::test]
async fn permanent_errors_are_returned() {
    let api = with_a_game().await;
    let outcome = async |fault: Fault| {
        api.fail_always(fault);
        let before = api.requests().len();
        let error = client(&api).week(monday()).await.unwrap_err();
        let cause = error.source().map(|cause| format!(": {cause}")).unwrap_or_default();
        let error = format!("{error}{cause}");
        api.clear_faults();
        (error, api.requests().len() - before)
    };
    let page = Fault::Body { status: 200, content_type: String::new(), body: "<html>".to_owned() };
    for (fault, error, tries) in [
        (Fault::internal(), "the NHL's API responded with HTTP status 500", 4),
        (Fault::not_found(), "the NHL's API responded with HTTP status 404", 1),
        (page, "cannot parse the response of the NHL's API: it is not JSON at line 1 column 1", 1),
        (
            Fault::json("{\"gameWeek\":{}}"),
            "cannot parse the response of the NHL's API: it is of an unexpected form at line 1 column 12",
            1,
        ),
        (
            Fault::Huge { bytes: 20_000_000_000 },
            "the NHL's API responded with more than 8388608 bytes",
            1,
        ),
        (
            Fault::Slow(Duration::from_secs(60)),
            "cannot reach the NHL's API: the request timed out",
            4,
        ),
    ] {
        assert_eq!(outcome(fault).await, (error.to_owned(), tries));
    }
}

#[tokio::test]
async fn an_unreachable_server_is_an_error() {
    let url = "http://127.0.0.1:9".parse().unwrap();
    let error =
        Client::new(url, None, QUICK, SystemClock).unwrap().week(monday()).await.unwrap_err();
    assert!(error.to_string().starts_with("cannot reach the NHL's API: "), "{error}");
    assert!(!error.to_string().contains("127.0.0.1"), "{error}");
}
