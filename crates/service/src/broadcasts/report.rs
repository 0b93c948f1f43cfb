//! The recipients of a broadcast as CSV.

use chrono::{DateTime, SecondsFormat, Utc};
use rollcall_domain::Arm;
use rollcall_repository::Recipient;

use crate::csv_field;

/// The first line, with the names of the columns.
pub const RECIPIENTS_HEADER: &str = "telegram_id,state,reason,message_id,at,pressed_at,variant\n";

/// The line of a recipient.
pub fn recipient_line(recipient: &Recipient) -> String {
    let Recipient { telegram_id, state, reason, message_id, at, pressed_at, arm, due_at: _ } =
        recipient;
    let reason = csv_field(reason.as_deref().unwrap_or_default());
    let message_id = message_id.map(|id| id.to_string()).unwrap_or_default();
    let time = |at: Option<DateTime<Utc>>| {
        at.map(|at| at.to_rfc3339_opts(SecondsFormat::Micros, true)).unwrap_or_default()
    };
    let (at, pressed_at) = (time(*at), time(*pressed_at));
    let variant = arm.map(Arm::name).unwrap_or_default();
    format!("{telegram_id},{},{reason},{message_id},{at},{pressed_at},{variant}\n", state.name())
}
