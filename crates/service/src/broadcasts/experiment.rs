//! What a broadcast tries out.

use chrono::Duration;
use rollcall_domain::{
    Broadcast, BroadcastContent, BroadcastPlan, MAX_VARIANTS, Variant, WinnerBy,
};

use super::{
    content::{ContentError, Message},
    error::BroadcastError,
    experiment_error::ExperimentError,
};

/// The shortest time from the last message of the test part to the decision.
const SHORTEST: Duration = Duration::seconds(1);

/// The messages of the variants, from A on.
pub(super) fn messages(
    plan: &BroadcastPlan,
) -> impl Iterator<Item = Result<Message, ContentError>> {
    plan.experiment.variants().map(|variant| Message::new(plan.content_of(variant)))
}

/// Checks what a plan tries out; its contents are right.
///
/// # Errors
/// If there are too many variants, if one is a copy of a message, or if the test cannot find a winner.
pub fn check(plan: &BroadcastPlan) -> Result<(), ExperimentError> {
    let experiment = &plan.experiment;
    if experiment.others.len() >= MAX_VARIANTS {
        return Err(ExperimentError::TooMany);
    }
    let mut contents = experiment.variants().map(|variant| plan.content_of(variant));
    if experiment.has_variants() && contents.any(|it| matches!(it, BroadcastContent::Copy { .. })) {
        return Err(ExperimentError::Copy);
    }
    let Some(test) = experiment.test else { return Ok(()) };
    if !experiment.has_variants() {
        return Err(ExperimentError::NoVariants);
    }
    if test.after < SHORTEST || test.after >= plan.lasts {
        return Err(ExperimentError::After);
    }
    let mut silent = experiment
        .variants()
        .filter(|variant| plan.content_of(*variant).counted_buttons().is_empty());
    match silent.next() {
        Some(variant) if test.by == WinnerBy::Presses => Err(ExperimentError::NoPresses(variant)),
        _ => Ok(()),
    }
}

/// Why a winner cannot be picked.
pub(super) fn refused(broadcast: &Broadcast, winner: Variant) -> BroadcastError {
    let id = broadcast.id;
    let last = broadcast.plan.experiment.variants().last().unwrap_or(Variant::A);
    let error = match &broadcast.decision {
        _ if broadcast.plan.experiment.test.is_none() => ExperimentError::NoTest(id),
        Some(decision) => ExperimentError::Decided(id, decision.winner),
        None if winner > last => ExperimentError::NoVariant(id, winner, last),
        None => ExperimentError::NotSent(id, broadcast.state.name()),
    };
    error.into()
}
