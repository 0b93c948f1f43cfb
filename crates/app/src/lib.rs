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
pub mod environment;
pub mod logging;
pub mod manage;
pub mod settings;
mod shutdown;

use std::process::ExitCode;

/// Ends a program: on an error, with one line that tells it and its causes.
pub fn exit(result: anyhow::Result<ExitCode>) -> ExitCode {
    match result {
        Ok(code) => code,
        // Somebody who reads no further, such as `head`, has what they wanted.
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {}", format!("{error:#}").replace('\n', " "));
            ExitCode::FAILURE
        }
    }
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .downcast_ref::<std::io::Error>()
        .is_some_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
}
