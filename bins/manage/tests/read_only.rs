//! Looking at a database where nothing can be written: as another user, or in a folder that keeps
//! everything as it is.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod copied_program;
mod program;

use std::{
    fs::{self, Permissions},
    io::{BufRead, BufReader, Read},
    os::unix::{
        fs::{MetadataExt, PermissionsExt},
        process::CommandExt,
    },
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use diesel::{Connection, SqliteConnection, connection::SimpleConnection};
use program::{answer, run};
use rollcall_testkit::ThrowAwayDatabase;

/// What only shows users, and works without writing.
const LOOKS: [&[&str]; 7] = [
    &["users", "list", "--limit", "1"],
    &["users", "show", "2"],
    &["stats", "--json"],
    &["export"],
    &["export", "--search", "user 3"],
    &["quarantine", "list"],
    &["stats", "rebuild", "--check"],
];
const NOT_LOGGED: &str =
    "The database is read-only: this export is not recorded in the audit log.\n";

/// An SQLite database in a folder, and a visitor who may not write there.
struct Place {
    folder: tempfile::TempDir,
    file: PathBuf,
    /// The program where the visitor can run it.
    program: PathBuf,
}

/// A user id that owns no file.
const NOBODY: u32 = 65534;

impl Place {
    /// A database of so many users.
    fn with_users(users: u32) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("manage");
        copied_program::copy(&program);
        let data = folder.path().join("data");
        fs::create_dir(&data).unwrap();
        let file = data.join("rollcall.db");
        let place = Self { folder, file, program };
        place.allow(0o755, 0o644);
        let url = place.url();
        let settings = [("DATABASE_URL", url.as_str())];
        let own = |arguments: &[&str], input: &str| {
            let (code, _, error) = run(place.folder.path(), arguments, input.as_bytes(), &settings);
            assert_eq!((code, error.as_str()), (0, ""), "{arguments:?}");
        };
        own(&["migrate"], "");
        let time = "2026-11-01T10:00:00Z";
        let objects = (1..=users).map(|id| {
            format!(
                "{{\"telegram_id\":{id},\"first_name\":\"User {id}\",\"is_bot\":false,\
                 \"created_at\":\"{time}\",\"updated_at\":\"{time}\",\"last_seen\":\"{time}\",\
                 \"has_private_chat\":true}}\n"
            )
        });
        own(&["import", "-", "--format", "jsonl"], &objects.collect::<String>());
        place.allow(0o755, 0o644);
        place
    }

    fn url(&self) -> String {
        format!("sqlite://{}", self.file.display())
    }

    fn companion(&self, suffix: &str) -> PathBuf {
        PathBuf::from(format!("{}{suffix}", self.file.display()))
    }

    /// Sets the modes of the database's folder and of the files in it.
    fn allow(&self, folder: u32, files: u32) {
        let data = self.file.parent().unwrap();
        for (path, mode) in [(self.folder.path(), 0o755), (data, 0o755)] {
            set_mode(path, mode);
        }
        for file in fs::read_dir(data).unwrap() {
            set_mode(&file.unwrap().path(), files);
        }
        set_mode(data, folder);
    }

    /// The names of the files beside the database, and its own.
    fn files(&self) -> Vec<String> {
        let files = fs::read_dir(self.file.parent().unwrap()).unwrap();
        let mut names: Vec<_> =
            files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// The program as the visitor runs it. Modes do not bind root, so the visitor is somebody else
    /// then.
    fn visit(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.args(arguments).env_clear().env("DATABASE_URL", self.url()).current_dir("/");
        if self.folder.path().metadata().unwrap().uid() == 0 {
            command.uid(NOBODY).gid(NOBODY);
        }
        command
    }

    fn look(&self, arguments: &[&str]) -> (i32, String, String) {
        answer(self.visit(arguments), b"")
    }

    /// Whether everything can be looked at.
    #[track_caller]
    fn check(&self) {
        for arguments in LOOKS {
            let (code, printed, error) = self.look(arguments);
            let expected = if arguments.starts_with(&["export"]) { NOT_LOGGED } else { "" };
            assert_eq!((code, error.as_str()), (0, expected), "{arguments:?}: {printed}");
        }
        assert!(self.look(LOOKS[0]).1.contains("\nUsers: 1 of 3\nNext page: "));
        assert_eq!(self.look(&["export"]).1.lines().count(), 4);
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.allow(0o755, 0o644);
    }
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

fn connect(file: &Path) -> SqliteConnection {
    SqliteConnection::establish(file.to_str().unwrap()).unwrap()
}

#[test]
fn a_read_only_folder_can_be_looked_at() {
    let place = Place::with_users(3);
    place.allow(0o555, 0o444);
    place.check();
    assert_eq!(place.files(), ["rollcall.db"]);

    // A name that is not in the search yet cannot be put there.
    place.allow(0o755, 0o644);
    connect(&place.file).batch_execute("INSERT INTO search_pending VALUES (3)").unwrap();
    place.allow(0o555, 0o444);
    let (code, printed, error) = place.look(&["export", "--search", "user 3"]);
    assert_eq!((code, printed.lines().count()), (0, 2));
    let not_found = "The database is read-only: recently changed names may not be found.\n";
    assert_eq!(error, format!("{not_found}{NOT_LOGGED}"));
}

/// Companions of another user would keep the bot from writing.
#[test]
fn a_look_at_a_read_only_file_leaves_nothing_beside_it() {
    let place = Place::with_users(3);
    place.allow(0o777, 0o444);
    place.check();
    assert_eq!(place.files(), ["rollcall.db"]);
    place.allow(0o755, 0o644);
    let settings = [("DATABASE_URL", place.url())];
    let settings = settings.each_ref().map(|(name, value)| (*name, value.as_str()));
    let (code, _, error) = run(place.folder.path(), &["export"], b"", &settings);
    assert_eq!((code, error.as_str()), (0, ""));
}

#[test]
fn a_database_that_a_bot_writes_or_has_left_behind_can_be_looked_at() {
    let place = Place::with_users(3);
    let mut bot = connect(&place.file);
    bot.batch_execute("UPDATE telegram_users SET last_name = 'Now'").unwrap();
    place.allow(0o555, 0o444);
    place.check();
    assert!(place.look(&["users", "show", "2"]).1.starts_with("User 2 Now "));

    // What a process leaves that was killed.
    let left = Place::with_users(3);
    for suffix in ["", "-wal", "-shm"] {
        fs::copy(place.companion(suffix), left.companion(suffix)).unwrap();
    }
    drop(bot);
    left.allow(0o555, 0o444);
    left.check();
    assert!(left.look(&["users", "show", "2"]).1.starts_with("User 2 Now "));

    left.allow(0o755, 0o644);
    fs::remove_file(left.companion("-shm")).unwrap();
    left.allow(0o555, 0o444);
    let story = LOOKS.map(|arguments| {
        let (code, printed, error) = left.look(arguments);
        assert_eq!((code, printed.as_str()), (1, ""));
        error.replace(left.folder.path().to_str().unwrap(), "FOLDER")
    });
    insta::assert_snapshot!("no_index", story[0]);
    assert!(story.iter().all(|report| *report == story[0]));

    // Without changes in it, the file is all there is.
    left.allow(0o755, 0o644);
    fs::write(left.companion("-wal"), "").unwrap();
    left.allow(0o555, 0o444);
    left.check();
}

#[test]
fn what_cannot_be_read_is_named() {
    let place = Place::with_users(1);
    fs::write(place.companion("-wal"), "").unwrap();
    for (name, folder, file, wal) in [
        ("rollcall.db", 0o755, 0o000, 0o644),
        ("rollcall.db-wal", 0o555, 0o444, 0o000),
        ("rollcall.db", 0o000, 0o644, 0o644),
    ] {
        place.allow(0o755, file);
        set_mode(&place.companion("-wal"), wal);
        set_mode(place.file.parent().unwrap(), folder);
        let (code, _, error) = place.look(&["stats"]);
        let data = place.file.parent().unwrap().display();
        let reason = format!(": {data}/{name}: Permission denied (os error 13)\n");
        assert_eq!(code, 1);
        assert!(error.ends_with(&reason), "{error}");
    }
}

/// A file that no process changes is read without locks, so its changes have to be seen.
#[test]
fn a_bot_may_begin_to_write_while_users_are_exported() {
    const USERS: u32 = 30_000;
    let place = Place::with_users(USERS);
    place.allow(0o555, 0o444);
    let mut export =
        place.visit(&["export"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(export.stdout.take().unwrap()).lines().map(Result::unwrap);
    assert!(lines.next().unwrap().starts_with("telegram_id,"));
    assert!(lines.next().unwrap().starts_with("1,User 1,"));

    // Every page of the file becomes another one.
    place.allow(0o755, 0o644);
    connect(&place.file)
        .batch_execute("UPDATE telegram_users SET last_name = hex(randomblob(99)); VACUUM")
        .unwrap();
    place.allow(0o555, 0o444);

    let ids: Vec<u32> =
        lines.map(|line| line.split(',').next().unwrap().parse().unwrap()).collect();
    assert!(ids.into_iter().eq(2..=USERS));
    let mut error = String::new();
    export.stderr.take().unwrap().read_to_string(&mut error).unwrap();
    assert!(export.wait().unwrap().success(), "{error}");
}

#[test]
fn a_read_only_server_can_be_looked_at() {
    let Some(database) = ThrowAwayDatabase::postgres() else { return };
    let folder = tempfile::tempdir().unwrap();
    let on = |url: &str, arguments: &[&str]| {
        run(folder.path(), arguments, b"", &[("DATABASE_URL", url)])
    };
    assert_eq!(on(database.url(), &["migrate"]).0, 0);
    let url = format!("{}&options=-c%20default_transaction_read_only%3Don", database.url());
    for arguments in [&["users", "list"][..], &["stats"], &["export"], &["export", "--search", "x"]]
    {
        let (code, _, error) = on(&url, arguments);
        let expected = if arguments[0] == "export" { NOT_LOGGED } else { "" };
        assert_eq!((code, error.as_str()), (0, expected), "{arguments:?}");
    }
}
