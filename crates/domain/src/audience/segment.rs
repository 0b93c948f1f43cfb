use chrono::{DateTime, Utc};

use super::{Filter, LabelName, Term};

/// The most saved segments.
pub const MAX_SEGMENTS: usize = 200;

/// A filter with a name. Its users are those who meet the filter at the moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// The name.
    pub name: LabelName,
    /// The filter.
    pub filter: Filter,
    /// What it is for; may be empty.
    pub description: String,
    /// When it was first saved.
    pub created_at: DateTime<Utc>,
}

impl Segment {
    /// The names of the segments that its filter uses.
    pub fn uses(&self) -> impl Iterator<Item = &LabelName> {
        self.filter.terms().flat_map(|term| match term {
            Term::Segment(names) => names.as_slice(),
            _ => &[],
        })
    }
}
