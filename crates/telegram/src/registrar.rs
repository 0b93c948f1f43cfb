//! Registers the users of updates that were read, and quarantines what could not be read or stored.

mod refusals;

use std::{
    collections::{BTreeMap, BTreeSet},
    slice,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use rollcall_domain::{Interaction, QuarantinedUpdate, Registration, TelegramId, error_chain};
use rollcall_service::{ServiceError, UserService};

use crate::update::Update;
use refusals::{Fault, Refusals};

/// Registers the users of updates. Cheap to clone; clones share what they know about refused updates.
#[derive(Clone)]
pub(crate) struct Registrar {
    users: UserService,
    refusals: Arc<Mutex<Refusals>>,
}

/// The result of registering updates.
pub(crate) struct Registered {
    /// The registrations of users, each with the index of its update, in no particular order. An update
    /// that has an interaction and is missing here is in quarantine, or was not reached.
    pub(crate) registrations: Vec<(usize, Registration)>,
    /// Where registration stopped, if it did.
    pub(crate) held: Option<Held>,
}

/// An update that the storage refuses and that cannot be quarantined yet. It was not registered, nor
/// were those after it.
pub(crate) struct Held {
    /// The index of the update.
    pub(crate) index: usize,
    /// The first id of the updates that were not registered.
    pub(crate) from: Option<i64>,
    /// Why the storage refuses it.
    pub(crate) error: ServiceError,
}

impl Registrar {
    pub(crate) fn new(users: UserService) -> Self {
        Self { users, refusals: Arc::default() }
    }

    /// Registers the users of the updates, and quarantines updates that could not be read in full. The
    /// result is durable, so the caller may acknowledge it to Telegram.
    ///
    /// If the storage refuses the batch because of one update, that update is quarantined, once it is
    /// clear that the database itself works.
    ///
    /// # Errors
    /// If the storage fails. Then register all of the updates again.
    pub(crate) async fn register(
        &self,
        updates: &[Update<'_>],
    ) -> Result<Registered, ServiceError> {
        let registered = match self.register_together(updates).await {
            Err(error) if is_permanent(&error) => {
                log::debug!(error = error_chain(&error); "registering a batch one by one");
                self.register_one_by_one(updates).await?
            }
            result => Registered { registrations: result?, held: None },
        };
        let held = registered.held.as_ref().map_or(updates.len(), |held| held.index);
        let suppressed = registered.registrations.iter().filter(|(_, it)| it.suppressed);
        let suppressed = suppressed.map(|&(index, _)| index).collect();
        count(updates.get(..held).unwrap_or_default(), &suppressed);
        Ok(registered)
    }

    /// Stops once the database itself is at fault, because it would refuse the others too.
    async fn register_one_by_one(
        &self,
        updates: &[Update<'_>],
    ) -> Result<Registered, ServiceError> {
        let mut registrations = Vec::new();
        let mut refused = Vec::new();
        for (index, update) in updates.iter().enumerate() {
            let error = match self.register_together(slice::from_ref(update)).await {
                Ok(one) => {
                    registrations.extend(one.into_iter().map(|(_, it)| (index, it)));
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
                let held = Some(Held { index, from, error });
                return Ok(Registered { registrations, held });
            }
            // The database may have been repaired since the first attempt.
            match self.register_together(slice::from_ref(update)).await {
                Ok(one) => registrations.extend(one.into_iter().map(|(_, it)| (index, it))),
                Err(error) if is_permanent(&error) => self.quarantine(update, &error).await?,
                Err(error) => return Err(error),
            }
        }
        Ok(Registered { registrations, held: None })
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

    /// The registrations of users, each with the index of its update.
    async fn register_together(
        &self,
        updates: &[Update<'_>],
    ) -> Result<Vec<(usize, Registration)>, ServiceError> {
        let acted = || updates.iter().enumerate().filter(|(_, it)| it.interaction.is_some());
        let interactions: Vec<Interaction> =
            acted().filter_map(|(_, update)| update.interaction.clone()).collect();
        let quarantined = |update: &Update| {
            let reason = update.fault.clone()?;
            update.quarantined(reason, update.interaction.is_some())
        };
        let quarantined: Vec<QuarantinedUpdate> = updates.iter().filter_map(quarantined).collect();
        let registrations = self.users.register_with(interactions, quarantined).await?;
        self.refusals().passed(acted().filter_map(|(_, update)| user_of(update)));
        Ok(acted().map(|(index, _)| index).zip(registrations).collect())
    }
}
/// Logs why updates could not be read in full.
pub(crate) fn log_faults(updates: &[Update<'_>]) {
    for Update { update_id, fault, .. } in updates {
        if let Some(fault) = fault {
            log::warn!(update_id, fault; "an update could not be read in full, and is set aside");
        }
    }
}

fn is_permanent(error: &ServiceError) -> bool {
    matches!(error, ServiceError::Repository(error) if error.is_permanent())
}

fn user_of(update: &Update<'_>) -> Option<TelegramId> {
    update.interaction.as_ref().map(Interaction::telegram_id)
}

/// Counts registered updates; `suppressed` has the indices of those of erased users. It adds them up
/// first, because each increment of a counter is slow.
fn count(updates: &[Update<'_>], suppressed: &BTreeSet<usize>) {
    let mut counts: BTreeMap<(&str, &str), u64> = BTreeMap::new();
    for (index, update) in updates.iter().enumerate() {
        let kind =
            update.interaction.as_ref().map_or("none", |interaction| interaction.kind.name());
        let outcome = match (&update.fault, &update.interaction) {
            _ if suppressed.contains(&index) => "suppressed",
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
