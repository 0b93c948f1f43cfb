//! The queue in front of the storage: what arrives while one batch is being committed forms the
//! next one.
//!
//! There is no timer. A call that finds the queue idle is committed at once, alone; under load the
//! batches grow by themselves to what one commit takes, and the cost of a commit is shared.

use std::sync::Arc;

use rollcall_domain::{Interaction, Registration};
use rollcall_repository::UserRepository;
use tokio::sync::{mpsc, oneshot};

use crate::ServiceError;

/// A batch takes no further call once it holds this many interactions.
pub(crate) const FULL_BATCH: usize = 1000;
/// How many calls may wait; further callers wait until there is room.
const CAPACITY: usize = 1024;

type Answer = Result<Vec<Registration>, ServiceError>;

/// One caller's interactions, and where to answer.
struct Call {
    interactions: Vec<Interaction>,
    answer: oneshot::Sender<Answer>,
}

/// The queue's entrance. The task behind it ends when the last entrance is gone and everything
/// that was queued is done.
#[derive(Clone, Debug)]
pub(crate) struct Queue(mpsc::Sender<Call>);

impl Queue {
    /// Starts the task on the current tokio runtime.
    pub(crate) fn start(users: Arc<dyn UserRepository>) -> Self {
        let (entrance, calls) = mpsc::channel(CAPACITY);
        tokio::spawn(work(users, calls));
        Self(entrance)
    }

    /// Answers when the interactions are durable. A caller that goes away earlier does not keep
    /// them from becoming so.
    pub(crate) async fn register(&self, interactions: Vec<Interaction>) -> Answer {
        let (answer, answered) = oneshot::channel();
        let call = Call { interactions, answer };
        self.0.send(call).await.map_err(|_| ServiceError::Stopped)?;
        answered.await.map_err(|_| ServiceError::Stopped)?
    }
}

async fn work(users: Arc<dyn UserRepository>, mut calls: mpsc::Receiver<Call>) {
    while let Some(first) = calls.recv().await {
        let mut batch = first.interactions;
        let mut answers = vec![(first.answer, batch.len())];
        while batch.len() < FULL_BATCH
            && let Ok(call) = calls.try_recv()
        {
            answers.push((call.answer, call.interactions.len()));
            batch.extend(call.interactions);
        }
        let result = users.register(batch).await.map_err(ServiceError::from);
        distribute(result, answers);
    }
}

/// Gives each caller its share of the answer. One that went away is passed over.
fn distribute(result: Answer, answers: Vec<(oneshot::Sender<Answer>, usize)>) {
    let mut registrations = result.map(Vec::into_iter);
    for (answer, count) in answers {
        let share = match &mut registrations {
            Ok(registrations) => Ok(registrations.by_ref().take(count).collect()),
            Err(error) => Err(error.clone()),
        };
        drop(answer.send(share));
    }
}
