//! A broadcast for tests, and how a screen looks.

use chrono::{DateTime, TimeDelta};
use chrono_tz::Tz;
use rollcall_domain::{
    Broadcast, BroadcastContent, BroadcastPlan, BroadcastState, DeliveryTimes, Experiment,
    OnUnknown,
};

use crate::reply::{Button, Screen};

/// A broadcast in a state.
pub(super) fn broadcast(state: BroadcastState) -> Broadcast {
    let at = "2026-11-27T12:00:00Z".parse::<DateTime<_>>().unwrap();
    let has_started = !matches!(state, BroadcastState::Draft | BroadcastState::Scheduled);
    let is_prepared = has_started && state != BroadcastState::Preparing;
    Broadcast {
        id: 12,
        plan: BroadcastPlan {
            name: "<Big> sale & more".to_owned(),
            category: "news".parse().unwrap(),
            filter: "lang:de seen<14d".parse().unwrap(),
            zone: Tz::UTC,
            content: BroadcastContent::Copy { from_chat_id: 99, message_id: 5, reply_markup: None },
            rate: None,
            is_paid: false,
            on_unknown: OnUnknown::Skip,
            starts_at: None,
            lasts: TimeDelta::hours(24),
            times: DeliveryTimes::default(),
            has_opt_out_button: false,
            experiment: Experiment::default(),
        },
        state,
        created_at: at,
        created_by: None,
        started_at: has_started.then_some(at),
        prepared_at: is_prepared.then_some(at),
        ended_at: None,
        prepared_to: None,
        settled_to: None,
        opt_outs: u64::from(is_prepared) * 2,
        tested_at: None,
        pick: None,
        decision: None,
    }
}

/// The text of a screen, and its buttons with their data.
pub(super) fn shown(screen: &Screen) -> String {
    let row = |row: &Vec<Button>| {
        let button = |it: &Button| format!("[{} → {}]", it.label, it.action.data());
        row.iter().map(button).collect::<Vec<_>>().join(" ")
    };
    let rows: Vec<String> = screen.buttons.iter().map(row).collect();
    format!("{}\n\n{}", screen.text, rows.join("\n"))
}
