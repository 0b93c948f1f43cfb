//! `manage broadcast resend`.

use std::io::Write;

use clap::Args;
use rollcall_domain::RecipientState;
use rollcall_service::{BroadcastService, RESENT_STATES};
use serde_json::json;

use super::number::{Number, title};
use crate::{
    manage::output::{print_json, stdout},
    values::OneOf,
};

/// The names of [`RESENT_STATES`].
const STATES: [(&str, RecipientState); RESENT_STATES.len()] = [
    ("failed", RecipientState::Failed),
    ("unknown", RecipientState::Unknown),
    ("unreachable", RecipientState::Unreachable),
    ("skipped", RecipientState::Skipped),
    ("queued", RecipientState::Queued),
];

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  manage broadcast resend 12                            to those that Telegram refused it for
  manage broadcast resend 12 --states failed,unknown    some of these may get it twice
  ID=$(manage broadcast resend 12) && manage broadcast start $ID")]
pub struct Resend {
    #[command(flatten)]
    number: Number,
    /// Recipients that get it, by what became of the message; commas separate several states
    #[arg(
        long,
        value_name = "STATES",
        value_delimiter = ',',
        default_value = "failed",
        value_parser = OneOf(&STATES)
    )]
    states: Vec<RecipientState>,
    /// Print {"id": N}
    #[arg(long)]
    json: bool,
}

impl Resend {
    pub(super) async fn run(self, broadcasts: &BroadcastService) -> anyhow::Result<()> {
        let broadcast = broadcasts.resend(self.number.id, &self.states, None).await?;
        let id = broadcast.id;
        if self.json {
            return print_json(&json!({ "id": id }));
        }
        writeln!(stdout(), "{id}")?;
        eprintln!(
            "Created {} with the filter {}; nothing is sent yet. `manage broadcast start {id}` starts it.",
            title(&broadcast),
            broadcast.plan.filter
        );
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_state_that_is_sent_again_has_its_name() {
        assert_eq!(STATES, RESENT_STATES.map(|state| (state.name(), state)));
    }
}
