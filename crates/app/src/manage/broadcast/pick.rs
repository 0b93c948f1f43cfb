//! `manage broadcast pick`.

use std::{io::Write, str::FromStr};

use clap::Args;
use rollcall_domain::Variant;
use rollcall_service::BroadcastService;
use serde_json::json;

use super::number::{Number, title};
use crate::manage::output::{print_json, stdout};

#[derive(Args, Debug)]
pub struct Pick {
    #[command(flatten)]
    number: Number,
    /// The variant, such as B
    #[arg(value_name = "VARIANT", value_parser = Variant::from_str)]
    winner: Variant,
    /// Print the number and the variant as JSON
    #[arg(long)]
    json: bool,
}

impl Pick {
    pub(super) async fn run(self, broadcasts: &BroadcastService) -> anyhow::Result<()> {
        let broadcast = broadcasts.pick_winner(self.number.id, self.winner, None).await?;
        if self.json {
            return print_json(&json!({ "id": broadcast.id, "winner": self.winner.to_string() }));
        }
        writeln!(
            stdout(),
            "{} is the winner of {}. Users who do not have a message yet get it within seconds, if a \
             bot runs.",
            self.winner,
            title(&broadcast)
        )?;
        Ok(())
    }
}
