//! The program `manage` where another user can run it.

use std::{path::Path, process::Command};

/// Copies the program.
///
/// A process of its own writes the copy. What this process had open for writing, a child that
/// another test starts at that moment would have open too, and nobody could run the copy then.
pub(crate) fn copy(to: &Path) {
    let status = Command::new("cp").arg(env!("CARGO_BIN_EXE_manage")).arg(to).status().unwrap();
    assert!(status.success(), "cp: {status}");
}
