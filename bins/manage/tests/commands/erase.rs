//! `manage users erase` that is interrupted.

use std::process::{Child, Command, Stdio};

use super::*;

const USERS: i64 = 2000;

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_deletion_says_what_is_done_and_goes_on() {
    let ids: Vec<String> = (1..=USERS).map(|id| id.to_string()).collect();
    let by_id: Vec<&str> = ids.iter().map(String::as_str).collect();
    for which in [&["--filter", "-bot"][..], &by_id] {
        for database in ThrowAwayDatabase::of_each_kind() {
            let users = users(&database).await;
            let erase = [&["users", "erase", "--yes"], which].concat();
            let mut process = begin(&database, &erase);
            // Until the first part is deleted; several are left then.
            while process.try_wait().unwrap().is_none()
                && users.get_user_stats().await.unwrap().total_users == USERS.unsigned_abs()
            {
            }
            let (code, printed, error) = interrupt(process).await;
            let left = users.get_user_stats().await.unwrap().total_users;
            let deleted = USERS.unsigned_abs() - left;
            assert!(left > 0 && deleted > 0, "{left} are left");
            assert_eq!((code, printed.as_str()), (1, ""), "{error}");
            let expected = format!(
                "error: interrupted; {} of 2,000 users were deleted. Run the same command again to \
                 delete the rest\n",
                grouped(deleted)
            );
            assert_eq!(error, expected);
            // No user is half deleted, and the log has what was done.
            assert_eq!(run(&database, &["stats", "rebuild", "--check"], "", &[]).0, 0);
            let (code, verified, _) = run(&database, &["audit", "verify"], "", &[]);
            assert_eq!(code, 0, "{verified}");

            let (code, printed, error) = run(&database, &erase, "", &[]);
            assert_eq!((code, error.as_str()), (0, ""));
            assert_eq!(printed, format!("Deleted {} users.\n", grouped(left)));
            let storage = Database::open(database.url().parse().unwrap()).await.unwrap();
            let log = DieselAdminRepository::new(storage);
            let entries = log.audit_log(&AuditFilter::all(), None, 1000).await.unwrap();
            let entry = |deleted: u64, end: &str| {
                let chosen = if which[0] == "1" { "given ids" } else { "-bot" };
                let what = format!("{} users: {chosen}{end}", grouped(deleted));
                entries.iter().filter(|it| it.new.as_deref() == Some(&what)).count()
            };
            assert_eq!(entry(left, ""), 1);
        }
    }
}

async fn users(database: &ThrowAwayDatabase) -> UserService {
    let storage = Database::open(database.url().parse().unwrap()).await.unwrap();
    storage.migrate().await.unwrap();
    let users = UserService::new(DieselUserRepository::new(storage), SystemClock);
    let profile = |id: i64| Profile::new(id.try_into().unwrap(), "Ann");
    let now = SystemClock.now();
    let seen = |id| Interaction::new(now, profile(id), InteractionKind::Text);
    let all: Vec<Interaction> = (1..=USERS).map(seen).collect();
    users.register(&all).await.unwrap();
    users
}

fn begin(database: &ThrowAwayDatabase, arguments: &[&str]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_manage"))
        .args(arguments)
        .env_clear()
        .env("DATABASE_URL", database.url())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Sends what Ctrl-C sends; answers the exit code, standard output and standard error.
async fn interrupt(process: Child) -> (i32, String, String) {
    let id = process.id().to_string();
    assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
    let output = tokio::task::spawn_blocking(|| process.wait_with_output()).await.unwrap().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().expect("an exit code"), text(output.stdout), text(output.stderr))
}
