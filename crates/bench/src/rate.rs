//! How many calls a second many tasks make.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use anyhow::Result;

/// The answered calls of tasks, and whether the tasks have to stop.
#[derive(Clone, Default)]
pub(crate) struct Calls {
    stop: Arc<AtomicBool>,
    answered: Arc<AtomicU64>,
}

impl Calls {
    /// Whether the time is not over yet.
    pub(crate) fn go_on(&self) -> bool {
        !self.stop.load(Relaxed)
    }

    /// Counts an answered call.
    pub(crate) fn count(&self) {
        self.answered.fetch_add(1, Relaxed);
    }
}

/// Lets `callers` tasks call for `seconds`, and returns the calls per second. Each task calls while
/// [`Calls::go_on`] allows it, and counts its answers.
pub(crate) async fn rate<F>(callers: usize, seconds: f64, task: impl Fn(Calls) -> F) -> Result<f64>
where
    F: Future<Output = Result<()>> + Send + 'static,
{
    let calls = Calls::default();
    let begun = Instant::now();
    let tasks: Vec<_> = (0..callers).map(|_| tokio::spawn(task(calls.clone()))).collect();
    tokio::time::sleep(Duration::from_secs_f64(seconds)).await;
    let rate = calls.answered.load(Relaxed) as f64 / begun.elapsed().as_secs_f64();
    calls.stop.store(true, Relaxed);
    for task in tasks {
        task.await??;
    }
    Ok(rate)
}
