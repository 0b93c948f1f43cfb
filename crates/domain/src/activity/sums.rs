use std::collections::{BTreeMap, btree_map};

use chrono::NaiveDate;

use super::{Figure, Label};

/// Sums by figure, day and label. None of them is zero.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sums(BTreeMap<(Figure, NaiveDate, Label), i64>);

impl Sums {
    /// Adds `value` to a sum.
    pub fn add(&mut self, figure: Figure, day: NaiveDate, label: Label, value: i64) {
        match self.0.entry((figure, day, label)) {
            btree_map::Entry::Vacant(entry) if value != 0 => {
                entry.insert(value);
            }
            btree_map::Entry::Vacant(_) => {}
            btree_map::Entry::Occupied(mut entry) => {
                *entry.get_mut() += value;
                if *entry.get() == 0 {
                    entry.remove();
                }
            }
        }
    }

    /// The sums, ordered by figure, day and label.
    pub fn iter(&self) -> impl Iterator<Item = (Figure, NaiveDate, &Label, i64)> {
        self.0.iter().map(|((figure, day, label), value)| (*figure, *day, label, *value))
    }

    /// Whether there are no sums.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The number of sums.
    pub fn len(&self) -> usize {
        self.0.len()
    }
}

impl IntoIterator for Sums {
    type Item = ((Figure, NaiveDate, Label), i64);
    type IntoIter = btree_map::IntoIter<(Figure, NaiveDate, Label), i64>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}
