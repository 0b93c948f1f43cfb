//! A database that is encrypted with a key from a file.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod program;

use std::{
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use diesel::{
    Connection, PgConnection, RunQueryDsl, SqliteConnection, connection::SimpleConnection,
    dsl::sql, sql_types::BigInt,
};
use program::run;

/// In the name of every user, and nowhere else.
const MARKER: &str = "Xyzzyplugh";
const USERS: usize = 300;

/// An owner with an SQLite database and files with keys.
struct Owner {
    folder: tempfile::TempDir,
}

impl Owner {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    /// One whose database has users and is not encrypted.
    fn with_users() -> Self {
        let owner = Self::new();
        owner.done(&[], &["migrate"]);
        owner.add_users(&[]);
        owner
    }

    fn add_users(&self, settings: &[(&str, &str)]) {
        let header = "telegram_id,first_name,last_name,username,language_code,is_bot,created_at,\
                      updated_at,last_seen,has_private_chat,obstacle,blocked_at,unblocked_at,source";
        let time = "2026-11-01T10:00:00.000000Z";
        let rows = (1..=USERS)
            .map(|id| format!("{id},{MARKER}{id},,,en,false,{time},{time},{time},true,,,,\n"));
        let file = self.path("users.csv");
        fs::write(&file, format!("{header}\n{}", rows.collect::<String>())).unwrap();
        self.done(settings, &["import", "users.csv"]);
        fs::remove_file(file).unwrap();
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn run(&self, settings: &[(&str, &str)], arguments: &[&str]) -> (i32, String) {
        let (code, printed, error) = run(self.folder.path(), arguments, b"", settings);
        (code, printed + &error)
    }

    /// What a command prints that succeeds.
    fn done(&self, settings: &[(&str, &str)], arguments: &[&str]) -> String {
        let (code, printed) = self.run(settings, arguments);
        assert_eq!(code, 0, "{arguments:?}: {printed}");
        printed
    }

    /// What a command says that fails and changes nothing.
    fn refused(&self, settings: &[(&str, &str)], arguments: &[&str]) -> String {
        let before = self.content();
        let (code, printed) = self.run(settings, arguments);
        assert_ne!(code, 0, "{arguments:?}: {printed}");
        assert!(self.content() == before, "{arguments:?} changed the database");
        printed
    }

    /// How many users the database has.
    fn users(&self, settings: &[(&str, &str)]) -> usize {
        let (code, users, error) = run(self.folder.path(), &["export"], b"", settings);
        assert_eq!(code, 0, "{error}");
        users.lines().count() - 1
    }

    fn content(&self) -> Vec<u8> {
        fs::read(self.path("rollcall.db")).unwrap()
    }

    /// Whether the marker is in a file of the owner, as it is in a database that is not encrypted.
    fn shows_users(&self) -> bool {
        let files = fs::read_dir(self.folder.path()).unwrap();
        let mut contents = files.map(|file| fs::read(file.unwrap().path()).unwrap());
        contents.any(|it| it.windows(MARKER.len()).any(|it| it == MARKER.as_bytes()))
    }

    /// The names of the files, but for the keys.
    fn files(&self) -> Vec<String> {
        let files = fs::read_dir(self.folder.path()).unwrap();
        let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> = names.filter(|name| !name.ends_with(".key")).collect();
        names.sort();
        names
    }

    /// The name of the first key of a file.
    fn key_name(&self, file: &str) -> String {
        let keys = fs::read_to_string(self.path(file)).unwrap();
        let keys = rollcall_repository_diesel::DatabaseKeys::from_text(&keys).unwrap();
        keys.first().name()
    }

    fn sqlite(&self) -> SqliteConnection {
        SqliteConnection::establish(self.path("rollcall.db").to_str().unwrap()).unwrap()
    }
}

const KEY: &[(&str, &str)] = &[("DATABASE_KEY_FILE", "a.key")];

#[test]
fn a_new_database_is_encrypted_and_opens_with_its_key_only() {
    let owner = Owner::new();
    let printed = owner.done(&[], &["database-key", "a.key"]);
    assert!(printed.starts_with(&format!("Wrote the key {} to a.key. ", owner.key_name("a.key"))));
    assert_eq!(fs::metadata(owner.path("a.key")).unwrap().mode() & 0o777, 0o600);
    let text = fs::read_to_string(owner.path("a.key")).unwrap();
    assert!(text.len() == 65 && !printed.contains(text.trim()), "{printed}");
    assert!(owner.run(&[], &["database-key", "a.key"]).1.contains("cannot create a.key"));
    assert_eq!(fs::read_to_string(owner.path("a.key")).unwrap(), text);

    owner.done(KEY, &["migrate"]);
    owner.add_users(KEY);
    assert_eq!(owner.users(KEY), USERS);
    assert!(owner.done(KEY, &["users", "list", "--search", "plugh7"]).contains("Xyzzyplugh77"));
    assert!(!owner.shows_users());
    let check = owner.run(KEY, &["check"]).1;
    let line = format!("✓ Encryption: the file, with the key {}\n", owner.key_name("a.key"));
    assert!(check.contains(&line), "{check}");

    let copied = owner.done(KEY, &["backup", "copy.db"]);
    let name = owner.key_name("a.key");
    assert_eq!(
        copied,
        format!("Copied sqlite://rollcall.db to copy.db, encrypted with the key {name}.\n")
    );
    assert_eq!(fs::metadata(owner.path("copy.db")).unwrap().mode() & 0o777, 0o600);
    assert!(!owner.shows_users());
    let of_copy = |key| [("DATABASE_URL", "sqlite://copy.db"), ("DATABASE_KEY_FILE", key)];
    assert_eq!(owner.users(&of_copy("a.key")), USERS);
    assert!(owner.refused(&of_copy(""), &["export"]).contains("is encrypted"));
    assert!(owner.refused(KEY, &["backup", "copy.db"]).contains("copy.db: it exists already"));

    owner.done(&[], &["database-key", "b.key"]);
    let (a, b) = (owner.key_name("a.key"), owner.key_name("b.key"));
    fs::write(owner.path("short.key"), "hunter2\n").unwrap();
    fs::write(owner.path("empty.key"), "\n").unwrap();
    for (key, expected) in [
        ("", "sqlite://rollcall.db is encrypted, or is not an SQLite database; expected its key"),
        (
            "b.key",
            &*format!(
                "it is encrypted with another one, or is not an SQLite database (keys in the file: {b})"
            ),
        ),
        ("short.key", "DATABASE_KEY_FILE: line 1 is not a key: it has 7 characters; expected 64"),
        ("empty.key", "DATABASE_KEY_FILE: the file that DATABASE_KEY_FILE names is empty"),
        (
            "no.key",
            "DATABASE_KEY_FILE: the file that DATABASE_KEY_FILE names cannot be read: No such",
        ),
    ] {
        for arguments in [&["export"][..], &["migrate"], &["rekey", "--yes"], &["users", "list"]] {
            let error = owner.refused(&[("DATABASE_KEY_FILE", key)], arguments);
            let is_missing = key.is_empty() && arguments[0] == "rekey";
            let expected = if is_missing { "DATABASE_KEY_FILE is not set" } else { expected };
            assert!(error.contains(expected), "{error}");
            assert!(!error.contains("hunter2") && !error.contains("hmac"), "{error}");
            assert!(is_missing || error.lines().count() == 1, "{error}");
        }
    }
    assert_ne!(a, b);
    assert_eq!(owner.users(KEY), USERS);
}

#[test]
fn a_credential_of_systemd_is_a_key() {
    let owner = Owner::new();
    owner.done(&[], &["database-key", "DATABASE_KEY"]);
    let folder = owner.folder.path().to_str().unwrap();
    let credentials = &[("CREDENTIALS_DIRECTORY", folder)];
    owner.done(credentials, &["migrate"]);
    owner.add_users(credentials);
    assert_eq!(owner.users(&[("DATABASE_KEY_FILE", "DATABASE_KEY")]), USERS);
    assert!(!owner.shows_users());
}

#[test]
fn a_database_is_encrypted_gets_another_key_and_is_decrypted() {
    let owner = Owner::with_users();
    assert!(owner.shows_users());
    owner.sqlite().batch_execute("PRAGMA user_version = 7; PRAGMA application_id = 8").unwrap();
    fs::set_permissions(owner.path("rollcall.db"), PermissionsExt::from_mode(0o640)).unwrap();
    owner.done(&[], &["database-key", "a.key"]);
    let a = owner.key_name("a.key");
    let error = owner.refused(KEY, &["export"]);
    assert!(
        error.contains("is not encrypted, but DATABASE_KEY_FILE is set; stop the bot and"),
        "{error}"
    );

    let before = owner.content();
    let asked = owner.done(KEY, &["rekey"]);
    assert!(asked.starts_with("This encrypts sqlite://rollcall.db ("), "{asked}");
    assert!(asked.ends_with(" Nothing was changed yet: --yes does it.\n"), "{asked}");
    assert!(owner.content() == before);
    let done = format!("Encrypted sqlite://rollcall.db with the key {a}.\n");
    assert_eq!(owner.done(KEY, &["rekey", "--yes"]), done);
    assert!(!owner.shows_users());
    assert_eq!(owner.files(), ["rollcall.db"]);
    assert_eq!(fs::metadata(owner.path("rollcall.db")).unwrap().mode() & 0o777, 0o640);
    assert_eq!(owner.users(KEY), USERS);
    let unchanged =
        format!("sqlite://rollcall.db is encrypted with the key {a}; nothing was changed.\n");
    assert_eq!(owner.done(KEY, &["rekey", "--yes"]), unchanged);

    let old = fs::read(owner.path("a.key")).unwrap();
    let added = owner.done(&[], &["database-key", "a.key", "--add"]);
    let b = owner.key_name("a.key");
    assert!(added.starts_with(&format!("Added the key {b} to a.key.")), "{added}");
    assert_eq!(owner.users(KEY), USERS, "by the older key");
    let check = owner.run(KEY, &["check"]).1;
    assert!(
        check.contains(&format!("! Encryption: the file, with the older key {a}; ")),
        "{check}"
    );
    let done = format!("Changed the key of sqlite://rollcall.db from {a} to {b}.\n");
    assert_eq!(owner.done(KEY, &["rekey", "--yes"]), done);
    assert_eq!(owner.users(KEY), USERS);
    fs::write(owner.path("old.key"), old).unwrap();
    owner.refused(&[("DATABASE_KEY_FILE", "old.key")], &["export"]);

    let done =
        "Decrypted sqlite://rollcall.db. Unset DATABASE_KEY_FILE before you start the bot.\n";
    assert_eq!(owner.done(KEY, &["rekey", "--decrypt", "--yes"]), done);
    assert_eq!(owner.users(&[]), USERS);
    assert!(owner.shows_users());
    let mut sqlite = owner.sqlite();
    for (pragma, expected) in [("user_version", 7), ("application_id", 8), ("page_size", 2048)] {
        let value = sql::<BigInt>(&format!("PRAGMA {pragma}")).get_result::<i64>(&mut sqlite);
        assert_eq!(value.unwrap(), expected, "{pragma}");
    }
    let unchanged = "sqlite://rollcall.db is not encrypted; nothing was changed.\n";
    drop(sqlite);
    assert_eq!(owner.done(KEY, &["rekey", "--decrypt"]), unchanged);
}

#[test]
fn a_database_in_use_keeps_its_key() {
    let owner = Owner::with_users();
    owner.done(&[], &["database-key", "a.key"]);
    // As a running bot has it.
    let mut other = owner.sqlite();
    other.batch_execute("PRAGMA journal_mode = WAL; SELECT * FROM telegram_users").unwrap();
    let (code, error) = owner.run(KEY, &["rekey", "--yes"]);
    assert_eq!(code, 1);
    assert!(
        error.contains("nothing was changed: sqlite://rollcall.db is not encrypted: the database is in use; stop the bot"),
        "{error}"
    );
    other.batch_execute("UPDATE telegram_users SET language_code = 'de'").unwrap();
    drop(other);
    assert_eq!(owner.users(&[]), USERS);
    owner.done(KEY, &["rekey", "--yes"]);
    assert_eq!(owner.users(KEY), USERS);
}

#[test]
fn a_backup_is_a_whole_database() {
    let owner = Owner::with_users();
    // A bot has changes in the log.
    let mut bot = owner.sqlite();
    bot.batch_execute("PRAGMA journal_mode = WAL; UPDATE telegram_users SET language_code = 'de'")
        .unwrap();
    assert_eq!(
        owner.done(&[], &["backup", "copy.db"]),
        "Copied sqlite://rollcall.db to copy.db.\n"
    );
    let copy = &[("DATABASE_URL", "sqlite://copy.db")];
    assert!(owner.done(copy, &["count", "--filter", "lang:de"]).starts_with("300"));
    let nowhere = owner.run(&[], &["backup", "/nowhere/copy.db"]);
    assert!(nowhere.0 == 1 && nowhere.1.contains("/nowhere/copy.db: No such file"), "{nowhere:?}");
    for database in [rollcall_testkit::ThrowAwayDatabase::postgres()].into_iter().flatten() {
        let settings = &[("DATABASE_URL", database.url())];
        let (code, error) = owner.run(settings, &["backup", "other.db"]);
        assert!(code == 1 && error.contains("expected an SQLite database; use pg_dump"), "{error}");
        assert!(!owner.path("other.db").exists());
    }
}

#[test]
fn notes_and_quarantined_updates_of_postgres_are_encrypted_and_decrypted() {
    let Some(database) = rollcall_testkit::ThrowAwayDatabase::postgres() else { return };
    let owner = Owner::new();
    let plain = [("DATABASE_URL", database.url())];
    let with = |key| [("DATABASE_URL", database.url()), ("DATABASE_KEY_FILE", key)];
    owner.done(&plain, &["migrate"]);
    owner.add_users(&plain);
    let mut postgres = PgConnection::establish(database.url()).unwrap();
    postgres
        .batch_execute(
            "INSERT INTO notes VALUES (7, 'Xyzzyplugh likes \"tea\"', '2026-11-01', 'ada'); \
             INSERT INTO quarantine (update_id, received_at, reason, registered, payload) \
             VALUES (5, '2026-11-01', 'odd', true, '{\"text\":\"Xyzzyplugh\"}')",
        )
        .unwrap();
    let mut stored = || {
        let text = "SELECT text || payload AS text FROM notes, quarantine";
        sql::<diesel::sql_types::Text>(text).get_result::<String>(&mut postgres).unwrap()
    };
    let shown = |settings: &[(&str, &str)]| {
        owner.done(settings, &["users", "show", "7", "--full"])
            + &owner.done(settings, &["quarantine", "show", "5", "--yes"])
    };
    let before = shown(&plain);
    assert!(before.contains("Xyzzyplugh likes"), "{before}");

    owner.done(&[], &["database-key", "a.key"]);
    let a = owner.key_name("a.key");
    assert_eq!(shown(&with("a.key")), before, "older texts stay readable");
    let check = owner.run(&with("a.key"), &["check"]).1;
    let line = format!(
        "! Encryption: 2 notes and quarantined updates are not encrypted with the key {a}; "
    );
    assert!(check.contains(&line), "{check}");
    let asked = owner.done(&with("a.key"), &["rekey"]);
    assert!(
        asked.starts_with("This encrypts 2 notes and quarantined updates in postgres://"),
        "{asked}"
    );
    assert!(stored().contains(MARKER));
    let done = owner.done(&with("a.key"), &["rekey", "--yes"]);
    assert!(done.ends_with(&format!(" are encrypted with the key {a}.\n")), "{done}");
    assert!(!stored().contains(MARKER), "{}", stored());
    assert_eq!(shown(&with("a.key")), before);
    let copy = owner.done(&with("a.key"), &["users", "export-data", "7"]);
    assert!(copy.contains("Xyzzyplugh likes"), "{copy}");
    let check = owner.run(&with("a.key"), &["check"]).1;
    let line = format!("✓ Encryption: notes and quarantined updates, with the key {a}\n");
    assert!(check.contains(&line), "{check}");

    owner.done(&[], &["database-key", "b.key"]);
    for settings in [&plain[..], &with("b.key")] {
        for (arguments, place) in [
            (&["users", "show", "7", "--full"][..], "notes.text of the row with key 7"),
            (&["quarantine", "show", "5", "--yes"], "quarantine.payload of the row with key 5"),
            (&["quarantine", "list"], "quarantine.payload of the row with key 5"),
            (&["users", "export-data", "7"], "notes.text of the row with key 7"),
        ] {
            let (code, error) = owner.run(settings, arguments);
            let line = format!(
                "{place} is encrypted with the database key {a}, which is not in the file that \
                 DATABASE_KEY_FILE names"
            );
            assert!(code == 1 && error.contains(&line), "{arguments:?}: {error}");
        }
    }
    let error = owner.run(&with("b.key"), &["rekey", "--yes"]);
    assert!(error.0 == 1 && error.1.contains(&a), "{error:?}");

    owner.done(&[], &["database-key", "a.key", "--add"]);
    owner.done(&with("a.key"), &["rekey", "--yes"]);
    let unchanged = owner.done(&with("a.key"), &["rekey", "--yes"]);
    assert!(unchanged.ends_with("; nothing was changed.\n"), "{unchanged}");
    assert_eq!(shown(&with("a.key")), before);
    owner.done(&with("a.key"), &["rekey", "--decrypt", "--yes"]);
    assert_eq!(shown(&plain), before);
}

/// Fills the file up, so that copying it takes a while.
fn enlarge(owner: &Owner) {
    owner
        .sqlite()
        .batch_execute(
            "CREATE TABLE filler AS WITH RECURSIVE n (n) AS \
             (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 30000) \
             SELECT n, randomblob(1500) AS bytes FROM n",
        )
        .unwrap();
}

/// Begins to rekey, and sends a signal as soon as `is_time`.
fn interrupt(
    owner: &Owner,
    signal: &str,
    is_time: impl Fn(&Path) -> bool,
) -> (Option<i32>, String) {
    let copy = owner.path(".rollcall.db-rekey");
    let child = Command::new(env!("CARGO_BIN_EXE_manage"))
        .args(["rekey", "--yes"])
        .env_clear()
        .envs(KEY.iter().copied())
        .current_dir(owner.folder.path())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let id = child.id().to_string();
    let process = PathBuf::from(format!("/proc/{id}/exe"));
    // An ended process has no program any more.
    while fs::read_link(&process).is_ok() && !is_time(&copy) {
        std::thread::yield_now();
    }
    drop(Command::new("kill").args([&format!("-{signal}"), &id]).stderr(Stdio::null()).status());
    let output = child.wait_with_output().unwrap();
    let printed = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(printed).unwrap())
}

#[test]
fn a_killed_rekey_leaves_a_whole_database_under_one_key() {
    let owner = Owner::with_users();
    enlarge(&owner);
    owner.done(&[], &["database-key", "a.key"]);
    let bytes = u64::try_from(owner.content().len()).unwrap();
    let length = |file: &Path| fs::metadata(file).map_or(0, |it| it.len());
    let inode = |file: &Path| fs::metadata(file).map_or(0, |it| it.ino());
    let database = owner.path("rollcall.db");
    let mut old = "is not encrypted".to_owned();
    let (mut kept, mut changed) = (0, 0);
    for moment in ["created", "quarter", "most", "checked", "replaced"] {
        let before = inode(&database);
        let (code, _) = interrupt(&owner, "KILL", |copy| match moment {
            "created" => copy.exists(),
            "quarter" => length(copy) > bytes / 4,
            "most" => length(copy) > bytes * 9 / 10,
            // The log of the copy is the last of the check.
            "checked" => copy.with_file_name(".rollcall.db-rekey-wal").exists(),
            _ => inode(&database) != before,
        });
        assert!(code.is_none() || code == Some(0), "{moment}: {code:?}");
        let a = owner.key_name("a.key");
        let state = owner.done(KEY, &["rekey"]);
        let is_old = state.starts_with("This ");
        let new =
            format!("sqlite://rollcall.db is encrypted with the key {a}; nothing was changed.\n");
        assert!(is_old || state == new, "{moment}: {state}");
        if is_old {
            kept += 1;
            let settings = if old == "is not encrypted" { &[][..] } else { KEY };
            assert_eq!(owner.users(settings), USERS, "{moment}");
            owner.done(KEY, &["rekey", "--yes"]);
        } else {
            changed += 1;
        }
        assert_eq!(owner.users(KEY), USERS, "{moment}");
        assert_eq!(owner.files(), ["rollcall.db"], "{moment}");
        assert!(!owner.shows_users());
        old = a;
        owner.done(&[], &["database-key", "a.key", "--add"]);
    }
    assert!(kept >= 3 && changed >= 1, "{kept} were as before, {changed} were changed");
}

#[test]
fn ctrl_c_changes_nothing_and_says_so() {
    let owner = Owner::with_users();
    enlarge(&owner);
    owner.done(&[], &["database-key", "a.key"]);
    let (code, printed) = interrupt(&owner, "INT", Path::exists);
    assert_eq!(code, Some(1), "{printed}");
    let line = "nothing was changed: sqlite://rollcall.db is not encrypted: interrupted";
    assert!(printed.contains(line), "{printed}");
    assert_eq!(owner.files(), ["rollcall.db"]);
    assert_eq!(owner.users(&[]), USERS);
}
