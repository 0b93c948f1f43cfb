//! The management commands; everything they do is in `rollcall-app`.

use std::process::ExitCode;

use clap::Parser;
use rollcall_app::{environment::Environment, logging, manage};

fn main() -> ExitCode {
    rollcall_app::run(run(manage::Arguments::parse()))
}

async fn run(arguments: manage::Arguments) -> anyhow::Result<ExitCode> {
    if let Some(described) = arguments.describe() {
        return described;
    }
    let environment = Environment::load()?;
    logging::init(&environment, "warn")?;
    manage::run(arguments, &environment).await
}
