//! The command line itself: completions, manual pages, colours, and errors that read the same
//! everywhere.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod program;

use std::{
    fs,
    io::{BufRead, BufReader},
    path::Path,
    process::{Command, Stdio},
};

use diesel::{Connection, SqliteConnection, connection::SimpleConnection};
use program::{answer, run};
use rollcall_testkit::ThrowAwayDatabase;

const ERROR: &str = "\u{1b}[1m\u{1b}[31merror:\u{1b}[0m";
const HINT: &str = "\n\nFor more information, try '--help'.\n";

/// A folder without a database, in which a broken `.env` stops every command that reads settings.
fn folder_with_broken_settings() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(".env"), "DATABASE_URL").unwrap();
    let (code, _, error) = run(folder.path(), &["stats"], b"", &[]);
    assert!(code == 1 && error.contains(".env"), "{error}");
    folder
}

#[test]
fn completions_need_no_settings_and_no_database() {
    let folder = folder_with_broken_settings();
    for (shell, sign) in [
        ("bash", "complete -F _manage"),
        ("elvish", "edit:completion:arg-completer[manage]"),
        ("fish", "complete -c manage"),
        ("powershell", "-CommandName 'manage'"),
        ("zsh", "#compdef manage"),
    ] {
        let (code, script, error) = run(folder.path(), &["completions", shell], b"", &[]);
        assert_eq!((code, error.as_str()), (0, ""), "{shell}");
        for part in [sign, "createsuperuser", "completions", "users"] {
            assert!(script.contains(part), "{shell}: {part}");
        }
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing was created");
}

/// The script does what it is for: bash offers the commands and the names of an option.
#[test]
fn bash_completes_commands_and_names() {
    let folder = tempfile::tempdir().unwrap();
    let (_, script, _) = run(folder.path(), &["completions", "bash"], b"", &[]);
    fs::write(folder.path().join("manage.bash"), script).unwrap();
    let offered = |words: &[&str]| {
        let line = words.iter().map(|word| format!("'{word}'")).collect::<Vec<_>>().join(" ");
        let ask = format!(
            ". ./manage.bash; COMP_WORDS=({line}); COMP_CWORD={}; _manage manage '{}' '{}'; \
             echo \"${{COMPREPLY[*]}}\"",
            words.len() - 1,
            words[words.len() - 1],
            words[words.len() - 2],
        );
        let mut bash = Command::new("bash");
        bash.args(["-c", &ask]).current_dir(folder.path());
        let (code, offered, error) = answer(bash, b"");
        assert_eq!((code, error.as_str()), (0, ""));
        offered
    };
    assert_eq!(offered(&["manage", "create"]), "createsuperuser\n");
    assert_eq!(offered(&["manage", "stats", "--only", "co"]), "cohorts commands\n");
    assert_eq!(offered(&["manage", "export", "--reach", "b"]), "blocked\n");
}

#[test]
fn manual_pages_are_written_for_each_command() {
    let folder = folder_with_broken_settings();
    let (code, printed, error) = run(folder.path(), &["man", "deep/man"], b"", &[]);
    assert_eq!((code, error.as_str()), (0, ""));
    let pages = fs::read_dir(folder.path().join("deep/man")).unwrap().count();
    let report =
        format!("Wrote {pages} pages to deep/man. Read the first with: man deep/man/manage.1\n");
    assert_eq!(printed, report);
    let page = |name: &str| fs::read_to_string(folder.path().join("deep/man").join(name)).unwrap();
    assert!(page("manage.1").contains("manage\\-users(1)"), "{}", page("manage.1"));
    assert!(page("manage-users-list.1").contains("manage users list"));
    assert!(page("manage-stats.1").contains("Dormant"));
    assert!(page("manage-completions.1").contains("bash"));
    // Written again, over the old ones.
    assert_eq!(run(folder.path(), &["man", "deep/man"], b"", &[]).0, 0);
    let (code, _, error) = run(folder.path(), &["man", ".env"], b"", &[]);
    assert!(
        code == 1 && error.starts_with("error: cannot write manual pages to .env: "),
        "{error}"
    );
}

#[test]
fn errors_and_marks_are_coloured_if_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    run(folder.path(), &["migrate"], b"", &[]);
    let force = ("CLICOLOR_FORCE", "1");
    for (settings, is_coloured) in [
        (&[][..], false),
        (&[("CLICOLOR", "1")], false),
        (&[force], true),
        (&[force, ("NO_COLOR", "")], true),
        (&[force, ("NO_COLOR", "1")], false),
    ] {
        let (_, _, error) = run(folder.path(), &["users", "show", "404"], b"", settings);
        let label = if is_coloured { ERROR } else { "error:" };
        assert_eq!(error, format!("{label} there is no user with the id 404\n"), "{settings:?}");
        let (_, printed, _) = run(folder.path(), &["check"], b"", settings);
        let mark = if is_coloured { "\u{1b}[32m✓\u{1b}[0m" } else { "✓" };
        assert!(printed.starts_with(&format!("{mark} Settings: valid\n")), "{printed:?}");
        let (_, _, error) = run(folder.path(), &["stats", "--since", "x"], b"", settings);
        assert!(error.starts_with(&format!("{label} invalid value '")), "{error:?}");
    }
    let wrong = [force, ("LISTEN_ADDR", "x")];
    let (code, printed, _) = run(folder.path(), &["check"], b"", &wrong);
    assert_eq!(code, 1);
    assert!(printed.starts_with("\u{1b}[1m\u{1b}[31m✗\u{1b}[0m Settings: LISTEN_ADDR: "));
}

#[test]
fn the_same_error_reads_the_same_for_each_command() {
    let folder = tempfile::tempdir().unwrap();
    run(folder.path(), &["migrate"], b"", &[]);
    let check = |arguments: &[&str], settings: &[(&str, &str)], expected: (i32, &str)| {
        let (code, printed, error) = run(folder.path(), arguments, b"", settings);
        assert_eq!((code, printed.as_str()), (expected.0, ""), "{arguments:?}: {error}");
        assert!(error.ends_with(expected.1), "{arguments:?}: {error}");
    };

    let day = "': expected a day such as 2026-11-23, in a year from 0001 to 9999";
    for arguments in [
        &["stats", "--since", "2026-02-30"][..],
        &["stats", "--until", "2026-02-30"],
        &["export", "--last-seen-since", "2026-02-30"],
        &["fetch-games", "--date", "2026-02-30"],
    ] {
        let (code, _, error) = run(folder.path(), arguments, b"", &[]);
        assert!(code == 2 && error.contains(day) && error.ends_with(HINT), "{error}");
    }
    let reversed =
        "2026-02-01 is after 2026-01-01; expected the first day of the range, then its last\n";
    check(&["stats", "--since", "2026-02", "--until", "2026-01-01"], &[], (1, reversed));
    let range = ["export", "--first-seen-since", "2026-02-01", "--first-seen-until", "2026-01-01"];
    check(&range, &[], (1, reversed));
    for since in ["9999-12", "9999-12-01"] {
        let (code, printed, error) = run(folder.path(), &["stats", "--since", since], b"", &[]);
        assert_eq!((code, printed.as_str()), (1, ""));
        assert!(error.starts_with("error: 9999-12-01 is in the future (today is "), "{error}");
    }

    for (arguments, numbers) in [
        (&["users", "list", "--limit", "x"][..], "1 to 1000"),
        (&["sources", "list", "--page-size", "1001"], "1 to 1000"),
        (&["sources", "list", "--page", "0"], "1 to 4294967295"),
        (&["demo-data", "--users", "0"], "1 to 50000000"),
        (&["demo-data", "--days", "1.5"], "1 to 3660"),
        (&["fetch-games", "--days", "401"], "1 to 400"),
        (&["export", "--min-active-days", "x"], "0 to 4294967295"),
        (&["quarantine", "show", "x"], "0 to 9223372036854775807"),
        (&["quarantine", "drop", "1", "x"], "0 to 9223372036854775807"),
    ] {
        let expected = format!("': expected a whole number from {numbers}{HINT}");
        check(arguments, &[], (2, &expected));
    }

    for (arguments, names) in [
        (&["users", "list", "--sort", "name"][..], "first_seen, -first_seen, last_seen, "),
        (&["stats", "--only", ""], "days, lifecycle, weeks, cohorts, "),
        (&["export", "--reach", "away"], "reachable, unreachable, blocked"),
        (&["export", "--bot", "maybe"], "true, false"),
        (&["completions", "tcsh"], "bash, elvish, fish, powershell, zsh"),
    ] {
        let (code, _, error) = run(folder.path(), arguments, b"", &[]);
        assert_eq!(code, 2, "{error}");
        assert!(error.contains(&format!("': expected one of {names}")), "{error}");
    }

    let nothing = format!(
        "': expected a name, a @username or an id; there is nothing in it to search for{HINT}"
    );
    for command in [&["users", "list"][..], &["export"]] {
        for search in ["", " ", "@"] {
            check(&[command, &["--search", search]].concat(), &[], (2, &nothing));
        }
    }

    let address = "LISTEN_ADDR: it is not an address to listen on; expected one such as \
                   127.0.0.1:8080, localhost:8080, :8080, 0.0.0.0:8080 or [::1]:8080, or off\n";
    check(&["runserver", "--listen", "example.org:80"], &[], (1, address));
    check(&["runserver"], &[("LISTEN_ADDR", "8080")], (1, address));
    let (code, printed, _) = run(folder.path(), &["check", "--listen-addr", "8080"], b"", &[]);
    assert_eq!((code, printed), (1, format!("✗ Settings: {address}")));

    let missing = "error: there is no database at sqlite://none.db; `manage migrate` creates it, \
                   and so does the bot\n";
    let none = [("DATABASE_URL", "sqlite://none.db")];
    for arguments in [
        &["stats"][..],
        &["showmigrations"],
        &["users", "list"],
        &["users", "show", "1"],
        &["export"],
        &["quarantine", "list"],
        &["sources", "list"],
        &["admins", "list"],
        &["changepassword", "ada"],
        &["audit", "verify"],
        &["test-users"],
    ] {
        check(arguments, &none, (1, missing));
    }
    assert!(!folder.path().join("none.db").exists());
}

#[test]
fn an_account_creates_the_database_that_it_needs() {
    for database in ThrowAwayDatabase::of_each_kind() {
        let folder = tempfile::tempdir().unwrap();
        let settings = [("DATABASE_URL", database.url())];
        let create = |name: &str| {
            let arguments = ["createsuperuser", "--name", name];
            run(folder.path(), &arguments, b"correct horse\n", &settings)
        };
        let (code, printed, error) = create("ada");
        assert_eq!((code, printed.as_str()), (0, "Created the account ada (owner).\n"), "{error}");
        assert!(
            error.starts_with("Created the database ") && error.lines().count() == 1,
            "{error}"
        );
        let created = (0, "Created the account bob (owner).\n".to_owned(), String::new());
        assert_eq!(create("bob"), created);
        let (_, listed, _) = run(folder.path(), &["admins", "list"], b"", &settings);
        assert!(listed.contains("ada") && listed.contains("bob"), "{listed}");
        // A database that lacks only some migrations is left to `manage migrate`.
        run(folder.path(), &["migrate", "--revert", "--yes"], b"", &settings);
        let (code, _, error) = create("eve");
        assert!(code == 1 && error.contains(" lacks 1 of "), "{error}");
    }
}

#[test]
fn nothing_is_created_where_the_settings_forbid_it() {
    let folder = tempfile::tempdir().unwrap();
    let create = |url: &str, name: &[&str]| {
        let arguments = [&["createsuperuser"], name].concat();
        run(folder.path(), &arguments, b"correct horse\n", &[("DATABASE_URL", url)])
    };
    let ada = ["--name", "ada"];
    let (code, _, error) = create("sqlite://new.db?mode=rw", &ada);
    assert!(code == 1 && error.contains("mode=rw creates none"), "{error}");
    let (code, _, error) = create("sqlite://new.db?mode=ro", &ada);
    assert!(code == 1 && error.contains("mode=ro is read-only"), "{error}");
    let (code, _, error) = create("sqlite://new.db", &[]);
    assert!(code == 1 && error.contains("pass --name NAME"), "{error}");
    let (code, ..) = run(folder.path(), &["runserver", "--listen", "x"], b"", &[]);
    assert_eq!((code, fs::read_dir(folder.path()).unwrap().count()), (1, 0));
}

#[test]
fn the_web_admin_creates_its_database_at_a_short_address() {
    for listen in [":0", "localhost:0"] {
        let folder = tempfile::tempdir().unwrap();
        let mut server = Command::new(env!("CARGO_BIN_EXE_manage"))
            .args(["runserver", "--listen", listen])
            .env_clear()
            .current_dir(folder.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(server.stdout.take().unwrap()).lines();
        let first = lines.next().unwrap().unwrap();
        server.kill().unwrap();
        server.wait().unwrap();
        assert!(first.starts_with("The web admin is at http://127.0.0.1:"), "{first}");
        let (code, printed, _) = run(folder.path(), &["admins", "list"], b"", &[]);
        assert!(code == 0 && printed.starts_with("There are no accounts."), "{printed}");
    }
}

#[test]
fn a_locked_database_explains_itself() {
    let folder = tempfile::tempdir().unwrap();
    run(folder.path(), &["migrate"], b"", &[]);
    let advice = "another program holds the lock on the database, such as a bot, `manage import`, \
                  a backup or an open sqlite3; wait until it ends, or stop it (`fuser -v FILE` \
                  shows the programs that use a file)";
    let mut writer = lock(folder.path(), "BEGIN IMMEDIATE");
    let arguments = ["createsuperuser", "--name", "ada"];
    let (code, _, error) = run(folder.path(), &arguments, b"correct horse\n", &[]);
    let expected = format!("error: {advice}: SQLITE_BUSY: database is locked\n");
    assert_eq!((code, error), (1, expected));
    writer.batch_execute("ROLLBACK").unwrap();
    drop(writer);

    let _exclusive = lock(folder.path(), "PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE");
    let (code, _, error) = run(folder.path(), &["stats"], b"", &[]);
    let expected = format!(
        "error: cannot open the database sqlite://rollcall.db: database is locked; {advice}\n"
    );
    assert_eq!((code, error), (1, expected));
}

fn lock(folder: &Path, sql: &str) -> SqliteConnection {
    let file = folder.join("rollcall.db");
    let mut connection = SqliteConnection::establish(file.to_str().unwrap()).unwrap();
    connection.batch_execute(sql).unwrap();
    connection
}
