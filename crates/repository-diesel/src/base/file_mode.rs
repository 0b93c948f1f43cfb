//! The permissions of an SQLite database: its file, and the companions that SQLite creates beside it.

use std::{
    fs::{self, OpenOptions},
    io,
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use super::database_url::DatabaseUrl;

/// The permissions of users other than the owner: read, write, execute.
const OTHERS: u32 = 0o077;

/// Creates a database's file, if it does not exist, that only its owner can use; a stricter umask
/// applies too. SQLite gives `-wal` and `-shm` the same mode.
pub(crate) fn create_private(path: &Path) -> io::Result<()> {
    if path.exists() {
        return Ok(());
    }
    OpenOptions::new().append(true).create(true).mode(0o600).open(path).map(drop)
}

/// A file of an SQLite database that users other than its owner may read or change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenToOthers {
    /// The file.
    pub path: PathBuf,
    /// Its mode: the nine bits of read, write and execute.
    pub mode: u32,
}

/// The files of the database at `url` that other users can access; none for PostgreSQL.
pub fn open_to_others(url: &DatabaseUrl) -> Vec<OpenToOthers> {
    let DatabaseUrl::Sqlite { path, .. } = url else { return Vec::new() };
    let file = |suffix: &str| {
        let mut file = path.clone().into_os_string();
        file.push(suffix);
        let path = PathBuf::from(file);
        let mode = fs::metadata(&path).ok()?.mode() & 0o777;
        (mode & OTHERS != 0).then_some(OpenToOthers { path, mode })
    };
    ["", "-wal", "-shm"].into_iter().filter_map(file).collect()
}
