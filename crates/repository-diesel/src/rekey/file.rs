use std::{
    fs,
    path::PathBuf,
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{self, Receiver},
    },
    thread,
};

use super::{RekeyError, copy::Copy, replace::Replaced};
use crate::base::{
    database::check_exists,
    database_key::{DatabaseKey, DatabaseKeys},
    database_url::{DatabaseUrl, SqliteMode},
    encryption::{self, Found},
};

/// Changes how an SQLite file is encrypted: copies it beside itself, checks the copy, and replaces the file
/// by it. An interruption at any moment leaves the file as it was, or as it is to be.
#[derive(Clone, Debug)]
pub struct FileRekey {
    url: DatabaseUrl,
    /// The file itself, not a link to it.
    path: PathBuf,
    old: Option<DatabaseKey>,
    new: Option<DatabaseKey>,
    step: Arc<Mutex<Step>>,
}

/// How far the work is.
#[derive(Debug, PartialEq, Eq)]
enum Step {
    Copying,
    Replacing,
    Stopped,
}

impl FileRekey {
    /// Finds out how the file is encrypted. It is to be encrypted with the first key, or not at all if
    /// `decrypts`. Blocks.
    ///
    /// # Errors
    /// If it does not exist, cannot be written, or is encrypted with none of the keys.
    pub fn new(url: DatabaseUrl, keys: &DatabaseKeys, decrypts: bool) -> Result<Self, RekeyError> {
        check_exists(&url)?;
        let path = match &url {
            DatabaseUrl::Sqlite { mode: SqliteMode::ReadOnly, .. }
            | DatabaseUrl::Postgres { .. } => {
                return Err(RekeyError::ReadOnly(url));
            }
            DatabaseUrl::Sqlite { path, .. } => path.clone(),
        };
        let path = path.canonicalize().map_err(RekeyError::file(path))?;
        let old = match encryption::find(&url, Some(keys))? {
            Found::Encrypted(key) => Some(key),
            Found::Plain => None,
        };
        let new = (!decrypts).then(|| keys.first().clone());
        Ok(Self { url, path, old, new, step: Arc::new(Mutex::new(Step::Copying)) })
    }

    /// The key with which the file is encrypted; `None` if it is not.
    pub fn old(&self) -> Option<&DatabaseKey> {
        self.old.as_ref()
    }

    /// The key with which the file is to be encrypted; `None` if it is not to be.
    pub fn new_key(&self) -> Option<&DatabaseKey> {
        self.new.as_ref()
    }

    /// How many bytes are to be copied.
    pub fn bytes(&self) -> u64 {
        fs::metadata(&self.path).map_or(0, |file| file.len())
    }

    /// How many bytes were copied.
    pub fn copied_bytes(&self) -> u64 {
        fs::metadata(self.copy_path()).map_or(0, |file| file.len())
    }

    /// Does the work on a thread of its own, which does not keep the process alive.
    pub fn start(&self) -> Receiver<Result<(), RekeyError>> {
        let (done, outcome) = mpsc::channel();
        let rekey = self.clone();
        thread::spawn(move || done.send(rekey.run()));
        outcome
    }

    /// Stops the work, unless the file is being replaced: then it will be done in a moment. Returns whether
    /// it was stopped.
    pub fn stop(&self) -> bool {
        let mut step = self.step.lock().unwrap_or_else(PoisonError::into_inner);
        if *step == Step::Replacing {
            return false;
        }
        *step = Step::Stopped;
        // The copy has no name any more, and ends with the process.
        drop(fs::remove_file(self.copy_path()));
        true
    }

    fn run(&self) -> Result<(), RekeyError> {
        let copied = self.copy_and_replace();
        if copied.is_err() {
            drop(fs::remove_file(self.copy_path()));
        }
        copied
    }

    fn copy_and_replace(&self) -> Result<(), RekeyError> {
        let mut copy = Copy::begin(&self.url, &self.path, self.copy_path(), self.old.as_ref())?;
        copy.fill(self.new.as_ref())?;
        copy.check(self.new.as_ref())?;
        {
            let mut step = self.step.lock().unwrap_or_else(PoisonError::into_inner);
            if *step == Step::Stopped {
                return Err(RekeyError::Stopped);
            }
            *step = Step::Replacing;
        }
        let replaced = Replaced::by(&self.path, &self.copy_path())?;
        // Only now may another program open the file.
        replaced.invalidate();
        copy.end();
        Ok(())
    }

    /// Where the copy is. Its name begins with a dot, so that a pattern such as `rollcall.db*` does not
    /// select it.
    fn copy_path(&self) -> PathBuf {
        let mut name = std::ffi::OsString::from(".");
        name.push(self.path.file_name().unwrap_or_default());
        name.push("-rekey");
        self.path.with_file_name(name)
    }
}
