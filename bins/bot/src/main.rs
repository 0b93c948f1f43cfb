//! The bot; everything it does is in `rollcall-app`.

use std::process::ExitCode;

use clap::Parser;
use mimalloc::MiMalloc;
use rollcall_app::{bot, environment::Environment, logging};

// An update is many small strings: a tenth less processor time than with the C library's allocator.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    rollcall_app::run(run(bot::Arguments::parse()))
}

async fn run(arguments: bot::Arguments) -> anyhow::Result<ExitCode> {
    if let Some(described) = arguments.describe() {
        return described;
    }
    let environment = Environment::load()?;
    logging::init(&environment, "info")?;
    bot::run(arguments, &environment).await
}
