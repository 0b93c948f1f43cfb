//! A game in the form of the NHL's API, for tests.

use chrono::{DateTime, NaiveDate, Utc};
use serde_json::{Value, json};

pub(crate) fn game() -> Value {
    json!({
        "id": 2026020301, "season": 20262027, "gameType": 2, "neutralSite": false,
        "venue": { "default": "Centre Bell", "fr": "Centre Bell" },
        "startTimeUTC": "2026-11-24T00:00:00Z", "easternUTCOffset": "-05:00",
        "venueTimezone": "America/Montreal", "gameState": "FUT", "gameScheduleState": "OK",
        "awayTeam": {
            "id": 6, "commonName": { "default": "Bruins" },
            "placeName": { "default": "Boston" }, "abbrev": "BOS", "radioLink": "…",
        },
        "homeTeam": {
            "id": 8, "commonName": { "default": "Canadiens" },
            "placeName": { "default": "Montréal", "fr": "Montréal" }, "abbrev": "MTL",
        },
        "tvBroadcasts": [],
    })
}

pub(crate) fn with(changes: Value) -> Value {
    let mut game = game();
    merge(&mut game, changes);
    game
}

pub(crate) fn merge(into: &mut Value, changes: Value) {
    match changes {
        Value::Object(fields) if into.is_object() => {
            for (name, value) in fields {
                merge(&mut into[name], value);
            }
        }
        value => *into = value,
    }
}

/// A time before the game.
pub(crate) fn noon() -> DateTime<Utc> {
    "2026-11-23T17:00:00Z".parse().unwrap()
}

pub(crate) fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}
