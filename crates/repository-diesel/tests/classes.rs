//! How errors of real databases are classified: permanent is what lies in one row, and everything
//! else is transient and named by its code.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    error::Error,
    sync::atomic::{AtomicI64, Ordering},
};

use chrono::{DateTime, TimeDelta, Utc};
use diesel::{Connection, PgConnection, SqliteConnection, connection::SimpleConnection};
use rollcall_domain::{Interaction, InteractionKind, Profile, SortKey, UserFilter, UserSort};
use rollcall_repository::{
    DirectoryRepository, PreferencesRepository, RepositoryError, UserRepository,
};
use rollcall_repository_diesel::{Database, DieselPreferencesRepository, DieselUserRepository};
use rollcall_testkit::ThrowAwayDatabase;
use tokio::task::block_in_place;

static NEXT_UPDATE: AtomicI64 = AtomicI64::new(1);

/// The user whose row causes errors.
const SPOILT: i64 = 5_000_000_007;
/// A user that is stored from the start.
const KNOWN: i64 = 1;

/// Errors that PostgreSQL raises by itself, once this was done to the database.
#[tokio::test(flavor = "multi_thread")]
async fn errors_of_postgres() {
    let long = "CREATE FUNCTION long(id BIGINT) RETURNS TEXT IMMUTABLE LANGUAGE sql AS $$ SELECT \
                string_agg(md5((id + n)::text), '') FROM generate_series(1, 400) n \
                WHERE id > 5000000000 $$; CREATE INDEX ON telegram_users (long(telegram_id))";
    let read_only = "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET \
                     default_transaction_read_only = on', current_database()); END $$";
    for (sql, expected) in [
        ("ALTER TABLE telegram_users ADD CHECK (telegram_id < 5000000000)", "rejected 23514"),
        ("ALTER TABLE telegram_users ALTER first_name TYPE VARCHAR(3)", "rejected 22001"),
        ("ALTER TABLE telegram_users ALTER telegram_id TYPE INTEGER", "rejected 22003"),
        ("CREATE UNIQUE INDEX ON telegram_users (language_code)", "rejected 23505"),
        (long, "rejected 54000"),
        ("ALTER TABLE telegram_users RENAME last_name TO surname", "failed 42703"),
        ("ALTER TABLE activity_sums RENAME TO sums_of_activity", "failed 42P01"),
        (read_only, "read_only 25006"),
    ] {
        let Some(database) = prepared(ThrowAwayDatabase::postgres()).await else { return };
        execute(&database, sql);
        assert_eq!(refused(&database, SPOILT).await.0, expected, "{sql}");
    }
}

/// Whatever an owner's trigger raises for one user: in a table that each registration of a new
/// user writes early, in one that it writes late, and at the commit. Other users are registered.
#[tokio::test(flavor = "multi_thread")]
async fn codes_that_postgres_raises_for_one_row() {
    let Some(database) = prepared(ThrowAwayDatabase::postgres()).await else { return };
    for (code, class) in [
        ("22000", "rejected"),
        ("22P05", "rejected"),
        ("23000", "rejected"),
        ("23P01", "rejected"),
        ("54000", "rejected"),
        ("XX001", "rejected"),
        ("XX002", "rejected"),
        ("08P01", "unavailable"),
        ("57P03", "unavailable"),
        ("25006", "read_only"),
        ("25P01", "failed"),
        ("26000", "failed"),
        ("28000", "failed"),
        ("3D000", "failed"),
        ("40001", "failed"),
        ("40P01", "failed"),
        ("42P01", "failed"),
        ("53100", "failed"),
        ("54001", "failed"),
        ("55000", "failed"),
        ("55P03", "failed"),
        ("57014", "failed"),
        ("58030", "failed"),
        ("P0001", "failed"),
        ("P0004", "failed"),
        ("XX000", "failed"),
    ] {
        for (table, when) in [
            ("telegram_users", "TRIGGER refuse BEFORE INSERT OR UPDATE"),
            ("search_pending", "TRIGGER refuse BEFORE INSERT"),
            ("telegram_users", "CONSTRAINT TRIGGER refuse AFTER INSERT OR UPDATE"),
        ] {
            let deferred = if when.contains("CONSTRAINT") { "INITIALLY DEFERRED" } else { "" };
            execute(
                &database,
                &format!(
                    "CREATE OR REPLACE FUNCTION refuse() RETURNS TRIGGER LANGUAGE plpgsql AS \
                     $$ BEGIN RAISE 'said the trigger' USING ERRCODE = '{code}'; END $$; \
                     CREATE {when} ON {table} {deferred} FOR EACH ROW \
                     WHEN (NEW.telegram_id = {SPOILT}) EXECUTE FUNCTION refuse()"
                ),
            );
            let (class_and_code, chain) = refused(&database, SPOILT).await;
            assert_eq!(class_and_code, format!("{class} {code}"), "{when}");
            assert!(chain.ends_with(&format!(": SQLSTATE {code}: said the trigger")), "{chain}");
            register(&database, KNOWN).await.unwrap();
            execute(&database, &format!("DROP TRIGGER refuse ON {table}"));
        }
    }
    assert_eq!(stored(&database).await, [KNOWN], "what was tried out was taken back");
    register(&database, SPOILT).await.unwrap();
}

/// A lock that others hold for longer than the role or the database allows to wait.
#[tokio::test(flavor = "multi_thread")]
async fn timeouts_of_postgres_are_transient() {
    for (setting, code) in [("statement_timeout", "57014"), ("lock_timeout", "55P03")] {
        let Some(database) = prepared(ThrowAwayDatabase::postgres()).await else { return };
        execute(
            &database,
            &format!(
                "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET {setting} = 100', \
                 current_database()); END $$"
            ),
        );
        let mut other = PgConnection::establish(database.url()).unwrap();
        other.batch_execute("SET statement_timeout = 0; BEGIN; LOCK telegram_users").unwrap();
        assert_eq!(refused(&database, KNOWN).await.0, format!("failed {code}"));
        other.batch_execute("ROLLBACK").unwrap();
        register(&database, KNOWN).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_permission_is_transient() {
    let Some(database) = prepared(ThrowAwayDatabase::postgres()).await else { return };
    let role = database.url().split(['/', '?']).nth(3).unwrap().replace("test", "role");
    execute(
        &database,
        &format!("CREATE ROLE {role} LOGIN; GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}"),
    );
    let url = database.url().replace("user=postgres", &format!("user={role}"));
    assert_eq!(classified(register_at(&url, KNOWN).await.unwrap_err()).0, "failed 42501");
}

/// Without the function, the code cannot be found: that is no reason to take it for permanent.
#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_code_is_transient() {
    let Some(database) = prepared(ThrowAwayDatabase::postgres()).await else { return };
    execute(
        &database,
        "ALTER TABLE telegram_users ALTER first_name TYPE VARCHAR(3); DROP FUNCTION sqlstate_of",
    );
    let (class, chain) = refused(&database, SPOILT).await;
    assert_eq!(class, "failed");
    assert!(chain.ends_with("value too long for type character varying(3)"), "{chain}");
}

/// To look for the code is to try once more.
#[tokio::test(flavor = "multi_thread")]
async fn work_that_succeeds_while_it_is_examined_is_done() {
    let Some(database) = prepared(ThrowAwayDatabase::postgres()).await else { return };
    execute(
        &database,
        "CREATE SEQUENCE attempts; CREATE FUNCTION refuse() RETURNS TRIGGER LANGUAGE plpgsql AS \
         $$ BEGIN IF nextval('attempts') > 2 THEN RETURN NEW; END IF; \
         RAISE 'not yet' USING ERRCODE = 'XX000'; END $$; CREATE TRIGGER refuse \
         BEFORE INSERT ON search_pending FOR EACH ROW EXECUTE FUNCTION refuse()",
    );
    register(&database, SPOILT).await.unwrap();
    assert_eq!(stored(&database).await, [KNOWN, SPOILT]);
}

/// Names, deep links and all are tried out as they are, with every character that means something
/// to SQL.
#[tokio::test(flavor = "multi_thread")]
async fn the_examined_statement_has_the_same_values() {
    let Some(database) = prepared(ThrowAwayDatabase::postgres()).await else { return };
    execute(
        &database,
        "CREATE FUNCTION refuse() RETURNS TRIGGER LANGUAGE plpgsql \
         AS $$ BEGIN RAISE '%', NEW.first_name USING ERRCODE = \
         CASE NEW.first_name WHEN E'a\\'b\\\\c$1{\"d\",NULL}' THEN '22000' ELSE 'XX000' END; END $$; \
         CREATE TRIGGER refuse BEFORE INSERT ON telegram_users FOR EACH ROW \
         EXECUTE FUNCTION refuse()",
    );
    let name = "a'b\\c$1{\"d\",NULL}";
    let spoilt = Profile::new(SPOILT.try_into().unwrap(), name);
    let error = register_profile(database.url(), spoilt).await.unwrap_err();
    assert_eq!(classified(error).0, "rejected 22000");
}

#[tokio::test(flavor = "multi_thread")]
async fn unreadable_preferences_are_classified_by_their_code() {
    let Some(database) = prepared(ThrowAwayDatabase::postgres()).await else { return };
    execute(
        &database,
        "ALTER TABLE preferences RENAME TO stored; CREATE FUNCTION read(id BIGINT, language TEXT) \
         RETURNS TEXT LANGUAGE plpgsql AS $$ BEGIN IF id = 1 THEN \
         RAISE 'damaged' USING ERRCODE = 'XX001'; END IF; RETURN language; END $$; \
         CREATE VIEW preferences AS SELECT telegram_id, read(telegram_id, language) AS language, \
         time_zone FROM stored; INSERT INTO stored VALUES (1, 'de', NULL)",
    );
    let opened = Database::open(database.url().parse().unwrap()).await.unwrap();
    let preferences = DieselPreferencesRepository::new(opened);
    let error = preferences.preferences(&[KNOWN.try_into().unwrap()]).await.unwrap_err();
    assert_eq!(classified(error).0, "rejected XX001");
}

/// Errors that SQLite raises once this was done to the database.
#[tokio::test(flavor = "multi_thread")]
async fn errors_of_sqlite() {
    let trigger = |message: &str| {
        format!(
            "CREATE TRIGGER refuse BEFORE INSERT ON telegram_users \
             WHEN NEW.telegram_id = {SPOILT} BEGIN SELECT RAISE(ABORT, {message}); END"
        )
    };
    for (sql, expected) in [
        ("CREATE UNIQUE INDEX one ON telegram_users (language_code)", "rejected SQLITE_CONSTRAINT"),
        (&trigger("'said the trigger'"), "rejected SQLITE_CONSTRAINT"),
        (&trigger("'it''s \"no\"'"), "rejected SQLITE_CONSTRAINT"),
        (&trigger("'constraint failed'"), "rejected SQLITE_CONSTRAINT"),
        (&trigger("'datatype mismatch'"), "rejected SQLITE_MISMATCH"),
        (&trigger("'database or disk is full'"), "failed SQLITE_FULL"),
        ("ALTER TABLE telegram_users RENAME last_name TO surname", "failed"),
        ("ALTER TABLE activity_sums RENAME TO sums_of_activity", "failed"),
    ] {
        let Some(database) = prepared(Some(ThrowAwayDatabase::sqlite())).await else { return };
        execute(&database, sql);
        assert_eq!(refused(&database, SPOILT).await.0, expected, "{sql}");
        if sql.contains("TRIGGER") {
            register(&database, KNOWN).await.unwrap();
        }
    }
}

/// A rehearsal fails where no user can be inserted, and where none can be updated.
#[tokio::test(flavor = "multi_thread")]
async fn a_rehearsal_fails_where_any_registration_would() {
    for database in ThrowAwayDatabase::of_each_kind() {
        let Some(database) = prepared(Some(database)).await else { return };
        for when in ["INSERT", "UPDATE"] {
            let (trigger, end) = match database.file() {
                Some(_) => ("BEGIN SELECT RAISE(ABORT, 'no'); END", "DROP TRIGGER refuse"),
                None => {
                    execute(
                        &database,
                        "CREATE OR REPLACE FUNCTION refuse() RETURNS TRIGGER LANGUAGE plpgsql AS \
                         $$ BEGIN RAISE 'no' USING ERRCODE = '22000'; END $$",
                    );
                    (
                        "FOR EACH ROW EXECUTE FUNCTION refuse()",
                        "DROP TRIGGER refuse ON telegram_users",
                    )
                }
            };
            execute(
                &database,
                &format!("CREATE TRIGGER refuse BEFORE {when} ON telegram_users {trigger}"),
            );
            let opened = Database::open(database.url().parse().unwrap()).await.unwrap();
            let users = DieselUserRepository::new(opened);
            assert!(users.rehearse(noon()).await.is_err(), "{when}");
            execute(&database, end);
            users.rehearse(noon()).await.unwrap();
        }
    }
}

/// A database that was prepared for a test, with one user in it.
async fn prepared(database: Option<ThrowAwayDatabase>) -> Option<ThrowAwayDatabase> {
    let database = database?;
    Database::open(database.url().parse().unwrap()).await.unwrap().migrate().await.unwrap();
    register(&database, KNOWN).await.unwrap();
    Some(database)
}

async fn register(database: &ThrowAwayDatabase, id: i64) -> Result<(), RepositoryError> {
    register_at(database.url(), id).await
}

async fn register_at(url: &str, id: i64) -> Result<(), RepositoryError> {
    let name = if id == KNOWN { "Ada" } else { "Charles" };
    register_profile(url, Profile::new(id.try_into().unwrap(), name).language_code("en")).await
}

/// Registers an update of a person, over a new connection: settings of a database are those of when
/// a connection is made.
async fn register_profile(url: &str, profile: Profile) -> Result<(), RepositoryError> {
    let users = DieselUserRepository::new(Database::open(url.parse().unwrap()).await.unwrap());
    let text = Interaction {
        update_id: Some(NEXT_UPDATE.fetch_add(1, Ordering::Relaxed)),
        ..Interaction::new(noon(), profile, InteractionKind::Text)
    };
    let now = noon() + TimeDelta::minutes(1);
    block_in_place(|| users.register(&vec![text].into(), now)).map(drop)
}

fn noon() -> DateTime<Utc> {
    "2026-11-23T12:00:00Z".parse().unwrap()
}

/// Registers a user, which is to fail; answers as [`classified`] does.
async fn refused(database: &ThrowAwayDatabase, id: i64) -> (String, String) {
    classified(register(database, id).await.unwrap_err())
}

/// The class of an error and its code, and the error with its causes as a log shows it.
fn classified(error: RepositoryError) -> (String, String) {
    let class = error.class().trim_start_matches("storage_").to_owned();
    assert_eq!(error.is_permanent(), class == "rejected", "{error:?}");
    let mut chain = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        chain.push_str(&format!(": {error}"));
        cause = error.source();
    }
    let code = chain.split(": ").find_map(|part| {
        part.strip_prefix("SQLSTATE ").or_else(|| part.starts_with("SQLITE_").then_some(part))
    });
    (code.map_or(class.clone(), |code| format!("{class} {code}")), chain)
}

/// The ids of the users that a database holds.
async fn stored(database: &ThrowAwayDatabase) -> Vec<i64> {
    let opened = Database::open(database.url().parse().unwrap()).await.unwrap();
    let by_id = UserSort { key: SortKey::Id, descending: false };
    let users = DieselUserRepository::new(opened);
    let page = users.users(&UserFilter::new(), by_id, None, 100).await.unwrap();
    page.rows.iter().map(|row| row.user.telegram_id.get()).collect()
}

/// Does to a database what no Rollcall does.
fn execute(database: &ThrowAwayDatabase, sql: &str) {
    match database.file() {
        Some(file) => {
            let mut connection = SqliteConnection::establish(file.to_str().unwrap()).unwrap();
            connection.batch_execute(sql).unwrap();
        }
        None => PgConnection::establish(database.url()).unwrap().batch_execute(sql).unwrap(),
    }
}
