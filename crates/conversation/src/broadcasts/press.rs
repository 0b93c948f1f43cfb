//! The effects of the buttons of broadcasts.

use std::time::Duration;

use chrono::{DateTime, TimeDelta};
use chrono_tz::Tz;
use rollcall_domain::{Admin, Broadcast, BroadcastState, Filter, LabelName, TelegramUser};
use rollcall_service::{
    BroadcastChange, BroadcastError, Delivery, Letter, Message, OptOutButton, ServiceError,
};
use rollcall_telegram::MessagePlace;
use tokio::{sync::watch, time::timeout};

use super::{
    action::BroadcastAction,
    progress::{Standing, cancel_question, progress},
    times::{days, hours},
    words,
};
use crate::{
    conversation::{Asker, Conversation},
    outcome::Outcome,
    reply::Screen,
    selected_users::refused,
};

/// How long a press waits for Telegram to take a copy. A spinner is shown meanwhile.
const PATIENCE: Duration = Duration::from_secs(8);
/// After this time, a message that was just edited shows its progress.
const SOON: TimeDelta = TimeDelta::seconds(4);
/// How long a question stands in a message before it shows its progress again.
const QUESTION_STANDS: TimeDelta = TimeDelta::seconds(30);

impl Conversation {
    /// Handles the press of a button of a broadcast by an owner, below the message at `place`.
    pub(crate) async fn press_of_broadcast(
        &self,
        action: BroadcastAction,
        place: MessagePlace,
        user: &TelegramUser,
        asker: &Asker,
    ) -> Result<Outcome, ServiceError> {
        let done = match action {
            BroadcastAction::Audiences { page } => {
                Ok(self.audiences(page, asker.locale()).await?.into())
            }
            BroadcastAction::Everyone => {
                Ok(self.ask_for_message(Filter::default(), asker).await?.into())
            }
            BroadcastAction::Segment(name) => self.segment(&name, asker).await.map(Outcome::from),
            BroadcastAction::StopWaiting => {
                self.composing.take(asker.id).await?;
                Ok(Screen::from(asker.locale().text("broadcast-stopped")).into())
            }
            BroadcastAction::Show(id) => {
                self.show_broadcast(id, place, asker).await.map(Outcome::from)
            }
            BroadcastAction::Test(id) => self.send_test(id, user, asker).await,
            BroadcastAction::Categories { id, page } => {
                self.of_draft(id, place, asker, async |it| {
                    Ok(self.categories(&it, page, asker.locale()).await?)
                })
                .await
            }
            BroadcastAction::SetCategory { id, category } => {
                self.set_category(id, &category, place, asker).await
            }
            BroadcastAction::Days(id) => {
                self.of_draft(id, place, asker, async |it| {
                    Ok(days(asker.locale(), &it, self.now_of(asker)))
                })
                .await
            }
            BroadcastAction::Hours { id, day } => {
                self.of_draft(id, place, asker, async |it| {
                    Ok(hours(asker.locale(), &it, day, self.now_of(asker)))
                })
                .await
            }
            BroadcastAction::SetStart { id, at } => self.set_start(id, at, place, asker).await,
            BroadcastAction::Speeds(id) => {
                self.of_draft(id, place, asker, async |it| self.speeds(&it, asker).await).await
            }
            BroadcastAction::SetSpeed { id, rate, is_paid } => {
                let by = Admin::Telegram(asker.id);
                let set = self.broadcasts.set_speed(id, rate, is_paid, Some(&by)).await;
                self.draft_after(set, id, place, asker).await
            }
            BroadcastAction::Schedule(id) => {
                self.start_broadcast(id, BroadcastChange::Schedule, place, asker).await
            }
            BroadcastAction::AskStart(id) => {
                self.of_draft(id, place, asker, async |it| self.ask_start(&it, asker).await).await
            }
            BroadcastAction::Start(id) => {
                self.start_broadcast(id, BroadcastChange::Start, place, asker).await
            }
            BroadcastAction::Discard(id) => self.discard(id, place, asker).await,
            BroadcastAction::Pause(id) => {
                self.change_broadcast(id, BroadcastChange::Pause, place, asker).await
            }
            BroadcastAction::Resume(id) => {
                self.change_broadcast(id, BroadcastChange::Resume, place, asker).await
            }
            BroadcastAction::AskCancel(id) => self.ask_cancel(id, place, asker).await,
            BroadcastAction::Cancel(id) => {
                self.change_broadcast(id, BroadcastChange::Cancel, place, asker).await
            }
        };
        match done {
            Ok(outcome) => Ok(outcome),
            Err(BroadcastError::Service(error)) => Err(error),
            Err(BroadcastError::Missing(_)) => Ok(Outcome::notice("press-stale")),
            Err(error) => {
                Ok(refused(asker.locale(), words::COMMAND, &error.to_string(), None).into())
            }
        }
    }

    async fn segment(&self, name: &LabelName, asker: &Asker) -> Result<Screen, BroadcastError> {
        let filter = format!("segment:{name}").parse().unwrap_or_default();
        Ok(self.ask_for_message(filter, asker).await?)
    }

    /// Shows a broadcast as it is. Unless it is a draft or has ended, the message follows it.
    async fn show_broadcast(
        &self,
        id: i64,
        place: MessagePlace,
        asker: &Asker,
    ) -> Result<Screen, BroadcastError> {
        let broadcast = self.broadcasts.find(id).await?;
        if broadcast.state == BroadcastState::Draft {
            return self.draft(&broadcast, asker).await;
        }
        Ok(self.follow(&broadcast, place, SOON, asker).await?)
    }

    /// Shows how far a broadcast is, and lets the message show it from then on.
    async fn follow(
        &self,
        broadcast: &Broadcast,
        place: MessagePlace,
        begins_in: TimeDelta,
        asker: &Asker,
    ) -> Result<Screen, ServiceError> {
        let sums = self.broadcasts.sums(broadcast.id).await?;
        if !broadcast.state.has_ended() {
            let message_id = place.message_id;
            self.composing.show_progress(asker.id, broadcast.id, message_id, begins_in).await?;
        }
        let pace = self.pace(broadcast, &sums);
        let zone = asker.preferences.zone();
        Ok(progress(asker.locale(), &Standing { broadcast, sums: &sums, pace, zone }))
    }

    /// Shows something about a draft, or a broadcast as it is if it is no draft any more.
    async fn of_draft(
        &self,
        id: i64,
        place: MessagePlace,
        asker: &Asker,
        show: impl AsyncFnOnce(Broadcast) -> Result<Screen, BroadcastError>,
    ) -> Result<Outcome, BroadcastError> {
        let broadcast = self.broadcasts.find(id).await?;
        if broadcast.state == BroadcastState::Draft {
            return Ok(show(broadcast).await?.into());
        }
        let screen = self.follow(&broadcast, place, SOON, asker).await?;
        Ok(Outcome::noticed("press-broadcast-changed", screen))
    }

    async fn set_category(
        &self,
        id: i64,
        category: &LabelName,
        place: MessagePlace,
        asker: &Asker,
    ) -> Result<Outcome, BroadcastError> {
        let set =
            self.broadcasts.set_category(id, category, Some(&Admin::Telegram(asker.id))).await;
        match set {
            Err(BroadcastError::Category(..)) => Ok(Outcome::notice("press-impossible")),
            set => self.draft_after(set, id, place, asker).await,
        }
    }

    async fn set_start(
        &self,
        id: i64,
        at: Option<i64>,
        place: MessagePlace,
        asker: &Asker,
    ) -> Result<Outcome, BroadcastError> {
        let at = match at.map(|at| DateTime::from_timestamp(at, 0)) {
            Some(None) => return Ok(Outcome::notice("press-impossible")),
            at => at.flatten(),
        };
        let by = Admin::Telegram(asker.id);
        match self.broadcasts.set_start(id, at, Some(&by)).await {
            // The buttons are old.
            Err(BroadcastError::Past(_)) => Ok(Outcome::noticed(
                "press-broadcast-past",
                self.show_broadcast(id, place, asker).await?,
            )),
            set => self.draft_after(set, id, place, asker).await,
        }
    }

    /// Shows a draft after a change, or the broadcast if it is no draft any more.
    async fn draft_after(
        &self,
        changed: Result<Broadcast, BroadcastError>,
        id: i64,
        place: MessagePlace,
        asker: &Asker,
    ) -> Result<Outcome, BroadcastError> {
        match changed {
            Ok(broadcast) => Ok(Outcome::saved(self.draft(&broadcast, asker).await?)),
            Err(BroadcastError::NoDraft { .. }) => {
                let screen = self.show_broadcast(id, place, asker).await?;
                Ok(Outcome::noticed("press-broadcast-changed", screen))
            }
            Err(error) => Err(error),
        }
    }

    /// The current time, in the time zone of an owner.
    fn now_of(&self, asker: &Asker) -> DateTime<Tz> {
        self.clock.now().with_timezone(&asker.preferences.zone())
    }

    /// Starts or schedules a draft. The message shows its progress from then on, whichever process sends
    /// it.
    async fn start_broadcast(
        &self,
        id: i64,
        change: BroadcastChange,
        place: MessagePlace,
        asker: &Asker,
    ) -> Result<Outcome, BroadcastError> {
        if self.broadcasts.find(id).await?.state != BroadcastState::Draft {
            return self.not_started(id, place, asker).await;
        }
        self.composing.show_progress(asker.id, id, place.message_id, SOON).await?;
        let by = Admin::Telegram(asker.id);
        match self.broadcasts.change(id, change, Some(&by)).await {
            Ok(broadcast) => Ok(self.follow(&broadcast, place, SOON, asker).await?.into()),
            Err(BroadcastError::State { .. }) => self.not_started(id, place, asker).await,
            Err(BroadcastError::Past(_)) => Ok(Outcome::noticed(
                "press-broadcast-past",
                self.show_broadcast(id, place, asker).await?,
            )),
            Err(BroadcastError::Nobody(_) | BroadcastError::AllLeftOut(_)) => Ok(Outcome::noticed(
                "press-broadcast-nobody",
                self.show_broadcast(id, place, asker).await?,
            )),
            Err(error) => Err(error),
        }
    }

    /// Shows what became of a draft that cannot be started any more.
    async fn not_started(
        &self,
        id: i64,
        place: MessagePlace,
        asker: &Asker,
    ) -> Result<Outcome, BroadcastError> {
        let broadcast = self.broadcasts.find(id).await?;
        let screen = self.follow(&broadcast, place, SOON, asker).await?;
        let notice = match broadcast.started_at {
            Some(_) => "press-broadcast-started",
            None => "press-broadcast-changed",
        };
        Ok(Outcome::noticed(notice, screen))
    }

    async fn discard(
        &self,
        id: i64,
        place: MessagePlace,
        asker: &Asker,
    ) -> Result<Outcome, BroadcastError> {
        self.of_draft(id, place, asker, async |_| {
            let by = Admin::Telegram(asker.id);
            self.broadcasts.change(id, BroadcastChange::Cancel, Some(&by)).await?;
            Ok(asker.locale().text("broadcast-discarded").into())
        })
        .await
    }

    /// Pauses, resumes or cancels a broadcast, and shows how it is then.
    async fn change_broadcast(
        &self,
        id: i64,
        change: BroadcastChange,
        place: MessagePlace,
        asker: &Asker,
    ) -> Result<Outcome, BroadcastError> {
        match self.broadcasts.change(id, change, Some(&Admin::Telegram(asker.id))).await {
            Ok(broadcast) => Ok(self.follow(&broadcast, place, SOON, asker).await?.into()),
            Err(BroadcastError::State { .. }) => {
                let screen = self.show_broadcast(id, place, asker).await?;
                Ok(Outcome::noticed("press-broadcast-changed", screen))
            }
            Err(error) => Err(error),
        }
    }

    async fn ask_cancel(
        &self,
        id: i64,
        place: MessagePlace,
        asker: &Asker,
    ) -> Result<Outcome, BroadcastError> {
        let broadcast = self.broadcasts.find(id).await?;
        if broadcast.state.has_ended() || broadcast.state == BroadcastState::Draft {
            let screen = self.show_broadcast(id, place, asker).await?;
            return Ok(Outcome::noticed("press-broadcast-changed", screen));
        }
        let sums = self.broadcasts.sums(id).await?;
        self.composing.show_progress(asker.id, id, place.message_id, QUESTION_STANDS).await?;
        Ok(cancel_question(asker.locale(), &broadcast, &sums).into())
    }

    /// Sends an owner the message as users get it.
    async fn send_test(
        &self,
        id: i64,
        user: &TelegramUser,
        asker: &Asker,
    ) -> Result<Outcome, BroadcastError> {
        let plan = self.broadcasts.find(id).await?.plan;
        let opt_out = plan
            .has_opt_out_button
            .then(|| OptOutButton { category: plan.category.clone(), language: asker.language() });
        let message = Message::new(&plan.content)?;
        let letter = Letter { message: &message, to: user, opt_out, broadcast: None };
        let lane = self.messenger.lane(None, false);
        let (_never, stop) = watch::channel(false);
        let sent = timeout(PATIENCE, self.broadcasts.pictures().send(&*lane, letter, stop)).await;
        Ok(Outcome::notice(match sent {
            Ok(Delivery::Sent(_) | Delivery::Uploaded { .. }) => "press-test-sent",
            Ok(
                Delivery::Failed(reason)
                | Delivery::Content(reason)
                | Delivery::LostPicture(reason),
            ) => {
                log::info!(broadcast = id, reason; "Telegram refuses the message of a broadcast");
                "press-test-refused"
            }
            Ok(Delivery::Unreachable(_) | Delivery::NotYet) => "press-failed",
            Ok(Delivery::Unknown) | Err(_) => "press-test-unknown",
        }))
    }
}
