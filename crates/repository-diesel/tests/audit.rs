//! Tampering with the audit log by writing to the database directly.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use chrono::{DateTime, Utc};
use diesel::{Connection, PgConnection, SqliteConnection, connection::SimpleConnection};
use rollcall_domain::{Admin, AuditAction, TelegramId};
use rollcall_repository::{AuditFault, AuditLogRepository, NewAuditEntry};
use rollcall_repository_diesel::{Database, DieselAdminRepository};
use rollcall_testkit::ThrowAwayDatabase;

/// Does to a database what Rollcall does not.
fn tamper(database: &ThrowAwayDatabase, sql: &str) {
    match database.file() {
        Some(file) => {
            let mut connection = SqliteConnection::establish(file.to_str().unwrap()).unwrap();
            connection.batch_execute(sql).unwrap();
        }
        None => PgConnection::establish(database.url()).unwrap().batch_execute(sql).unwrap(),
    }
}

/// A log of five entries, the ids of which are 1 to 5.
async fn log_of_five(database: &ThrowAwayDatabase) -> DieselAdminRepository {
    let opened = Database::open(database.url().parse().unwrap()).await.unwrap();
    opened.migrate().await.unwrap();
    let admins = DieselAdminRepository::new(opened);
    let at: DateTime<Utc> = "2026-11-26T12:00:00.123456Z".parse().unwrap();
    for n in 1..=5_i64 {
        let entry = NewAuditEntry {
            at,
            admin: Some(Admin::Telegram(TelegramId::try_from(7).unwrap())),
            action: AuditAction::ChangedNote,
            about: Some(n.try_into().unwrap()),
            old: None,
            new: Some(format!("note {n}")),
        };
        admins.audit(&entry).await.unwrap();
    }
    admins
}

#[tokio::test(flavor = "multi_thread")]
async fn each_changed_entry_is_detected() {
    let link = |id| Some(AuditFault::Link { id });
    for (sql, fault) in [
        (
            "UPDATE audit_log SET new_value = 'other' WHERE id = 3",
            Some(AuditFault::Values { id: 3 }),
        ),
        ("UPDATE audit_log SET old_value = 'x' WHERE id = 3", Some(AuditFault::Values { id: 3 })),
        ("UPDATE audit_log SET salt = NULL WHERE id = 3", Some(AuditFault::Values { id: 3 })),
        ("UPDATE audit_log SET salt = NULL, old_value = NULL, new_value = NULL WHERE id = 3", None),
        ("UPDATE audit_log SET admin = 'ada' WHERE id = 3", link(3)),
        ("UPDATE audit_log SET admin = NULL WHERE id = 3", link(3)),
        ("UPDATE audit_log SET action = 'viewed_user' WHERE id = 3", link(3)),
        ("UPDATE audit_log SET about = 9 WHERE id = 3", link(3)),
        ("UPDATE audit_log SET at = '2026-11-26 12:00:00.123457' WHERE id = 3", link(3)),
        ("UPDATE audit_log SET hash = NULL WHERE id = 3", Some(AuditFault::Unchained { id: 3 })),
        ("DELETE FROM audit_log WHERE id = 3", link(4)),
        ("DELETE FROM audit_log WHERE id = 1", link(2)),
        ("DELETE FROM audit_log WHERE id = 5", Some(AuditFault::NewestMissing)),
        ("DELETE FROM audit_log", Some(AuditFault::NewestMissing)),
        (
            "INSERT INTO audit_log (id, at, action) VALUES (9, '2026-11-26 12:00:00.123457', 'x')",
            Some(AuditFault::Unchained { id: 9 }),
        ),
    ] {
        for database in ThrowAwayDatabase::of_each_kind() {
            let admins = log_of_five(&database).await;
            assert_eq!(admins.verify_audit_log(None).await.unwrap().fault, None);
            tamper(&database, sql);
            assert_eq!(admins.verify_audit_log(None).await.unwrap().fault, fault, "{sql}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_oldest_entries_can_be_removed_if_the_hash_of_the_last_is_kept() {
    for database in ThrowAwayDatabase::of_each_kind() {
        let admins = log_of_five(&database).await;
        tamper(
            &database,
            "UPDATE audit_head SET removed_hash = (SELECT hash FROM audit_log WHERE id = 2);
             DELETE FROM audit_log WHERE id <= 2",
        );
        let chain = admins.verify_audit_log(None).await.unwrap();
        assert_eq!((chain.entries, chain.fault), (3, None));
        tamper(&database, "DELETE FROM audit_log WHERE id = 3");
        let fault = admins.verify_audit_log(None).await.unwrap().fault;
        assert_eq!(fault, Some(AuditFault::Link { id: 4 }));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn entries_older_than_the_chain_are_counted_separately() {
    for database in ThrowAwayDatabase::of_each_kind() {
        let admins = log_of_five(&database).await;
        // As they were before the log was chained.
        tamper(
            &database,
            "INSERT INTO audit_log (id, at, action)
             VALUES (-1, '2026-11-25 12:00:00.000000', 'signed_in')",
        );
        let chain = admins.verify_audit_log(None).await.unwrap();
        assert_eq!((chain.entries, chain.older, chain.fault), (5, 1, None));
    }
}
