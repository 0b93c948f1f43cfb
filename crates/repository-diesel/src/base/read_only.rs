//! SQLite databases that this process may not write.
//!
//! SQLite reads a database with a write-ahead log through two companion files, `-wal` and `-shm`. If
//! they are missing it creates them, which a read-only folder does not allow; and beside a read-only
//! file, companions of another user would keep the bot from writing. Without a `-wal` only the file
//! is needed, so it is opened as one that no process changes: `immutable` of
//! <https://sqlite.org/uri.html>. SQLite then takes no locks, and this module checks that the file
//! did not change.

use std::{
    fs::Metadata,
    io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use rustix::{
    fs::{Access, access},
    io::Errno,
};

/// How an SQLite file can be opened.
#[derive(Debug)]
pub(crate) enum Place {
    /// In its mode.
    Ordinary,
    /// As one that no process changes.
    Unchanging(Snapshot),
}

/// Why a file cannot be read in its place, and what helps.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unreadable {
    #[error("{}: {error}", path.display())]
    Io { path: PathBuf, error: io::Error },
    #[error(
        "{} holds changes that SQLite can only read with {}, which does not exist; run this as the \
         bot's user, who may create it, or set DATABASE_URL to a copy of both files in a folder \
         that can be written",
        wal.display(), shm.display()
    )]
    NoIndex { wal: PathBuf, shm: PathBuf },
}

/// Finds out how to open a file, without opening it: closing it again would release the locks of this
/// process's other connections.
pub(crate) fn look(path: &Path) -> Result<Place, Unreadable> {
    // The companions are beside the target of a link.
    let path = match path.canonicalize() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Place::Ordinary),
        canonical => canonical.map_err(|error| Unreadable::Io { path: path.to_owned(), error })?,
    };
    let folder = path.parent().unwrap_or(&path);
    if may(folder, Access::WRITE_OK | Access::EXEC_OK) && may(&path, Access::WRITE_OK) {
        return Ok(Place::Ordinary);
    }
    let [wal, shm, journal] = ["-wal", "-shm", "-journal"].map(|name| companion(&path, name));
    for file in [&path, &wal, &shm] {
        check_readable(file)?;
    }
    match (length(&wal), shm.exists()) {
        (Some(_), true) => Ok(Place::Ordinary),
        (Some(1..), false) => Err(Unreadable::NoIndex { wal, shm }),
        // SQLite has to roll back a transaction first.
        _ if length(&journal).is_some_and(|length| length > 0) => Ok(Place::Ordinary),
        _ => Snapshot::of(path).map(Place::Unchanging),
    }
}

/// The state of a file before it was opened.
#[derive(Debug)]
pub(crate) struct Snapshot {
    path: PathBuf,
    state: State,
}

impl Snapshot {
    fn of(path: PathBuf) -> Result<Self, Unreadable> {
        match path.metadata() {
            Ok(metadata) => Ok(Self { path, state: State::of(&metadata) }),
            Err(error) => Err(Unreadable::Io { path, error }),
        }
    }

    /// Whether the file is unchanged, and complete without a write-ahead log.
    pub(crate) fn is_current(&self) -> bool {
        let state = self.path.metadata().map(|metadata| State::of(&metadata));
        state.is_ok_and(|state| state == self.state)
            && length(&companion(&self.path, "-wal")).unwrap_or_default() == 0
    }
}

/// The attributes that change when a file is written or replaced.
#[derive(Debug, PartialEq, Eq)]
struct State {
    file: (u64, u64),
    length: u64,
    modified: (i64, i64),
}

impl State {
    fn of(metadata: &Metadata) -> Self {
        Self {
            file: (metadata.dev(), metadata.ino()),
            length: metadata.len(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
        }
    }
}

fn companion(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// The length of a file; `None` if it does not exist.
fn length(path: &Path) -> Option<u64> {
    path.metadata().map(|metadata| metadata.len()).ok()
}

fn may(path: &Path, what: Access) -> bool {
    access(path, what).is_ok()
}

/// Refuses an unreadable file: SQLite would only report that it cannot open it.
fn check_readable(path: &Path) -> Result<(), Unreadable> {
    match access(path, Access::READ_OK) {
        Err(error) if error != Errno::NOENT => {
            Err(Unreadable::Io { path: path.to_owned(), error: error.into() })
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, time::UNIX_EPOCH};

    use super::*;

    #[test]
    fn a_snapshot_is_current_until_the_file_changes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rollcall.db");
        let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
        let taken = || {
            write("rollcall.db", "old");
            let snapshot = Snapshot::of(path.clone()).unwrap();
            assert!(snapshot.is_current());
            snapshot
        };

        let snapshot = taken();
        write("rollcall.db", "longer");
        assert!(!snapshot.is_current());

        let snapshot = taken();
        let file = fs::File::options().write(true).open(&path).unwrap();
        file.set_modified(UNIX_EPOCH).unwrap();
        assert!(!snapshot.is_current());

        let snapshot = taken();
        write("other", "old");
        fs::rename(folder.path().join("other"), &path).unwrap();
        assert!(!snapshot.is_current());

        let snapshot = taken();
        write("rollcall.db-wal", "");
        assert!(snapshot.is_current());
        write("rollcall.db-wal", "changes");
        assert!(!snapshot.is_current());
    }

    #[test]
    fn a_writable_place_is_ordinary() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rollcall.db");
        assert!(matches!(look(&path), Ok(Place::Ordinary)), "it does not exist yet");
        fs::write(&path, "").unwrap();
        assert!(matches!(look(&path), Ok(Place::Ordinary)));
    }
}
