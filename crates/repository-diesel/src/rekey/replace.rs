//! Replacing a file by another one.

use std::{
    fs::{self, File, OpenOptions},
    os::unix::fs::{FileExt, MetadataExt},
    path::Path,
};

use super::RekeyError;

/// A file whose name another one has now.
pub(super) struct Replaced {
    old: File,
    /// Whether the change outlives a power failure.
    is_durable: bool,
}

impl Replaced {
    /// Gives the name of `old` to `new`, whose content is made durable first.
    pub(super) fn by(old: &Path, new: &Path) -> Result<Self, RekeyError> {
        let open = |path: &Path| OpenOptions::new().read(true).write(true).open(path);
        open(new).and_then(|file| file.sync_all()).map_err(RekeyError::file(new))?;
        // Opened before and closed after SQLite's own: closing it releases SQLite's locks.
        let file = open(old).map_err(RekeyError::file(old))?;
        fs::rename(new, old).map_err(RekeyError::file(old))?;
        let folder = old.parent().map_or_else(|| File::open("."), File::open);
        let is_durable = folder.and_then(|folder| folder.sync_all()).is_ok();
        Ok(Self { old: file, is_durable })
    }

    /// Writes over the beginning of the old file: a program that has opened it and waits for its lock would
    /// otherwise go on with a file that has no name. It finds that this is no database, and stops.
    pub(super) fn invalidate(&self) {
        let has_no_name = self.old.metadata().is_ok_and(|file| file.nlink() == 0);
        if self.is_durable && has_no_name {
            drop(self.old.write_all_at(&[0; 100], 0));
        }
    }
}
