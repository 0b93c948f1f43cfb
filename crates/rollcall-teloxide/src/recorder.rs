use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use rollcall::{Registration, Rollcall, TakenUpdate, UnreachableReason, User};
use serde_json::Value;
use teloxide::{
    dispatching::UpdateHandler,
    types::{Update, UpdateKind},
};

/// How many registrations are kept for updates that the handler has not seen yet.
const KEPT: usize = 10_000;

/// Registers the users of a teloxide bot. Cheap to clone; clones share the database.
#[derive(Clone)]
pub struct Recorder {
    rollcall: Rollcall,
    /// What the listener has registered, by update id, for the handler.
    registered: Arc<Mutex<BTreeMap<i64, Option<Registration>>>>,
}

impl std::fmt::Debug for Recorder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Recorder")
    }
}

/// The user of an update. Handlers behind [`Recorder::handler`] can take it as a parameter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Registered {
    /// The user, as stored after this update. `None` if no user caused the update, as for posts of a
    /// channel, or if it could not be stored.
    pub user: Option<User>,
    /// Whether the update is the user's first interaction with the bot.
    pub is_new: bool,
}

impl From<Option<Registration>> for Registered {
    fn from(registration: Option<Registration>) -> Self {
        let is_new = registration.as_ref().is_some_and(|it| it.created);
        Self { user: registration.map(|it| it.user), is_new }
    }
}

impl Recorder {
    /// Records into an open database.
    pub fn new(rollcall: Rollcall) -> Self {
        Self { rollcall, registered: Arc::default() }
    }

    /// The database.
    pub fn rollcall(&self) -> &Rollcall {
        &self.rollcall
    }

    /// The root of your handlers: registers the user of each update first, also of kinds that teloxide
    /// cannot read (`UpdateKind::Error`), and gives [`Registered`] to the handlers behind it.
    ///
    /// With [`Recorder::listener`], the update is registered already. With another listener, such as a
    /// webhook of teloxide, it is registered here. If the database fails then, that is logged, the user is
    /// `None`, and the update may be lost for the figures: only our listener can hold it back.
    pub fn handler<E: 'static>(&self) -> UpdateHandler<E> {
        let recorder = self.clone();
        teloxide::dptree::entry().map_async(move |update: Update| {
            let recorder = recorder.clone();
            async move { recorder.registered(update).await }
        })
    }

    async fn registered(&self, update: Update) -> Registered {
        if let Some(registration) = self.kept().remove(&i64::from(update.id.0)) {
            return registration.into();
        }
        let json = match json_of(&update) {
            Ok(json) => json.to_string(),
            Err(error) => {
                log::warn!(error:%; "an update could not be registered");
                return Registered::default();
            }
        };
        match self.rollcall.register_json(&json).await {
            Ok(taken) => taken.registration.into(),
            Err(error) => {
                log::warn!(error:% = with_source(&error); "an update could not be registered");
                Registered::default()
            }
        }
    }

    /// Keeps what the listener has registered until the handler asks for it. Without the handler, the
    /// oldest are dropped.
    pub(crate) fn keep(&self, taken: Vec<TakenUpdate>) {
        let mut kept = self.kept();
        kept.extend(taken.into_iter().map(|it| (it.update_id, it.registration)));
        while kept.len() > KEPT {
            kept.pop_first();
        }
    }

    pub(crate) async fn mark_unreachable(&self, user: i64, reason: UnreachableReason) {
        if let Err(error) = self.rollcall.mark_unreachable(user, reason).await {
            log::warn!(error:% = with_source(&error); "could not record that a user is unreachable");
        }
    }

    fn kept(&self) -> MutexGuard<'_, BTreeMap<i64, Option<Registration>>> {
        // No code panics while holding it.
        self.registered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An update as Telegram sent it, as far as teloxide has kept it.
fn json_of(update: &Update) -> serde_json::Result<Value> {
    match &update.kind {
        UpdateKind::Error(content) => {
            let mut content = content.clone();
            if let Some(fields) = content.as_object_mut() {
                fields.insert("update_id".to_owned(), update.id.0.into());
            }
            Ok(content)
        }
        _ => serde_json::to_value(update),
    }
}

/// An error with its cause.
pub(crate) fn with_source(error: &rollcall::Error) -> String {
    match std::error::Error::source(error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use teloxide::types::UpdateId;

    use super::*;

    #[test]
    fn an_update_that_teloxide_cannot_read_keeps_its_content() {
        let content = json!({"telepathy": {"from": {"id": 5, "first_name": "Ann"}}});
        let update = Update { id: UpdateId(7), kind: UpdateKind::Error(content) };
        let expected =
            json!({"telepathy": {"from": {"id": 5, "first_name": "Ann"}}, "update_id": 7});
        assert_eq!(json_of(&update).unwrap(), expected);
    }
}
