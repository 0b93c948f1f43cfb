//! The buttons below `/deletemydata`.

/// What a user chooses about deleting their data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DataAction {
    /// The first confirmation.
    Ask,
    /// The second one.
    Delete,
    /// Deletes nothing.
    Keep,
}

impl DataAction {
    pub(crate) const ALL: [Self; 3] = [Self::Ask, Self::Delete, Self::Keep];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Ask => "ask",
            Self::Delete => "now",
            Self::Keep => "keep",
        }
    }
}
