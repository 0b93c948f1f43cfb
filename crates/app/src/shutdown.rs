//! Ending on request.

use std::process;

use anyhow::Context;
use tokio::signal::unix::{SignalKind, signal};

/// The exit code of a process that a second signal ended: 128 + SIGINT.
const INTERRUPTED: i32 = 130;

/// Resolves at the first SIGINT (Ctrl-C) or SIGTERM. A second one ends the process at once: what
/// was confirmed to Telegram is durable by then, and the rest comes again.
///
/// # Errors
/// When the signals cannot be listened to.
pub(crate) fn requested() -> anyhow::Result<impl Future<Output = ()>> {
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot listen to SIGINT")?;
    let mut terminate = signal(SignalKind::terminate()).context("cannot listen to SIGTERM")?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        tokio::spawn(async move {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            process::exit(INTERRUPTED)
        });
    })
}
