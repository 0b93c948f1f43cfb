use std::{fmt, path::PathBuf, str::FromStr};

/// Where the database is: the setting `DATABASE_URL`.
///
/// `Debug` and `Display` show neither password nor parameters.
#[derive(Clone, PartialEq, Eq)]
pub enum DatabaseUrl {
    /// A SQLite file: `sqlite://path`, or `sqlite:///abs/path`.
    Sqlite {
        /// The file, relative to the working directory unless absolute.
        path: PathBuf,
    },
    /// A PostgreSQL server: `postgres://…` or `postgresql://…`, as libpq reads it.
    Postgres {
        /// The whole URL, with its secrets.
        url: String,
    },
}

impl FromStr for DatabaseUrl {
    type Err = InvalidDatabaseUrl;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (scheme, rest) = text.split_once("://").ok_or(InvalidDatabaseUrl::NoScheme)?;
        match scheme {
            "sqlite" if rest.is_empty() || rest.ends_with('/') => Err(InvalidDatabaseUrl::NoFile),
            "sqlite" if rest.contains(":memory:") => Err(InvalidDatabaseUrl::InMemory),
            "sqlite" => Ok(Self::Sqlite { path: rest.into() }),
            "postgres" | "postgresql" => Ok(Self::Postgres { url: text.to_owned() }),
            // What stands before "://" is shown only where it cannot be part of a secret.
            _ if scheme.len() <= 16 && scheme.chars().all(|c| c.is_ascii_alphanumeric()) => {
                Err(InvalidDatabaseUrl::UnknownScheme(scheme.to_owned()))
            }
            _ => Err(InvalidDatabaseUrl::NoScheme),
        }
    }
}

impl DatabaseUrl {
    /// The parts of the URL that must not be shown: the password, and the pieces that libpq may
    /// take it apart into where it holds reserved characters.
    pub(crate) fn secrets(&self) -> Vec<&str> {
        let Self::Postgres { url } = self else { return Vec::new() };
        let (_, rest) = url.split_once("://").unwrap_or_default();
        // Up to the last @, not the first: an @ in the password may not be written as %40.
        let (user_info, place) = rest.rsplit_once('@').unwrap_or(("", rest));
        let (_, password) = user_info.split_once(':').unwrap_or_default();
        let (_, parameters) = place.split_once('?').unwrap_or_default();
        let parameter = parameters.split('&').filter_map(|p| p.strip_prefix("password="));
        [password]
            .into_iter()
            .chain(password.split(['@', '/', ':', '%', '#', '?', '&']))
            .chain(parameter)
            .filter(|secret| secret.len() >= 3)
            .collect()
    }

    /// Takes what must not be shown out of a driver's message, and puts it on one line.
    pub(crate) fn redact(&self, message: &str) -> String {
        let redacted = self
            .secrets()
            .into_iter()
            .fold(message.to_owned(), |message, secret| message.replace(secret, "***"));
        redacted.split_whitespace().collect::<Vec<_>>().join(" ")
    }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite { path } => write!(f, "sqlite://{}", path.display()),
            Self::Postgres { url } => {
                let (scheme, rest) = url.split_once("://").unwrap_or(("postgres", ""));
                let (_, place) = rest.rsplit_once('@').unwrap_or(("", rest));
                let (place, _) = place.split_once('?').unwrap_or((place, ""));
                write!(f, "{scheme}://{place}")
            }
        }
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Why a text names no database. Does not show the text, which may hold a password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidDatabaseUrl {
    /// Not a URL.
    #[error("it is not a URL; {FORMS}")]
    NoScheme,
    /// A URL of another database.
    #[error("the scheme {0}:// is not supported; {FORMS}")]
    UnknownScheme(String),
    /// SQLite without a file.
    #[error("it names no file; {FORMS}")]
    NoFile,
    /// A database that would be forgotten at exit.
    #[error("a database in memory would forget everybody at exit; {FORMS}")]
    InMemory,
}

const FORMS: &str = "expected sqlite://path, sqlite:///absolute/path, \
                     postgres://user:password@host/database or postgresql://…";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scheme_chooses_the_database() {
        let sqlite = |path: &str| Ok(DatabaseUrl::Sqlite { path: path.into() });
        assert_eq!("sqlite://rollcall.db".parse(), sqlite("rollcall.db"));
        assert_eq!("sqlite:///var/lib/rollcall.db".parse(), sqlite("/var/lib/rollcall.db"));
        for url in ["postgres://u:p@h/d", "postgresql:///d?host=/run/postgresql"] {
            assert_eq!(url.parse(), Ok(DatabaseUrl::Postgres { url: url.to_owned() }));
        }
    }

    #[test]
    fn anything_else_is_refused_with_the_forms() {
        for text in [
            "",
            "rollcall.db",
            "mysql://host/db",
            "sqlite://",
            "sqlite://dir/",
            "sqlite://:memory:",
        ] {
            let error = text.parse::<DatabaseUrl>().unwrap_err().to_string();
            assert!(error.contains("expected sqlite://path"), "{text}: {error}");
        }
    }

    #[test]
    fn shows_no_secret() {
        for url in
            ["postgres://bob:hunter2@db.example/app", "postgres://db.example/app?password=hunter2"]
        {
            let url: DatabaseUrl = url.parse().unwrap();
            assert_eq!(
                format!("{url} {url:?}"),
                "postgres://db.example/app postgres://db.example/app"
            );
            assert!(url.secrets().contains(&"hunter2"));
        }
        let odd: DatabaseUrl = "postgres://bob:hun?ter2@db.example/app".parse().unwrap();
        assert_eq!(odd.to_string(), "postgres://db.example/app");
        assert_eq!(odd.secrets(), ["hun?ter2", "hun", "ter2"]);
        assert_eq!(odd.redact("no\n host ter2@db"), "no host ***@db");
        let mistyped = "hunter2:hunter2@db.example://x".parse::<DatabaseUrl>().unwrap_err();
        assert!(!mistyped.to_string().contains("hunter2"));
    }
}
