use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use chrono::{DateTime, Utc};
use frankenstein::methods::AnswerCallbackQueryParams;
use rollcall_domain::{Chat, Clock, Registration, TelegramUser, error_chain};
use rollcall_service::UserService;

use super::reply::Reply;
use crate::{
    bot::Bot,
    client::CallError,
    destination::{Destination, MessagePlace},
    handler::Request,
    outbox::{Outbox, SendError},
};

/// What every request of a bot needs for its answer.
#[derive(Clone)]
pub(super) struct Exchange {
    outbox: Outbox,
    users: UserService,
    clock: Arc<dyn Clock>,
}

impl Exchange {
    pub(super) fn new(bot: &Bot, users: UserService) -> Self {
        Self { outbox: bot.outbox(), users, clock: bot.clock() }
    }
}

/// A request of a user: what they ask for, who they are, and how to answer. Cheap to clone.
#[derive(Clone)]
pub struct Context(Arc<Inner>);

struct Inner {
    exchange: Exchange,
    request: Request,
    registration: Registration,
    argument: String,
    /// Whether the press of a button was answered.
    is_answered: AtomicBool,
}

impl Context {
    pub(super) fn new(
        exchange: Exchange,
        request: Request,
        registration: Registration,
        argument: String,
    ) -> Self {
        let is_answered = AtomicBool::default();
        Self(Arc::new(Inner { exchange, request, registration, argument, is_answered }))
    }

    /// The user, as stored after this request.
    pub fn user(&self) -> &TelegramUser {
        &self.0.registration.user
    }

    /// Whether this request is the user's first interaction with the bot.
    pub fn is_new(&self) -> bool {
        self.0.registration.created
    }

    /// The text after the command, the button's data after the prefix, or the whole text.
    pub fn argument(&self) -> &str {
        &self.0.argument
    }

    /// The chat; `None` if the button is below a message that is in no chat of the bot.
    pub fn chat(&self) -> Option<Chat> {
        match &self.0.request {
            Request::Command(message) => Some(message.chat),
            Request::Text(message) => Some(message.chat),
            Request::Message(message) => Some(message.chat),
            Request::ButtonPress(press) => press.message.map(|(chat, _)| chat),
        }
    }

    /// Sends a message to the place that the request came from. Returns once it is sent or has failed.
    ///
    /// # Errors
    /// If Telegram does not take it. A user who can no longer be reached is marked as unreachable.
    pub async fn reply(&self, reply: impl Into<Reply>) -> Result<(), SendError> {
        let begun = self.0.exchange.clock.now();
        let sent = self.0.exchange.outbox.send(self.place(), &reply.into().content()).await;
        self.note(sent, begun).await
    }

    /// Replaces the message of the pressed button. If the message is gone, or the request is no press, it
    /// sends a new one.
    ///
    /// # Errors
    /// Those of [`Context::reply`].
    pub async fn edit(&self, reply: impl Into<Reply>) -> Result<(), SendError> {
        let reply = reply.into();
        let Some(place) = self.pressed() else { return self.reply(reply).await };
        let begun = self.0.exchange.clock.now();
        match self.0.exchange.outbox.edit(place, &reply.content()).await {
            Err(error) if error.is_of_lost_message() => self.reply(reply).await,
            edited => self.note(edited, begun).await,
        }
    }

    /// Shows a short text, up to 200 characters, above the chat of the pressed button. A press that no
    /// function answers in this way is answered without a text, so that clients stop waiting. If the
    /// request is no press, nothing happens.
    ///
    /// # Errors
    /// If Telegram does not take it.
    pub async fn answer(&self, text: &str) -> Result<(), CallError> {
        let Request::ButtonPress(press) = &self.0.request else { return Ok(()) };
        self.0.is_answered.store(true, Ordering::Relaxed);
        let answer = AnswerCallbackQueryParams::builder().callback_query_id(&press.id);
        let answer = answer.maybe_text((!text.is_empty()).then_some(text)).build();
        self.0.exchange.outbox.answer(&answer).await
    }

    /// Answers a press that no function has answered.
    pub(super) async fn finish(&self) {
        if self.0.is_answered.load(Ordering::Relaxed) {
            return;
        }
        if let Err(error) = self.answer("").await {
            log::warn!(error = error_chain(&error); "the press of a button was not answered");
        }
    }

    fn place(&self) -> Destination {
        match &self.0.request {
            Request::Command(message) => message.from,
            Request::Text(message) => message.from,
            Request::Message(message) => message.from,
            Request::ButtonPress(_) => match self.pressed() {
                Some(place) => place.destination,
                None => Destination::user(self.user().telegram_id, None),
            },
        }
    }

    /// The message of the pressed button.
    fn pressed(&self) -> Option<MessagePlace> {
        let Request::ButtonPress(press) = &self.0.request else { return None };
        press.message.map(|(_, place)| place)
    }

    /// Marks a user who can no longer be reached.
    async fn note(
        &self,
        sent: Result<(), SendError>,
        begun: DateTime<Utc>,
    ) -> Result<(), SendError> {
        if let Err(SendError::Unreachable { cause, .. }) = &sent {
            let (users, id) = (&self.0.exchange.users, self.user().telegram_id);
            if let Err(error) = users.mark_unreachable(id, *cause, begun).await {
                log::warn!(error = error_chain(&error); "could not record that a user is unreachable");
            }
        }
        sent
    }
}
