use std::{
    collections::BTreeMap,
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use chrono_tz::Tz;
use rollcall_domain::{Language, Preferences, TelegramId};
use rollcall_repository::PreferencesRepository;
use tokio::sync::oneshot;

use crate::ServiceError;

/// The most users whose preferences are read at once.
const TOGETHER: usize = 1000;

/// Reads and changes the preferences of users. Cheap to clone. Each change returns whether it was
/// possible: it is not if there is no such user.
#[derive(Clone)]
pub struct PreferencesService {
    storage: Arc<dyn PreferencesRepository>,
    asked: Arc<Mutex<Asked>>,
}

impl PreferencesService {
    /// Creates a service over `storage`.
    pub fn new(storage: impl PreferencesRepository + 'static) -> Self {
        Self { storage: Arc::new(storage), asked: Arc::default() }
    }

    /// Returns the preferences of a user. Requests that arrive during a read wait and are answered
    /// together by the next read.
    ///
    /// # Errors
    /// If the storage fails.
    pub async fn preferences(&self, id: TelegramId) -> Result<Preferences, ServiceError> {
        let (answer, answered) = oneshot::channel();
        let is_reading = {
            let mut asked = lock(&self.asked);
            asked.waiting.push((id, answer));
            mem::replace(&mut asked.is_reading, true)
        };
        if !is_reading {
            // A separate task, because the first caller may go away while the others still wait.
            let (storage, asked) = (self.storage.clone(), self.asked.clone());
            tokio::spawn(Reader { storage, asked, is_done: false }.read());
        }
        answered.await.unwrap_or(Err(ServiceError::Stopped))
    }

    /// Returns the preferences of these users, read together. A user without an entry has chosen nothing.
    ///
    /// # Errors
    /// If the storage fails, or a row of any of them is corrupt.
    pub async fn of(
        &self,
        ids: &[TelegramId],
    ) -> Result<BTreeMap<TelegramId, Preferences>, ServiceError> {
        Ok(self.storage.preferences(ids).await?)
    }

    /// Sets or removes the language.
    ///
    /// # Errors
    /// If the storage fails.
    pub async fn set_language(
        &self,
        id: TelegramId,
        language: Option<Language>,
    ) -> Result<bool, ServiceError> {
        Ok(self.storage.set_language(id, language).await?)
    }

    /// Sets or removes the time zone.
    ///
    /// # Errors
    /// If the storage fails.
    pub async fn set_time_zone(
        &self,
        id: TelegramId,
        zone: Option<Tz>,
    ) -> Result<bool, ServiceError> {
        Ok(self.storage.set_time_zone(id, zone).await?)
    }

    /// Adds a team to the favourites, or removes it. Refuses an unknown team, and a team beyond
    /// [`MAX_FAVOURITES`](rollcall_domain::MAX_FAVOURITES).
    ///
    /// # Errors
    /// If the storage fails.
    pub async fn set_favourite(
        &self,
        id: TelegramId,
        team: i64,
        is_favourite: bool,
    ) -> Result<bool, ServiceError> {
        Ok(self.storage.set_favourite(id, team, is_favourite).await?)
    }
}

/// The requests that wait for a read.
#[derive(Default)]
struct Asked {
    waiting: Vec<(TelegramId, oneshot::Sender<Result<Preferences, ServiceError>>)>,
    /// Whether a reader is running, which will also answer the waiting requests.
    is_reading: bool,
}

/// Answers waiting requests until there are none.
struct Reader {
    storage: Arc<dyn PreferencesRepository>,
    asked: Arc<Mutex<Asked>>,
    is_done: bool,
}

impl Reader {
    async fn read(mut self) {
        loop {
            let waiting: Vec<_> = {
                let mut asked = lock(&self.asked);
                let count = asked.waiting.len().min(TOGETHER);
                asked.is_reading = count > 0;
                asked.waiting.drain(..count).collect()
            };
            if waiting.is_empty() {
                self.is_done = true;
                return;
            }
            let ids: Vec<TelegramId> = waiting.iter().map(|(id, _)| *id).collect();
            let chosen = self.storage.preferences(&ids).await.map_err(ServiceError::from);
            for (id, answer) in waiting {
                let its = match &chosen {
                    Ok(chosen) => Ok(chosen.get(&id).cloned().unwrap_or_default()),
                    // One corrupt row must not fail the other requests.
                    Err(ServiceError::Repository(error))
                        if error.is_permanent() && ids.len() > 1 =>
                    {
                        let alone = self.storage.preferences(&[id]).await;
                        alone.map(|mut its| its.remove(&id).unwrap_or_default()).map_err(Into::into)
                    }
                    Err(error) => Err(error.clone()),
                };
                drop(answer.send(its));
            }
        }
    }
}

impl Drop for Reader {
    /// If the reader panics, the waiting callers get an error.
    fn drop(&mut self) {
        if !self.is_done {
            let left = {
                let mut asked = lock(&self.asked);
                asked.is_reading = false;
                mem::take(&mut asked.waiting)
            };
            drop(left);
        }
    }
}

/// No code panics while it holds this lock.
fn lock(asked: &Mutex<Asked>) -> MutexGuard<'_, Asked> {
    asked.lock().unwrap_or_else(PoisonError::into_inner)
}
