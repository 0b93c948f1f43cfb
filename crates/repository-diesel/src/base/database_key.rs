//! The keys with which a database is encrypted.

use std::fmt;

use rollcall_repository::{BoxError, RepositoryError};

use super::secret::Secret;

/// The keys of an encrypted database. The first one encrypts. The others are older: they decrypt what has
/// not been encrypted with the first one yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DatabaseKeys {
    first: DatabaseKey,
    older: Vec<DatabaseKey>,
}

impl DatabaseKeys {
    /// Reads the content of a file: 64 hexadecimal digits a line, the key that encrypts first. Empty lines
    /// do not count.
    ///
    /// # Errors
    /// If there is no key, or a line is none.
    pub fn from_text(text: &str) -> Result<Self, InvalidDatabaseKeys> {
        let mut keys = Vec::new();
        for (index, line) in text.lines().map(str::trim).enumerate() {
            if line.is_empty() {
                continue;
            }
            let invalid = || InvalidDatabaseKeys::Line {
                number: index + 1,
                characters: line.chars().count(),
            };
            keys.push(DatabaseKey(Secret::from_hex(line).ok_or_else(invalid)?));
        }
        let mut keys = keys.into_iter();
        let first = keys.next().ok_or(InvalidDatabaseKeys::Empty)?;
        Ok(Self { first, older: keys.collect() })
    }

    /// The key that encrypts.
    pub fn first(&self) -> &DatabaseKey {
        &self.first
    }

    /// All keys, the one that encrypts first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &DatabaseKey> {
        std::iter::once(&self.first).chain(&self.older)
    }

    /// The names of all keys.
    pub(crate) fn names(&self) -> String {
        let names: Vec<String> = self.iter().map(DatabaseKey::name).collect();
        names.join(", ")
    }
}

impl From<DatabaseKey> for DatabaseKeys {
    fn from(first: DatabaseKey) -> Self {
        Self { first, older: Vec::new() }
    }
}

/// A key with which a database is encrypted: 32 bytes. An SQLite file is encrypted with the key itself, so
/// that other programs with SQLCipher can open it.
#[derive(Clone, PartialEq, Eq)]
pub struct DatabaseKey(Secret);

impl DatabaseKey {
    /// A new key.
    ///
    /// # Errors
    /// If the system has no random bytes.
    pub fn random() -> Result<Self, RepositoryError> {
        let key = Secret::random().map_err(|error| BoxError::from(error.to_string()));
        Ok(Self(key.map_err(|error| RepositoryError::Failed(error.into()))?))
    }

    /// The key as 64 hexadecimal digits, for a file.
    pub fn to_hex(&self) -> String {
        self.0.to_hex()
    }

    /// The key for texts in a database that is not encrypted as a whole.
    pub(crate) fn for_texts(&self) -> Vec<u8> {
        self.0.mac(b"free texts")
    }

    /// What the key is called in messages: eight hexadecimal digits, which do not reveal it.
    pub fn name(&self) -> String {
        self.0.mac(b"name").iter().take(4).map(|byte| format!("{byte:02x}")).collect()
    }
}

impl fmt::Debug for DatabaseKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DatabaseKey({})", self.name())
    }
}

/// Why a text has no keys. Does not show the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidDatabaseKeys {
    /// There is no key in it.
    #[error("it has no key; expected 64 hexadecimal digits")]
    Empty,
    /// A line is something else.
    #[error(
        "line {number} is not a key: it has {characters} characters; expected 64 hexadecimal digits"
    )]
    Line {
        /// Which line, counted from 1.
        number: usize,
        /// How many characters it has.
        characters: usize,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_lines_of_digits() {
        let (new, old) = ("a5".repeat(32), "0F".repeat(32));
        let keys = DatabaseKeys::from_text(&format!("\n {new}\r\n\n{old}\n")).unwrap();
        assert_eq!(
            keys.iter().map(DatabaseKey::to_hex).collect::<Vec<_>>(),
            [new, old.to_lowercase()]
        );
        assert_eq!(keys.first().name().len(), 8);
        assert_eq!(keys.names(), format!("{}, {}", keys.first.name(), keys.older[0].name()));
        assert!(!format!("{keys:?}").contains("a5a5a5a5"));
    }

    #[test]
    fn what_is_no_key_is_named_by_its_line() {
        let line = |number, characters| InvalidDatabaseKeys::Line { number, characters };
        for (text, expected) in [
            (String::new(), InvalidDatabaseKeys::Empty),
            ("\n \n".to_owned(), InvalidDatabaseKeys::Empty),
            ("hunter2".to_owned(), line(1, 7)),
            ("a5".repeat(33), line(1, 66)),
            (format!("{}\n{}", "a5".repeat(32), "a5".repeat(31)), line(2, 62)),
            ("g5".repeat(32), line(1, 64)),
        ] {
            assert_eq!(DatabaseKeys::from_text(&text), Err(expected), "{text}");
        }
    }
}
