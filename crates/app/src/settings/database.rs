//! The settings of the database.

use std::{fs::File, io::Read, path::Path};

use clap::Args;
use rollcall_repository_diesel::{
    Database, DatabaseKeys, DatabaseUrl, OpenError, PoolMode, SuppressionKey,
};

use super::{
    secret::{from_file, parse_secret},
    value::{HEADING, OnOrOff, SettingError, parse},
};
use crate::environment::Environment;

const DATABASE_URL: &str = "DATABASE_URL";
const DATABASE_READ_URL: &str = "DATABASE_READ_URL";
const DATABASE_POOL_MODE: &str = "DATABASE_POOL_MODE";
/// The credential with the keys; the setting is [`DATABASE_KEY_FILE`].
const DATABASE_KEY: &str = "DATABASE_KEY";
/// The file with the keys of the database.
pub const DATABASE_KEY_FILE: &str = "DATABASE_KEY_FILE";
const SUPPRESSION_KEY_FILE: &str = "SUPPRESSION_KEY_FILE";
const REGISTER_BUSINESS_CUSTOMERS: &str = "REGISTER_BUSINESS_CUSTOMERS";
/// A warning for owners whose database keeps the key.
pub const KEPT_SUPPRESSION_KEY: &str = "the key that recognises erased users is in the database, so anyone with a copy of it can find \
     out who was erased; `manage suppression-key FILE` moves the key to a file, for \
     SUPPRESSION_KEY_FILE";
/// More than any file with a key has.
const MAX_KEY_BYTES: u64 = 1024;

/// Flags for the database.
#[derive(Args, Default)]
#[command(next_help_heading = HEADING)]
pub struct DatabaseArguments {
    /// The database: sqlite://path, sqlite:///absolute/path, or
    /// postgres://user:password@host/database. An SQLite path may end in ?mode=ro (read only),
    /// ?mode=rw (never create it) or ?mode=rwc (create it if missing) [env: DATABASE_URL or
    /// DATABASE_URL_FILE] [default: sqlite://rollcall.db]
    #[arg(long, value_name = "URL", global = true)]
    database_url: Option<String>,
    /// A streaming replica of the PostgreSQL database, on which lists of users, figures, counts and
    /// exports are read [env: DATABASE_READ_URL or DATABASE_READ_URL_FILE] [default: the database
    /// itself]
    #[arg(long, value_name = "URL", global = true)]
    database_read_url: Option<String>,
    /// Pool mode of PgBouncer or another pooler in front of PostgreSQL: session, transaction, or
    /// auto, which detects it [env: DATABASE_POOL_MODE] [default: auto]
    #[arg(long, value_name = "MODE", global = true)]
    database_pool_mode: Option<String>,
    /// File with the key that encrypts an SQLite database, and on PostgreSQL notes and quarantined
    /// updates: 64 hexadecimal digits. Further lines are older keys, which only decrypt. `manage
    /// database-key FILE` creates the file, `manage rekey` encrypts a database that exists
    /// [env: DATABASE_KEY_FILE, or the systemd credential DATABASE_KEY] [default: not encrypted]
    #[arg(long, value_name = "FILE", global = true)]
    database_key_file: Option<String>,
    /// File with the key that recognises erased users, who are not stored again until they agree: 32
    /// random bytes, or 64 hexadecimal digits. Without it, the database keeps a key itself; then anyone
    /// with a copy of the database can find out who was erased. `manage suppression-key FILE` creates
    /// the file [env: SUPPRESSION_KEY_FILE]
    #[arg(long, value_name = "FILE", global = true)]
    suppression_key_file: Option<String>,
    /// Whether to register users who have only written to a business account that the bot is connected
    /// to: on or off [env: REGISTER_BUSINESS_CUSTOMERS] [default: off]
    #[arg(long, value_name = "on|off", global = true)]
    register_business_customers: Option<String>,
}

/// A database that is to be opened.
#[derive(Clone)]
pub struct DatabaseSettings {
    /// Where it is.
    pub url: DatabaseUrl,
    /// Where its replica is, if it has one.
    pub read_url: Option<DatabaseUrl>,
    /// The keys with which it is encrypted, if it is.
    pub keys: Option<DatabaseKeys>,
    /// The key for the ids of erased users, if the database does not keep it.
    pub suppression_key: Option<SuppressionKey>,
    /// Whether users are registered who have only written to a business account.
    pub registers_business_customers: bool,
}

impl DatabaseSettings {
    /// Opens the database, which is created if it is an SQLite file that does not exist.
    pub(crate) async fn open(self) -> Result<Database, OpenError> {
        let database = Database::open_with_keys(self.url, self.keys).await?;
        let database = database.registering_business_customers(self.registers_business_customers);
        Ok(match self.suppression_key {
            Some(key) => database.suppressing(key),
            None => database,
        })
    }
}

impl DatabaseArguments {
    /// Where the database is, and how its sessions are reached.
    ///
    /// # Errors
    /// If a setting names no database, or no pool mode.
    pub fn database_url(&self, environment: &Environment) -> Result<DatabaseUrl, SettingError> {
        let default = || Ok(DatabaseUrl::sqlite("rollcall.db"));
        let url: DatabaseUrl =
            parse_secret(DATABASE_URL, self.database_url.as_deref(), environment)
                .unwrap_or_else(default)?;
        let flag = self.database_pool_mode.as_deref();
        let pool_mode: Option<PoolMode> =
            parse(DATABASE_POOL_MODE, flag, environment).transpose()?;
        Ok(url.with_pool_mode(pool_mode.unwrap_or_default()))
    }

    /// Where the replica of the database is, if there is one.
    ///
    /// # Errors
    /// If a setting names no database, or the database or its replica is not on PostgreSQL.
    pub fn read_url(&self, environment: &Environment) -> Result<Option<DatabaseUrl>, SettingError> {
        let wrong = |reason: &str| {
            let expected = "expected the postgres:// URL of a replica of DATABASE_URL";
            Err(SettingError::Wrong(DATABASE_READ_URL, format!("{reason}; {expected}")))
        };
        let flag = self.database_read_url.as_deref();
        let Some(url) = parse_secret(DATABASE_READ_URL, flag, environment) else {
            return Ok(None);
        };
        match (self.database_url(environment)?, url?) {
            (DatabaseUrl::Sqlite { .. }, _) => {
                wrong("DATABASE_URL is an SQLite file, which has no replica")
            }
            (_, DatabaseUrl::Sqlite { .. }) => wrong("an SQLite file is no replica of PostgreSQL"),
            (DatabaseUrl::Postgres { pool_mode, .. }, url) => {
                Ok(Some(url.with_pool_mode(pool_mode)))
            }
        }
    }

    /// The keys with which the database is encrypted, if a file has them.
    ///
    /// # Errors
    /// If the file cannot be read, or has something else.
    pub fn database_keys(
        &self,
        environment: &Environment,
    ) -> Result<Option<DatabaseKeys>, SettingError> {
        let wrong = |reason| SettingError::Wrong(DATABASE_KEY_FILE, reason);
        let flag = self.database_key_file.as_deref();
        let text = match from_file(DATABASE_KEY, flag, environment) {
            None => return Ok(None),
            Some(Err(SettingError::Wrong(_, reason))) => return Err(wrong(reason)),
            Some(text) => text?,
        };
        let keys = DatabaseKeys::from_text(&text);
        keys.map(Some).map_err(|error| {
            wrong(format!("{error}; `manage database-key FILE` creates a file with a key"))
        })
    }

    /// The key for the ids of erased users, if a file has it.
    ///
    /// # Errors
    /// If the file cannot be read, or has no key.
    pub fn suppression_key(
        &self,
        environment: &Environment,
    ) -> Result<Option<SuppressionKey>, SettingError> {
        let flag = self.suppression_key_file.as_deref();
        let path = parse::<String>(SUPPRESSION_KEY_FILE, flag, environment).transpose()?;
        let key = path.map(|path| {
            let content = read(Path::new(&path)).map_err(|error| {
                format!("{path} cannot be read: {error}; expected a file with a key")
            })?;
            SuppressionKey::from_content(&content).map_err(|error| format!("{path}: {error}"))
        });
        key.transpose().map_err(|reason| SettingError::Wrong(SUPPRESSION_KEY_FILE, reason))
    }

    /// Whether users are registered who have only written to a business account.
    ///
    /// # Errors
    /// If the setting is neither on nor off.
    pub fn registers_business_customers(
        &self,
        environment: &Environment,
    ) -> Result<bool, SettingError> {
        let flag = self.register_business_customers.as_deref();
        let registers: Option<OnOrOff> =
            parse(REGISTER_BUSINESS_CUSTOMERS, flag, environment).transpose()?;
        Ok(registers.unwrap_or_default().0)
    }

    /// Where the database is, for a program that cannot do without writing to it.
    ///
    /// # Errors
    /// If the setting names no database, or one that is to be read only.
    pub fn writable_database_url(
        &self,
        environment: &Environment,
    ) -> Result<DatabaseUrl, SettingError> {
        let url = self.database_url(environment)?;
        if url.is_read_only() {
            let reason = "mode=ro is read-only; expected mode=rw or mode=rwc";
            return Err(SettingError::Wrong(DATABASE_URL, reason.to_owned()));
        }
        Ok(url)
    }
}

fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut content = Vec::new();
    File::open(path)?.take(MAX_KEY_BYTES).read_to_end(&mut content)?;
    Ok(content)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_from_its_file_or_the_file_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        let key = || {
            let path = path.to_str().unwrap();
            let environment = [(SUPPRESSION_KEY_FILE, path)].into();
            let key = DatabaseArguments::default().suppression_key(&environment);
            key.map_err(|error| error.to_string().replace(path, "KEY"))
        };
        assert_eq!(DatabaseArguments::default().suppression_key(&[].into()), Ok(None));
        assert_eq!(
            key().unwrap_err(),
            "SUPPRESSION_KEY_FILE: KEY cannot be read: No such file or directory (os error 2); \
             expected a file with a key"
        );
        for content in ["", "secret", &"0".repeat(63), &"0".repeat(5000)] {
            std::fs::write(&path, content).unwrap();
            let bytes = content.len().min(1024);
            assert_eq!(
                key().unwrap_err(),
                format!(
                    "SUPPRESSION_KEY_FILE: KEY: {bytes} bytes are not a key; expected 32 bytes, or \
                     64 hexadecimal digits"
                )
            );
        }
        std::fs::write(&path, format!("{}\n", "0f".repeat(32))).unwrap();
        assert_eq!(key().unwrap().map(|key| key.to_hex()), Some("0f".repeat(32)));
    }

    #[test]
    fn the_keys_of_the_database_are_in_a_file_or_a_credential() {
        let folder = tempfile::tempdir().unwrap();
        let credential = folder.path().join(DATABASE_KEY);
        let directory = folder.path().to_str().unwrap();
        let keys = |variable: (&str, &str)| {
            let keys = DatabaseArguments::default().database_keys(&[variable].into());
            keys.map_err(|error| error.to_string())
        };
        let directory = ("CREDENTIALS_DIRECTORY", directory);
        let file = (DATABASE_KEY_FILE, credential.to_str().unwrap());
        assert_eq!(keys(directory), Ok(None));
        let reason = "DATABASE_KEY_FILE: the file that DATABASE_KEY_FILE names cannot be read: No such \
                      file or directory (os error 2)";
        assert_eq!(keys(file), Err(reason.to_owned()));
        for (content, reason) in [
            (
                "\n",
                "the credential DATABASE_KEY is empty; expected the value of DATABASE_KEY in it",
            ),
            (
                "hunter2\n",
                "line 1 is not a key: it has 7 characters; expected 64 hexadecimal digits; `manage \
                 database-key FILE` creates a file with a key",
            ),
        ] {
            std::fs::write(&credential, content).unwrap();
            assert_eq!(keys(directory), Err(format!("DATABASE_KEY_FILE: {reason}")));
        }
        std::fs::write(&credential, format!("{}\n", "0f".repeat(32))).unwrap();
        let found = keys(directory).unwrap();
        assert_eq!(found.as_ref().map(|keys| keys.first().to_hex()), Some("0f".repeat(32)));
        assert_eq!(keys(file), Ok(found));
    }

    #[test]
    fn a_flag_wins_over_the_environment_and_empty_is_unset() {
        let environment = [(DATABASE_URL, "sqlite://environment.db")].into();
        let flag = |url: &str| DatabaseArguments {
            database_url: Some(url.to_owned()),
            ..DatabaseArguments::default()
        };
        let url = |arguments: DatabaseArguments, environment: &Environment| {
            arguments.database_url(environment).unwrap().to_string()
        };
        assert_eq!(url(flag("sqlite://flag.db"), &environment), "sqlite://flag.db");
        assert_eq!(url(flag(""), &environment), "sqlite://environment.db");
        assert_eq!(url(flag(""), &[(DATABASE_URL, "")].into()), "sqlite://rollcall.db");
    }

    #[test]
    fn a_program_that_writes_refuses_a_database_to_read() {
        let arguments = DatabaseArguments::default();
        let url = |mode: &str| {
            let url = format!("sqlite://q.db?mode={mode}");
            let url = arguments.writable_database_url(&[(DATABASE_URL, url.as_str())].into());
            url.map(|url| url.to_string()).map_err(|error| error.to_string())
        };
        assert_eq!(url("rw").unwrap(), "sqlite://q.db?mode=rw");
        let message = "DATABASE_URL: mode=ro is read-only; expected mode=rw or mode=rwc";
        assert_eq!(url("ro").unwrap_err(), message);
    }

    #[test]
    fn only_postgres_has_a_replica() {
        let read_url = |url, read_url| {
            let environment = [(DATABASE_URL, url), (DATABASE_READ_URL, read_url)].into();
            let read_url = DatabaseArguments::default().read_url(&environment);
            read_url.map(|url| url.map(|url| url.to_string())).map_err(|error| error.to_string())
        };
        let found = read_url("postgres://h/d", "postgresql://u:secret@replica/d");
        assert_eq!(found, Ok(Some("postgresql://replica/d".to_owned())));
        assert_eq!(read_url("sqlite://a.db", ""), Ok(None));
        for (url, read, reason) in [
            (
                "sqlite://a.db",
                "postgres://h/d",
                "DATABASE_URL is an SQLite file, which has no replica",
            ),
            ("postgres://h/d", "sqlite://a.db", "an SQLite file is no replica of PostgreSQL"),
        ] {
            let expected = "expected the postgres:// URL of a replica of DATABASE_URL";
            assert_eq!(
                read_url(url, read),
                Err(format!("DATABASE_READ_URL: {reason}; {expected}"))
            );
        }
        let error = read_url("postgres://h/d", "mysql://u:secret@h/d").unwrap_err();
        assert!(error.starts_with("DATABASE_READ_URL: the scheme mysql://"), "{error}");
    }

    #[test]
    fn a_pool_mode_goes_with_postgres() {
        let url = |mode: &str| {
            let environment = [(DATABASE_URL, "postgres://h/d"), (DATABASE_POOL_MODE, mode)].into();
            DatabaseArguments::default().database_url(&environment)
        };
        let pool_mode = |mode| match url(mode).unwrap() {
            DatabaseUrl::Postgres { pool_mode, .. } => Some(pool_mode),
            DatabaseUrl::Sqlite { .. } => None,
        };
        assert_eq!(pool_mode(""), Some(PoolMode::Auto));
        assert_eq!(pool_mode("transaction"), Some(PoolMode::Transaction));
        assert_eq!(
            url("statement").unwrap_err().to_string(),
            "DATABASE_POOL_MODE: it is not a pool mode; expected auto, session or transaction"
        );
    }

    #[test]
    fn the_default_is_a_file_and_a_wrong_url_is_reported_without_its_value() {
        let url = DatabaseArguments::default().database_url(&[].into()).unwrap();
        assert_eq!(url.to_string(), "sqlite://rollcall.db");
        let url = DatabaseArguments::default()
            .database_url(&[(DATABASE_URL, "mysql://root:hunter2@h/d")].into())
            .unwrap_err()
            .to_string();
        assert!(url.starts_with("DATABASE_URL: the scheme mysql:// is not supported; expected"));
        assert!(!url.contains("hunter2"));
    }
}
