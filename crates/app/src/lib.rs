//! What the two binaries share: settings, logging, wiring, start-up and shutdown.
//!
//! [`bot::run`] is the bot, with `--demo` on a simulated Telegram, and [`manage::run`] the management
//! commands.
//!
//! To add a setting: add its flag to the arguments in `settings/`, read it beside the others, and
//! describe it in the table of `docs/operations.md`. To add a management command: add a module under
//! `manage/`, and a variant of [`manage::Command`]. A new service gets a method in `services.rs`.

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
mod services;
pub mod settings;
mod shutdown;
mod take_over;
mod web_admin;

use std::{process::ExitCode, time::Duration};

use anyhow::Context;

/// How long abandoned database work may continue when the program ends. It may hang on an unreachable
/// server; nothing that it has not committed was acknowledged.
const LAST_WORK: Duration = Duration::from_secs(1);

/// Runs a program to its end. Prints an error and its causes in one line.
pub fn run(program: impl Future<Output = anyhow::Result<ExitCode>>) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let result = runtime.context("cannot start").and_then(|runtime| {
        let result = runtime.block_on(program);
        runtime.shutdown_timeout(LAST_WORK);
        result
    });
    match result {
        Ok(code) => code,
        // A reader that stops early, such as `head`, has what it wanted.
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
