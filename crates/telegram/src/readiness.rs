use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Whether the bot takes updates at the moment. Cheap to clone; clones share the state.
#[derive(Clone, Debug)]
pub struct Readiness(Arc<Mutex<Option<String>>>);

impl Readiness {
    pub(crate) fn starting() -> Self {
        Self(Arc::new(Mutex::new(Some("no updates are taken yet".to_owned()))))
    }

    /// Why the bot cannot take updates at the moment, without any user's words; `None` if it can.
    pub fn problem(&self) -> Option<String> {
        self.lock().clone()
    }

    pub(crate) fn set_problem(&self, why: String) {
        *self.lock() = Some(why);
    }

    pub(crate) fn set_ready(&self) {
        *self.lock() = None;
    }

    fn lock(&self) -> MutexGuard<'_, Option<String>> {
        // No code panics while holding it.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
