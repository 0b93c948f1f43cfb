//! The broadcast that a command is about.

use clap::Args;
use rollcall_domain::{Broadcast, PauseReason};
use serde_json::{Value, json};

use crate::{manage::output::safe, values::whole};

/// Which broadcast a command is about.
#[derive(Args, Debug)]
pub(super) struct Number {
    /// The broadcast's number, as `create` and `list` print it
    #[arg(value_name = "ID", value_parser = whole(1..=i64::MAX))]
    pub(super) id: i64,
}

/// The number, state and reason of a broadcast.
pub(super) fn standing_as_json(broadcast: &Broadcast) -> Value {
    json!({
        "id": broadcast.id,
        "state": broadcast.state.name(),
        "reason": broadcast.state.reason().map(PauseReason::name),
    })
}

/// A broadcast, for people.
pub(super) fn title(broadcast: &Broadcast) -> String {
    format!("broadcast {} ({})", broadcast.id, safe(&broadcast.plan.name))
}
