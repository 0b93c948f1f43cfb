//! The settings of the database.

use clap::Args;
use rollcall_repository_diesel::{DatabaseUrl, PoolMode};

use super::{
    secret::parse_secret,
    value::{HEADING, SettingError, parse},
};
use crate::environment::Environment;

const DATABASE_URL: &str = "DATABASE_URL";
const DATABASE_POOL_MODE: &str = "DATABASE_POOL_MODE";

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
    /// Pool mode of PgBouncer or another pooler in front of PostgreSQL: session, transaction, or
    /// auto, which detects it [env: DATABASE_POOL_MODE] [default: auto]
    #[arg(long, value_name = "MODE", global = true)]
    database_pool_mode: Option<String>,
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

#[cfg(test)]
mod tests {
    use super::*;

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
