//! Ingests updates from polling and from the webhook: registers their users first, and answers
//! commands after.

mod chat_queues;
mod own_name;
mod slots;
mod stream;

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use chrono::{DateTime, Utc};
use rollcall_domain::{Clock, LogPace, Registration, Username};
use rollcall_service::{ServiceError, UserService};
use serde_json::value::RawValue;

pub(crate) use own_name::{Me, OwnName};
pub(crate) use stream::Stream;

use crate::{
    behind::Behind,
    dating::date_undated,
    handler::{Handler, Request},
    outbox::Outbox,
    registrar::{Held, Registered, Registrar, log_faults},
    update::{self, Update},
};
use chat_queues::{ChatQueues, QueueBounds};
use slots::{Limit, SlotBounds};

/// How many commands and button presses may wait in memory for their answers. Registration never
/// waits for answers, so requests beyond a bound stay unanswered.
///
/// A group accepts 20 messages a minute, so its requests wait long. To keep room for other users, all
/// groups together have half of the slots, and one sender has as many over all chats as one chat has.
const SLOTS: SlotBounds = SlotBounds { all: 4000, groups: 2000, sender: 20 };
/// How many of them may wait in one chat.
const QUEUES: QueueBounds = QueueBounds { all: 20, sender_in_group: 5 };
/// How long answers in progress may take when the bot stops.
const LAST_ANSWERS: Duration = Duration::from_secs(3);

/// Registers the users of updates, and has their commands answered. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Ingest {
    registrar: Registrar,
    clock: Arc<dyn Clock>,
    handler: Arc<dyn Handler>,
    outbox: Outbox,
    own_name: OwnName,
    behind: Option<Behind>,
    queues: ChatQueues,
    unanswered: Arc<Mutex<LogPace>>,
}

/// The result of registering updates.
pub(crate) struct Taken {
    /// The requests of the registered updates.
    pub(crate) commands: Commands,
    /// Where registration stopped, if it did.
    pub(crate) held: Option<Held>,
}

/// Requests of registered users, to be answered.
#[derive(Default)]
pub(crate) struct Commands(Vec<(Request, Registration)>);

impl Ingest {
    /// The current time by the clock that dates updates.
    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    pub(crate) fn new(
        users: UserService,
        clock: Arc<dyn Clock>,
        handler: Arc<dyn Handler>,
        outbox: Outbox,
        own_name: OwnName,
        behind: Option<Behind>,
    ) -> Self {
        let queues = ChatQueues::new(SLOTS, QUEUES);
        Self {
            registrar: Registrar::new(users),
            clock,
            handler,
            outbox,
            own_name,
            behind,
            queues,
            unanswered: Arc::default(),
        }
    }

    /// Reads updates that have just arrived together in a stream; see [`update::read`]. If the bot may
    /// have been renamed, it asks Telegram first.
    pub(crate) async fn read<'a>(
        &self,
        raw: Vec<&'a RawValue>,
        stream: &mut Stream,
    ) -> Vec<Update<'a>> {
        let received = self.clock.now();
        let read_as = |own_name: Option<&Username>| -> Vec<Update<'a>> {
            let commands = self.handler.commands();
            let family = |data: &str| self.handler.button_family(data);
            let read =
                |raw: &&'a RawValue| update::read(raw.get(), received, own_name, commands, &family);
            raw.iter().map(read).collect()
        };
        let own_name = self.own_name.get();
        let mut updates = read_as(own_name.as_ref());
        let addressees: Vec<_> = updates.iter().filter_map(|it| it.addressee.as_ref()).collect();
        let checked = self.own_name.check(&addressees).await;
        if checked != own_name {
            updates = read_as(checked.as_ref());
        }
        log_faults(&updates);
        updates.iter().filter_map(|it| it.migration).for_each(|it| self.outbox.learn(it));
        let latest = date_undated(&mut updates, stream.now(received));
        stream.note(received, latest);
        if let Some(latest) = latest {
            let lag_ms = (received - latest).num_milliseconds().max(0);
            let lag = Duration::from_millis(lag_ms.unsigned_abs());
            metrics::gauge!("rollcall_update_lag_seconds").set(lag.as_secs_f64());
        }
        updates
    }

    /// Registers the users of the updates; see [`Registrar::register`].
    ///
    /// # Errors
    /// If the storage fails. Then register all of the updates again.
    pub(crate) async fn register(&self, updates: &[Update<'_>]) -> Result<Taken, ServiceError> {
        let Registered { registrations, held } = self.registrar.register(updates).await?;
        let request = |(index, registration)| {
            let update = updates.get::<usize>(index)?;
            Some((self.request(update)?, registration))
        };
        let commands = Commands(registrations.into_iter().filter_map(request).collect());
        Ok(Taken { commands, held })
    }

    /// The request in an update, if any.
    fn request(&self, update: &Update) -> Option<Request> {
        let wanted = || update.text.as_ref().filter(|message| self.handler.wants(&message.text));
        let command = update.command.clone().map(Request::Command);
        let text = || wanted().cloned().map(Request::Text);
        let press = || update.press.clone().map(Request::ButtonPress);
        let is_wanted =
            || update.private_author().is_some_and(|author| self.handler.wants_messages_of(author));
        let message = || is_wanted().then(|| update.private_message())?.map(Request::Message);
        let request = command.or_else(text).or_else(press).or_else(message);
        request.filter(|request| self.handler.answers(request))
    }

    /// Begins to deliver registered updates to the bot behind, if there is one. Those that our own bot
    /// answers are not; it only may answer a message of a user whose messages it wants.
    pub(crate) fn forward(&self, updates: &[Update<'_>]) {
        let Some(behind) = &self.behind else { return };
        let is_answered = |update: &Update<'_>| {
            self.request(update).is_some_and(|request| !matches!(request, Request::Message(_)))
        };
        let (answered, others): (Vec<_>, Vec<_>) =
            updates.iter().partition(|update| is_answered(update));
        // Telegram may deliver them again while others wait. They are answered once.
        answered.iter().filter_map(|update| update.update_id).for_each(|id| behind.leave_out(id));
        behind.deliver(&others);
    }

    /// The bot behind, if there is one.
    pub(crate) fn behind(&self) -> Option<&Behind> {
        self.behind.as_ref()
    }

    /// Has commands answered, in order within a chat. Commands beyond a bound stay unanswered.
    pub(crate) fn answer(&self, commands: Commands) {
        for (request, registration) in commands.0 {
            let handler = self.handler.clone();
            let sender = registration.user.telegram_id;
            let chat = request.chat_id().unwrap_or(sender.get());
            let chat = self.outbox.current_chat(chat);
            let answer = async move { handler.handle(request, registration).await };
            if let Err(limit) = self.queues.push(chat, sender, answer) {
                self.note_unanswered(limit);
            }
        }
    }

    fn note_unanswered(&self, limit: Limit) {
        metrics::counter!("rollcall_commands_unanswered_total", "limit" => limit.name())
            .increment(1);
        // No code panics while holding it.
        let mut pace = self.unanswered.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(commands) = pace.note(Instant::now()) {
            log::warn!(
                commands;
                "overloaded: some commands were not answered"
            );
        }
    }

    /// Waits a limited time for answers in progress.
    pub(crate) async fn finish(&self) {
        if let Some(behind) = &self.behind {
            behind.finish().await;
        }
        if tokio::time::timeout(LAST_ANSWERS, self.queues.finished()).await.is_err() {
            log::warn!("some answers were not sent in time");
        }
    }
}
