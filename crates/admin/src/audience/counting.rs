//! The exact counts that run: how many at once, for which admins, and what ends them.
//!
//! Each count has a task, which ends when nobody receives what it reports. The work on the database runs
//! elsewhere and asks after each part whether it is to go on.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use rollcall_domain::Admin;
use rollcall_service::{CountProgress, ServiceError};
use tokio::sync::{Semaphore, mpsc, watch};

/// How many counts run at once. Each has a connection to the database.
const AT_ONCE: usize = 2;

/// What a count reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Report {
    /// Other counts run, and this one waits for them.
    Waiting,
    /// So many users were found in so many thousandths of the table.
    SoFar(u64, u16),
    /// The exact number.
    Exactly(u64),
    /// The database failed, or the process stops.
    Failed,
}

/// The counts that run.
pub(crate) struct Counts {
    room: Arc<Semaphore>,
    /// For each admin, what ends the count that runs or waits.
    running: Mutex<HashMap<Admin, watch::Sender<bool>>>,
}

impl Counts {
    pub(crate) fn new() -> Self {
        Self { room: Arc::new(Semaphore::new(AT_ONCE)), running: Mutex::default() }
    }

    /// Notes that a count of an admin begins, which ends the one before. Returns the value that ends it.
    fn begin(&self, admin: &Admin) -> (watch::Sender<bool>, watch::Receiver<bool>) {
        let (end, ended) = watch::channel(false);
        if let Some(before) = self.running().insert(admin.clone(), end.clone()) {
            before.send_replace(true);
        }
        (end, ended)
    }

    /// Forgets a count that has ended.
    fn forget(&self, admin: &Admin, end: &watch::Sender<bool>) {
        let mut running = self.running();
        if running.get(admin).is_some_and(|it| it.same_channel(end)) {
            running.remove(admin);
        }
    }

    fn running(&self) -> MutexGuard<'_, HashMap<Admin, watch::Sender<bool>>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Counts with `work`, which receives how to report its progress. The count ends when the receiver is
/// dropped, when the same admin begins another one, and when `stopping` becomes true. Reports that nobody
/// has received yet replace none: they are left out, apart from the last one.
pub(super) fn count_with<F>(
    counts: &Arc<Counts>,
    admin: &Admin,
    mut stopping: watch::Receiver<bool>,
    work: impl FnOnce(Arc<CountProgress>) -> F + Send + 'static,
) -> mpsc::Receiver<Report>
where
    F: Future<Output = Result<Option<u64>, ServiceError>> + Send + 'static,
{
    let (reports, received) = mpsc::channel(1);
    let (end, mut ended) = counts.begin(admin);
    let (counts, admin) = (Arc::clone(counts), admin.clone());
    tokio::spawn(async move {
        let counted = tokio::select! {
            counted = counted(&counts.room, &reports, ended.clone(), work) => counted,
            () = reports.closed() => None,
            () = becomes_true(&mut ended) => None,
            () = becomes_true(&mut stopping) => Some(Report::Failed),
        };
        // For the work, which may still be between two parts.
        end.send_replace(true);
        counts.forget(&admin, &end);
        if let Some(last) = counted {
            // If nobody receives it any more, there is nothing left to do.
            let _left = reports.send(last).await;
        }
    });
    received
}

/// Counts as soon as there is room.
async fn counted<F>(
    room: &Arc<Semaphore>,
    reports: &mpsc::Sender<Report>,
    ended: watch::Receiver<bool>,
    work: impl FnOnce(Arc<CountProgress>) -> F,
) -> Option<Report>
where
    F: Future<Output = Result<Option<u64>, ServiceError>>,
{
    let permit = match Arc::clone(room).try_acquire_owned() {
        Ok(permit) => permit,
        Err(_) => {
            reports.send(Report::Waiting).await.ok()?;
            Arc::clone(room).acquire_owned().await.ok()?
        }
    };
    let reports = reports.downgrade();
    let progress = move |users: u64, thousandths: u16| {
        // Held until the work on the database has ended, which may be later than the task.
        let _permit = &permit;
        let reports = reports.upgrade().filter(|it| !it.is_closed() && !*ended.borrow());
        if let Some(reports) = reports {
            let _skipped = reports.try_send(Report::SoFar(users, thousandths));
            true
        } else {
            log::info!(users, thousandths; "an exact count was stopped before its end");
            false
        }
    };
    match work(Arc::new(progress)).await {
        Ok(counted) => counted.map(Report::Exactly),
        Err(error) => {
            log::error!(error = rollcall_domain::error_chain(&error); "could not count users");
            Some(Report::Failed)
        }
    }
}

/// Resolves when a value becomes true; never if it no longer can.
async fn becomes_true(value: &mut watch::Receiver<bool>) {
    if value.wait_for(|it| *it).await.is_err() {
        std::future::pending::<()>().await;
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::mpsc as blocking, time::Duration};

    use tokio::sync::oneshot;

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(60);

    fn admin(name: &str) -> Admin {
        Admin::Account(name.parse().unwrap())
    }

    /// A count whose parts the test does one by one, as a thread of the database would.
    struct Work {
        parts: blocking::Sender<(u64, u16)>,
        /// Whether it was to go on after the last part.
        ended: oneshot::Receiver<bool>,
    }

    fn begin(
        counts: &Arc<Counts>,
        name: &str,
        stopping: watch::Receiver<bool>,
    ) -> (mpsc::Receiver<Report>, Work) {
        let (parts, done) = blocking::channel();
        let (end, ended) = oneshot::channel();
        let work = async move |progress: Arc<CountProgress>| {
            let counted = tokio::task::spawn_blocking(move || {
                let mut counted = None;
                // A test that fails is not to wait for ever.
                while let Ok((users, thousandths)) = done.recv_timeout(PATIENCE) {
                    if !progress(users, thousandths) {
                        drop(progress);
                        let _unseen = end.send(false);
                        return None;
                    }
                    counted = Some(users);
                }
                drop(progress);
                let _unseen = end.send(true);
                counted
            });
            Ok(counted.await.unwrap())
        };
        let received = count_with(counts, &admin(name), stopping, work);
        (received, Work { parts, ended })
    }

    fn running() -> watch::Receiver<bool> {
        watch::channel(false).1
    }

    #[tokio::test]
    async fn a_count_reports_how_far_it_is_and_the_number() {
        let counts = Arc::new(Counts::new());
        let (mut received, work) = begin(&counts, "ada", running());
        work.parts.send((40, 500)).unwrap();
        assert_eq!(received.recv().await, Some(Report::SoFar(40, 500)));
        work.parts.send((100, 1000)).unwrap();
        assert_eq!(received.recv().await, Some(Report::SoFar(100, 1000)));
        drop(work.parts);
        assert_eq!(received.recv().await, Some(Report::Exactly(100)));
        assert_eq!(received.recv().await, None);
        assert!(work.ended.await.unwrap());
        assert!(counts.running().is_empty());
    }

    #[tokio::test]
    async fn a_count_that_nobody_waits_for_stops_after_its_part() {
        let counts = Arc::new(Counts::new());
        let (mut received, work) = begin(&counts, "ada", running());
        work.parts.send((40, 500)).unwrap();
        assert_eq!(received.recv().await, Some(Report::SoFar(40, 500)));
        drop(received);
        work.parts.send((60, 800)).unwrap();
        assert!(!work.ended.await.unwrap());
        assert_eq!(counts.room.available_permits(), AT_ONCE);
    }

    #[tokio::test]
    async fn another_count_of_the_same_admin_ends_the_one_before() {
        let counts = Arc::new(Counts::new());
        let (mut first, work) = begin(&counts, "ada", running());
        let (mut other, others_work) = begin(&counts, "bob", running());
        for (received, work) in [(&mut first, &work), (&mut other, &others_work)] {
            work.parts.send((1, 100)).unwrap();
            assert_eq!(received.recv().await, Some(Report::SoFar(1, 100)));
        }
        let (mut second, second_work) = begin(&counts, "ada", running());
        assert_eq!(first.recv().await, None);
        // The second one has room as soon as the first has done its part.
        assert_eq!(second.recv().await, Some(Report::Waiting));
        work.parts.send((40, 500)).unwrap();
        assert!(!work.ended.await.unwrap());
        second_work.parts.send((7, 1000)).unwrap();
        drop(second_work.parts);
        assert_eq!(second.recv().await, Some(Report::SoFar(7, 1000)));
        assert_eq!(second.recv().await, Some(Report::Exactly(7)));
    }

    #[tokio::test]
    async fn a_count_that_waits_for_room_can_be_left() {
        let counts = Arc::new(Counts::new());
        let _busy = [begin(&counts, "ada", running()), begin(&counts, "bob", running())];
        let (mut waiting, _work) = begin(&counts, "carl", running());
        assert_eq!(waiting.recv().await, Some(Report::Waiting));
        drop(waiting);
        while counts.running().len() > 2 {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn a_count_ends_when_the_process_stops() {
        let counts = Arc::new(Counts::new());
        let (stop, stopping) = watch::channel(false);
        let (mut received, work) = begin(&counts, "ada", stopping);
        work.parts.send((40, 500)).unwrap();
        assert_eq!(received.recv().await, Some(Report::SoFar(40, 500)));
        stop.send_replace(true);
        assert_eq!(received.recv().await, Some(Report::Failed));
        assert_eq!(received.recv().await, None);
        work.parts.send((60, 800)).unwrap();
        assert!(!work.ended.await.unwrap());
    }
}
