//! Ingests updates from polling and from the webhook: registers their users first, and answers
//! commands after.

mod chat_queues;
mod own_name;
mod refusals;
mod slots;
mod stream;

use std::{
    collections::BTreeMap,
    slice,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use chrono::{DateTime, SubsecRound, Utc};
use rollcall_domain::{
    Clock, Interaction, LogPace, QuarantinedUpdate, Registration, TelegramId, Username, error_chain,
};
use rollcall_service::{ServiceError, UserService};
use serde_json::value::RawValue;

pub(crate) use own_name::{Me, OwnName};
pub(crate) use stream::Stream;

use crate::{
    handler::{Handler, Request},
    outbox::Outbox,
    update::{self, Update},
};
use chat_queues::{ChatQueues, QueueBounds};
use refusals::{Fault, Refusals};
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
    users: UserService,
    clock: Arc<dyn Clock>,
    handler: Arc<dyn Handler>,
    outbox: Outbox,
    own_name: OwnName,
    queues: ChatQueues,
    refusals: Arc<Mutex<Refusals>>,
    unanswered: Arc<Mutex<LogPace>>,
}

/// The result of registering updates.
pub(crate) struct Taken {
    /// The requests of the registered updates.
    pub(crate) commands: Commands,
    /// Where registration stopped, if it did.
    pub(crate) held: Option<Held>,
}

/// An update that the storage refuses and that cannot be quarantined yet. It was not registered, nor
/// were those after it.
pub(crate) struct Held {
    /// The index of the update.
    index: usize,
    /// The first id of the updates that were not registered.
    pub(crate) from: Option<i64>,
    /// Why the storage refuses it.
    pub(crate) error: ServiceError,
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
    ) -> Self {
        let queues = ChatQueues::new(SLOTS, QUEUES);
        Self {
            users,
            clock,
            handler,
            outbox,
            own_name,
            queues,
            refusals: Arc::default(),
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
        for Update { update_id, fault, migration, .. } in &updates {
            if let Some(fault) = fault {
                log::warn!(
                    update_id, fault;
                    "an update could not be read in full, and is set aside"
                );
            }
            if let Some(migration) = migration {
                self.outbox.learn(*migration);
            }
        }
        let latest = date_undated(&mut updates, stream.now(received));
        stream.note(received, latest);
        if let Some(latest) = latest {
            let lag_ms = (received - latest).num_milliseconds().max(0);
            let lag = Duration::from_millis(lag_ms.unsigned_abs());
            metrics::gauge!("rollcall_update_lag_seconds").set(lag.as_secs_f64());
        }
        updates
    }

    /// Registers the users of the updates, and quarantines updates that could not be read in full. The
    /// result is durable, so the caller may acknowledge it to Telegram.
    ///
    /// If the storage refuses the batch because of one update, that update is quarantined, once it is
    /// clear that the database itself works.
    ///
    /// # Errors
    /// If the storage fails. Then register all of the updates again.
    pub(crate) async fn register(&self, updates: &[Update<'_>]) -> Result<Taken, ServiceError> {
        let taken = match self.register_together(updates).await {
            Err(error) if is_permanent(&error) => {
                log::debug!(error = error_chain(&error); "registering a batch one by one");
                self.register_one_by_one(updates).await?
            }
            result => Taken { commands: result?, held: None },
        };
        let held = taken.held.as_ref().map_or(updates.len(), |held| held.index);
        count(updates.get(..held).unwrap_or_default());
        Ok(taken)
    }

    /// Stops once the database itself is at fault, because it would refuse the others too.
    async fn register_one_by_one(&self, updates: &[Update<'_>]) -> Result<Taken, ServiceError> {
        let mut commands = Commands::default();
        let mut refused = Vec::new();
        for (index, update) in updates.iter().enumerate() {
            let error = match self.register_together(slice::from_ref(update)).await {
                Ok(Commands(one)) => {
                    commands.0.extend(one);
                    continue;
                }
                Err(error) if is_permanent(&error) => error,
                Err(error) => return Err(error),
            };
            // Without a user, the quarantine was refused; no user's row can be the reason.
            let Some(user) = user_of(update) else { return Err(error) };
            refused.push((index, update, user, error));
            let mut refusals = self.refusals();
            refusals.refused(user);
            if refusals.are_too_many() {
                break;
            }
        }
        for (index, update, user, error) in refused {
            if !self.is_fault_of_row(user).await {
                let rest = updates.iter().skip(index);
                let from = rest.filter_map(|update| update.update_id).min();
                return Ok(Taken { commands, held: Some(Held { index, from, error }) });
            }
            // The database may have been repaired since the first attempt.
            match self.register_together(slice::from_ref(update)).await {
                Ok(Commands(one)) => commands.0.extend(one),
                Err(error) if is_permanent(&error) => self.quarantine(update, &error).await?,
                Err(error) => return Err(error),
            }
        }
        Ok(Taken { commands, held: None })
    }

    /// Whether the user's row is the reason that their update was refused.
    async fn is_fault_of_row(&self, user: TelegramId) -> bool {
        let fault = self.refusals().fault(user);
        match fault {
            Fault::Row => true,
            Fault::Database => false,
            Fault::RowIfOthersPass => {
                let rehearsed = self.users.rehearse().await;
                rehearsed
                    .inspect_err(|error| log::debug!(error = error_chain(error); "updates of other users are refused too"))
                    .is_ok()
            }
        }
    }

    async fn quarantine(
        &self,
        update: &Update<'_>,
        error: &ServiceError,
    ) -> Result<(), ServiceError> {
        let ServiceError::Repository(cause) = error else { return Ok(()) };
        let reason = format!("it could not be registered: {}", cause.without_values());
        let Some(quarantined) = update.quarantined(reason, false) else { return Ok(()) };
        self.users.register_with(Vec::new(), vec![quarantined]).await?;
        log::error!(
            update_id = update.update_id, error = error_chain(error);
            "an update could not be registered, and is set aside"
        );
        Ok(())
    }

    fn refusals(&self) -> MutexGuard<'_, Refusals> {
        // No code panics while holding it.
        self.refusals.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn register_together(&self, updates: &[Update<'_>]) -> Result<Commands, ServiceError> {
        let acted = || updates.iter().filter(|update| update.interaction.is_some());
        let interactions: Vec<Interaction> =
            acted().filter_map(|update| update.interaction.clone()).collect();
        let quarantined = |update: &Update| {
            let reason = update.fault.clone()?;
            update.quarantined(reason, update.interaction.is_some())
        };
        let quarantined: Vec<QuarantinedUpdate> = updates.iter().filter_map(quarantined).collect();
        let registrations = self.users.register_with(interactions, quarantined).await?;
        self.refusals().passed(acted().filter_map(user_of));
        let commands = acted().map(|update| self.request(update)).zip(registrations);
        Ok(Commands(
            commands.filter_map(|(command, registered)| Some((command?, registered))).collect(),
        ))
    }

    /// The request in an update, if any.
    fn request(&self, update: &Update) -> Option<Request> {
        let wanted = || update.text.as_ref().filter(|message| self.handler.wants(&message.text));
        let command = update.command.clone().map(Request::Command);
        let text = || wanted().cloned().map(Request::Text);
        command.or_else(text).or_else(|| update.press.clone().map(Request::ButtonPress))
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
        if tokio::time::timeout(LAST_ANSWERS, self.queues.finished()).await.is_err() {
            log::warn!("some answers were not sent in time");
        }
    }
}

fn is_permanent(error: &ServiceError) -> bool {
    matches!(error, ServiceError::Repository(error) if error.is_permanent())
}

fn user_of(update: &Update<'_>) -> Option<TelegramId> {
    update.interaction.as_ref().map(Interaction::telegram_id)
}

/// Dates updates that have no time of their own, such as callback queries. They happened before they
/// arrived, but after a pause of the bot the time of arrival may be hours late. Updates arrive in the
/// order in which they happened. So an undated one takes the latest time before it in its batch, or
/// else the first after it, or else `now`, the time of the stream. Returns the latest time in the batch.
fn date_undated(updates: &mut [Update<'_>], now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let mut dated = updates.iter().filter(|update| update.is_dated);
    let first = dated.find_map(|update| Some(update.interaction.as_ref()?.at));
    let mut latest = first.unwrap_or_else(|| now.trunc_subsecs(0));
    for update in updates {
        let Some(interaction) = &mut update.interaction else { continue };
        if update.is_dated {
            latest = latest.max(interaction.at);
        } else {
            interaction.at = interaction.at.min(latest);
        }
    }
    first.map(|_| latest)
}

/// Counts registered updates. It adds them up first, because each increment of a counter is slow.
fn count(updates: &[Update<'_>]) {
    let mut counts: BTreeMap<(&str, &str), u64> = BTreeMap::new();
    for update in updates {
        let kind =
            update.interaction.as_ref().map_or("none", |interaction| interaction.kind.name());
        let outcome = match (&update.fault, &update.interaction) {
            (Some(_), _) => "set_aside",
            (None, Some(_)) => "registered",
            (None, None) => "no_actor",
        };
        *counts.entry((kind, outcome)).or_default() += 1;
    }
    for ((kind, outcome), updates) in counts {
        metrics::counter!("rollcall_updates_total", "kind" => kind, "outcome" => outcome)
            .increment(updates);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn an_undated_update_takes_the_time_of_its_batch() {
        let received = DateTime::from_timestamp(2000, 0).unwrap();
        let seconds = |updates: &[Value]| {
            let texts: Vec<String> = updates.iter().map(Value::to_string).collect();
            let mut updates: Vec<Update> = texts
                .iter()
                .map(|text| update::read(text, received, None, &[], &|_| None))
                .collect();
            let now = DateTime::from_timestamp(1900, 0).unwrap();
            let latest = date_undated(&mut updates, now);
            assert_eq!(latest.is_some(), updates.iter().any(|update| update.is_dated));
            let at =
                |update: &Update| update.interaction.as_ref().map(|acted| acted.at.timestamp());
            updates.iter().filter_map(at).collect::<Vec<_>>()
        };
        let callback = json!({"update_id": 1, "callback_query": {"from": {"id": 5}}});
        let text =
            |date: i64| json!({"update_id": 2, "message": {"from": {"id": 5}, "date": date}});

        assert_eq!(seconds(std::slice::from_ref(&callback)), [1900]);
        assert_eq!(seconds(&[text(1000), callback.clone(), text(1010)]), [1000, 1000, 1010]);
        assert_eq!(seconds(&[callback.clone(), text(1000)]), [1000, 1000]);
        assert_eq!(seconds(&[text(1000), text(900), callback.clone()]), [1000, 900, 1000]);
        assert_eq!(seconds(&[callback, text(3000)]), [2000, 3000]);
    }
}
