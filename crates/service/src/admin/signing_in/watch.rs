use std::{
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use chrono::{DateTime, Utc};
use rollcall_domain::{Admin, LogPace};

use crate::{Alert, Alerts, admin::devices::Device};

/// Counts and logs sign-ins, and raises alerts about them. Cheap to clone.
#[derive(Clone, Default)]
pub(in crate::admin) struct Watch {
    pub(in crate::admin) alerts: Alerts,
    paces: Arc<Paces>,
}

/// The pace of the log lines.
#[derive(Default)]
struct Paces {
    refused: Mutex<LogPace>,
    new_devices: Mutex<LogPace>,
}

impl Watch {
    /// An attempt succeeded.
    pub(in crate::admin) fn succeeded(&self) {
        count("succeeded");
    }

    /// A password, a link or a second factor was wrong.
    pub(in crate::admin) fn failed(&self) {
        count("failed");
        self.alerts.count_failed_sign_in();
    }

    /// An attempt was refused because too many others are in progress.
    pub(in crate::admin) fn busy(&self) {
        count("busy");
        self.alerts.count_failed_sign_in();
    }

    /// An attempt from this address has to wait.
    pub(in crate::admin) fn refused(&self, address: IpAddr) {
        count("refused");
        self.alerts.count_failed_sign_in();
        if let Some(attempts) = note(&self.paces.refused) {
            log::warn!(
                attempts, address:% = address.to_canonical();
                "too many failed sign-ins: attempts are refused until their wait is over"
            );
        }
    }

    /// An attempt is the first that has to wait. `admin` is its admin, if the account exists.
    pub(in crate::admin) fn locked(
        &self,
        admin: Option<Admin>,
        address: IpAddr,
        at: DateTime<Utc>,
    ) {
        self.alerts.raise(Alert::SignInsFail { admin, address }, at);
    }

    /// An admin signed in on an unknown device.
    pub(in crate::admin) fn new_device(&self, admin: &Admin, device: &Device, at: DateTime<Utc>) {
        let (admin, address) = (admin.clone(), device.address);
        metrics::counter!("rollcall_new_devices_total").increment(1);
        if let Some(sign_ins) = note(&self.paces.new_devices) {
            log::info!(
                sign_ins, address:% = address.to_canonical();
                "an admin signed in on an unknown device"
            );
        }
        self.alerts.raise(Alert::NewDevice { admin, device: device.name.clone(), address }, at);
    }
}

fn count(outcome: &'static str) {
    metrics::counter!("rollcall_sign_in_attempts_total", "outcome" => outcome).increment(1);
}

fn note(pace: &Mutex<LogPace>) -> Option<u64> {
    // Nothing panics while it is held.
    pace.lock().unwrap_or_else(PoisonError::into_inner).note(Instant::now())
}
