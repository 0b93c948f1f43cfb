//! What the two binaries share: settings, logging, wiring, start-up and shutdown.
//!
//! [`bot::run`] is the bot, with `--demo` on a simulated Telegram, and [`manage::run`] the management
//! commands.
//!
//! To add a setting: add its flag to the arguments in `settings/`, read it beside the others, and
//! describe it in the table of `docs/operations.md`. To add a management command: add a module under
//! `manage/`, and a variant of [`manage::Command`]. A new service gets a method in `services.rs`.

mod api;
mod api_proxy;
pub mod bot;
mod colours;
mod demo;
pub mod describe;
mod dot_env;
mod env_file;
pub mod environment;
mod health;
mod http;
pub mod logging;
mod maintenance;
pub mod manage;
mod patient_open;
mod refresh;
mod replica;
mod serve;
mod services;
pub mod settings;
mod shutdown;
mod take_over;
mod talk;
mod values;
mod web_admin;

use std::{process::ExitCode, time::Duration};

use anyhow::Context;

/// How long abandoned database work may continue when the program ends. It may hang on an unreachable
/// server; nothing that it has not committed was acknowledged.
const LAST_WORK: Duration = Duration::from_secs(1);

/// The exit code for a command line that cannot be understood, which is also clap's.
const WRONG_USAGE: u8 = 2;

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
            let (line, code) = match error.downcast_ref::<WrongUsage>() {
                Some(WrongUsage(line)) => {
                    (format!("{line}\n\nFor more information, try '--help'."), WRONG_USAGE.into())
                }
                None => (in_one_line(&error), ExitCode::FAILURE),
            };
            eprintln!("{} {line}", colours::error());
            code
        }
    }
}

fn in_one_line(error: &anyhow::Error) -> String {
    format!("{error:#}").split_whitespace().collect::<Vec<_>>().join(" ")
}

/// An argument that clap accepts, but that does not fit the other arguments.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct WrongUsage(pub(crate) String);

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .downcast_ref::<std::io::Error>()
        .is_some_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
}
