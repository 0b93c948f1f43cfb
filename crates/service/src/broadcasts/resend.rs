//! Broadcasts to recipients of earlier ones.

use rollcall_domain::{
    Admin, Arm, Broadcast, BroadcastPlan, DeliveryTimes, Experiment, Filter,
    MAX_BROADCAST_NAME_CHARS, OfBroadcast, RecipientState, Term,
};

use super::{BroadcastError, BroadcastService};

/// The recipients that a message can be sent to again: none of them is known to have it.
pub const RESENT_STATES: [RecipientState; 5] = [
    RecipientState::Failed,
    RecipientState::Unknown,
    RecipientState::Unreachable,
    RecipientState::Skipped,
    RecipientState::Queued,
];

/// What follows the name of the first broadcast.
const AGAIN: &str = " (again)";

impl BroadcastService {
    /// Stores a draft of a new broadcast with the message of one that has ended, to those of its
    /// recipients that have one of these states when the new one starts.
    ///
    /// # Errors
    /// If the broadcast has not ended, if there are no such recipients, or as [`Self::create`]. Nothing is
    /// stored then.
    pub async fn resend(
        &self,
        id: i64,
        states: &[RecipientState],
        by: Option<&Admin>,
    ) -> Result<Broadcast, BroadcastError> {
        let known = self.find(id).await?;
        if !known.state.has_ended() {
            return Err(BroadcastError::NotEnded(id, known.state));
        }
        let sums = self.sums(id).await?;
        let is_resent = |it: &&RecipientState| RESENT_STATES.contains(it) && sums.of(**it) > 0;
        let states: Vec<RecipientState> = states.iter().filter(is_resent).copied().collect();
        if states.is_empty() {
            return Err(BroadcastError::NoneToResend(id));
        }
        let of_state = |state| OfBroadcast { broadcast: id, state };
        let recipients = Term::Broadcast(states.into_iter().map(of_state).collect());
        let winner = known.variant_of(Arm::Winner);
        let plan = BroadcastPlan {
            name: name_again(&known.plan.name),
            filter: Filter::with(recipients),
            starts_at: None,
            // The local time has passed, while quiet hours come every day.
            times: DeliveryTimes { local_time: None, ..known.plan.times },
            // Its recipients are no random part, so they say nothing about the message.
            experiment: Experiment::default(),
            content: known.plan.content_of(winner).clone(),
            ..known.plan
        };
        self.create(&plan, by).await
    }
}

/// The name of the second broadcast, cut to the length that a name may have.
fn name_again(name: &str) -> String {
    let name = name.strip_suffix(AGAIN).unwrap_or(name);
    let chars = MAX_BROADCAST_NAME_CHARS - AGAIN.chars().count();
    let name: String = name.chars().take(chars).collect();
    name.trim_end().to_owned() + AGAIN
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_fits_however_often_it_is_sent_again() {
        assert_eq!(name_again("News"), "News (again)");
        assert_eq!(name_again("News (again)"), "News (again)");
        let long = name_again(&"\u{1f600}".repeat(MAX_BROADCAST_NAME_CHARS));
        assert_eq!(long.chars().count(), MAX_BROADCAST_NAME_CHARS);
        assert!(long.ends_with(AGAIN));
    }
}
