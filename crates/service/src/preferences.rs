use std::{
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use chrono_tz::Tz;
use rollcall_domain::{Language, Preferences, TelegramId};
use rollcall_repository::PreferencesRepository;
use tokio::sync::oneshot;

use crate::ServiceError;

/// How many users' choices are read at once.
const TOGETHER: usize = 1000;

/// Knows what people have chosen. Cheap to clone. Each change answers whether it could be made:
/// there is nothing to change of somebody who is not there.
#[derive(Clone)]
pub struct PreferencesService {
    storage: Arc<dyn PreferencesRepository>,
    asked: Arc<Mutex<Asked>>,
}

impl PreferencesService {
    /// A service over `storage`.
    pub fn new(storage: impl PreferencesRepository + 'static) -> Self {
        Self { storage: Arc::new(storage), asked: Arc::default() }
    }

    /// What a user has chosen. What is asked for while others' choices are being read is read
    /// together, after them.
    ///
    /// # Errors
    /// When the storage fails.
    pub async fn preferences(&self, id: TelegramId) -> Result<Preferences, ServiceError> {
        let (answer, answered) = oneshot::channel();
        let is_reading = {
            let mut asked = lock(&self.asked);
            asked.waiting.push((id, answer));
            mem::replace(&mut asked.is_reading, true)
        };
        if !is_reading {
            // A task of its own: whoever asked first may go away, and the others still wait.
            let (storage, asked) = (self.storage.clone(), self.asked.clone());
            tokio::spawn(Reader { storage, asked, is_done: false }.read());
        }
        answered.await.unwrap_or(Err(ServiceError::Stopped))
    }

    /// Chooses a language, or none.
    ///
    /// # Errors
    /// When the storage fails.
    pub async fn set_language(
        &self,
        id: TelegramId,
        language: Option<Language>,
    ) -> Result<bool, ServiceError> {
        Ok(self.storage.set_language(id, language).await?)
    }

    /// Chooses a time zone, or none.
    ///
    /// # Errors
    /// When the storage fails.
    pub async fn set_time_zone(
        &self,
        id: TelegramId,
        zone: Option<Tz>,
    ) -> Result<bool, ServiceError> {
        Ok(self.storage.set_time_zone(id, zone).await?)
    }

    /// Makes a team a favourite, or no longer one. Not where the team is not known, nor where there
    /// are [`MAX_FAVOURITES`](rollcall_domain::MAX_FAVOURITES) others.
    ///
    /// # Errors
    /// When the storage fails.
    pub async fn set_favourite(
        &self,
        id: TelegramId,
        team: i64,
        is_favourite: bool,
    ) -> Result<bool, ServiceError> {
        Ok(self.storage.set_favourite(id, team, is_favourite).await?)
    }
}

/// Whose choices are to be read.
#[derive(Default)]
struct Asked {
    waiting: Vec<(TelegramId, oneshot::Sender<Result<Preferences, ServiceError>>)>,
    /// Whether somebody reads, who will come to those that wait.
    is_reading: bool,
}

/// Reads what is asked for, until nothing is.
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
                    // One user's row that cannot be read is not to be everybody's.
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
    /// One that panics keeps nobody waiting: those who are left hear that it has stopped.
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

/// Nothing panics while it is held.
fn lock(asked: &Mutex<Asked>) -> MutexGuard<'_, Asked> {
    asked.lock().unwrap_or_else(PoisonError::into_inner)
}
