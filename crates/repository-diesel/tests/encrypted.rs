//! The contract suites that read and write free texts, or much of the file, with a key: on SQLite the file
//! is encrypted, on PostgreSQL the texts are. And changing the key of PostgreSQL's texts.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::sync::Arc;

use chrono::{DateTime, Utc};
use diesel::{Connection, PgConnection, QueryableByName, RunQueryDsl, sql_query, sql_types::Text};
use rollcall_domain::{
    Admin, AuditAction, DataValue, Interaction, InteractionKind, PersonalTable, Profile,
    QuarantinedUpdate, TelegramId,
};
use rollcall_repository::{
    AdminRepository, AuditFilter, AuditLogRepository, Batch, DirectoryRepository, NewAuditEntry,
    PersonalDataRepository, QuarantineRepository, RepositoryError, UserRepository,
};
use rollcall_repository_diesel::{
    Database, DatabaseKeys, DieselAdminRepository, DieselQuarantineRepository,
    DieselUserRepository, TextRekey,
};
use rollcall_testkit::{ThrowAwayDatabase, contract::Store};

mod users {
    use super::*;

    rollcall_testkit::user_repository_contract!(open);

    async fn open(url: &str) -> Arc<dyn Store> {
        Arc::new(DieselUserRepository::new(encrypted(url).await))
    }
}

mod personal_data {
    use rollcall_testkit::contract::personal_data::PersonalStore;

    use super::*;

    rollcall_testkit::personal_data_contract!(open);

    async fn open(url: &str) -> Arc<dyn PersonalStore> {
        Arc::new(DieselUserRepository::new(encrypted(url).await))
    }
}

mod directory {
    use rollcall_testkit::contract::directory::DirectoryStore;

    use super::*;

    rollcall_testkit::directory_repository_contract!(open);

    async fn open(url: &str) -> Arc<dyn DirectoryStore> {
        Arc::new(DieselUserRepository::new(encrypted(url).await))
    }
}

mod quarantine {
    use super::*;

    rollcall_testkit::quarantine_repository_contract!(open);

    async fn open(url: &str) -> (Arc<dyn UserRepository>, Arc<dyn QuarantineRepository>) {
        let database = encrypted(url).await;
        let quarantine = DieselQuarantineRepository::new(database.clone());
        (Arc::new(DieselUserRepository::new(database)), Arc::new(quarantine))
    }
}

mod admin {
    use super::*;

    rollcall_testkit::admin_repository_contract!(open);

    async fn open(url: &str) -> (Arc<dyn UserRepository>, Arc<dyn AdminRepository>) {
        let database = encrypted(url).await;
        let admins = DieselAdminRepository::new(database.clone());
        (Arc::new(DieselUserRepository::new(database)), Arc::new(admins))
    }
}

const OLD: &str = "0a";
const NEW: &str = "0b";
/// In every free text, and nowhere else.
const MARKER: &str = "Xyzzyplugh";

fn keys(of: &[&str]) -> DatabaseKeys {
    let lines: Vec<String> = of.iter().map(|digits| digits.repeat(32)).collect();
    DatabaseKeys::from_text(&lines.join("\n")).unwrap()
}

async fn encrypted(url: &str) -> Database {
    opened(url, Some(keys(&[OLD]))).await
}

async fn opened(url: &str, keys: Option<DatabaseKeys>) -> Database {
    let database = Database::open_with_keys(url.parse().unwrap(), keys).await.unwrap();
    database.migrate().await.unwrap();
    database
}

fn at() -> DateTime<Utc> {
    "2026-11-20T12:00:00Z".parse().unwrap()
}

fn ada() -> TelegramId {
    1815.try_into().unwrap()
}

/// Writes a note with its entry in the audit log, and quarantines an update.
async fn write(database: &Database, nth: i64) {
    let users = DieselUserRepository::new(database.clone());
    let interaction = Interaction::new(at(), Profile::new(ada(), "Ada"), InteractionKind::Text);
    let update = QuarantinedUpdate {
        update_id: nth,
        received_at: at(),
        reason: "a reason".to_owned(),
        registered: true,
        telegram_id: Some(ada()),
        payload: format!("{{\"text\": \"{MARKER} {nth}\"}}"),
        undelivered: true,
    };
    let batch = Batch { interactions: vec![interaction], quarantined: vec![update] };
    let registering = users.clone();
    tokio::task::spawn_blocking(move || registering.register(&batch, at()).unwrap()).await.unwrap();
    let note = format!("{MARKER} note {nth}");
    let change = users.set_note(ada(), &note, "grace", at()).await.unwrap().unwrap();
    assert_eq!(change.new.as_ref(), Some(&note));
    let entry = NewAuditEntry {
        at: at(),
        admin: Some("grace".parse::<Admin>().unwrap()),
        action: AuditAction::ChangedNote,
        about: Some(ada()),
        old: change.old,
        new: change.new,
    };
    DieselAdminRepository::new(database.clone()).audit(&entry).await.unwrap();
}

/// Reads all free texts in every way, of which `count` were written; fails with the first error.
async fn read(database: &Database, count: i64) -> Result<(), RepositoryError> {
    let users = DieselUserRepository::new(database.clone());
    let detail = users.user(ada(), at().date_naive()).await?.expect("Ada");
    assert_eq!(detail.note.unwrap().text, format!("{MARKER} note {count}"));
    let quarantine = DieselQuarantineRepository::new(database.clone());
    let payload = |nth: i64| format!("{{\"text\": \"{MARKER} {nth}\"}}");
    let payloads: Vec<String> =
        quarantine.list(0, 1000).await?.into_iter().map(|it| it.payload).collect();
    assert_eq!(payloads, (1..=count).map(payload).collect::<Vec<_>>());
    assert_eq!(quarantine.find(1).await?.unwrap().payload, payload(1));
    let admins = DieselAdminRepository::new(database.clone());
    let entries = admins.audit_log(&AuditFilter::all().about(ada()), None, 1000).await?;
    let new: Vec<Option<String>> = entries.into_iter().map(|entry| entry.new).collect();
    let notes = (1..=count).rev().map(|nth| Some(format!("{MARKER} note {nth}")));
    assert_eq!(new, notes.collect::<Vec<_>>());
    assert_eq!(admins.verify_audit_log(None).await?.fault, None);
    for (table, column, rows) in [
        (PersonalTable::Notes, "text", 1),
        (PersonalTable::Quarantine, "payload", count),
        (PersonalTable::AuditLog, "new_value", count),
    ] {
        let copied = users.personal_rows(table, ada(), 0, 1000).await?;
        let values = copied.iter().flatten().filter(|(name, _)| *name == column);
        let texts = values.map(|(_, value)| match value {
            Some(DataValue::Text(text)) if text.contains(MARKER) => text,
            value => panic!("{column}: {value:?}"),
        });
        assert_eq!(i64::try_from(texts.count()), Ok(rows));
    }
    Ok(())
}

/// Whether a free text of a PostgreSQL database is readable without a key.
fn shows_texts(throw_away: &ThrowAwayDatabase) -> bool {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Text)]
        row: String,
    }
    let mut connection = PgConnection::establish(throw_away.url()).unwrap();
    let rows: Vec<Row> = sql_query(
        "SELECT notes::text AS row FROM notes UNION ALL SELECT quarantine::text FROM quarantine \
         UNION ALL SELECT audit_log::text FROM audit_log",
    )
    .load(&mut connection)
    .unwrap();
    assert!(!rows.is_empty());
    rows.iter().any(|it| it.row.contains(MARKER))
}

async fn rekey(database: &Database, keys: &DatabaseKeys, decrypts: bool) -> u64 {
    let mut rekey = TextRekey::new(database.clone(), keys, decrypts);
    let pending = rekey.pending().await.unwrap();
    let mut done = 0;
    while let Some(changed) = rekey.step().await.unwrap() {
        done += changed;
    }
    assert_eq!(done, pending);
    assert_eq!(rekey.pending().await.unwrap(), 0);
    done
}

#[tokio::test(flavor = "multi_thread")]
async fn free_texts_are_encrypted_get_another_key_and_are_decrypted() {
    let Some(throw_away) = ThrowAwayDatabase::postgres() else { return };
    let plain = opened(throw_away.url(), None).await;
    write(&plain, 1).await;
    assert!(shows_texts(&throw_away));

    // Older texts stay readable, and new ones are encrypted.
    let old = opened(throw_away.url(), Some(keys(&[OLD]))).await;
    read(&old, 1).await.unwrap();
    write(&old, 2).await;
    read(&old, 2).await.unwrap();
    assert_eq!(rekey(&old, &keys(&[OLD]), false).await, 2, "an update and an entry");
    assert!(!shows_texts(&throw_away));
    read(&old, 2).await.unwrap();

    // A hundred at a time.
    for nth in 3..=150 {
        write(&old, nth).await;
    }
    let both = keys(&[NEW, OLD]);
    let changing = opened(throw_away.url(), Some(both.clone())).await;
    read(&changing, 150).await.unwrap();
    assert_eq!(rekey(&changing, &both, false).await, 1 + 150 + 150);
    let new = opened(throw_away.url(), Some(keys(&[NEW]))).await;
    read(&new, 150).await.unwrap();

    // Who has lost the key learns which.
    for (database, lost) in [(&plain, NEW), (&old, NEW)] {
        let error =
            DieselUserRepository::new(database.clone()).user(ada(), at().date_naive()).await;
        let expected = format!(
            "notes.text of the row with key 1815 is encrypted with the database key {}, which is not \
             in the file that DATABASE_KEY_FILE names",
            keys(&[lost]).first().name()
        );
        assert_eq!(error.unwrap_err().to_string(), expected);
    }
    assert_eq!(rekey(&new, &keys(&[NEW]), true).await, 1 + 150 + 150);
    assert!(shows_texts(&throw_away));
    read(&plain, 150).await.unwrap();
}
