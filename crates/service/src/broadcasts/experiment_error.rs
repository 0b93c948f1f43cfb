//! What is wrong with an experiment.

use rollcall_domain::{MAX_VARIANTS, Variant};

/// What is wrong with what a broadcast tries out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExperimentError {
    /// There are too many variants.
    #[error("expected at most {MAX_VARIANTS} variants, from A to E")]
    TooMany,
    /// A message that is copied has no variants.
    #[error("expected a text for each variant, not a copy of a message")]
    Copy,
    /// A winner needs something to win against.
    #[error("a test needs at least two variants")]
    NoVariants,
    /// The time of the decision does not fit.
    #[error("expected a time shorter than the time limit of the broadcast")]
    After,
    /// Presses decide, but none are counted.
    #[error(
        "presses decide, but variant {_0} has no button whose presses are counted; expected one with \
         press or /start"
    )]
    NoPresses(Variant),
    /// The broadcast tests no variants.
    #[error("broadcast {_0} tests no variants, so there is no winner to pick")]
    NoTest(i64),
    /// The broadcast has no such variant.
    #[error("broadcast {_0} has no variant {_1}; expected one from A to {_2}")]
    NoVariant(i64, Variant, Variant),
    /// The winner does not change any more.
    #[error("the winner of broadcast {_0} is decided: it is {_1}")]
    Decided(i64, Variant),
    /// It is not being sent.
    #[error("broadcast {_0} is {_1}; a winner is picked while it is being sent")]
    NotSent(i64, &'static str),
}
