use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Whether updates are being taken, for whoever asks. Cheap to clone; clones share what they tell.
#[derive(Clone, Debug)]
pub struct Intake(Arc<Mutex<Option<String>>>);

impl Intake {
    pub(crate) fn not_yet() -> Self {
        Self(Arc::new(Mutex::new(Some("no updates are taken yet".to_owned()))))
    }

    /// What keeps updates from being taken just now, in words that quote nobody; `None` where
    /// nothing does.
    pub fn hindrance(&self) -> Option<String> {
        self.lock().clone()
    }

    pub(crate) fn is_hindered(&self, why: String) {
        *self.lock() = Some(why);
    }

    pub(crate) fn goes_on(&self) {
        *self.lock() = None;
    }

    fn lock(&self) -> MutexGuard<'_, Option<String>> {
        // Nothing panics while it is held.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
