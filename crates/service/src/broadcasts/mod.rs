//! Broadcasts: writing to all users that a filter selects, once each.

mod audience;
mod composing;
mod content;
mod draft;
mod error;
mod experiment;
mod experiment_error;
mod forecast;
mod lease;
mod messenger;
mod opt_outs;
mod pace;
mod pictures;
mod presses;
mod report;
mod resend;
mod safety;
mod send;
mod sender;
mod work;

use std::{collections::BTreeMap, sync::Arc};

use chrono::{DateTime, Utc};
use rollcall_domain::{
    Admin, ArmSums, Broadcast, BroadcastActivity, BroadcastPlan, Clock, LabelName,
    MAX_BROADCAST_NAME_CHARS, MAX_BUTTONS, RecipientSums, ResponseSums, SYSTEM_CATEGORY,
    TelegramId, Variant,
};
use rollcall_repository::{
    AudienceRepository, BroadcastCategory, BroadcastChange, BroadcastRepository, ChangedBroadcast,
    DirectoryRepository, LabelRepository, PictureRepository, Recipient, SegmentRepository,
    SenderLease,
};
use tokio::sync::watch;

pub use audience::AudienceSize;
pub use composing::{ComposingService, Waiting};
pub use content::{ContentError, Message};
pub use error::BroadcastError;
pub use experiment::check as check_experiment;
pub use experiment_error::ExperimentError;
pub use forecast::{BothWays, Forecast, PAID_RATE, Stars};
pub use lease::LeaseTimes;
pub use messenger::{
    Delivery, Lane, Messenger, OptOutButton, OutgoingContent, OutgoingMessage, OutgoingPicture,
};
pub use opt_outs::{CategoryChoice, OptOutService};
pub use pace::Paces;
pub use pictures::{Letter, PictureError, PictureService};
pub use presses::{PressAnswer, PressService};
pub use report::{RECIPIENTS_HEADER, recipient_line};
pub use resend::RESENT_STATES;
pub use sender::BroadcastSender;

use self::{lease::Lease, work::Work};
use crate::{AudienceService, PreferencesService, ServiceError, UserService};

/// The most recipients on a page.
const MAX_RECIPIENTS: u32 = 5_000;
/// The most broadcasts on a page.
const MAX_BROADCASTS: u32 = 200;

/// Creates broadcasts, starts and ends them, and knows how they went. Cheap to clone.
///
/// `by` is the admin who changes something; `None` stands for a management command.
#[derive(Clone)]
pub struct BroadcastService {
    broadcasts: Arc<dyn BroadcastRepository>,
    audience: AudienceService,
    pictures: PictureService,
    clock: Arc<dyn Clock>,
}

impl BroadcastService {
    /// Creates a service over `storage`.
    pub fn new(
        storage: impl DirectoryRepository
        + AudienceRepository
        + SegmentRepository
        + LabelRepository
        + BroadcastRepository
        + PictureRepository
        + 'static,
        clock: impl Clock + 'static,
    ) -> Self {
        let (storage, clock): (_, Arc<dyn Clock>) = (Arc::new(storage), Arc::new(clock));
        let audience = AudienceService::over(&storage, clock.clone());
        let pictures = PictureService::new(storage.clone(), clock.clone());
        Self { broadcasts: storage, audience, pictures, clock }
    }

    /// The pictures that were uploaded for broadcasts.
    pub fn pictures(&self) -> &PictureService {
        &self.pictures
    }

    /// The process that sends, until `stop` becomes true. `users` stores which users cannot be reached.
    /// `preferences` has the languages of opt-out buttons.
    pub fn sender(
        &self,
        users: UserService,
        preferences: PreferencesService,
        messenger: Arc<dyn Messenger>,
        times: LeaseTimes,
        stop: watch::Receiver<bool>,
    ) -> BroadcastSender {
        let lease = Lease::new(self.broadcasts.clone(), self.clock.clone(), times);
        let (sender, held_until) = watch::channel(None);
        let work = Work {
            broadcasts: self.broadcasts.clone(),
            audience: self.audience.clone(),
            pictures: self.pictures.clone(),
            users,
            preferences,
            messenger,
            clock: self.clock.clone(),
            holder: lease.holder.clone(),
            held_until,
            stop,
        };
        BroadcastSender::new(lease, sender, work)
    }

    /// The categories, sorted by name.
    ///
    /// # Errors
    /// If the storage fails.
    pub async fn categories(&self) -> Result<Vec<BroadcastCategory>, ServiceError> {
        Ok(self.broadcasts.broadcast_categories().await?)
    }

    /// Adds a category, or changes the weekly cap of one that exists. Returns whether it is new.
    ///
    /// # Errors
    /// If the storage fails.
    pub async fn add_category(
        &self,
        name: &LabelName,
        weekly_cap: Option<u32>,
        by: Option<&Admin>,
    ) -> Result<bool, ServiceError> {
        let now = self.clock.now();
        Ok(self.broadcasts.add_category(name, weekly_cap, by, now).await?)
    }

    /// Checks a plan and stores it as a draft, which does nothing until it is started or scheduled.
    ///
    /// # Errors
    /// If something in the plan is wrong, or the storage fails. Nothing is stored then.
    pub async fn create(
        &self,
        plan: &BroadcastPlan,
        by: Option<&Admin>,
    ) -> Result<Broadcast, BroadcastError> {
        let chars = plan.name.chars().count();
        let is_one_line = !plan.name.chars().any(char::is_control);
        if plan.name.trim().is_empty() || chars > MAX_BROADCAST_NAME_CHARS || !is_one_line {
            return Err(BroadcastError::Name);
        }
        if plan.has_opt_out_button && plan.category.as_str() == SYSTEM_CATEGORY {
            return Err(BroadcastError::SystemOptOut);
        }
        for (variant, message) in plan.experiment.variants().zip(experiment::messages(plan)) {
            let message = message.map_err(|error| match plan.experiment.has_variants() {
                true => BroadcastError::Variant(variant, error),
                false => error.into(),
            })?;
            let is_full =
                matches!(&message, Message::Text { buttons, .. } if buttons.len() >= MAX_BUTTONS);
            if plan.has_opt_out_button && is_full {
                return Err(BroadcastError::Buttons);
            }
        }
        experiment::check(plan)?;
        let now = self.clock.now();
        if let Some(at) = plan.planned_for().filter(|at| *at <= now) {
            return Err(BroadcastError::Past(at));
        }
        self.audience.selection(&plan.filter.clone().without_bots(), plan.zone).await?;
        match self.broadcasts.create_broadcast(plan, by, now).await? {
            Some(created) => Ok(created),
            None => {
                for id in plan.stored_pictures() {
                    if self.pictures.find(id).await?.is_none() {
                        return Err(BroadcastError::Picture(id));
                    }
                }
                Err(self.unknown_category(&plan.category).await?)
            }
        }
    }

    /// The broadcast of a number.
    ///
    /// # Errors
    /// If there is none, or the storage fails.
    pub async fn find(&self, id: i64) -> Result<Broadcast, BroadcastError> {
        self.broadcasts.broadcast(id).await?.ok_or(BroadcastError::Missing(id))
    }

    /// Up to `size` (at most 200) broadcasts with the sums of their recipients, the newest first, older
    /// than the number `before`.
    ///
    /// # Errors
    /// If the storage fails.
    pub async fn list(
        &self,
        before: Option<i64>,
        size: u32,
    ) -> Result<Vec<(Broadcast, RecipientSums)>, ServiceError> {
        let broadcasts = self.broadcasts.broadcasts(before, size.clamp(1, MAX_BROADCASTS)).await?;
        let ids: Vec<i64> = broadcasts.iter().map(|it| it.id).collect();
        let mut sums = self.broadcasts.recipient_sums(&ids).await?;
        let with_sums = |it: Broadcast| (sums.remove(&it.id).unwrap_or_default(), it);
        Ok(broadcasts.into_iter().map(with_sums).map(|(sums, it)| (it, sums)).collect())
    }

    /// The sums of the recipients of a broadcast.
    ///
    /// # Errors
    /// If the storage fails.
    pub async fn sums(&self, id: i64) -> Result<RecipientSums, ServiceError> {
        let mut sums: BTreeMap<i64, RecipientSums> = self.broadcasts.recipient_sums(&[id]).await?;
        Ok(sums.remove(&id).unwrap_or_default())
    }

    /// How many recipients of a broadcast did what after their message.
    ///
    /// # Errors
    /// If the storage fails.
    pub async fn responses(&self, id: i64) -> Result<ResponseSums, ServiceError> {
        Ok(self.broadcasts.responses(id).await?)
    }

    /// The sums of the recipients of each arm of an experiment since their message went out.
    ///
    /// # Errors
    /// If the storage fails.
    pub async fn arm_sums(&self, id: i64) -> Result<ArmSums, ServiceError> {
        Ok(self.broadcasts.arm_sums(id).await?)
    }

    /// Lets the recipients that wait for the winner get this variant, without waiting for the figures.
    ///
    /// # Errors
    /// If the broadcast tests no variants, has not started or has ended, if its winner is decided, if it
    /// has no such variant, or if the storage fails. Nothing is changed then.
    pub async fn pick_winner(
        &self,
        id: i64,
        winner: Variant,
        by: Option<&Admin>,
    ) -> Result<Broadcast, BroadcastError> {
        match self.broadcasts.pick_winner(id, winner, by, self.clock.now()).await? {
            ChangedBroadcast::Changed(broadcast) => Ok(broadcast),
            ChangedBroadcast::Refused(broadcast) => Err(experiment::refused(&broadcast, winner)),
            ChangedBroadcast::Missing => Err(BroadcastError::Missing(id)),
        }
    }

    /// How many recipients of a broadcast were active within seven days after it; `None` until they have
    /// been counted.
    ///
    /// # Errors
    /// If the storage fails.
    pub async fn activity(&self, id: i64) -> Result<Option<BroadcastActivity>, ServiceError> {
        Ok(self.broadcasts.activity(id).await?)
    }

    /// When the first of the recipients that wait for a time of their own clocks is due; `None` if none
    /// waits.
    ///
    /// # Errors
    /// If the storage fails.
    pub async fn next_due(
        &self,
        broadcast: &Broadcast,
    ) -> Result<Option<DateTime<Utc>>, ServiceError> {
        match broadcast.plan.times.are_any() || broadcast.state.has_ended() {
            true => Ok(None),
            false => Ok(self.broadcasts.next_due(broadcast.id).await?),
        }
    }

    /// Up to `size` (at most 5,000) recipients of a broadcast by id, after one id.
    ///
    /// # Errors
    /// If the storage fails.
    pub async fn recipients(
        &self,
        id: i64,
        after: Option<TelegramId>,
        size: u32,
    ) -> Result<Vec<Recipient>, ServiceError> {
        let size = size.clamp(1, MAX_RECIPIENTS);
        Ok(self.broadcasts.recipients(id, after, size).await?)
    }

    /// Starts, schedules, pauses, resumes or cancels a broadcast. Nobody gets a message twice because of
    /// that.
    ///
    /// # Errors
    /// If its state does not allow that, if it would start without any user, if its filter cannot be
    /// evaluated any more, or if the storage fails. Nothing is changed then.
    pub async fn change(
        &self,
        id: i64,
        change: BroadcastChange,
        by: Option<&Admin>,
    ) -> Result<Broadcast, BroadcastError> {
        let now = self.clock.now();
        if matches!(change, BroadcastChange::Start | BroadcastChange::Schedule) {
            let known = self.find(id).await?;
            if change == BroadcastChange::Schedule
                && let Some(at) = known.plan.planned_for().filter(|at| *at <= now)
            {
                return Err(BroadcastError::Past(at));
            }
            self.check_audience(&known.plan, change == BroadcastChange::Start).await?;
        }
        match self.broadcasts.change_broadcast(id, change, by, now).await? {
            ChangedBroadcast::Changed(broadcast) => Ok(broadcast),
            ChangedBroadcast::Refused(broadcast) => {
                Err(BroadcastError::State { id, change, state: broadcast.state })
            }
            ChangedBroadcast::Missing => Err(BroadcastError::Missing(id)),
        }
    }

    /// The lease of the process that sends, as it is. While there is something to send, its number of
    /// renewals grows every few seconds.
    ///
    /// # Errors
    /// If the storage fails.
    pub async fn lease(&self) -> Result<SenderLease, ServiceError> {
        Ok(self.broadcasts.sender_lease().await?)
    }
}
