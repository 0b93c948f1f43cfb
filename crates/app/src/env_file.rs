//! The file `.env`: where it is looked for, and whether it can be trusted.
//!
//! Its settings decide which server gets the bot's token and where users are stored. So no other
//! user of the machine may create, change or choose it.

use std::{
    fs::{self, File, Metadata},
    io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};
use rustix::{
    fs::{Mode, OFlags},
    process::geteuid,
};

const ROOT: u32 = 0;
/// The bits of a file's mode that let its group and all others write it.
const GROUP_WRITES: u32 = 0o020;
const OTHERS_WRITE: u32 = 0o002;

/// An opened file that can be trusted.
pub(crate) struct EnvFile {
    pub(crate) path: PathBuf,
    pub(crate) content: File,
    /// What its owner should change.
    pub(crate) warning: Option<String>,
}

/// Opens `.env` in the working directory, if there is one. Directories above it are not searched:
/// other users may be able to write there.
///
/// # Errors
/// If it cannot be read, is not a regular file, or could come from another user.
pub(crate) fn open() -> anyhow::Result<Option<EnvFile>> {
    let folder = match std::env::current_dir() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        folder => folder.context("cannot look for .env in the working directory")?,
    };
    open_in(&folder, geteuid().as_raw())
}

fn open_in(folder: &Path, user: u32) -> anyhow::Result<Option<EnvFile>> {
    let path = folder.join(".env");
    let unreadable = || format!("the file {} cannot be read", path.display());
    let found = match path.symlink_metadata() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        found => found.with_context(unreadable)?,
    };
    if found.is_symlink() {
        // Its owner chooses which file is read, possibly one that was never meant for this.
        check_owner(&path, "link", "chown -h", found.uid(), user)?;
    }
    let target = fs::metadata(&path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => anyhow::anyhow!("it is a link to a file that does not exist"),
        _ => error.into(),
    });
    check_kind(&path, &target.with_context(unreadable)?)?;
    // The path may lead to another file by now, even to a pipe that nobody writes: what is opened
    // counts, and opening does not wait.
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let content = rustix::fs::open(&path, flags, Mode::empty()).map_err(io::Error::from);
    let content = File::from(content.with_context(unreadable)?);
    let opened = content.metadata().with_context(unreadable)?;
    check_kind(&path, &opened)?;
    check_owner(&path, "file", "chown", opened.uid(), user)?;
    let warning = check_mode(&path, opened.mode())?;
    Ok(Some(EnvFile { path, content, warning }))
}

fn check_kind(path: &Path, file: &Metadata) -> anyhow::Result<()> {
    if !file.is_file() {
        let kind = if file.is_dir() { "a directory" } else { "not a regular file" };
        bail!(
            "{path} is {kind}, so no settings can be read from it; rename it, or start the program \
             in another directory",
            path = path.display()
        );
    }
    Ok(())
}

/// `what` is the file, or the link that leads to it, and `command` changes its owner.
fn check_owner(
    path: &Path,
    what: &str,
    command: &str,
    owner: u32,
    user: u32,
) -> anyhow::Result<()> {
    if owner == user || owner == ROOT {
        return Ok(());
    }
    let path = path.display();
    let expected = match user {
        ROOT => "root".to_owned(),
        user => format!("user {user}, who runs the program, or root"),
    };
    bail!(
        "the {what} {path} is not used, because it belongs to user {owner}; it must belong to \
         {expected}: `{command} {user} {path}`"
    )
}

/// Returns a warning if the file's group can write it.
fn check_mode(path: &Path, mode: u32) -> anyhow::Result<Option<String>> {
    let (path, mode) = (path.display(), mode & 0o7777);
    if mode & OTHERS_WRITE != 0 {
        bail!(
            "the file {path} is not used, because every user of this machine can change it (mode \
             {mode:04o}); `chmod o-w {path}` prevents that"
        );
    }
    Ok((mode & GROUP_WRITES != 0).then(|| {
        format!(
            "the users of its group can change the file {path} (mode {mode:04o}); `chmod g-w \
             {path}` prevents that"
        )
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    const USER: u32 = 1000;

    #[test]
    fn only_files_of_the_user_and_of_root_are_used() {
        let path = Path::new("/bot/.env");
        for (owner, user, expected) in [
            (USER, USER, None),
            (ROOT, USER, None),
            (ROOT, ROOT, None),
            (1001, USER, Some("user 1000, who runs the program, or root: `chown 1000 /bot/.env`")),
            (USER, ROOT, Some("root: `chown 0 /bot/.env`")),
        ] {
            let error =
                check_owner(path, "file", "chown", owner, user).err().map(|it| it.to_string());
            let expected = expected.map(|expected| {
                format!(
                    "the file /bot/.env is not used, because it belongs to user {owner}; it must \
                     belong to {expected}"
                )
            });
            assert_eq!(error, expected, "of {owner}, for {user}");
        }
        let link = check_owner(path, "link", "chown -h", 1001, USER).unwrap_err().to_string();
        assert!(link.starts_with("the link /bot/.env is not used"), "{link}");
        assert!(link.ends_with("`chown -h 1000 /bot/.env`"), "{link}");
    }

    #[test]
    fn files_that_others_can_write_are_not_used() {
        for mode in 0..=0o777 {
            let checked = check_mode(Path::new("/bot/.env"), 0o100_000 | mode);
            match mode {
                _ if mode & 0o2 != 0 => {
                    let error = checked.unwrap_err().to_string();
                    assert!(error.contains(&format!("(mode {mode:04o}); `chmod o-w /bot/.env`")));
                }
                _ if mode & 0o20 != 0 => {
                    let warning = checked.unwrap().unwrap();
                    assert!(warning.contains(&format!("(mode {mode:04o}); `chmod g-w /bot/.env`")));
                }
                _ => assert_eq!(checked.unwrap(), None, "{mode:o}"),
            }
        }
    }
}
