//! Taking updates in, however they come: registered first, answered after.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use rollcall_domain::{Clock, Interaction, Registration, SetAside};
use rollcall_service::{ServiceError, UserService};
use serde_json::value::RawValue;
use tokio::time::Instant;

use crate::{
    handler::Handler,
    lanes::Lanes,
    update::{self, CommandMessage, Update},
};

/// How many commands may wait for their answers, in all and of one chat. Taking updates is more
/// than answering them: what comes while there is no room goes unanswered.
const COMMANDS_IN_MEMORY: u32 = 1000;
const COMMANDS_OF_A_CHAT: usize = 20;
/// How long a batch may wait for room where messages are sent as fast as can be. There room comes
/// at once; where they are sent at Telegram's rate it does not, and nobody waits for it.
const ROOM_SOON: Duration = Duration::from_secs(1);
/// How often it is told that commands go unanswered.
const TELL_EVERY: Duration = Duration::from_secs(60);
/// How long answers that are under way may take when the bot ends.
const LAST_ANSWERS: Duration = Duration::from_secs(3);

/// Registers whom updates come from, and has commands answered. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Ingest {
    users: UserService,
    clock: Arc<dyn Clock>,
    handler: Arc<Handler>,
    lanes: Lanes,
    /// How long a batch may wait for room.
    patience: Duration,
    told: Arc<Mutex<Option<Instant>>>,
}

/// Commands whose senders are registered, to be answered.
#[derive(Default)]
pub(crate) struct Commands(Vec<(CommandMessage, Registration)>);

impl Ingest {
    pub(crate) fn new(users: UserService, clock: Arc<dyn Clock>, handler: Handler) -> Self {
        let (of_a_chat, patience) = if handler.outbox.is_limited() {
            (COMMANDS_OF_A_CHAT, Duration::ZERO)
        } else {
            (usize::MAX, ROOM_SOON)
        };
        let lanes = Lanes::new(COMMANDS_IN_MEMORY, of_a_chat);
        Self { users, clock, handler: Arc::new(handler), lanes, patience, told: Arc::default() }
    }

    /// Reads updates that have just come; see [`update::read`].
    pub(crate) fn read<'a>(&self, raw: impl IntoIterator<Item = &'a RawValue>) -> Vec<Update> {
        let received = self.clock.now();
        let read = |raw: &RawValue| {
            let update = update::read(raw.get(), received);
            if let Some(fault) = &update.fault {
                log::warn!(
                    update_id = update.update_id, fault;
                    "an update could not be read in full, and is set aside"
                );
            }
            update
        };
        raw.into_iter().map(read).collect()
    }

    /// Registers whom the updates come from, and keeps those that could not be read in full. Once
    /// this has answered, they may be confirmed to Telegram: all of it is durable.
    pub(crate) async fn register(&self, updates: &[Update]) -> Result<Commands, ServiceError> {
        let acted = || updates.iter().filter(|update| update.interaction.is_some());
        let interactions: Vec<Interaction> =
            acted().filter_map(|update| update.interaction.clone()).collect();
        let set_aside: Vec<SetAside> =
            updates.iter().filter_map(|update| update.set_aside.clone()).collect();
        let registrations = self.users.register_with(&interactions, &set_aside).await?;
        let commands = acted().map(|update| update.command.clone()).zip(registrations);
        Ok(Commands(
            commands.filter_map(|(command, registered)| Some((command?, registered))).collect(),
        ))
    }

    /// Has commands answered, in order within a chat; those that there is no room for are not.
    pub(crate) async fn answer(&self, commands: Commands) {
        let deadline = Instant::now() + self.patience;
        let mut unanswered = 0;
        for (message, registration) in commands.0 {
            let handler = self.handler.clone();
            let chat = message.chat.id;
            let answer = async move { handler.handle(&message, &registration).await };
            if !self.lanes.push(chat, deadline, answer).await {
                unanswered += 1;
            }
        }
        if unanswered > 0 {
            self.tell_of_unanswered(unanswered);
        }
    }

    /// A flood is told of once in a while, not once a batch.
    fn tell_of_unanswered(&self, commands: u32) {
        log::debug!(commands; "commands go unanswered");
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.is_none_or(|told| told.elapsed() >= TELL_EVERY) {
            log::warn!("commands come faster than they can be answered: some go unanswered");
            *told = Some(Instant::now());
        }
    }

    /// Lets answers that are under way get out, for a while.
    pub(crate) async fn finish(&self) {
        if tokio::time::timeout(LAST_ANSWERS, self.lanes.finished()).await.is_err() {
            log::warn!("some answers were not sent in time");
        }
    }
}
