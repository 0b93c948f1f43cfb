//! How many recipients were active after a broadcast.

use chrono::{DateTime, Utc};
use rollcall_domain::{
    ActiveUsers, Broadcast, BroadcastActivity, Effect, RecipientState, RecipientSums,
    activity_known_at,
};

use crate::page::text;

/// What is shown of the activity after a broadcast.
pub(super) enum Activity {
    /// Nothing: nobody got the message.
    None,
    /// It is counted from this time on; `None` if the broadcast has not ended.
    Later(Option<DateTime<Utc>>),
    /// It is known.
    Known(Box<Shares>),
}

/// How many recipients were active, and what that says.
pub(super) struct Shares {
    pub(super) rows: Vec<ActivityRow>,
    /// The difference in a sentence, and what it means.
    pub(super) effect: Option<(String, &'static str)>,
}

/// A part of the recipients.
pub(super) struct ActivityRow {
    pub(super) name: &'static str,
    pub(super) users: String,
    pub(super) active: String,
    pub(super) share: String,
}

impl Activity {
    pub(super) fn new(
        broadcast: &Broadcast,
        sums: &RecipientSums,
        activity: Option<BroadcastActivity>,
    ) -> Self {
        let Some(activity) = activity else {
            return match sums.of(RecipientState::Sent) {
                0 => Self::None,
                _ => Self::Later(broadcast.ended_at.map(activity_known_at)),
            };
        };
        let row = |name, part: ActiveUsers| ActivityRow {
            name,
            users: text::grouped(part.users),
            active: text::grouped(part.active),
            share: text::percent(part.active, part.users),
        };
        let mut rows = vec![row("Got the message", activity.sent)];
        if activity.held_out.users > 0 {
            rows.push(row("Held out", activity.held_out));
        }
        let effect = activity.effect().map(|it| (sentence(&it), it.meaning()));
        Self::Known(Box::new(Shares { rows, effect }))
    }
}

/// The difference with what it may really be.
fn sentence(effect: &Effect) -> String {
    let [change, low, high] = [effect.change, effect.low, effect.high].map(|it| points(it * 100.0));
    format!(
        "The message changed the share by {change} percentage points, by {low} to {high} with 95% \
         confidence."
    )
}

/// A number with its sign; a minus as wide as the plus.
fn points(number: f64) -> String {
    format!("{number:+.1}").replace('-', "\u{2212}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_is_shown_in_percentage_points() {
        let effect = Effect { change: 0.0364, low: -0.0081, high: 0.08 };
        assert_eq!(
            sentence(&effect),
            "The message changed the share by +3.6 percentage points, by \u{2212}0.8 to +8.0 with 95% \
             confidence."
        );
    }
}
