//! Commands on a URL whose servers can only be read.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod program;

use program::run;
use rollcall_testkit::ThrowAwayServer;

#[test]
fn commands_that_write_say_that_all_servers_are_standbys() {
    let Some(primary) = ThrowAwayServer::start() else { return };
    let (one, two) = (primary.standby(), primary.standby());
    let database = primary.database();
    let folder = tempfile::tempdir().unwrap();
    let manage = |url: &str, arguments: &[&str]| {
        run(folder.path(), arguments, b"", &[("DATABASE_URL", url)])
    };
    assert_eq!(manage(database.url(), &["migrate"]).0, 0);
    primary.await_replay(&one);
    primary.await_replay(&two);

    let standbys = database.url().replace(primary.host(), &[one.host(), two.host()].join(","));
    let writable = format!("{standbys}&target_session_attrs=read-write");
    for arguments in [&["migrate"][..], &["stats"], &["createsuperuser", "--name", "ada"]] {
        let (code, _, error) = manage(&writable, arguments);
        let begin = "error: cannot open the database postgres:///test_0: none of its servers can be \
                     written, because all of them are standbys, or are read-only (on socket ";
        assert!(code == 1 && error.starts_with(begin), "{arguments:?}: {error}");
        let end = "; expected one that can: promote a standby, or name the primary\n";
        assert!(error.ends_with(end), "{error}");
        assert_eq!(error.lines().count(), 1, "{error}");
        assert!(error.contains(one.host()) && error.contains(two.host()), "{error}");
    }

    // Any server will do for commands that read. Others, and the check of the bot's settings, say why not.
    assert_eq!(manage(&standbys, &["users", "list"]).0, 0);
    for arguments in [&["migrate"][..], &["demo-data"], &["createsuperuser", "--name", "ada"]] {
        let (code, _, error) = manage(&standbys, arguments);
        let begin = "error: cannot open the database postgres:///test_0: none of its servers can be \
                     written, because the one that was reached is a standby, or is read-only (name all";
        assert!(code == 1 && error.starts_with(begin), "{arguments:?}: {error}");
    }
    let (code, output, _) = manage(&standbys, &["check"]);
    let line = "Database: cannot open the database postgres:///test_0: none of its servers";
    assert!(code == 1 && output.contains(line), "{output}");
}
