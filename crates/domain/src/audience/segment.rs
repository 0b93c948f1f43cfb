use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;

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
    /// The time zone of its days where it is counted by itself. Within another filter, its days are
    /// those of that filter.
    pub zone: Tz,
    /// When its filter, its zone or a segment that it uses was last changed; `None` if never.
    pub changed_at: Option<DateTime<Utc>>,
}

/// How many users a segment had on a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SegmentSize {
    /// The UTC day on which it was counted.
    pub day: NaiveDate,
    /// Its users.
    pub users: u64,
    /// Who joined it and who left it since the count before; `None` if there was
    /// no such count, or one of another filter.
    pub changes: Option<SegmentChanges>,
}

/// How many users joined and left a segment between two counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SegmentChanges {
    /// Users that are in it now and were not before.
    pub joined: u64,
    /// Users that were in it before and are not now.
    pub left: u64,
}

impl Segment {
    /// The filter that selects its users. That is its name, unless it has bots: those are left out
    /// where a filter does not say `bot` itself.
    pub fn selecting(&self) -> Filter {
        if self.filter.names_bots() {
            self.filter.clone()
        } else {
            Filter::with(Term::Segment(vec![self.name.clone()]))
        }
    }

    /// The names of the segments that its filter uses.
    pub fn uses(&self) -> impl Iterator<Item = &LabelName> {
        self.filter.terms().flat_map(|term| match term {
            Term::Segment(names) => names.as_slice(),
            _ => &[],
        })
    }
}
