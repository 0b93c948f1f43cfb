//! The message of a broadcast: an owner's next message after `/broadcast`.

use rollcall_domain::{
    Admin, BROADCAST_LASTS, BroadcastContent, BroadcastPlan, DeliveryTimes, Experiment,
    MAX_BROADCAST_NAME_CHARS, NEWS_CATEGORY, OnUnknown, Registration, error_chain,
};
use rollcall_service::{BroadcastError, BroadcastRequest, ServiceError, Waiting};
use rollcall_telegram::{Destination, NotCopied, PrivateMessage};

use super::{buttons::SendableButtons, words};
use crate::{
    audience::Audience,
    conversation::{Asker, Conversation},
    reply::{Screen, send},
    selected_users::refused,
};

impl Conversation {
    /// Handles a message of a user who is probably an owner. It has no answer, unless the bot waits for
    /// the message of a broadcast.
    pub(crate) async fn message(&self, message: &PrivateMessage, registration: &Registration) {
        let from = registration.user.telegram_id;
        match self.audience(message.chat, from).await {
            Some(Audience::Owner) => {}
            Some(Audience::Sender | Audience::Group) => return,
            None => return self.note_forged(),
        }
        let (answer, asker) = match self.asker(&registration.user).await {
            Ok(asker) => (self.received(message, &asker).await, asker),
            Err((error, asker)) => (Err(error), asker),
        };
        let answer = answer.unwrap_or_else(|error| {
            log::warn!(error = error_chain(&error); "a message for a broadcast was not taken");
            Some(asker.locale().text("failed").into())
        });
        let Some(answer) = answer else { return };
        let begun = self.clock.now();
        let to = Destination::user(from, message.from.topic);
        if let Err(error) = send(&self.outbox, to, &answer).await {
            self.not_sent(from, error, begun).await;
        }
    }

    /// Waits for a message no longer. Returns what the owner is shown, if the bot waited for one.
    async fn stop_waiting(&self, asker: &Asker) -> Result<Option<Screen>, ServiceError> {
        if self.composing.waiting(asker.id).await? == Waiting::No {
            return Ok(None);
        }
        let was_waiting = self.composing.take(asker.id).await?.is_some();
        Ok(was_waiting.then(|| asker.locale().text("broadcast-stopped").into()))
    }

    /// Waits for a message no longer, because the owner sends a command, and shows that.
    pub(crate) async fn end_waiting(&self, asker: &Asker, to: Destination) {
        let ended = self.stop_waiting(asker).await.unwrap_or_else(|error| {
            log::warn!(error = error_chain(&error); "could not stop to wait for a message");
            None
        });
        let Some(ended) = ended else { return };
        let begun = self.clock.now();
        if let Err(error) = send(&self.outbox, to, &ended).await {
            self.not_sent(asker.id, error, begun).await;
        }
    }

    /// The answer to a message, if the bot waits for one.
    async fn received(
        &self,
        message: &PrivateMessage,
        asker: &Asker,
    ) -> Result<Option<Screen>, ServiceError> {
        let locale = asker.locale();
        match self.composing.waiting(asker.id).await? {
            Waiting::No => return Ok(None),
            Waiting::Expired => return Ok(Some(locale.text("broadcast-expired").into())),
            Waiting::For(_) => {}
        }
        // A command of another bot, or one that does not exist, such as /cancel.
        if message.text.as_ref().is_some_and(|text| text.starts_with('/')) {
            return self.stop_waiting(asker).await;
        }
        if let Some(album) = &message.album {
            let is_new = self.composing.is_new_album(asker.id, album).await?;
            return Ok(is_new.then(|| locale.text("broadcast-album").into()));
        }
        match message.copying {
            Ok(()) => {}
            Err(NotCopied::Quiz) => return Ok(Some(locale.text("broadcast-quiz").into())),
            Err(NotCopied::Kind) => return Ok(Some(locale.text("broadcast-not-copied").into())),
        }
        let Some(request) = self.composing.take(asker.id).await? else { return Ok(None) };
        match self.create_draft(message, &request, asker).await {
            Ok(screen) => Ok(Some(screen)),
            Err(BroadcastError::Service(error)) => {
                self.composing.put_back(asker.id, &request).await?;
                Err(error)
            }
            Err(error) => Ok(Some(refused(locale, words::COMMAND, &error.to_string(), None))),
        }
    }

    async fn create_draft(
        &self,
        message: &PrivateMessage,
        request: &BroadcastRequest,
        asker: &Asker,
    ) -> Result<Screen, BroadcastError> {
        let buttons = message.buttons.as_deref().map(SendableButtons::of).unwrap_or_default();
        let content = BroadcastContent::Copy {
            from_chat_id: message.chat.id,
            message_id: message.message_id,
            reply_markup: buttons.markup,
        };
        let plan = BroadcastPlan {
            name: self.name_of(message),
            category: NEWS_CATEGORY.parse().map_err(|_| BroadcastError::Name)?,
            filter: request.filter.clone(),
            zone: request.zone,
            content,
            rate: None,
            is_paid: false,
            on_unknown: OnUnknown::default(),
            starts_at: None,
            lasts: BROADCAST_LASTS,
            times: DeliveryTimes::default(),
            has_opt_out_button: false,
            experiment: Experiment::default(),
        };
        let broadcast = self.broadcasts.create(&plan, Some(&Admin::Telegram(asker.id))).await?;
        let mut screen = self.draft(&broadcast, asker).await?;
        if buttons.left_out > 0 {
            let count = [("count", buttons.left_out.into())];
            screen.text.push_str("\n\n");
            screen.text.push_str(&asker.locale().format("broadcast-buttons-left-out", &count));
        }
        Ok(screen)
    }

    /// The first line of a message, or the time if it has no text.
    fn name_of(&self, message: &PrivateMessage) -> String {
        let text = message.text.as_deref().unwrap_or_default();
        let line = text.lines().map(str::trim).find(|line| !line.is_empty());
        let line: String = line.unwrap_or_default().chars().filter(|c| !c.is_control()).collect();
        match line.char_indices().nth(MAX_BROADCAST_NAME_CHARS) {
            _ if line.trim().is_empty() => {
                self.clock.now().format("%Y-%m-%d %H:%M UTC").to_string()
            }
            None => line,
            Some(_) => line.chars().take(MAX_BROADCAST_NAME_CHARS - 1).chain(['…']).collect(),
        }
    }
}
