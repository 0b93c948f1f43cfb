//! Changing the plans of drafts.

use chrono::{DateTime, Utc};
use rollcall_domain::{Admin, Broadcast, BroadcastPlan, LabelName};
use rollcall_repository::{ChangedBroadcast, DraftChange};

use super::{BroadcastError, BroadcastService};
use crate::ServiceError;

impl BroadcastService {
    /// Sets the category of a draft. Its messages have an opt-out button if those of the category do by
    /// default.
    ///
    /// # Errors
    /// If it is no draft any more, if there is no such category, or if the storage fails.
    pub async fn set_category(
        &self,
        id: i64,
        category: &LabelName,
        by: Option<&Admin>,
    ) -> Result<Broadcast, BroadcastError> {
        let has_opt_out_button = BroadcastPlan::has_opt_out_button_by_default(category);
        let category = category.clone();
        self.change_draft(id, DraftChange::Category { category, has_opt_out_button }, by).await
    }

    /// Sets the time at which a draft starts for all users once it is scheduled; `None` if an owner
    /// starts it.
    ///
    /// # Errors
    /// If it is no draft any more, if the time is past, or if the storage fails.
    pub async fn set_start(
        &self,
        id: i64,
        starts_at: Option<DateTime<Utc>>,
        by: Option<&Admin>,
    ) -> Result<Broadcast, BroadcastError> {
        if let Some(at) = starts_at.filter(|at| *at <= self.clock.now()) {
            return Err(BroadcastError::Past(at));
        }
        self.change_draft(id, DraftChange::StartsAt(starts_at), by).await
    }

    /// Sets how fast a draft is sent: at most `rate` messages a second, and whether more than Telegram
    /// sends for free are paid for.
    ///
    /// # Errors
    /// If it is no draft any more, or if the storage fails.
    pub async fn set_speed(
        &self,
        id: i64,
        rate: Option<u32>,
        is_paid: bool,
        by: Option<&Admin>,
    ) -> Result<Broadcast, BroadcastError> {
        self.change_draft(id, DraftChange::Speed { rate, is_paid }, by).await
    }

    async fn change_draft(
        &self,
        id: i64,
        change: DraftChange,
        by: Option<&Admin>,
    ) -> Result<Broadcast, BroadcastError> {
        let now = self.clock.now();
        match (self.broadcasts.change_draft(id, &change, by, now).await?, change) {
            (Some(ChangedBroadcast::Changed(broadcast)), _) => Ok(broadcast),
            (Some(ChangedBroadcast::Refused(broadcast)), _) => {
                Err(BroadcastError::NoDraft { id, state: broadcast.state })
            }
            (None, DraftChange::Category { category, .. }) => {
                Err(self.unknown_category(&category).await?)
            }
            (Some(ChangedBroadcast::Missing) | None, _) => Err(BroadcastError::Missing(id)),
        }
    }

    pub(super) async fn unknown_category(
        &self,
        category: &LabelName,
    ) -> Result<BroadcastError, ServiceError> {
        let categories = self.categories().await?;
        let names = categories.into_iter().map(|it| it.name.to_string()).collect::<Vec<_>>();
        Ok(BroadcastError::Category(category.clone(), names.join(", ")))
    }
}
