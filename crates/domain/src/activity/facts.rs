use chrono::{DateTime, Utc};

use super::{ActiveDay, Figure, Hour, Origin, Sums, add_first_hour};
use crate::{ReachabilityChange, SourceLabel};

/// Everything about one user that counts in a [`Figure`].
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// When and by which deep link the user joined.
    pub origin: Origin,
    /// The language of the user's client.
    pub language_code: Option<&'a str>,
    /// Whether the user can be reached now.
    pub is_reachable: bool,
    /// The UTC days on which the user was active, sorted, without repetitions.
    pub days: &'a [ActiveDay],
    /// When the user became unreachable, or reachable again.
    pub reach_changes: &'a [ReachabilityChange],
    /// When the user opened deep links, and the labels of those.
    pub starts: &'a [(DateTime<Utc>, SourceLabel)],
}

impl Facts<'_> {
    /// Adds what the user contributes to each figure that [is counted from
    /// users](Figure::is_counted_from_users).
    pub fn add_to(&self, sums: &mut Sums) {
        self.origin.add_user(sums);
        self.origin.add_language(self.language_code, 1, sums);
        if self.is_reachable {
            self.origin.add_reachable(1, sums);
        }
        self.origin.add_days(self.days.iter().map(|it| it.day), sums);
        for it in self.days {
            add_first_hour(it.day, it.first_hour, 1, sums);
        }
        for change in self.reach_changes {
            add_reachability_change(change, sums);
        }
        for (at, source) in self.starts {
            add_start(*at, *source, sums);
        }
    }
}

/// Adds that a user became unreachable, or reachable again.
pub fn add_reachability_change(change: &ReachabilityChange, sums: &mut Sums) {
    let day = change.at.date_naive();
    sums.add(Figure::Reachability, day, change.name().into(), 1);
    let by_hour = match change.obstacle {
        Some(_) => Figure::BlockedHour,
        None => Figure::UnblockedHour,
    };
    sums.add(by_hour, day, Hour::of(change.at).into(), 1);
}

/// Adds that a user opened a deep link.
pub fn add_start(at: DateTime<Utc>, source: SourceLabel, sums: &mut Sums) {
    sums.add(Figure::SourceStarts, at.date_naive(), source.into(), 1);
}
