//! Answers to attempts to sign in or to confirm one's identity that failed.

use std::time::Duration;

use axum::{
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use rollcall_service::SignInError;
use tokio::time::sleep;

use crate::page::Failure;

/// How long an attempt that has to wait waits for that answer.
const REFUSED: Duration = Duration::from_secs(1);
/// When to try again where too many sign in at once.
const BUSY: Duration = Duration::from_secs(5);

/// Why somebody is not let in.
pub(crate) struct Refusal {
    status: StatusCode,
    wait: Option<Duration>,
    /// In words.
    pub(crate) trouble: String,
}

impl Refusal {
    /// What to answer, where `wrong` says that something was.
    pub(crate) fn of(error: SignInError, wrong: &str) -> Result<Self, Failure> {
        let (status, wait, trouble) = match error {
            SignInError::Refused => (StatusCode::UNAUTHORIZED, None, wrong.to_owned()),
            SignInError::Throttled { retry_after } => {
                let seconds = retry_after.as_secs();
                let trouble = format!(
                    "Signing in failed too often. Try again in {}.",
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

    /// The answer, with a page that has the words on it.
    pub(crate) async fn answer(self, page: Response) -> Response {
        if self.wait.is_some() {
            // Clients that try again and again do so no faster than this on each connection.
            sleep(REFUSED).await;
        }
        let wait = self.wait.map(|wait| [(header::RETRY_AFTER, wait.as_secs().to_string())]);
        (self.status, wait, page).into_response()
    }
}
