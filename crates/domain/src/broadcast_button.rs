//! Buttons below broadcasts, and how a press names its button.

use std::{
    fmt::{self, Display, Formatter},
    str::FromStr,
};

use crate::StartPayload;

/// The most buttons below a message.
pub const MAX_BUTTONS: usize = 100;
/// What separates an owner's payload from the button that led to it.
const MARK: &str = "--b";

/// A button below the messages of a broadcast. As text, it is `12_3`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct BroadcastButton {
    /// The number of the broadcast.
    pub broadcast: i64,
    /// The number of the button: 1 for the first one of the first row, counted row by row.
    pub button: u16,
}

impl BroadcastButton {
    /// The payload of a deep link that also names this button: `payload--b12_3`. It is the payload alone
    /// if both do not fit into one.
    #[must_use]
    pub fn in_payload(self, payload: &StartPayload) -> StartPayload {
        format!("{payload}{MARK}{self}").parse().unwrap_or_else(|_| payload.clone())
    }

    /// The owner's part of a payload, and the button that it names, if any.
    pub fn of_payload(text: &str) -> (&str, Option<Self>) {
        let parts = text.rsplit_once(MARK).filter(|(payload, _)| !payload.is_empty());
        match parts.and_then(|(payload, button)| Some((payload, button.parse().ok()?))) {
            Some((payload, button)) => (payload, Some(button)),
            None => (text, None),
        }
    }
}

impl Display for BroadcastButton {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}_{}", self.broadcast, self.button)
    }
}

/// Reads what [`Display`] writes, in no other spelling.
impl FromStr for BroadcastButton {
    type Err = InvalidBroadcastButton;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let read = || {
            let (broadcast, button) = text.split_once('_')?;
            Some(Self { broadcast: broadcast.parse().ok()?, button: button.parse().ok()? })
        };
        let is_valid = |it: &Self| {
            let numbers = 1..=u16::try_from(MAX_BUTTONS).unwrap_or(u16::MAX);
            it.broadcast > 0 && numbers.contains(&it.button) && it.to_string() == text
        };
        read().filter(is_valid).ok_or(InvalidBroadcastButton)
    }
}

/// The text names no button.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected the number of a broadcast, '_' and the number of a button")]
pub struct InvalidBroadcastButton;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn button(broadcast: i64, button: u16) -> BroadcastButton {
        BroadcastButton { broadcast, button }
    }

    #[test]
    fn a_payload_may_name_a_button() {
        for (text, payload, named) in [
            ("again--b12_3", "again", Some(button(12, 3))),
            ("a--b1_1--b2_2", "a--b1_1", Some(button(2, 2))),
            ("again", "again", None),
            ("again--b", "again--b", None),
            ("again--b12", "again--b12", None),
            ("again--b0_1", "again--b0_1", None),
            ("again--b01_1", "again--b01_1", None),
            ("again--b1_0", "again--b1_0", None),
            ("again--b1_101", "again--b1_101", None),
            ("again--b-1_1", "again--b-1_1", None),
            ("again--b99999999999999999999_1", "again--b99999999999999999999_1", None),
            ("--b12_3", "--b12_3", None),
            ("", "", None),
        ] {
            assert_eq!(BroadcastButton::of_payload(text), (payload, named), "{text:?}");
        }
    }

    #[test]
    fn a_payload_without_room_stays_as_it_is() {
        for (length, expected) in [(57, 64), (58, 58), (64, 64)] {
            let payload: StartPayload = "x".repeat(length).parse().unwrap();
            let marked = button(1, 12).in_payload(&payload);
            assert_eq!(marked.as_str().len(), expected, "{length}");
            assert!(marked.as_str().starts_with(payload.as_str()));
        }
    }

    proptest! {
        #[test]
        fn what_a_payload_names_is_read_again(
            payload in "[A-Za-z0-9_-]{1,30}", broadcast in 1..=i64::MAX, number in 1..=100_u16
        ) {
            let payload: StartPayload = payload.parse().unwrap();
            let named = button(broadcast, number);
            let marked = named.in_payload(&payload);
            let expected = (payload.as_str(), Some(named));
            prop_assert_eq!(BroadcastButton::of_payload(marked.as_str()), expected);
        }
    }
}
