//! What the two binaries share: settings, logging, wiring, start-up and shutdown.
//!
//! [`bot::run`] is the bot, with `--demo` on a simulated Telegram, and [`manage::run`] the management
//! commands.
//!
//! To add a setting: its flag in the arguments of `settings.rs`, its reading beside the others,
//! and a line in the table of `docs/operations.md`. To add a management command: a module under
//! `manage/`, and a variant of [`manage::Command`].

pub mod bot;
mod demo;
mod dot_env;
mod env_file;
pub mod environment;
mod health;
mod http;
pub mod logging;
mod maintenance;
pub mod manage;
mod refresh;
mod serve;
pub mod settings;
mod shutdown;
mod take_over;
mod web_admin;

use std::{process::ExitCode, time::Duration};

use anyhow::Context;

/// How long database work that nobody waits for any more may go on when the program ends. It may
/// hang on a server that is away; what it has not committed was not confirmed to anybody.
const LAST_WORK: Duration = Duration::from_secs(1);

/// Runs a program to its end: on an error, with one line that tells it and its causes.
pub fn run(program: impl Future<Output = anyhow::Result<ExitCode>>) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let result = runtime.context("cannot start").and_then(|runtime| {
        let result = runtime.block_on(program);
        runtime.shutdown_timeout(LAST_WORK);
        result
    });
    match result {
        Ok(code) => code,
        // Somebody who reads no further, such as `head`, has what they wanted.
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            let line = format!("{error:#}");
            eprintln!("error: {}", line.split_whitespace().collect::<Vec<_>>().join(" "));
            ExitCode::FAILURE
        }
    }
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .downcast_ref::<std::io::Error>()
        .is_some_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
}
