//! What callers want to register, and how they get the result.

use std::sync::Arc;

use rollcall_domain::Registration;
use rollcall_repository::{Batch, UserRepository};
use tokio::sync::{OwnedSemaphorePermit, oneshot};

use crate::ServiceError;

/// A batch takes no further call once it holds this many interactions.
pub(crate) const FULL_BATCH: usize = 1000;

pub(super) type Answer = Result<Vec<Registration>, ServiceError>;

/// What one caller wants to register, and where.
pub(super) struct Call {
    pub(super) batch: Batch,
    pub(super) caller: Caller,
    pub(super) users: Arc<dyn UserRepository>,
}

/// Where to send the result of a call.
pub(super) struct Caller {
    /// How many interactions of the batch belong to this caller.
    pub(super) interactions: usize,
    /// How many quarantined updates of the batch belong to this caller.
    pub(super) quarantined: usize,
    pub(super) answer: oneshot::Sender<Answer>,
    /// The call's room in the queue, held until the call is answered.
    pub(super) _room: OwnedSemaphorePermit,
}

/// Sends each caller its share of the result. Callers that went away are skipped.
pub(super) fn distribute(result: Answer, callers: Vec<Caller>) {
    let mut registrations = result.map(Vec::into_iter);
    for caller in callers {
        let share = match &mut registrations {
            Ok(registrations) => Ok(registrations.by_ref().take(caller.interactions).collect()),
            Err(error) => Err(error.clone()),
        };
        drop(caller.answer.send(share));
    }
}
