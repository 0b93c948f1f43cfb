//! Which `.env` is read: the one in the working directory, unless another user of the machine could
//! have written it.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod copied_program;
mod program;

use std::{
    fs::{self, Permissions},
    os::unix::{
        fs::{MetadataExt, PermissionsExt, chown, lchown, symlink},
        net::UnixListener,
        process::CommandExt,
    },
    path::{Path, PathBuf},
    process::Command,
};

use program::{answer, run};

/// Users other than root and the one who runs the tests.
const VISITOR: u32 = 65_534;
const STRANGER: u32 = 54_321;

/// The working directory of a program, and beside it what others can reach.
struct Place {
    root: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        let place = Self { root: tempfile::tempdir().unwrap() };
        fs::create_dir(place.folder()).unwrap();
        for folder in [place.root.path(), &place.folder()] {
            set_mode(folder, 0o755);
        }
        place
    }

    fn folder(&self) -> PathBuf {
        self.root.path().join("bot")
    }

    fn env_file(&self) -> PathBuf {
        self.folder().join(".env")
    }

    /// Writes a file whose settings show whether they were read.
    fn write(&self, path: &Path, mode: u32) {
        fs::write(path, "DATABASE_URL=sqlite://from-file.db?mode=rw\n").unwrap();
        set_mode(path, mode);
    }

    /// What the program prints on its standard error, with FOLDER for the working directory.
    fn run(&self) -> String {
        self.error(run(&self.folder(), &["showmigrations"], b"", &[]))
    }

    /// The same as another user runs it, which root can arrange only.
    fn run_as(&self, user: u32) -> String {
        let program = self.root.path().join("manage");
        if !program.exists() {
            copied_program::copy(&program);
        }
        let mut command = Command::new(&program);
        command.arg("showmigrations").env_clear().current_dir(self.folder()).uid(user).gid(user);
        self.error(answer(command, b""))
    }

    fn error(&self, (code, _, error): (i32, String, String)) -> String {
        assert_eq!(code, 1, "{error}");
        error.replace(self.folder().to_str().unwrap(), "FOLDER")
    }
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

/// Whether files can be given to other users.
fn is_root() -> bool {
    fs::metadata("/proc/self").unwrap().uid() == 0
}

/// What the program prints that has read the file, and one that has not.
const READ: &str = "from-file.db";
const NOT_READ: &str = "rollcall.db";

#[track_caller]
fn check_read(error: &str) {
    assert!(error.contains(READ) && !error.contains(".env"), "{error}");
}

#[track_caller]
fn check_refused(error: &str, expected: &str) {
    assert_eq!(error, format!("error: {expected}\n"));
}

#[test]
fn directories_above_are_not_searched() {
    let place = Place::new();
    place.write(&place.root.path().join(".env"), 0o600);
    let error = place.run();
    assert!(error.contains(NOT_READ) && !error.contains(READ), "{error}");
    // Not even where it would be refused.
    set_mode(&place.root.path().join(".env"), 0o666);
    assert_eq!(place.run(), error);
    place.write(&place.env_file(), 0o600);
    check_read(&place.run());
}

#[test]
fn a_file_that_every_user_can_change_is_refused() {
    let place = Place::new();
    for mode in [0o600, 0o400, 0o640, 0o644, 0o755] {
        place.write(&place.env_file(), mode);
        check_read(&place.run());
        fs::remove_file(place.env_file()).unwrap();
    }
    for mode in [0o666, 0o602, 0o777, 0o1646] {
        place.write(&place.env_file(), mode);
        check_refused(
            &place.run(),
            &format!(
                "the file FOLDER/.env is not used, because every user of this machine can change \
                 it (mode {mode:04o}); `chmod o-w FOLDER/.env` prevents that"
            ),
        );
    }
}

#[test]
fn a_file_that_its_group_can_change_is_warned_of() {
    let place = Place::new();
    place.write(&place.env_file(), 0o660);
    let warning = "the users of its group can change the file FOLDER/.env (mode 0660); `chmod g-w \
                   FOLDER/.env` prevents that";
    let error = place.run();
    assert!(error.contains(READ), "{error}");
    assert_eq!(error.matches(&format!(" WARN  rollcall_app::manage] {warning}\n")).count(), 1);

    let check = || {
        let (_, printed, error) = run(&place.folder(), &["check"], b"", &[]);
        assert_eq!(error, "");
        printed.replace(place.folder().to_str().unwrap(), "FOLDER")
    };
    let file = "✓ Settings: valid\n- Settings file: FOLDER/.env\n";
    let printed = check();
    assert!(printed.starts_with(&format!("{file}! Settings file: {warning}\n")), "{printed}");
    set_mode(&place.env_file(), 0o600);
    let printed = check();
    assert!(printed.starts_with(file) && !printed.contains("! Settings"), "{printed}");
    fs::remove_file(place.env_file()).unwrap();
    assert!(!check().contains("Settings file"));
}

#[test]
fn what_is_no_readable_file_is_refused_at_once() {
    let place = Place::new();
    let file = place.env_file();
    let refused = |kind: &str| {
        format!(
            "FOLDER/.env is {kind}, so no settings can be read from it; rename it, or start the \
             program in another directory"
        )
    };
    fs::create_dir(&file).unwrap();
    check_refused(&place.run(), &refused("a directory"));
    fs::remove_dir(&file).unwrap();
    // Nobody writes to the pipe, so reading it would never end.
    assert!(Command::new("mkfifo").arg(&file).status().unwrap().success());
    check_refused(&place.run(), &refused("not a regular file"));
    fs::remove_file(&file).unwrap();
    let socket = UnixListener::bind(&file).unwrap();
    check_refused(&place.run(), &refused("not a regular file"));
    drop(socket);
    fs::remove_file(&file).unwrap();
    symlink("/dev/null", &file).unwrap();
    check_refused(&place.run(), &refused("not a regular file"));
    fs::remove_file(&file).unwrap();
    symlink("nowhere", &file).unwrap();
    let unreadable = "the file FOLDER/.env cannot be read: ";
    check_refused(&place.run(), &format!("{unreadable}it is a link to a file that does not exist"));
    fs::remove_file(&file).unwrap();
    symlink(".env", &file).unwrap();
    let error = place.run();
    assert!(error.starts_with(&format!("error: {unreadable}Too many levels")), "{error}");
    fs::remove_file(&file).unwrap();

    place.write(&file, 0o000);
    let error = match is_root() {
        // Modes do not bind root.
        true => {
            check_read(&place.run());
            chown(&file, Some(VISITOR), Some(VISITOR)).unwrap();
            place.run_as(VISITOR)
        }
        false => place.run(),
    };
    assert!(error.starts_with(&format!("error: {unreadable}Permission denied")), "{error}");
}

#[test]
fn a_link_is_as_good_as_the_file_behind_it() {
    let place = Place::new();
    let target = place.root.path().join("settings");
    place.write(&target, 0o600);
    symlink(&target, place.env_file()).unwrap();
    check_read(&place.run());
    set_mode(&target, 0o622);
    check_refused(
        &place.run(),
        "the file FOLDER/.env is not used, because every user of this machine can change it (mode \
         0622); `chmod o-w FOLDER/.env` prevents that",
    );
}

#[test]
fn files_and_links_of_other_users_are_refused() {
    if !is_root() {
        eprintln!("SKIPPED: files of other users, because these tests do not run as root");
        return;
    }
    let place = Place::new();
    let refused = |what: &str, chown: &str, expected: &str| {
        format!(
            "the {what} FOLDER/.env is not used, because it belongs to user {STRANGER}; it must \
             belong to {expected}: `{chown} FOLDER/.env`"
        )
    };
    let visitors = format!("user {VISITOR}, who runs the program, or root");

    place.write(&place.env_file(), 0o644);
    check_read(&place.run_as(VISITOR));
    chown(place.env_file(), Some(VISITOR), Some(VISITOR)).unwrap();
    check_read(&place.run_as(VISITOR));
    chown(place.env_file(), Some(STRANGER), None).unwrap();
    check_refused(&place.run_as(VISITOR), &refused("file", "chown 65534", &visitors));
    check_refused(&place.run(), &refused("file", "chown 0", "root"));

    // A good file that another user has linked to here, and another user's that we link to.
    let target = place.root.path().join("settings");
    fs::rename(place.env_file(), &target).unwrap();
    symlink(&target, place.env_file()).unwrap();
    check_refused(&place.run(), &refused("file", "chown 0", "root"));
    chown(&target, Some(0), None).unwrap();
    check_read(&place.run());
    check_read(&place.run_as(VISITOR));
    lchown(place.env_file(), Some(STRANGER), None).unwrap();
    check_refused(&place.run(), &refused("link", "chown -h 0", "root"));
    check_refused(&place.run_as(VISITOR), &refused("link", "chown -h 65534", &visitors));
    lchown(place.env_file(), Some(VISITOR), None).unwrap();
    check_read(&place.run_as(VISITOR));
}

#[test]
fn a_secret_stands_in_a_file_that_the_environment_or_dot_env_names() {
    let place = Place::new();
    let secret = place.root.path().join("url");
    fs::write(&secret, "sqlite://from-file.db?mode=rw\n").unwrap();
    let secret = secret.to_str().unwrap();
    let variable = [("DATABASE_URL_FILE", secret)];
    check_read(&place.error(run(&place.folder(), &["showmigrations"], b"", &variable)));
    fs::write(place.env_file(), format!("DATABASE_URL_FILE={secret}\n")).unwrap();
    check_read(&place.run());
    fs::remove_file(secret).unwrap();
    check_refused(
        &place.run(),
        "DATABASE_URL: the file that DATABASE_URL_FILE names cannot be read: No such file or \
         directory (os error 2)",
    );
    let credentials = [("CREDENTIALS_DIRECTORY", place.root.path().to_str().unwrap())];
    fs::remove_file(place.env_file()).unwrap();
    fs::write(place.root.path().join("DATABASE_URL"), "sqlite://from-file.db?mode=rw").unwrap();
    check_read(&place.error(run(&place.folder(), &["showmigrations"], b"", &credentials)));
}
