use std::{
    fmt,
    path::{Path, PathBuf},
    str::FromStr,
};

use super::pooling::PoolMode;

/// Where the database is: the setting `DATABASE_URL`.
///
/// `Debug` and `Display` show neither password nor parameters.
#[derive(Clone, PartialEq, Eq)]
pub enum DatabaseUrl {
    /// A SQLite file: `sqlite://path`, or `sqlite:///abs/path`, each with an optional `?mode=`. In
    /// the path `%3F` stands for `?`, `%23` for `#` and `%25` for `%`.
    Sqlite {
        /// The file, relative to the working directory unless absolute.
        path: PathBuf,
        /// How it may be used.
        mode: SqliteMode,
    },
    /// A PostgreSQL server: `postgres://…` or `postgresql://…`, as libpq reads it.
    Postgres {
        /// The whole URL, with its secrets.
        url: String,
        /// How the server's sessions are reached.
        pool_mode: PoolMode,
    },
}

/// How an SQLite file may be used, as in SQLite's own URIs (<https://sqlite.org/uri.html>).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SqliteMode {
    /// `ro`: read it.
    ReadOnly,
    /// `rw`: read and write it, but do not create it.
    ReadWrite,
    /// `rwc`: read and write it, and create it if it does not exist.
    #[default]
    ReadWriteCreate,
}

impl SqliteMode {
    /// Its name in a URL.
    pub fn name(self) -> &'static str {
        match self {
            Self::ReadOnly => "ro",
            Self::ReadWrite => "rw",
            Self::ReadWriteCreate => "rwc",
        }
    }
}

impl FromStr for DatabaseUrl {
    type Err = InvalidDatabaseUrl;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (scheme, rest) = text.split_once("://").ok_or(InvalidDatabaseUrl::NoScheme)?;
        match scheme {
            "sqlite" => read_sqlite(rest),
            "postgres" | "postgresql" => {
                Ok(Self::Postgres { url: text.to_owned(), pool_mode: PoolMode::Auto })
            }
            // The text before "://" is shown only if it cannot be part of a secret.
            _ if scheme.len() <= 16 && scheme.chars().all(|c| c.is_ascii_alphanumeric()) => {
                Err(InvalidDatabaseUrl::UnknownScheme(scheme.to_owned()))
            }
            _ => Err(InvalidDatabaseUrl::NoScheme),
        }
    }
}

/// Parses the part after `sqlite://`.
fn read_sqlite(rest: &str) -> Result<DatabaseUrl, InvalidDatabaseUrl> {
    if rest.contains('#') {
        return Err(InvalidDatabaseUrl::Fragment);
    }
    let (path, parameters) = rest.split_once('?').unwrap_or((rest, ""));
    let path = decode(path).ok_or(InvalidDatabaseUrl::Escape)?;
    if path.is_empty() || path.ends_with('/') {
        return Err(InvalidDatabaseUrl::NoFile);
    }
    if path.contains(":memory:") {
        return Err(InvalidDatabaseUrl::InMemory);
    }
    Ok(DatabaseUrl::Sqlite { path: path.into(), mode: read_mode(parameters)? })
}

/// Parses the part after the `?`, in which only one `mode` is understood.
fn read_mode(parameters: &str) -> Result<SqliteMode, InvalidDatabaseUrl> {
    let mut found = None;
    for parameter in parameters.split('&').filter(|parameter| !parameter.is_empty()) {
        let mode = match parameter.split_once('=').unwrap_or((parameter, "")) {
            ("mode", "ro") => SqliteMode::ReadOnly,
            ("mode", "rw") => SqliteMode::ReadWrite,
            ("mode", "rwc") => SqliteMode::ReadWriteCreate,
            ("mode", "memory") => return Err(InvalidDatabaseUrl::InMemory),
            ("mode", _) => return Err(InvalidDatabaseUrl::Mode),
            (name, _) => return Err(InvalidDatabaseUrl::parameter(name)),
        };
        if found.replace(mode).is_some() {
            return Err(InvalidDatabaseUrl::Mode);
        }
    }
    Ok(found.unwrap_or_default())
}

/// The characters that must be escaped in a path: they end it, or begin an escape.
const RESERVED: [char; 3] = ['%', '?', '#'];

/// Replaces escapes such as `%3F` (RFC 3986, 2.1); `None` if one is incomplete, or the result is not
/// a valid path.
fn decode(text: &str) -> Option<String> {
    let mut parts = text.split('%');
    let mut bytes = parts.next()?.as_bytes().to_vec();
    for part in parts {
        let (digits, rest) = part.split_at_checked(2)?;
        // A sign is not a digit, but would be parsed as part of a number.
        let digits = Some(digits).filter(|it| it.bytes().all(|byte| byte.is_ascii_hexdigit()))?;
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        bytes.extend(rest.as_bytes());
    }
    String::from_utf8(bytes).ok().filter(|path| !path.contains('\0'))
}

/// Adds the escapes that [`decode`] replaces.
fn encode(path: &str) -> String {
    let escaped = |c: char| match c {
        c if RESERVED.contains(&c) => format!("%{:02X}", u32::from(c)),
        c => c.to_string(),
    };
    path.chars().map(escaped).collect()
}

impl DatabaseUrl {
    /// An SQLite file, which is created if it does not exist.
    pub fn sqlite(path: impl Into<PathBuf>) -> Self {
        Self::Sqlite { path: path.into(), mode: SqliteMode::default() }
    }

    /// The same URL with another pool mode, if it is that of a PostgreSQL server.
    pub fn with_pool_mode(self, pool_mode: PoolMode) -> Self {
        match self {
            Self::Postgres { url, .. } => Self::Postgres { url, pool_mode },
            sqlite @ Self::Sqlite { .. } => sqlite,
        }
    }

    /// Whether the database is opened read-only.
    pub fn is_read_only(&self) -> bool {
        matches!(self, Self::Sqlite { mode: SqliteMode::ReadOnly, .. })
    }

    /// The URI with which SQLite opens the file in its mode.
    pub(crate) fn sqlite_uri(path: &Path, mode: SqliteMode) -> String {
        // An absolute path follows an empty host, because two slashes at its beginning would name a
        // host. Joining an absolute path returns that path.
        let host = if path.is_absolute() { "//" } else { "" };
        let path = encode(&Path::new(".").join(path).to_string_lossy());
        format!("file:{host}{path}?mode={}", mode.name())
    }

    /// The parts of the URL that must not be shown: the password, and the pieces into which libpq may
    /// split it if it has reserved characters.
    pub(crate) fn secrets(&self) -> Vec<&str> {
        let Self::Postgres { url, .. } = self else { return Vec::new() };
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

    /// Removes secrets from a driver's message, and puts it on one line.
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
            Self::Sqlite { path, mode } => {
                write!(f, "sqlite://{}", encode(&path.to_string_lossy()))?;
                match mode {
                    SqliteMode::ReadWriteCreate => Ok(()),
                    mode => write!(f, "?mode={}", mode.name()),
                }
            }
            Self::Postgres { url, .. } => {
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

/// Why a text is not a database URL. Does not show the text, which may contain a password.
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
    /// A database in memory.
    #[error("a database in memory would lose all users at exit; {FORMS}")]
    InMemory,
    /// SQLite with an unknown mode, or with two modes.
    #[error("its mode is not understood; {PARAMETERS}")]
    Mode,
    /// SQLite with an unknown parameter.
    #[error("{0} is not understood; {PARAMETERS}")]
    Parameter(String),
    /// SQLite with a fragment.
    #[error("a fragment (what follows #) is not understood; {PARAMETERS}")]
    Fragment,
    /// SQLite with a path that cannot be decoded.
    #[error(
        "its path has a % that is not followed by the two digits of a character; \
         write %25 for a % in the name of the file"
    )]
    Escape,
}

impl InvalidDatabaseUrl {
    /// The name is shown only if it cannot be part of a secret.
    fn parameter(name: &str) -> Self {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
        Self::Parameter(match name {
            name if matches!(name.len(), 1..=32) && name.bytes().all(is_plain) => {
                format!("the parameter {name}")
            }
            _ => "a parameter (what follows ?)".to_owned(),
        })
    }
}

const FORMS: &str = "expected sqlite://path, sqlite:///absolute/path, \
                     postgres://user:password@host/database or postgresql://…";
const PARAMETERS: &str = "expected nothing after the path of an SQLite file but \
                          ?mode=ro, ?mode=rw or ?mode=rwc; \
                          write %3F for a ? and %23 for a # in the name of the file";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scheme_chooses_the_database() {
        let sqlite = |path: &str| Ok(DatabaseUrl::sqlite(path));
        assert_eq!("sqlite://rollcall.db".parse(), sqlite("rollcall.db"));
        assert_eq!("sqlite:///var/lib/rollcall.db".parse(), sqlite("/var/lib/rollcall.db"));
        for url in ["postgres://u:p@h/d", "postgresql:///d?host=/run/postgresql"] {
            assert_eq!(
                url.parse(),
                Ok(DatabaseUrl::Postgres { url: url.to_owned(), pool_mode: PoolMode::Auto })
            );
        }
    }

    #[test]
    fn other_schemes_are_refused_with_the_expected_forms() {
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
    fn the_mode_is_part_of_the_url() {
        use SqliteMode::{ReadOnly, ReadWrite, ReadWriteCreate};
        for (text, path, mode) in [
            ("sqlite://q.db?mode=ro", "q.db", ReadOnly),
            ("sqlite:///var/lib/q.db?mode=rw", "/var/lib/q.db", ReadWrite),
            ("sqlite://q.db?mode=rwc", "q.db", ReadWriteCreate),
            ("sqlite://q.db?", "q.db", ReadWriteCreate),
            ("sqlite://q.db", "q.db", ReadWriteCreate),
        ] {
            let path = path.into();
            assert_eq!(text.parse(), Ok(DatabaseUrl::Sqlite { path, mode }), "{text}");
        }
    }

    #[test]
    fn other_parts_of_an_sqlite_url_are_refused_by_name() {
        use InvalidDatabaseUrl::{Escape, Fragment, InMemory, Mode, NoFile, Parameter};
        let parameter = |what: &str| Parameter(what.to_owned());
        for (text, expected) in [
            ("sqlite://q.db?mode=RO", Mode),
            ("sqlite://q.db?mode=", Mode),
            ("sqlite://q.db?mode", Mode),
            ("sqlite://q.db?mode=ro&mode=rw", Mode),
            ("sqlite://q.db?mode=rw?", Mode),
            ("sqlite://q.db?mode=memory", InMemory),
            ("sqlite://?mode=rwc", NoFile),
            ("sqlite://dir/?mode=rwc", NoFile),
            ("sqlite://q.db?cache=shared", parameter("the parameter cache")),
            ("sqlite://q.db?mode=rwc&immutable=1", parameter("the parameter immutable")),
            ("sqlite://q.db?Mode=ro", parameter("the parameter Mode")),
            ("sqlite://q.db?=ro", parameter("a parameter (what follows ?)")),
            ("sqlite://bob:hun?ter2@host/q.db", parameter("a parameter (what follows ?)")),
            ("sqlite://q.db#main", Fragment),
            ("sqlite://q.db?mode=ro#", Fragment),
            ("sqlite://100%.db", Escape),
            ("sqlite://q%", Escape),
            ("sqlite://q%+3.db", Escape),
            ("sqlite://q%00.db", Escape),
            ("sqlite://q%FF.db", Escape),
        ] {
            assert_eq!(text.parse::<DatabaseUrl>(), Err(expected), "{text}");
        }
        let error = "sqlite://q.db?cache=shared".parse::<DatabaseUrl>().unwrap_err().to_string();
        assert_eq!(
            error,
            "the parameter cache is not understood; expected nothing after the path of an SQLite \
             file but ?mode=ro, ?mode=rw or ?mode=rwc; write %3F for a ? and %23 for a # in the \
             name of the file"
        );
    }

    #[test]
    fn a_url_is_shown_as_it_was_given() {
        for (text, path) in [
            ("sqlite://why%3F.db", "why?.db"),
            ("sqlite://a%23b%25c.db?mode=ro", "a#b%c.db"),
            ("sqlite:////srv//x.db?mode=rw", "//srv//x.db"),
            ("sqlite://Аня и Боб.db", "Аня и Боб.db"),
        ] {
            let url: DatabaseUrl = text.parse().unwrap();
            let DatabaseUrl::Sqlite { path: read, .. } = &url else { panic!("{text}") };
            assert_eq!((read.to_str().unwrap(), url.to_string()), (path, text.to_owned()));
        }
        let escaped: DatabaseUrl = "sqlite://my%20bot%2Ev1.db".parse().unwrap();
        assert_eq!(escaped, DatabaseUrl::sqlite("my bot.v1.db"));
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
