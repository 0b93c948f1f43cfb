//! The time and the quiet hours of each user, in words.

use chrono::NaiveDateTime;
use rollcall_domain::{BroadcastPlan, DeliveryTimes, QuietHours};

use super::time::WrittenTime;
use crate::manage::output::second;

/// The times of a broadcast: a local one if `--local` is given with its time.
pub(super) fn times(
    at: Option<WrittenTime>,
    is_local: bool,
    quiet_hours: Option<QuietHours>,
) -> Result<DeliveryTimes, &'static str> {
    let local_time = match at {
        Some(WrittenTime::Local(local)) if is_local => Some(local),
        Some(WrittenTime::Exact(_)) if is_local => {
            return Err("expected a time without an offset, such as '2026-12-01 18:00'");
        }
        _ => None,
    };
    Ok(DeliveryTimes { local_time, quiet_hours })
}

/// When a scheduled broadcast begins, after "for".
pub(super) fn planned(plan: &BroadcastPlan) -> Option<String> {
    let begins = second(plan.starts_at?);
    Some(match plan.times.local_time {
        Some(local) => {
            format!("{} in each user's time zone, the first ones at {begins} UTC", minute(local))
        }
        None => format!("{begins} UTC"),
    })
}

/// The times of a plan, with their names.
pub(super) fn described(plan: &BroadcastPlan) -> Vec<(&'static str, String)> {
    let times = plan.times;
    let local = times.local_time.map(|local| ("Local time", minute(local)));
    let quiet = times.quiet_hours.map(|quiet| ("Quiet hours", quiet.to_string()));
    let of = |(name, time)| {
        (name, format!("{time} in each user's time zone, or in {} if a user has none", plan.zone))
    };
    local.into_iter().chain(quiet).map(of).collect()
}

/// What the wait adds to a duration.
pub(super) fn wait(plan: &BroadcastPlan) -> String {
    plan.times.cause().map_or_else(String::new, |cause| format!(", plus the wait for {cause}"))
}

fn minute(local: NaiveDateTime) -> String {
    let text = local.format("%Y-%m-%d %H:%M:%S").to_string();
    text.strip_suffix(":00").map_or_else(|| text.clone(), str::to_owned)
}
