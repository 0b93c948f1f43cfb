//! How many recipients were active after a broadcast, as `manage broadcast show` prints it.

use std::io::Write;

use rollcall_domain::{ActiveUsers, Broadcast, BroadcastActivity, activity_known_at, grouped};
use serde_json::{Value, json};

use crate::manage::{
    output::{rfc3339, second, stdout},
    table::Table,
};

/// What is shown of the activity; nothing before the start.
pub(super) fn print_activity(
    broadcast: &Broadcast,
    activity: Option<BroadcastActivity>,
) -> anyhow::Result<()> {
    if broadcast.started_at.is_none() {
        return Ok(());
    }
    let mut out = stdout();
    writeln!(out)?;
    let Some(activity) = activity else {
        let when = match broadcast.ended_at {
            Some(ended_at) => format!("from {} UTC on", second(activity_known_at(ended_at))),
            None => "a week after the broadcast has ended".to_owned(),
        };
        writeln!(out, "Activity within 7 days is counted {when}.")?;
        return Ok(());
    };
    let mut table =
        Table::new(["WITHIN 7 DAYS AFTER THE MESSAGE", "RECIPIENTS", "ACTIVE", "SHARE"], 1);
    let mut row = |name: &str, part: ActiveUsers| {
        let share = part.share().map_or("-".to_owned(), |share| format!("{:.1}%", share * 100.0));
        table.row([name.to_owned(), grouped(part.users), grouped(part.active), share]);
    };
    row("got the message", activity.sent);
    if activity.held_out.users > 0 {
        row("held out", activity.held_out);
    }
    table.print(&mut out)?;
    if let Some(effect) = activity.effect() {
        let [change, low, high] =
            [effect.change, effect.low, effect.high].map(|it| format!("{:+.1}", it * 100.0));
        writeln!(
            out,
            "\nThe message changed the share by {change} percentage points, by {low} to {high} with 95% \
             confidence. {}",
            effect.meaning()
        )?;
    }
    Ok(())
}

/// The same for programs.
pub(super) fn activity_as_json(
    broadcast: &Broadcast,
    activity: Option<BroadcastActivity>,
) -> Value {
    let part = |it: ActiveUsers| json!({ "recipients": it.users, "active": it.active });
    let known_at = broadcast.ended_at.filter(|_| broadcast.started_at.is_some());
    let effect = activity.and_then(|it| it.effect());
    json!({
        "known_at": known_at.map(activity_known_at).map(rfc3339),
        "sent": activity.map(|it| part(it.sent)),
        "held_out": activity.map(|it| part(it.held_out)),
        "effect": effect.map(|it| {
            json!({ "change": it.change, "low": it.low, "high": it.high })
        }),
    })
}
