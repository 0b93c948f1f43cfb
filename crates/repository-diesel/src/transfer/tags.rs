//! The tags that imported users get.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use rollcall_domain::{LabelKind, LabelName};
use rollcall_repository::{CreatedLabel, ImportEnd, ImportedUser};

use crate::{
    base::{connection::AnyConnection, error::Failure, transaction::Transaction},
    labels::{
        label::{self, Author},
        users::change,
    },
    segments::segment,
    sources::change::lock as lock_labels,
};

/// The tags of an import, with their numbers.
pub(super) struct Tags {
    author: Author,
    numbers: BTreeMap<LabelName, i32>,
}

/// How many tags users got, and which users.
#[derive(Default)]
pub(super) struct Tagged {
    pub(super) number: u64,
    pub(super) users: BTreeSet<i64>,
}

impl Tags {
    /// Tags that are created at this time.
    pub(super) fn new(at: DateTime<Utc>) -> Self {
        Self { author: Author { by: None, at }, numbers: BTreeMap::new() }
    }

    /// Creates those tags of users that do not exist. Returns how the import ends if there is no room
    /// for one of them.
    pub(super) fn create(
        &mut self,
        connection: &mut AnyConnection,
        users: &[ImportedUser],
    ) -> Result<Option<ImportEnd>, Failure> {
        let wanted = users.iter().flat_map(|user| user.tags.iter().map(|tag| (tag, user.line)));
        for (tag, line) in wanted {
            if self.numbers.contains_key(tag) {
                continue;
            }
            if self.numbers.is_empty() {
                // Deleting a tag locks this first, so no tag of the import is deleted meanwhile.
                segment::lock(connection)?;
                // As `sources allow --tag` does, before it creates a tag.
                lock_labels(connection)?;
            }
            match label::create(connection, LabelKind::Tag, tag, "", &self.author)? {
                CreatedLabel::New(label) | CreatedLabel::Known(label) => {
                    label::lock_label(connection, label.id)?;
                    self.numbers.insert(tag.clone(), label.id);
                }
                CreatedLabel::Full => {
                    return Ok(Some(ImportEnd::NoRoom { tag: tag.clone(), line }));
                }
            }
        }
        Ok(None)
    }

    /// Adds tags to users, which exist and are sorted.
    pub(super) fn add(
        &self,
        connection: &mut AnyConnection,
        wanted: BTreeMap<LabelName, Vec<i64>>,
    ) -> Result<Tagged, Failure> {
        let mut tagged = Tagged::default();
        for (tag, ids) in wanted {
            let Some(number) = self.numbers.get(&tag) else { continue };
            let changed = change(&mut Transaction::from(&mut *connection), *number, &ids, true)?;
            tagged.number += u64::try_from(changed.len()).unwrap_or_default();
            tagged.users.extend(changed);
        }
        Ok(tagged)
    }
}
