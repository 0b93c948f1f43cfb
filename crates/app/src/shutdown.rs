//! Stopping on request.

use std::process;

use anyhow::Context;
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::watch,
};

/// The exit code of a process that a second signal ended: 128 + SIGINT.
const INTERRUPTED: i32 = 130;

/// Announces when the process should stop.
#[derive(Clone)]
pub(crate) struct Shutdown(watch::Receiver<bool>);

impl Shutdown {
    /// Listens for SIGINT (Ctrl-C) and SIGTERM from now on. The first one asks the program to stop. A
    /// second one ends the process at once: acknowledged updates are durable by then, and Telegram
    /// redelivers the others.
    ///
    /// # Errors
    /// If the signals cannot be listened for.
    pub(crate) fn on_signals() -> anyhow::Result<Self> {
        let mut interrupt = signal(SignalKind::interrupt()).context("cannot listen to SIGINT")?;
        let mut terminate = signal(SignalKind::terminate()).context("cannot listen to SIGTERM")?;
        let (requested, shutdown) = watch::channel(false);
        tokio::spawn(async move {
            either(&mut interrupt, &mut terminate).await;
            requested.send_replace(true);
            either(&mut interrupt, &mut terminate).await;
            process::exit(INTERRUPTED)
        });
        Ok(Self(shutdown))
    }

    /// Becomes true when the process should stop.
    pub(crate) fn signal(&self) -> watch::Receiver<bool> {
        self.0.clone()
    }

    /// Resolves when the process should stop.
    pub(crate) async fn requested(mut self) {
        // The task that sends never ends before the process.
        drop(self.0.wait_for(|requested| *requested).await);
    }
}

async fn either(interrupt: &mut Signal, terminate: &mut Signal) {
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}
