//! The database of a bot that runs, from outside.

use diesel::{Connection, connection::SimpleConnection};
use rollcall_domain::{Figure, TelegramUser, UserFilter, UserSort};
use rollcall_repository::{ActivityRepository, DirectoryRepository, QuarantineRepository};
use rollcall_repository_diesel::{Database, DieselQuarantineRepository, DieselUserRepository};
use rollcall_testkit::ThrowAwayDatabase;

/// A database that somebody else keeps from being written, until this is dropped.
pub(crate) enum HeldDatabase {
    Sqlite { _connection: diesel::SqliteConnection },
    Postgres { _connection: diesel::PgConnection },
}

impl HeldDatabase {
    pub(crate) fn hold(database: &ThrowAwayDatabase) -> Self {
        match database.file() {
            Some(file) => {
                let file = file.to_str().unwrap();
                let mut connection = diesel::SqliteConnection::establish(file).unwrap();
                // Waits for concurrent writers.
                connection.batch_execute("PRAGMA busy_timeout = 10000; BEGIN IMMEDIATE").unwrap();
                Self::Sqlite { _connection: connection }
            }
            None => {
                let mut connection = diesel::PgConnection::establish(database.url()).unwrap();
                let lock = "BEGIN; LOCK TABLE telegram_users IN EXCLUSIVE MODE";
                connection.batch_execute(lock).unwrap();
                Self::Postgres { _connection: connection }
            }
        }
    }
}

/// Does to a database what no Rollcall does.
pub(crate) fn tamper(database: &ThrowAwayDatabase, sql: &str) {
    match database.file() {
        Some(file) => {
            let file = file.to_str().unwrap();
            let mut connection = diesel::SqliteConnection::establish(file).unwrap();
            connection.batch_execute("PRAGMA busy_timeout = 10000").unwrap();
            connection.batch_execute(sql).unwrap();
        }
        None => {
            let mut connection = diesel::PgConnection::establish(database.url()).unwrap();
            connection.batch_execute(sql).unwrap();
        }
    }
}

/// All users of a database.
pub(crate) async fn stored(database: &ThrowAwayDatabase) -> Vec<TelegramUser> {
    stored_at(database.url()).await
}

/// All users of the database at a URL.
pub(crate) async fn stored_at(url: &str) -> Vec<TelegramUser> {
    let database = Database::open_existing(url.parse().unwrap()).await.unwrap();
    let users = DieselUserRepository::new(database);
    let page = users.users(&UserFilter::new(), UserSort::default(), None, 1000).await.unwrap();
    assert_eq!(page.next, None);
    page.rows.into_iter().map(|row| row.user).collect()
}

/// How many updates a database has in quarantine.
pub(crate) async fn quarantined(database: &ThrowAwayDatabase) -> u64 {
    let database = Database::open_existing(database.url().parse().unwrap()).await.unwrap();
    DieselQuarantineRepository::new(database).count().await.unwrap()
}

/// How many interactions a database has counted in all.
pub(crate) async fn counted(database: &ThrowAwayDatabase) -> u64 {
    let database = Database::open_existing(database.url().parse().unwrap()).await.unwrap();
    let users = DieselUserRepository::new(database);
    let (first, last) = ("1970-01-01".parse().unwrap(), "2100-01-01".parse().unwrap());
    let counts = users.sums_by_label(&[Figure::Kind], first, last).await.unwrap();
    counts.iter().map(|it| it.value.unsigned_abs()).sum()
}

/// How often each command was used, by name.
pub(crate) async fn commands(database: &ThrowAwayDatabase) -> Vec<(String, i64)> {
    let database = Database::open_existing(database.url().parse().unwrap()).await.unwrap();
    let users = DieselUserRepository::new(database);
    let (first, last) = ("1970-01-01".parse().unwrap(), "2100-01-01".parse().unwrap());
    let counts = users.sums_by_label(&[Figure::Command], first, last).await.unwrap();
    let mut uses: Vec<(String, i64)> = counts.into_iter().map(|it| (it.label, it.value)).collect();
    uses.sort_unstable();
    uses
}

/// Which commands and buttons a user used, by name, and on how many days.
pub(crate) async fn uses(database: &ThrowAwayDatabase, id: i64) -> Vec<(String, u32)> {
    let database = Database::open_existing(database.url().parse().unwrap()).await.unwrap();
    let users = DieselUserRepository::new(database);
    let since = "1970-01-01".parse().unwrap();
    let detail = users.user(id.try_into().unwrap(), since).await.unwrap().unwrap();
    let mut uses: Vec<(String, u32)> =
        detail.uses.into_iter().map(|it| (it.command, it.days.number)).collect();
    uses.sort_unstable();
    uses
}
