//! A request whose outcome is recorded.

use std::{
    future::{Future, IntoFuture},
    pin::Pin,
    task::{Context, Poll, ready},
};

use futures_util::future::BoxFuture;
use rollcall::UnreachableReason;
use teloxide::{
    ApiError, RequestError,
    requests::{HasPayload, Output, Request},
};

use crate::recorder::Recorder;

/// A request that sends a message to a chat. If Telegram refuses it because the user cannot be reached,
/// that is recorded before the request returns its error.
#[derive(Clone, Debug)]
#[must_use = "requests do nothing unless they are sent"]
pub struct RecordedRequest<R> {
    inner: R,
    user: Option<i64>,
    recorder: Recorder,
}

impl<R> RecordedRequest<R> {
    pub(crate) fn new(inner: R, user: Option<i64>, recorder: Recorder) -> Self {
        Self { inner, user, recorder }
    }

    fn recorded<F>(&self, inner: F) -> Recording<F, F::Output>
    where
        F: Future,
    {
        let (user, recorder) = (self.user, self.recorder.clone());
        Recording { inner: Box::pin(inner), user, recorder, last: None }
    }
}

impl<R: HasPayload> HasPayload for RecordedRequest<R> {
    type Payload = R::Payload;

    fn payload_mut(&mut self) -> &mut Self::Payload {
        self.inner.payload_mut()
    }

    fn payload_ref(&self) -> &Self::Payload {
        self.inner.payload_ref()
    }
}

impl<R: Request<Err = RequestError>> Request for RecordedRequest<R>
where
    Output<R>: Send,
{
    type Err = RequestError;
    type Send = Recording<R::Send, Result<Output<R>, RequestError>>;
    type SendRef = Recording<R::SendRef, Result<Output<R>, RequestError>>;

    fn send(self) -> Self::Send {
        let Self { inner, user, recorder } = self;
        Recording { inner: Box::pin(inner.send()), user, recorder, last: None }
    }

    fn send_ref(&self) -> Self::SendRef {
        self.recorded(self.inner.send_ref())
    }
}

impl<R: Request<Err = RequestError>> IntoFuture for RecordedRequest<R>
where
    Output<R>: Send,
{
    type Output = Result<Output<R>, RequestError>;
    type IntoFuture = <Self as Request>::Send;

    fn into_future(self) -> Self::IntoFuture {
        self.send()
    }
}

/// A request on its way, and then the record of its outcome.
pub struct Recording<F, O> {
    inner: Pin<Box<F>>,
    user: Option<i64>,
    recorder: Recorder,
    /// The work of recording, and what the request returns after it.
    last: Option<(BoxFuture<'static, ()>, O)>,
}

// The request is pinned in its box, and what it returns is never pinned.
impl<F, O> Unpin for Recording<F, O> {}

impl<F, T> Future for Recording<F, Result<T, RequestError>>
where
    F: Future<Output = Result<T, RequestError>>,
{
    type Output = Result<T, RequestError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if self.last.is_none() {
            let sent = ready!(self.inner.as_mut().poll(context));
            let reason = sent.as_ref().err().and_then(unreachable_reason);
            let (Some(user), Some(reason)) = (self.user, reason) else { return Poll::Ready(sent) };
            let recorder = self.recorder.clone();
            let record = async move { recorder.mark_unreachable(user, reason).await };
            self.last = Some((Box::pin(record), sent));
        }
        if let Some((record, _)) = &mut self.last {
            ready!(record.as_mut().poll(context));
        }
        match self.last.take() {
            Some((_, sent)) => Poll::Ready(sent),
            None => Poll::Pending,
        }
    }
}

/// Why a user cannot be reached, if the error is about that.
fn unreachable_reason(error: &RequestError) -> Option<UnreachableReason> {
    let RequestError::Api(error) = error else { return None };
    match error {
        ApiError::BotBlocked => Some(UnreachableReason::Blocked),
        ApiError::UserDeactivated => Some(UnreachableReason::Deactivated),
        ApiError::ChatNotFound => Some(UnreachableReason::ChatNotFound),
        ApiError::CantInitiateConversation => Some(UnreachableReason::NeverStarted),
        ApiError::Unknown(text) if text.starts_with("Forbidden: bot can't initiate") => {
            Some(UnreachableReason::NeverStarted)
        }
        _ => None,
    }
}
