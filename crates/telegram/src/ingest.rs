//! Taking updates in, however they come: registered first, answered after.

use std::{sync::Arc, time::Duration};

use rollcall_domain::{Clock, Interaction, Registration, SetAside};
use rollcall_service::{ServiceError, UserService};
use serde_json::value::RawValue;

use crate::{
    handler::Handler,
    lanes::Lanes,
    update::{self, CommandMessage, Update},
};

/// How many commands may wait for their answers before no more updates are taken.
const COMMANDS_IN_MEMORY: u32 = 1000;
/// How long answers that are under way may take when the bot ends.
const LAST_ANSWERS: Duration = Duration::from_secs(4);

/// Registers whom updates come from, and has commands answered. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Ingest {
    users: UserService,
    clock: Arc<dyn Clock>,
    handler: Arc<Handler>,
    lanes: Lanes,
}

/// Commands whose senders are registered, to be answered.
#[derive(Default)]
pub(crate) struct Commands(Vec<(CommandMessage, Registration)>);

impl Ingest {
    pub(crate) fn new(users: UserService, clock: Arc<dyn Clock>, handler: Handler) -> Self {
        Self { users, clock, handler: Arc::new(handler), lanes: Lanes::new(COMMANDS_IN_MEMORY) }
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

    /// Has commands answered, in order within a chat; waits only while too many wait already.
    pub(crate) async fn answer(&self, commands: Commands) {
        for (message, registration) in commands.0 {
            let handler = self.handler.clone();
            let chat = message.chat.id;
            let answer = async move { handler.handle(&message, &registration).await };
            self.lanes.push(chat, answer).await;
        }
    }

    /// Lets answers that are under way get out, for a while.
    pub(crate) async fn finish(&self) {
        if tokio::time::timeout(LAST_ANSWERS, self.lanes.finished()).await.is_err() {
            log::warn!("some answers were not sent in time");
        }
    }
}
