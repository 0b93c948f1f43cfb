//! Answers to attempts to sign in or to confirm one's identity that failed.

use std::time::Duration;

use axum::{
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use rollcall_service::SignInError;
use tokio::time::sleep;

use crate::page::Failure;

/// The delay of the answer to a throttled attempt.
const REFUSED: Duration = Duration::from_secs(1);
/// When to try again if too many sign in at once.
const BUSY: Duration = Duration::from_secs(5);

/// A failed attempt.
pub(crate) struct Refusal {
    status: StatusCode,
    wait: Option<Duration>,
    /// The message to show.
    pub(crate) trouble: String,
}

impl Refusal {
    /// The refusal for an error. `wrong` is the message for wrong credentials.
    pub(crate) fn of(error: SignInError, wrong: &str) -> Result<Self, Failure> {
        let (status, wait, trouble) = match error {
            SignInError::Refused => (StatusCode::UNAUTHORIZED, None, wrong.to_owned()),
            SignInError::Throttled { retry_after } => {
                let seconds = retry_after.as_secs();
                let trouble = format!(
                    "Too many failed sign-ins. Try again in {}.",
                    if seconds > 90 {
                        format!("{} minutes", seconds.div_ceil(60))
                    } else {
                        format!("{seconds} seconds")
                    }
                );
                (StatusCode::TOO_MANY_REQUESTS, Some(retry_after), trouble)
            }
            SignInError::Busy => (
                StatusCode::SERVICE_UNAVAILABLE,
                Some(BUSY),
                "Too many people are signing in at once. Try again in a few seconds.".to_owned(),
            ),
            SignInError::Storage(error) => return Err(error.into()),
        };
        Ok(Self { status, wait, trouble })
    }

    /// The answer, with a page that shows the message.
    pub(crate) async fn answer(self, page: Response) -> Response {
        if self.wait.is_some() {
            // Slows down clients that keep retrying on a connection.
            sleep(REFUSED).await;
        }
        let wait = self.wait.map(|wait| [(header::RETRY_AFTER, wait.as_secs().to_string())]);
        (self.status, wait, page).into_response()
    }
}
