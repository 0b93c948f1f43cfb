//! `manage broadcast categories`.

use std::io::Write;

use clap::{Args, Subcommand};
use rollcall_domain::{LabelName, SYSTEM_CATEGORY, grouped};
use rollcall_service::BroadcastService;
use serde_json::json;

use crate::{
    manage::{
        labels::read_name,
        output::{print_json, stdout},
        table::Table,
    },
    values::whole,
};

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  manage broadcast categories                           list them
  manage broadcast categories add events --weekly-cap 2

Nobody can opt out of system: use it only for what users have to know.")]
pub struct Categories {
    #[command(subcommand)]
    command: Option<CategoryCommand>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum CategoryCommand {
    /// Add a category, or change the cap of one that exists
    Add {
        /// 1 to 32 of a-z, 0-9, _ and -
        #[arg(value_name = "NAME", value_parser = read_name)]
        name: LabelName,
        /// Most messages of this category that a user gets in seven days; without it, any number
        #[arg(long, value_name = "NUMBER", value_parser = whole(1..=1_000_u32))]
        weekly_cap: Option<u32>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

impl Categories {
    pub(super) async fn run(self, broadcasts: &BroadcastService) -> anyhow::Result<()> {
        match self.command {
            None => list(broadcasts, self.json).await,
            Some(CategoryCommand::Add { name, weekly_cap, json }) => {
                add(broadcasts, &name, weekly_cap, json || self.json).await
            }
        }
    }
}

async fn list(broadcasts: &BroadcastService, json: bool) -> anyhow::Result<()> {
    let categories = broadcasts.categories().await?;
    if json {
        let values = categories
            .iter()
            .map(|it| json!({ "name": it.name.as_str(), "weekly_cap": it.weekly_cap }));
        return print_json(&json!({ "categories": values.collect::<Vec<_>>() }));
    }
    let mut table = Table::new(["NAME", "OPT-OUT", "WEEKLY CAP"], 2);
    for category in &categories {
        let can_opt_out = category.name.as_str() != SYSTEM_CATEGORY;
        table.row([
            category.name.to_string(),
            if can_opt_out { "yes" } else { "no" }.to_owned(),
            category.weekly_cap.map_or_else(|| "-".to_owned(), |cap| grouped(cap.into())),
        ]);
    }
    table.print(&mut stdout())?;
    Ok(())
}

async fn add(
    broadcasts: &BroadcastService,
    name: &LabelName,
    weekly_cap: Option<u32>,
    json: bool,
) -> anyhow::Result<()> {
    let is_new = broadcasts.add_category(name, weekly_cap, None).await?;
    if json {
        return print_json(&json!({
            "name": name.as_str(),
            "weekly_cap": weekly_cap,
            "is_new": is_new,
        }));
    }
    let cap = match weekly_cap {
        None => "without a cap".to_owned(),
        Some(1) => "with at most 1 message per user and week".to_owned(),
        Some(cap) => format!("with at most {} messages per user and week", grouped(cap.into())),
    };
    let done = if is_new { "Added" } else { "Changed" };
    writeln!(stdout(), "{done} category {name}, {cap}.")?;
    Ok(())
}
