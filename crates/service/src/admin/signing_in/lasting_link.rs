use rollcall_domain::TelegramId;
use rollcall_repository::Digest;

use crate::{
    ServiceError,
    admin::token::{LinkToken, new_token, read_token},
};

/// A link that signs an owner in any number of times, as long as the process runs. Only for programs
/// that show it to the person at the keyboard, such as a demo.
#[derive(Clone, Debug)]
pub struct LastingLink {
    digest: Digest,
    user: TelegramId,
}

impl LastingLink {
    /// A new link for this user, and its secret.
    ///
    /// # Errors
    /// When the system has no random bytes.
    pub fn new(user: TelegramId) -> Result<(Self, LinkToken), ServiceError> {
        let (text, digest) = new_token()?;
        Ok((Self { digest, user }, LinkToken(text)))
    }

    /// The user, if this is the secret of the link.
    pub(super) fn user(&self, token: &str) -> Option<TelegramId> {
        (read_token(token) == Some(self.digest)).then_some(self.user)
    }
}
