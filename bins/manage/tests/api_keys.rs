//! `manage api-keys` from outside: what an owner types and reads, on each database.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod program;

use program::run;
use rollcall_domain::{AuditAction, SystemClock};
use rollcall_repository::BotRepository;
use rollcall_repository_diesel::{Database, DieselAdminRepository, DieselBotRepository};
use rollcall_service::{AdminService, AuditFilter};
use rollcall_testkit::ThrowAwayDatabase;
use serde_json::Value;

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_created_listed_and_revoked() {
    for database in ThrowAwayDatabase::of_each_kind() {
        let story = [
            manage(&database, "api-keys create shop --scope ingest"),
            manage(&database, "api-keys create shop --scope ingest --bot-id 123456789"),
            manage(&database, "api-keys list"),
            manage(&database, "api-keys create shop --scope read"),
            manage(&database, "api-keys create report --scope write,read --bot-id 123456789"),
            manage(&database, "api-keys create other --scope read --bot-id 5"),
            manage(&database, "api-keys list"),
            manage(&database, "api-keys revoke shop"),
            manage(&database, "api-keys revoke shop"),
            manage(&database, "api-keys revoke nothing"),
            manage(&database, "api-keys create shop --scope ingest"),
            manage(&database, "api-keys list"),
        ];
        insta::assert_snapshot!("story", story.join("\n"));
        let wrong = [
            manage(&database, "api-keys create two --scope all"),
            manage(&database, "api-keys create two --scope ingest,"),
            manage(&database, "api-keys create Two --scope ingest"),
            manage(&database, "api-keys create two --scope ingest --bot-id 0"),
            manage(&database, "api-keys create two --scope ingest --bot-id 123:token"),
            manage(&database, "api-keys create two"),
        ];
        insta::assert_snapshot!("wrong", wrong.join("\n"));

        let storage = Database::open(database.url().parse().unwrap()).await.unwrap();
        let bots = DieselBotRepository::new(storage.clone());
        assert_eq!(bots.owner().await.unwrap().unwrap().get(), 123_456_789);
        assert!(!bots.has_run().await.unwrap());
        let admins = AdminService::new(DieselAdminRepository::new(storage), SystemClock, [].into());
        let log = async |action| {
            let log = admins.audit_log(&AuditFilter::all().action(action), None, 9).await.unwrap();
            let values = log.into_iter().rev().map(|it| it.new.or(it.old).unwrap());
            values.map(|it| without_digits(&it)).collect::<Vec<_>>()
        };
        let created = log(AuditAction::CreatedApiKey).await;
        assert_eq!(created, ["shop ID (ingest)", "report ID (read,write)", "shop ID (ingest)"]);
        assert_eq!(log(AuditAction::RevokedApiKey).await, ["shop ID (ingest)"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn programs_get_json() {
    for database in ThrowAwayDatabase::of_each_kind() {
        let json = |command: &str| -> Value {
            let (code, printed, error) = answer(&database, command);
            assert_eq!(code, 0, "{error}");
            serde_json::from_str(&printed).unwrap()
        };
        let created = json("api-keys create shop --scope read,ingest --bot-id 7 --json");
        let key = created["key"].as_str().unwrap();
        assert!(key.len() == 52 && key.starts_with("rollcall_"), "{key}");
        let id = created["id"].as_str().unwrap();
        assert_eq!((&created["name"], &created["bot_id"]), (&"shop".into(), &7.into()));
        assert_eq!(created["scopes"], serde_json::json!(["ingest", "read"]));

        let list = json("api-keys list --json");
        assert!(!list.to_string().contains(key), "only the hash is stored");
        let listed = list["keys"][0].as_object().unwrap();
        let fields: Vec<&str> = listed.keys().map(String::as_str).collect();
        let expected = ["created_at", "id", "last_used_at", "name", "revoked_at", "scopes"];
        assert_eq!(fields, expected);
        assert_eq!((&listed["id"], &listed["last_used_at"]), (&id.into(), &Value::Null));

        let revoked = json(&format!("api-keys revoke {id} --json"));
        assert_eq!((&revoked["id"], &revoked["name"]), (&id.into(), &"shop".into()));
        assert_ne!(json("api-keys list --json")["keys"][0]["revoked_at"], Value::Null);
    }
}

#[test]
fn the_help_explains_keys() {
    let database = ThrowAwayDatabase::sqlite();
    let help = ["api-keys --help", "api-keys create --help"];
    insta::assert_snapshot!("help", help.map(|it| manage(&database, it)).join("\n"));
}

fn answer(database: &ThrowAwayDatabase, command: &str) -> (i32, String, String) {
    let folder = tempfile::tempdir().unwrap();
    let arguments: Vec<&str> = command.split(' ').collect();
    run(folder.path(), &arguments, b"", &[("DATABASE_URL", database.url())])
}

/// A command, and what it prints; without what differs between runs.
fn manage(database: &ThrowAwayDatabase, command: &str) -> String {
    let (code, printed, error) = answer(database, command);
    let code = if code == 0 { String::new() } else { format!("exit code {code}\n") };
    let text = format!("$ manage {command}\n{printed}{error}{code}");
    let masked =
        rollcall_repository_diesel::DatabaseUrl::to_string(&database.url().parse().unwrap());
    without_digits(&text.replace(&masked, "DATABASE"))
}

/// A text with KEY, ID and TIME where those stand.
fn without_digits(text: &str) -> String {
    let is_digit = |c: char| matches!(c, '0'..='9' | 'a'..='f');
    let word = |word: &str| match word {
        word if word.starts_with("rollcall_") && word.len() == 52 => "KEY".to_owned(),
        word if word.len() == 12 && word.chars().all(is_digit) => "ID".to_owned(),
        word if word.len() == 10 && word.starts_with("20") && word.contains('-') => {
            "DAY".to_owned()
        }
        word if word.len() == 8 && word.matches(':').count() == 2 => "TIME".to_owned(),
        word => word.to_owned(),
    };
    let line = |line: &str| line.split(' ').map(word).collect::<Vec<_>>().join(" ");
    text.split('\n').map(line).collect::<Vec<_>>().join("\n")
}
