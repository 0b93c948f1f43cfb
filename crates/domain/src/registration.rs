use crate::TelegramUser;

/// The result of registering an [`Interaction`](crate::Interaction).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registration {
    /// The user's row after the batch with the interaction.
    pub user: TelegramUser,
    /// Whether this interaction created the user.
    pub created: bool,
    /// Whether the interaction's update was registered before, so that it changed nothing.
    pub repeated: bool,
    /// Whether the user was erased and has not agreed to be stored again. Then nothing about them is
    /// stored, and `user` has only what the interaction shows.
    pub suppressed: bool,
    /// Whether the user is stored. Not if they are suppressed, or known only from messages to a business
    /// account while such customers are not registered, or if they were deleted before a repeated
    /// interaction.
    pub stored: bool,
}
