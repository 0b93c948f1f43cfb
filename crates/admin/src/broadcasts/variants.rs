//! What became of the variants of a broadcast.

use rollcall_domain::{
    Arm, ArmResponse, ArmSums, Broadcast, BroadcastResponse, RecipientState, ResponseSums, WinnerBy,
};

use super::words;
use crate::page::text;

/// The recipients of a variant.
pub(super) struct VariantRow {
    pub(super) name: String,
    pub(super) sent: String,
    pub(super) pressed: String,
    pub(super) pressed_share: String,
    pub(super) blocked: String,
    pub(super) opted_out: String,
}

/// The variants of a broadcast, and those that get the winner; nothing if it has only one.
pub(super) fn variants(
    broadcast: &Broadcast,
    sums: &ArmSums,
    done: &ResponseSums,
) -> Vec<VariantRow> {
    let experiment = &broadcast.plan.experiment;
    if !experiment.has_variants() {
        return Vec::new();
    }
    let row = |arm: Arm| {
        let sent = sums.of(arm, RecipientState::Sent);
        let of = |response| done.of(BroadcastResponse::Of(arm, response));
        let pressed = of(ArmResponse::Pressed);
        VariantRow {
            name: match (arm, &broadcast.decision) {
                (Arm::Variant(variant), _) => variant.to_string(),
                (Arm::Winner, Some(it)) => format!("Winner: {}", it.winner),
                (Arm::Winner, None) => "Winner".to_owned(),
            },
            sent: text::grouped(sent),
            pressed: text::grouped(pressed),
            pressed_share: text::percent(pressed, sent),
            blocked: text::grouped(of(ArmResponse::Blocked)),
            opted_out: text::grouped(of(ArmResponse::OptedOut)),
        }
    };
    let variants = experiment.variants().map(Arm::Variant);
    variants.chain(experiment.test.map(|_| Arm::Winner)).map(row).collect()
}

/// How far the test of the variants is.
pub(super) fn standing(broadcast: &Broadcast) -> Option<String> {
    let test = broadcast.plan.experiment.test?;
    let by = match test.by {
        WinnerBy::Presses => "most presses",
        WinnerBy::Blocks => "fewest blocks",
    };
    let part = test.part;
    Some(match (&broadcast.decision, &broadcast.pick, broadcast.decides_at()) {
        (Some(it), ..) => {
            let why = if it.pick.is_some() { "an owner picked it" } else { by };
            let at = it.at.format("%Y-%m-%d %H:%M UTC");
            format!("The winner is {} ({why}), decided at {at}.", it.winner)
        }
        (None, Some(pick), _) => format!("{} is picked and goes out to the others.", pick.winner),
        (None, None, Some(at)) => {
            let at = at.format("%Y-%m-%d %H:%M UTC");
            format!(
                "{part} test the variants. The one with the {by} wins at {at}; the others wait."
            )
        }
        (None, None, None) => format!(
            "{part} test the variants. The one with the {by} wins {} after the last of their messages; \
             the others wait.",
            words::duration(test.after)
        ),
    })
}
