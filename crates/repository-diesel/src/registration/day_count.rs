//! What a batch adds to a user's day.

use rollcall_domain::{Hour, Interaction};

/// The interactions of a user on one day.
#[derive(Clone, Copy)]
pub(super) struct DayCount {
    pub(super) interactions: i32,
    /// The hour of the first one.
    pub(super) first_hour: Hour,
}

impl DayCount {
    /// The count after an interaction, from the count `before` it.
    pub(super) fn after(before: Option<Self>, interaction: &Interaction) -> Self {
        let hour = Hour::of(interaction.at);
        match before {
            None => Self { interactions: 1, first_hour: hour },
            Some(Self { interactions, first_hour }) => {
                Self { interactions: interactions + 1, first_hour: first_hour.min(hour) }
            }
        }
    }
}
