//! Delivers updates from the quarantine.

use rollcall_domain::QuarantinedUpdate;

use super::{
    attempt::{Attempt, Failure, Sender},
    held::Forwarding,
    parcel::Parcel,
};
use crate::error::BotError;

/// Delivers one update from the quarantine to the bot behind. A method in its response is not executed.
///
/// # Errors
/// If the bot behind does not accept it.
pub async fn redeliver(
    forwarding: &Forwarding,
    update: &QuarantinedUpdate,
) -> Result<(), RedeliveryError> {
    let sender = Sender::new(forwarding.url.clone(), forwarding.secret.clone())?;
    match sender.deliver(&Parcel::again(update)).await {
        Attempt::Accepted(_) => Ok(()),
        Attempt::Failed(failure) => Err(RedeliveryError::NotAccepted(failure)),
    }
}

/// Why an update from the quarantine was not delivered.
#[derive(Debug, thiserror::Error)]
pub enum RedeliveryError {
    /// The client cannot be created.
    #[error(transparent)]
    Client(#[from] BotError),
    /// The bot behind did not accept it.
    #[error("the bot behind does not accept it")]
    NotAccepted(#[source] Failure),
}
