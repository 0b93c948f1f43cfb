//! The copy of an SQLite file.

use std::{
    fs::{self, OpenOptions},
    os::unix::fs::{MetadataExt, OpenOptionsExt, fchown},
    path::{Path, PathBuf},
};

use diesel::{
    QueryResult, RunQueryDsl, SqliteConnection,
    connection::SimpleConnection,
    dsl::sql,
    result::Error as DieselError,
    sql_types::{BigInt, Nullable, Text},
};

use super::RekeyError;
use crate::base::{
    connection::{AnyConnection, is_locked},
    database_key::DatabaseKey,
    database_url::{DatabaseUrl, SqliteMode},
    open_error::OpenError,
};

/// Of how many bytes of a file there are more in its encrypted copy: each page of 2048 bytes has 80 for its
/// check. Rounded up, with room for what SQLite writes besides.
const MORE: u64 = 16;

/// A copy that is being made of a file, which no other program can use meanwhile.
pub(super) struct Copy {
    source: SqliteConnection,
    path: PathBuf,
}

impl Copy {
    /// Locks the file, and creates an empty copy with its owner and permissions.
    pub(super) fn begin(
        url: &DatabaseUrl,
        source: &Path,
        path: PathBuf,
        key: Option<&DatabaseKey>,
    ) -> Result<Self, RekeyError> {
        let mut connection = open(url, key)?;
        lock(&mut connection)?;
        let file = fs::metadata(source).map_err(RekeyError::file(source))?;
        check_space(&path, file.len())?;
        // One that an interruption has left.
        drop(fs::remove_file(&path));
        let copy = OpenOptions::new().write(true).create_new(true).mode(file.mode()).open(&path);
        let copy = copy.map_err(RekeyError::file(&path))?;
        let created = copy.metadata().map_err(RekeyError::file(&path))?;
        if (created.uid(), created.gid()) != (file.uid(), file.gid()) {
            fchown(&copy, Some(file.uid()), Some(file.gid())).map_err(RekeyError::file(&path))?;
        }
        copy.set_permissions(file.permissions()).map_err(RekeyError::file(&path))?;
        Ok(Self { source: connection, path })
    }

    /// Copies everything, also what `sqlcipher_export` leaves out. The copy needs no journal: if it is not
    /// completed, it is deleted.
    pub(super) fn fill(&mut self, key: Option<&DatabaseKey>) -> Result<(), RekeyError> {
        let path = self.path.to_string_lossy().replace('\'', "''");
        let key = key.map_or_else(|| "''".to_owned(), |key| format!("\"x'{}'\"", key.to_hex()));
        let [auto_vacuum, user_version, application_id] =
            ["auto_vacuum", "user_version", "application_id"].map(|name| {
                sql::<BigInt>(&format!("PRAGMA {name}")).get_result::<i64>(&mut self.source)
            });
        let filled = (|| {
            self.source.batch_execute(&format!(
                "ATTACH '{path}' AS copy KEY {key}; \
                 PRAGMA copy.page_size = 2048; PRAGMA copy.auto_vacuum = {}; \
                 PRAGMA copy.journal_mode = OFF; PRAGMA copy.synchronous = OFF; \
                 PRAGMA copy.cache_size = -16384",
                auto_vacuum?
            ))?;
            let _: Option<String> = sql::<Nullable<Text>>("SELECT sqlcipher_export('copy')")
                .get_result(&mut self.source)?;
            self.source.batch_execute(&format!(
                "PRAGMA copy.user_version = {}; PRAGMA copy.application_id = {}; DETACH copy",
                user_version?, application_id?
            ))
        })();
        filled.map_err(failed)
    }

    /// Compares the copy with the file, and lets it have a write-ahead log as every database of Rollcall.
    pub(super) fn check(&mut self, key: Option<&DatabaseKey>) -> Result<(), RekeyError> {
        let url = DatabaseUrl::Sqlite { path: self.path.clone(), mode: SqliteMode::ReadWrite };
        let mut copy = open(&url, key)?;
        if key.is_some() {
            let damage = load(&mut copy, "PRAGMA cipher_integrity_check").map_err(failed)?;
            none_but(&damage, &[])?;
        }
        let damage = load(&mut copy, "PRAGMA integrity_check").map_err(failed)?;
        none_but(&damage, &["ok"])?;
        let schema =
            "SELECT concat_ws(' ', type, name, tbl_name, sql) FROM sqlite_schema ORDER BY 1";
        if load(&mut self.source, schema).map_err(failed)?
            != load(&mut copy, schema).map_err(failed)?
        {
            return Err(RekeyError::Different("its tables differ".to_owned()));
        }
        let tables = "SELECT name FROM sqlite_schema WHERE type = 'table' AND rootpage > 0";
        for table in load(&mut copy, tables).map_err(failed)? {
            let count = format!("SELECT count(*) FROM \"{}\"", table.replace('"', "\"\""));
            let rows = |connection: &mut SqliteConnection| {
                sql::<BigInt>(&count).get_result::<i64>(connection).map_err(failed)
            };
            let (expected, found) = (rows(&mut self.source)?, rows(&mut copy)?);
            if expected != found {
                let counts = format!("{table} has {found} rows instead of {expected}");
                return Err(RekeyError::Different(counts));
            }
        }
        copy.batch_execute("PRAGMA journal_mode = WAL").map_err(failed)
    }

    /// Releases the lock.
    pub(super) fn end(self) {
        drop(self.source);
    }
}

/// Opens an SQLite file with its key.
fn open(url: &DatabaseUrl, key: Option<&DatabaseKey>) -> Result<SqliteConnection, RekeyError> {
    match AnyConnection::open(url, key) {
        Ok((AnyConnection::Sqlite(connection), _)) => Ok(connection),
        Ok((AnyConnection::Postgres(_), _)) => Err(RekeyError::ReadOnly(url.clone())),
        Err(error) => Err(OpenError::new(url, &error).into()),
    }
}

/// Keeps every other program from the file, and empties its log, which would not fit to the copy. SQLite
/// gives up the log only if no other program has the file open.
fn lock(connection: &mut SqliteConnection) -> Result<(), RekeyError> {
    let mut locked = || {
        let _: String = sql::<Text>("PRAGMA journal_mode = DELETE").get_result(connection)?;
        // The lock stays after the transaction. Before it, another program may bring the log back.
        connection.batch_execute("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; COMMIT")?;
        sql::<Text>("PRAGMA journal_mode").get_result::<String>(connection)
    };
    match locked() {
        Ok(mode) if mode == "delete" => Ok(()),
        Ok(_) => Err(RekeyError::InUse),
        Err(error) if is_locked(&error) => Err(RekeyError::InUse),
        Err(error) => Err(failed(error)),
    }
}

fn check_space(path: &Path, bytes: u64) -> Result<(), RekeyError> {
    let folder = path.parent().unwrap_or(Path::new("/"));
    let disk = rustix::fs::statvfs(folder);
    let disk = disk.map_err(|error| RekeyError::file(folder)(error.into()))?;
    let free = disk.f_bavail.saturating_mul(disk.f_frsize);
    let needed = bytes + bytes / MORE;
    if free < needed { Err(RekeyError::NoSpace { needed, free }) } else { Ok(()) }
}

/// The first column of each row.
fn load(connection: &mut SqliteConnection, query: &str) -> QueryResult<Vec<String>> {
    sql::<Text>(query).load(connection)
}

/// Fails if a check has found anything but these lines.
fn none_but(found: &[String], expected: &[&str]) -> Result<(), RekeyError> {
    match found.iter().find(|line| !expected.contains(&line.as_str())) {
        None => Ok(()),
        Some(line) => Err(RekeyError::Different(line.clone())),
    }
}

fn failed(error: DieselError) -> RekeyError {
    RekeyError::Failed(error.into())
}
