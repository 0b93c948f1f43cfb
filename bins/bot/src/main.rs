//! The bot; everything it does is in `rollcall-app`.

use std::process::ExitCode;

use clap::Parser;
use rollcall_app::{bot, environment::Environment, logging};

fn main() -> ExitCode {
    rollcall_app::run(run(bot::Arguments::parse()))
}

async fn run(arguments: bot::Arguments) -> anyhow::Result<ExitCode> {
    let environment = Environment::load()?;
    logging::init(&environment, "info")?;
    bot::run(arguments, &environment).await
}
