//! Free texts about users: notes, their versions in the audit log, and quarantined updates. On PostgreSQL
//! they are encrypted if there are keys. An SQLite file is encrypted as a whole.

use super::{
    cipher,
    database_key::{DatabaseKey, DatabaseKeys},
    database_url::DatabaseUrl,
    error::Failure,
};

/// What every encrypted text begins with. The name of its key follows, and a colon.
const MARK: &str = "rollcall:encrypted:1:";

/// Encrypts and decrypts free texts.
#[derive(Clone, Debug, Default)]
pub(crate) enum FreeText {
    /// On SQLite: texts are stored as they are.
    #[default]
    Plain,
    /// On PostgreSQL: the first key encrypts, if there is one.
    Sealed(Option<DatabaseKeys>),
}

/// The place of a text. An encrypted text cannot be moved to another place.
#[derive(Clone, Debug)]
pub(crate) struct Cell {
    pub(crate) table: &'static str,
    pub(crate) column: &'static str,
    /// The key of the row.
    pub(crate) key: String,
}

impl Cell {
    /// The note about a user.
    pub(crate) fn note(telegram_id: i64) -> Self {
        Self { table: "notes", column: "text", key: telegram_id.to_string() }
    }

    /// The payload of a quarantined update.
    pub(crate) fn payload(update_id: i64) -> Self {
        Self { table: "quarantine", column: "payload", key: update_id.to_string() }
    }

    /// A value of an entry of the audit log, which its values' hash names: an entry gets its id when it is
    /// inserted.
    pub(crate) fn audit(column: &'static str, values_hash: &[u8]) -> Self {
        let hash = values_hash.iter().map(|byte| format!("{byte:02x}")).collect();
        Self { table: "audit_log", column, key: hash }
    }

    /// What is authenticated with the text.
    fn name(&self) -> String {
        format!("{}.{} {}", self.table, self.column, self.key)
    }

    fn corrupt(self, reason: &str) -> Failure {
        let Self { table, column, key } = self;
        Failure::Corrupt { table, column, key, reason: reason.to_owned() }
    }
}

impl FreeText {
    pub(crate) fn new(url: &DatabaseUrl, keys: Option<DatabaseKeys>) -> Self {
        match url {
            DatabaseUrl::Sqlite { .. } => Self::Plain,
            DatabaseUrl::Postgres { .. } => Self::Sealed(keys),
        }
    }

    /// The text as it is stored.
    pub(crate) fn seal(&self, cell: Cell, text: &str) -> Result<String, Failure> {
        match self {
            Self::Sealed(Some(keys)) => {
                let key = keys.first();
                let sealed = cipher::seal(&key.for_texts(), &cell.name(), text)?;
                Ok(format!("{MARK}{}:{sealed}", key.name()))
            }
            Self::Sealed(None) if text.starts_with(MARK) => {
                Err(cell.corrupt("it begins as an encrypted text does"))
            }
            Self::Plain | Self::Sealed(None) => Ok(text.to_owned()),
        }
    }

    /// The text that was stored, whether it was encrypted then or not.
    pub(crate) fn open(&self, cell: Cell, stored: String) -> Result<String, Failure> {
        let Self::Sealed(keys) = self else { return Ok(stored) };
        let Some(sealed) = stored.strip_prefix(MARK) else { return Ok(stored) };
        let Some((name, text)) = sealed.split_once(':') else {
            return Err(cell.corrupt("it has no key"));
        };
        let mut keys = keys.iter().flat_map(DatabaseKeys::iter);
        let Some(key) = keys.find(|key| key.name() == name) else {
            let Cell { table, column, key } = cell;
            return Err(Failure::MissingKey { table, column, key, name: name.to_owned() });
        };
        cipher::open(&key.for_texts(), &cell.name(), text)
            .ok_or_else(|| cell.corrupt("another program changed it, or moved it from another row"))
    }
}

/// The pattern (of LIKE) of texts that are encrypted with a key, or with any.
pub(crate) fn pattern(key: Option<&DatabaseKey>) -> String {
    match key {
        Some(key) => format!("{MARK}{}:%", key.name()),
        None => format!("{MARK}%"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(digits: &str) -> DatabaseKeys {
        DatabaseKeys::from_text(&digits.repeat(32)).unwrap()
    }

    fn sealed(keys: &DatabaseKeys) -> FreeText {
        FreeText::Sealed(Some(keys.clone()))
    }

    #[test]
    fn a_text_is_read_with_its_key_in_its_place_only() {
        let [old, new] = ["0a", "0b"].map(key);
        let both =
            DatabaseKeys::from_text(&["0b", "0a"].map(|it| it.repeat(32)).join("\n")).unwrap();
        for text in ["", "Grüße 👩‍🚀\nto her", &"x".repeat(100_000)] {
            let stored = sealed(&old).seal(Cell::note(5), text).unwrap();
            assert!(stored.starts_with(&format!("{MARK}{}:", old.first().name())), "{stored}");
            assert!(text.is_empty() || !stored.contains(text));
            assert_ne!(
                stored,
                sealed(&old).seal(Cell::note(5), text).unwrap(),
                "a nonce of its own"
            );
            for keys in [&old, &both] {
                assert_eq!(sealed(keys).open(Cell::note(5), stored.clone()).unwrap(), text);
            }
            let error = sealed(&new).open(Cell::note(5), stored.clone()).unwrap_err();
            assert!(
                matches!(&error, Failure::MissingKey { name, .. } if *name == old.first().name()),
                "{error:?}"
            );
            let error = sealed(&old).open(Cell::note(6), stored.clone()).unwrap_err();
            assert!(matches!(error, Failure::Corrupt { table: "notes", column: "text", .. }));
        }
    }

    #[test]
    fn damage_is_an_error_and_never_a_panic() {
        let keys = key("0a");
        let stored = sealed(&keys).seal(Cell::note(5), "text").unwrap();
        let ends = (0..stored.len()).map(|end| stored[..end].to_owned());
        let changes = (MARK.len()..stored.len()).map(|at| {
            let mut bytes = stored.clone().into_bytes();
            bytes[at] = if bytes[at] == b'x' { b'y' } else { b'x' };
            String::from_utf8(bytes).unwrap()
        });
        for damaged in ends.chain(changes) {
            let opened = sealed(&keys).open(Cell::note(5), damaged.clone());
            assert!(opened.is_err() || opened.as_deref().ok() == Some(&damaged), "{damaged}");
        }
    }

    #[test]
    fn without_a_key_texts_are_stored_as_they_are() {
        let marked = format!("{MARK}12345678:x");
        assert_eq!(FreeText::Plain.seal(Cell::note(5), &marked).unwrap(), marked);
        assert_eq!(FreeText::Plain.open(Cell::note(5), marked.clone()).unwrap(), marked);
        let without = FreeText::Sealed(None);
        assert_eq!(without.seal(Cell::note(5), "text").unwrap(), "text");
        assert_eq!(without.open(Cell::note(5), "text".to_owned()).unwrap(), "text");
        assert!(without.seal(Cell::note(5), &marked).is_err(), "it could not be read again");
    }
}
