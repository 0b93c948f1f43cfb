//! Taking updates in, however they come: registered first, answered after.

use std::{
    collections::BTreeMap,
    slice,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use chrono::{DateTime, SubsecRound, Utc};
use rollcall_domain::{
    Clock, Interaction, LogPace, QuarantinedUpdate, Registration, TelegramId, Username,
};
use rollcall_service::{ServiceError, UserService};
use serde_json::value::RawValue;

use crate::{
    handler::{Handler, Request},
    lanes::{LaneBounds, Lanes},
    outbox::Outbox,
    own_name::OwnName,
    refusals::{Fault, Refusals},
    slots::{Limit, SlotBounds},
    stream::Stream,
    trouble::chain,
    update::{self, Update},
};

/// How many commands and presses may be in memory until they are answered. Taking updates is more
/// than answering them, and waits for nobody: what comes while there is no room goes unanswered.
///
/// A group takes 20 messages a minute, so what is asked there stays for long. So that it keeps no
/// answer from other users, groups have half of the room, and a sender has no more of it in all
/// chats together than a chat has.
const SLOTS: SlotBounds = SlotBounds { all: 4000, groups: 2000, sender: 20 };
/// How many of them may wait in one chat.
const LANES: LaneBounds = LaneBounds { all: 20, sender_in_group: 5 };
/// How long answers that are under way may take when the bot ends.
const LAST_ANSWERS: Duration = Duration::from_secs(3);

/// Registers whom updates come from, and has commands answered. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Ingest {
    users: UserService,
    clock: Arc<dyn Clock>,
    handler: Arc<dyn Handler>,
    outbox: Outbox,
    own_name: OwnName,
    lanes: Lanes,
    refusals: Arc<Mutex<Refusals>>,
    unanswered: Arc<Mutex<LogPace>>,
}

/// What became of updates.
pub(crate) struct Taken {
    /// What those that were taken ask for.
    pub(crate) commands: Commands,
    /// From where on they were not taken.
    pub(crate) held: Option<Held>,
}

/// An update that the storage refuses, and that cannot be set aside yet: neither it nor those behind
/// it were taken.
pub(crate) struct Held {
    /// Which one of the updates it is.
    index: usize,
    /// The first id of those that were not taken.
    pub(crate) from: Option<i64>,
    /// Why it is refused.
    pub(crate) error: ServiceError,
}

/// What people ask for whose senders are registered, to be answered.
#[derive(Default)]
pub(crate) struct Commands(Vec<(Request, Registration)>);

/// What an update asks for, if anything.
fn request(update: &Update) -> Option<Request> {
    let command = update.command.clone().map(Request::Command);
    command.or_else(|| update.press.clone().map(Request::ButtonPress))
}

impl Ingest {
    /// The time that updates are compared with.
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
        let lanes = Lanes::new(SLOTS, LANES);
        Self {
            users,
            clock,
            handler,
            outbox,
            own_name,
            lanes,
            refusals: Arc::default(),
            unanswered: Arc::default(),
        }
    }

    /// Reads updates that have just come together in a stream; see [`update::read`]. Where the bot may
    /// have been renamed, Telegram is asked first.
    pub(crate) async fn read<'a>(
        &self,
        raw: Vec<&'a RawValue>,
        stream: &mut Stream,
    ) -> Vec<Update<'a>> {
        let received = self.clock.now();
        let read_as = |own_name: Option<&Username>| -> Vec<Update<'a>> {
            let commands = self.handler.commands();
            raw.iter().map(|raw| update::read(raw.get(), received, own_name, commands)).collect()
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
        let latest = date_the_undated(&mut updates, stream.now(received));
        stream.note(received, latest);
        if let Some(latest) = latest {
            let lag_ms = (received - latest).num_milliseconds().max(0);
            let lag = Duration::from_millis(lag_ms.unsigned_abs());
            metrics::gauge!("rollcall_update_lag_seconds").set(lag.as_secs_f64());
        }
        updates
    }

    /// Registers the users of the updates, and keeps those that could not be read in full. What this
    /// answers as taken may be confirmed to Telegram: all of it is durable.
    ///
    /// Where the storage refuses them all for the sake of one, that one is set aside, once it shows
    /// that it is not the storage's fault.
    ///
    /// # Errors
    /// When the storage fails; all of it is to be registered again.
    pub(crate) async fn register(&self, updates: &[Update<'_>]) -> Result<Taken, ServiceError> {
        let taken = match self.register_together(updates).await {
            Err(error) if is_permanent(&error) => {
                log::debug!(error = chain(&error); "a batch is registered one by one");
                self.register_one_by_one(updates).await?
            }
            result => Taken { commands: result?, held: None },
        };
        let held = taken.held.as_ref().map_or(updates.len(), |held| held.index);
        count(updates.get(..held).unwrap_or_default());
        Ok(taken)
    }

    /// Stops where it shows that the database is at fault: it would refuse the others, too.
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
            // Without a user, it was refused to keep the update, which lies in no user's row.
            let Some(user) = user_of(update) else { return Err(error) };
            refused.push((index, update, user, error));
            let mut refusals = self.refusals();
            refusals.refused(user);
            if refusals.are_too_many() {
                break;
            }
        }
        for (index, update, user, error) in refused {
            if !self.lies_in_row_of(user).await {
                let rest = updates.iter().skip(index);
                let from = rest.filter_map(|update| update.update_id).min();
                return Ok(Taken { commands, held: Some(Held { index, from, error }) });
            }
            // The database may have been mended since the first attempt.
            match self.register_together(slice::from_ref(update)).await {
                Ok(Commands(one)) => commands.0.extend(one),
                Err(error) if is_permanent(&error) => self.quarantine(update, &error).await?,
                Err(error) => return Err(error),
            }
        }
        Ok(Taken { commands, held: None })
    }

    /// Whether it lies in the row of a user that an update of theirs was refused.
    async fn lies_in_row_of(&self, user: TelegramId) -> bool {
        let fault = self.refusals().fault(user);
        match fault {
            Fault::Row => true,
            Fault::Database => false,
            Fault::RowIfOthersPass => {
                let rehearsed = self.users.rehearse().await;
                rehearsed
                    .inspect_err(|error| log::debug!(error = chain(error); "others do not pass"))
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
            update_id = update.update_id, error = chain(error);
            "an update could not be registered, and is set aside"
        );
        Ok(())
    }

    fn refusals(&self) -> MutexGuard<'_, Refusals> {
        // Nothing panics while it is held.
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
        let commands = acted().map(request).zip(registrations);
        Ok(Commands(
            commands.filter_map(|(command, registered)| Some((command?, registered))).collect(),
        ))
    }

    /// Has commands answered, in order within a chat; those that there is no room for are not.
    pub(crate) fn answer(&self, commands: Commands) {
        for (request, registration) in commands.0 {
            let handler = self.handler.clone();
            let sender = registration.user.telegram_id;
            let chat = request.chat_id().unwrap_or(sender.get());
            let chat = self.outbox.current_chat(chat);
            let answer = async move { handler.handle(request, registration).await };
            if let Err(limit) = self.lanes.push(chat, sender, answer) {
                self.note_unanswered(limit);
            }
        }
    }

    fn note_unanswered(&self, limit: Limit) {
        metrics::counter!("rollcall_commands_unanswered_total", "limit" => limit.name())
            .increment(1);
        // Nothing panics while it is held.
        let mut pace = self.unanswered.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(commands) = pace.note(Instant::now()) {
            log::warn!(
                commands;
                "commands come faster than they can be answered: some go unanswered"
            );
        }
    }

    /// Lets answers that are under way get out, for a while.
    pub(crate) async fn finish(&self) {
        if tokio::time::timeout(LAST_ANSWERS, self.lanes.finished()).await.is_err() {
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

/// An update that does not tell its time, such as a callback query, happened no later than when it
/// came; but after a pause of the bot that says little, and would make what its user did since look
/// older. Updates come in the order in which things happened, so it takes the latest time told
/// before it in its batch, or else the first told after it; where none is, it is no later than
/// `now`, which those before the batch show. Answers the latest time told.
fn date_the_undated(updates: &mut [Update<'_>], now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let mut told = updates.iter().filter(|update| update.is_dated);
    let first = told.find_map(|update| Some(update.interaction.as_ref()?.at));
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

/// Counts updates that were taken: added up first, for counting takes longer than adding.
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
    fn what_tells_no_time_takes_that_of_its_batch() {
        let received = DateTime::from_timestamp(2000, 0).unwrap();
        let seconds = |updates: &[Value]| {
            let texts: Vec<String> = updates.iter().map(Value::to_string).collect();
            let mut updates: Vec<Update> =
                texts.iter().map(|text| update::read(text, received, None, &[])).collect();
            let now = DateTime::from_timestamp(1900, 0).unwrap();
            let latest = date_the_undated(&mut updates, now);
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
