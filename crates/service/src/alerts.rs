//! Alerts to the bot's owners: failed sign-ins, sign-ins on new devices, and forged requests.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use chrono::{DateTime, Utc};
use rollcall_domain::Admin;
use tokio::{select, sync::Notify, time::sleep_until};

/// The shortest time between two reports of one kind.
const EVERY: Duration = Duration::from_secs(6 * 60 * 60);
/// When a report that reached no owner is retried.
const RETRY: Duration = Duration::from_secs(60);

/// An event that owners should know about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Alert {
    /// So many sign-ins failed that the next attempts have to wait.
    SignInsFail {
        /// The admin of the latest attempt, if the account exists.
        admin: Option<Admin>,
        /// The address of the client.
        address: IpAddr,
    },
    /// A webhook request came without the right secret.
    WrongSecret,
    /// An admin signed in on an unknown device.
    NewDevice {
        /// The admin.
        admin: Admin,
        /// The browser and system in words; "" if unknown.
        device: String,
        /// The address of the client.
        address: IpAddr,
    },
}

/// The kinds that are reported separately.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Kind {
    SignInsFail,
    WrongSecret,
    /// One kind for each admin. Only the admin, or a person with their secrets, can cause it.
    NewDevice(Admin),
}

impl Alert {
    fn kind(&self) -> Kind {
        match self {
            Self::SignInsFail { .. } => Kind::SignInsFail,
            Self::WrongSecret => Kind::WrongSecret,
            Self::NewDevice { admin, .. } => Kind::NewDevice(admin.clone()),
        }
    }
}

/// An alert that is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The latest alert of its kind.
    pub alert: Alert,
    /// When it happened.
    pub at: DateTime<Utc>,
    /// The number of other alerts since the last report of this kind; 0 in the first report.
    pub more: u64,
}

/// Alerts for the owners. The first alert of a kind is reported at once, the next ones at most every
/// six hours, with their number.
///
/// Cheap to clone. Raising an alert neither waits nor fails, and memory is bounded by the number of
/// admins.
#[derive(Clone, Default)]
pub struct Alerts(Arc<Shared>);

#[derive(Default)]
struct Shared {
    board: Mutex<Board>,
    raised: Notify,
}

impl Alerts {
    /// Raises an alert about an event at `at`.
    pub fn raise(&self, alert: Alert, at: DateTime<Utc>) {
        if self.board().raise(alert, at, Instant::now()) {
            self.0.raised.notify_one();
        }
    }

    /// Adds a failed sign-in to the number in the next report. By itself it causes no report.
    pub(crate) fn count_failed_sign_in(&self) {
        self.board().count(&Kind::SignInsFail);
    }

    /// Waits for the next report. Only one task may wait.
    pub async fn next(&self) -> Report {
        loop {
            let due_at = {
                let mut board = self.board();
                if let Some(report) = board.take(Instant::now()) {
                    return report;
                }
                board.due_at()
            };
            let raised = self.0.raised.notified();
            match due_at {
                Some(due_at) => select! {
                    () = raised => {}
                    () = sleep_until(due_at.into()) => {}
                },
                None => raised.await,
            }
        }
    }

    /// Schedules a report that reached no owner again, in a minute.
    pub fn postpone(&self, report: Report) {
        self.board().postpone(report, Instant::now());
        self.0.raised.notify_one();
    }

    fn board(&self) -> MutexGuard<'_, Board> {
        // Nothing panics while it is held.
        self.0.board.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The alerts by kind.
#[derive(Default)]
struct Board(HashMap<Kind, Slot>);

struct Slot {
    alert: Alert,
    at: DateTime<Utc>,
    /// Whether the alert still has to be reported.
    is_pending: bool,
    /// When it may be reported.
    not_before: Instant,
    /// The number of alerts since the last report; `None` before the first report.
    since: Option<u64>,
}

impl Board {
    /// Returns whether there is a new report to wait for.
    fn raise(&mut self, alert: Alert, at: DateTime<Utc>, now: Instant) -> bool {
        let slot = self.0.entry(alert.kind()).or_insert_with(|| Slot {
            alert: alert.clone(),
            at,
            is_pending: false,
            not_before: now,
            since: None,
        });
        (slot.alert, slot.at) = (alert, at);
        slot.since = slot.since.map(|since| since.saturating_add(1));
        !std::mem::replace(&mut slot.is_pending, true)
    }

    fn count(&mut self, kind: &Kind) {
        if let Some(Slot { since: Some(since), .. }) = self.0.get_mut(kind) {
            *since = since.saturating_add(1);
        }
    }

    /// Takes a report that is due, and removes kinds whose next alert would be reported at once.
    fn take(&mut self, now: Instant) -> Option<Report> {
        self.0.retain(|_, slot| slot.is_pending || slot.not_before > now);
        let mut slots = self.0.values_mut();
        let slot = slots.find(|slot| slot.is_pending && slot.not_before <= now)?;
        slot.is_pending = false;
        slot.not_before = now + EVERY;
        let since = slot.since.replace(0);
        let more = since.map_or(0, |since| since.saturating_sub(1));
        Some(Report { alert: slot.alert.clone(), at: slot.at, more })
    }

    /// When the next report is due, if there is one.
    fn due_at(&self) -> Option<Instant> {
        self.0.values().filter(|slot| slot.is_pending).map(|slot| slot.not_before).min()
    }

    fn postpone(&mut self, report: Report, now: Instant) {
        let Report { alert, at, more } = report;
        let not_before = now + RETRY;
        let slot = self.0.entry(alert.kind()).or_insert_with(|| Slot {
            alert: alert.clone(),
            at,
            is_pending: false,
            not_before,
            since: None,
        });
        slot.since = Some(slot.since.unwrap_or_default().saturating_add(more).saturating_add(1));
        slot.not_before = not_before;
        if !std::mem::replace(&mut slot.is_pending, true) {
            (slot.alert, slot.at) = (alert, at);
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    const HOUR: Duration = Duration::from_secs(60 * 60);

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000 + second, 0).unwrap()
    }

    fn failing(host: u8) -> Alert {
        Alert::SignInsFail { admin: None, address: [192, 0, 2, host].into() }
    }

    fn device_of(admin: &str) -> Alert {
        let (admin, device) = (admin.parse().unwrap(), String::new());
        Alert::NewDevice { admin, device, address: [192, 0, 2, 1].into() }
    }

    #[test]
    fn a_flood_is_one_report_in_six_hours() {
        let (mut board, start) = (Board::default(), Instant::now());
        board.count(&Kind::SignInsFail);
        assert!(board.raise(failing(1), at(0), start));
        let first = Report { alert: failing(1), at: at(0), more: 0 };
        assert_eq!(board.take(start), Some(first));
        assert_eq!((board.take(start), board.due_at()), (None, None));
        assert!(board.raise(failing(2), at(1), start));
        for n in 0..40 {
            board.count(&Kind::SignInsFail);
            assert!(!board.raise(failing(3), at(n), start + HOUR), "a report is pending");
        }
        assert_eq!(board.take(start + 5 * HOUR), None);
        assert_eq!(board.due_at(), Some(start + EVERY));
        let second = Report { alert: failing(3), at: at(39), more: 80 };
        assert_eq!(board.take(start + EVERY), Some(second));
        // Failures alone, such as a mistyped password, cause no report.
        board.count(&Kind::SignInsFail);
        assert_eq!(board.take(start + EVERY * 3), None);
        assert!(board.0.is_empty());
        board.raise(failing(4), at(5), start + EVERY * 3);
        let again = Report { alert: failing(4), at: at(5), more: 0 };
        assert_eq!(board.take(start + EVERY * 3), Some(again));
    }

    #[test]
    fn kinds_and_admins_are_reported_separately() {
        let (mut board, start) = (Board::default(), Instant::now());
        for alert in [failing(1), Alert::WrongSecret, device_of("ada"), device_of("grace")] {
            assert!(board.raise(alert, at(0), start));
        }
        board.raise(device_of("ada"), at(7), start);
        let reports: Vec<_> = std::iter::from_fn(|| board.take(start)).collect();
        assert_eq!(reports.len(), 4);
        let ada = Report { alert: device_of("ada"), at: at(7), more: 0 };
        assert!(reports.contains(&ada), "{reports:?}");
    }

    #[test]
    fn a_report_that_reached_no_owner_is_retried() {
        let (mut board, start) = (Board::default(), Instant::now());
        board.raise(failing(1), at(0), start);
        let report = board.take(start).unwrap();
        board.postpone(report.clone(), start);
        assert_eq!((board.take(start), board.due_at()), (None, Some(start + RETRY)));
        assert_eq!(board.take(start + RETRY), Some(report.clone()));
        board.raise(failing(2), at(1), start + RETRY);
        board.postpone(report, start + RETRY);
        let newer = Report { alert: failing(2), at: at(1), more: 1 };
        assert_eq!(board.take(start + RETRY * 2), Some(newer));
    }

    #[tokio::test]
    async fn a_waiting_task_is_woken() {
        let alerts = Alerts::default();
        let mut next = Box::pin(alerts.next());
        assert_eq!(next.as_mut().now_or_never(), None);
        alerts.raise(Alert::WrongSecret, at(0));
        assert_eq!(next.await, Report { alert: Alert::WrongSecret, at: at(0), more: 0 });
        alerts.raise(Alert::WrongSecret, at(1));
        assert_eq!(alerts.next().now_or_never(), None);
    }
}
