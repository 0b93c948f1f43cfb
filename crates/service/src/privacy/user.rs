//! What users ask the bot about their own data.

use std::sync::Arc;

use chrono::TimeDelta;
use rollcall_domain::{Clock, RequestKind, TelegramId, error_chain};
use rollcall_repository::AddedRequest;

use super::{
    copy::PersonalDataService,
    requests::{PrivacyRequestService, RequestId},
};
use crate::{AdminService, ServiceError, UserService};

/// How often a user can get a copy.
const A_COPY_EVERY: TimeDelta = TimeDelta::hours(1);

/// Copies and erases the data of users who ask for it. Cheap to clone.
#[derive(Clone)]
pub struct PrivacyService {
    data: PersonalDataService,
    requests: PrivacyRequestService,
    users: UserService,
    admins: AdminService,
    clock: Arc<dyn Clock>,
}

/// The answer to a request for a copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CopyRequest {
    /// The user gets a copy; the request has this number.
    Granted(RequestId),
    /// The user has asked for one within the last hour.
    TooSoon {
        /// In how many minutes the user can ask again.
        minutes: u64,
    },
}

/// Why a user was not erased.
#[derive(Debug, thiserror::Error)]
pub enum EraseError {
    /// The user is an owner of the bot.
    #[error("owners of the bot are not erased")]
    Owner,
    /// The storage failed.
    #[error("the storage failed")]
    Storage(#[from] ServiceError),
}

impl PrivacyService {
    /// Creates a service over other ones.
    pub fn new(
        data: PersonalDataService,
        requests: PrivacyRequestService,
        users: UserService,
        admins: AdminService,
        clock: impl Clock + 'static,
    ) -> Self {
        Self { data, requests, users, admins, clock: Arc::new(clock) }
    }

    /// What is stored about people.
    pub fn data(&self) -> &PersonalDataService {
        &self.data
    }

    /// Records that a user wants a copy, at most once an hour. The request stays open until
    /// [`copy_delivered`](Self::copy_delivered).
    ///
    /// # Errors
    /// If the storage fails.
    pub async fn request_copy(&self, user: TelegramId) -> Result<CopyRequest, ServiceError> {
        let within = Some(A_COPY_EVERY);
        Ok(match self.requests.add_unless(user, RequestKind::Copy, within).await? {
            AddedRequest::Added(id) => CopyRequest::Granted(id),
            AddedRequest::Recent(at) => {
                let left = at + A_COPY_EVERY - self.clock.now();
                let minutes = u64::try_from(left.num_minutes() + 1).unwrap_or(1);
                CopyRequest::TooSoon { minutes: minutes.clamp(1, 60) }
            }
        })
    }

    /// Marks the request for a copy as done.
    ///
    /// # Errors
    /// If the storage fails.
    pub async fn copy_delivered(&self, request: RequestId) -> Result<(), ServiceError> {
        self.requests.finish(request).await?;
        Ok(())
    }

    /// Erases a user who asked for it. If that fails, the request stays open, so that an owner sees it.
    ///
    /// # Errors
    /// [`EraseError::Owner`] for an owner of the bot. The user is still stored after any error.
    pub async fn erase(&self, user: TelegramId) -> Result<(), EraseError> {
        if self.admins.is_telegram_owner(user).await? {
            return Err(EraseError::Owner);
        }
        self.requests.add(user, RequestKind::Erasure).await?;
        self.users.delete_users(&[user]).await?;
        if let Err(error) = self.requests.finish_erasures(&[user]).await {
            log::warn!(error = error_chain(&error); "a user was erased, but the request stays open");
        }
        Ok(())
    }
}
