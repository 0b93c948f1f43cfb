//! The chain of the audit log: each entry has a hash over its fields and the hash of the previous
//! entry. Changing, adding or removing an entry breaks the chain.
//!
//! The values of an entry are included as a hash of their own, with a salt. When a user is deleted,
//! values and salt are removed, and the chain still verifies.

use chrono::{DateTime, Utc};
use rollcall_domain::TelegramId;
use rollcall_repository::{Digest, NewAuditEntry};
use sha2::{Digest as _, Sha256};

use crate::base::timestamp::UtcMicros;

/// The length of a salt, in bytes.
pub(crate) const SALT_BYTES: usize = 16;

/// The fields of an entry that are hashed, as they are stored.
pub(crate) struct Link<'a> {
    pub(crate) at: DateTime<Utc>,
    pub(crate) admin: Option<&'a str>,
    pub(crate) action: &'a str,
    pub(crate) about: Option<i64>,
    pub(crate) values_hash: &'a [u8],
}

impl Link<'_> {
    /// The entry's hash, if the previous entry has this hash.
    pub(crate) fn hash(&self, before: Digest) -> Digest {
        let mut hasher = Fields::new(b"entry");
        hasher.add(Some(&before.0));
        hasher.add(Some(&self.at.timestamp_micros().to_be_bytes()));
        hasher.add(self.admin.map(str::as_bytes));
        hasher.add(Some(self.action.as_bytes()));
        hasher.add(self.about.map(i64::to_be_bytes).as_ref().map(<[u8; 8]>::as_slice));
        hasher.add(Some(self.values_hash));
        hasher.finish()
    }
}

/// The hash of an entry's values.
pub(crate) fn values_hash(salt: &[u8], old: Option<&str>, new: Option<&str>) -> Digest {
    let mut hasher = Fields::new(b"values");
    hasher.add(Some(salt));
    hasher.add(old.map(str::as_bytes));
    hasher.add(new.map(str::as_bytes));
    hasher.finish()
}

/// Hashes fields with their lengths, so that different lists of fields have different hashes.
struct Fields(Sha256);

impl Fields {
    fn new(what: &[u8]) -> Self {
        let mut fields = Self(Sha256::new());
        fields.add(Some(what));
        fields
    }

    fn add(&mut self, field: Option<&[u8]>) {
        match field {
            None => self.0.update([0]),
            Some(bytes) => {
                self.0.update([1]);
                self.0.update(u64::try_from(bytes.len()).unwrap_or(u64::MAX).to_be_bytes());
                self.0.update(bytes);
            }
        }
    }

    fn finish(self) -> Digest {
        Digest(self.0.finalize().into())
    }
}

/// An entry as it is stored, with its place in the chain.
pub(crate) struct Chained {
    pub(crate) at: UtcMicros,
    pub(crate) admin: Option<String>,
    pub(crate) action: &'static str,
    pub(crate) about: Option<i64>,
    pub(crate) old: Option<String>,
    pub(crate) new: Option<String>,
    pub(crate) salt: [u8; SALT_BYTES],
    pub(crate) values_hash: Digest,
    pub(crate) hash: Digest,
}

impl Chained {
    /// The next entry after the one with this hash.
    pub(crate) fn new(entry: &NewAuditEntry, salt: [u8; SALT_BYTES], before: Digest) -> Self {
        let at = UtcMicros::from(entry.at);
        let admin = entry.admin.as_ref().map(ToString::to_string);
        let about = entry.about.map(TelegramId::get);
        let (old, new) = (entry.old.as_deref().map(storable), entry.new.as_deref().map(storable));
        let values_hash = values_hash(&salt, old.as_deref(), new.as_deref());
        let action = entry.action.name();
        let link = Link {
            at: at.into(),
            admin: admin.as_deref(),
            action,
            about,
            values_hash: &values_hash.0,
        };
        let hash = link.hash(before);
        Self { at, admin, action, about, old, new, salt, values_hash, hash }
    }
}

/// Text that PostgreSQL accepts.
fn storable(text: &str) -> String {
    text.replace('\0', "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_field_counts_for_itself() {
        let at: DateTime<Utc> = "2026-11-26T12:00:00Z".parse().unwrap();
        let link = |admin, action, about, values_hash| {
            Link { at, admin, action, about, values_hash }.hash(Digest([0; 32]))
        };
        let hashes = [
            link(Some("ada"), "viewed", Some(1), b"x"),
            link(None, "viewed", Some(1), b"x"),
            link(Some(""), "viewed", Some(1), b"x"),
            link(Some("adav"), "iewed", Some(1), b"x"),
            link(Some("ada"), "viewed", None, b"x"),
            link(Some("ada"), "viewed", Some(256), b"x"),
            link(Some("ada"), "viewed", Some(1), b"y"),
        ];
        for (n, hash) in hashes.iter().enumerate() {
            assert!(!hashes[..n].contains(hash), "{n}");
        }
        let salt = [7; SALT_BYTES];
        assert_ne!(values_hash(&salt, Some("a"), None), values_hash(&salt, None, Some("a")));
        assert_ne!(
            values_hash(&salt, Some("ab"), Some("c")),
            values_hash(&salt, Some("a"), Some("bc"))
        );
        assert_ne!(values_hash(&salt, None, None), values_hash(&[8; SALT_BYTES], None, None));
    }
}
