use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;

use super::{
    DayField, DayRange, Filter, LabelName, MAX_FILTER_DEPTH, NumberRange, Pattern, Term,
    filter::{Node, all, any, negated},
};
use crate::{
    Days, ReachabilityFilter, UserFilter,
    local_days::{day_of, day_start, next_day},
};

/// The most terms and values of a filter together with those of its segments, parentheses and
/// negations included. SQLite takes expressions up to 1,000 deep.
pub const MAX_SELECTION_TERMS: usize = 900;

/// How many conditions may be joined with names by `or`, `-` and parentheses. Names are compared in
/// memory, where each of these is a bit of a 64-bit number.
pub const MAX_BESIDE_NAMES: usize = 60;

/// The users that a filter selects at a moment. Its segments are replaced by their filters, bots are
/// left out unless they are named, and ages are days of a time zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selection {
    node: Node,
    zone: Tz,
    now: DateTime<Utc>,
    today: NaiveDate,
}

/// Why a filter cannot be evaluated.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SelectionError {
    /// There is no segment of this name.
    #[error("there is no segment '{0}'")]
    UnknownSegment(LabelName),
    /// A segment uses itself.
    #[error("segment '{0}' uses itself")]
    Cycle(LabelName),
    /// The filter and its segments are too large together.
    #[error(
        "expected at most {MAX_SELECTION_TERMS} terms and values in the filter and its segments"
    )]
    TooLarge,
    /// Names are mixed with too many other conditions.
    #[error(
        "expected at most {MAX_BESIDE_NAMES} other conditions in parentheses together with names"
    )]
    TooMuchBesideNames,
}

impl Selection {
    /// The users that a filter selects, with the filters of saved segments.
    ///
    /// # Errors
    /// If a segment does not exist or uses itself, or if the segments are too large together.
    pub fn new(
        filter: &Filter,
        segments: &BTreeMap<LabelName, Filter>,
        zone: Tz,
        now: DateTime<Utc>,
    ) -> Result<Self, SelectionError> {
        let mut expansion = Expansion { segments, path: Vec::new(), terms: 0 };
        let node = expansion.filter(filter)?;
        // A condition that everyone meets would only keep the sums from counting.
        let conditions = node.parts().iter().filter(|part| !part.is_people_and_bots());
        let node = all(conditions.cloned().collect());
        let selection = Self { node, zone, now, today: day_of(zone, now) };
        let mixed = selection.conditions().iter().filter(|node| node.compares_names());
        if mixed.map(beside_names).sum::<usize>() > MAX_BESIDE_NAMES {
            return Err(SelectionError::TooMuchBesideNames);
        }
        Ok(selection)
    }

    /// The conditions that each user must meet.
    pub fn conditions(&self) -> &[Node] {
        self.node.parts()
    }

    /// The whole condition.
    pub fn node(&self) -> &Node {
        &self.node
    }

    /// The moment at which it is evaluated.
    pub fn now(&self) -> DateTime<Utc> {
        self.now
    }

    /// The days of a range, in the selection's time zone.
    pub fn days(&self, range: DayRange) -> Days {
        range.days(self.today)
    }

    /// The moments of a range: from the first one on, and before the second one.
    pub fn moments(&self, range: DayRange) -> (Option<DateTime<Utc>>, Option<DateTime<Utc>>) {
        let Days { first, last } = self.days(range);
        let start = |day| day_start(self.zone, day);
        // No moment is after the last possible day.
        let after = last.filter(|day| next_day(*day) > *day).map(next_day);
        (first.map(start), after.map(start))
    }

    /// Whether its days are those of UTC.
    pub fn is_in_utc(&self) -> bool {
        self.zone == Tz::UTC
    }
}

/// The largest parts of a part that compare no names.
fn beside_names(node: &Node) -> usize {
    match node {
        node if !node.compares_names() => 1,
        Node::All(parts) | Node::Any(parts) => parts.iter().map(beside_names).sum(),
        Node::Not(part) => beside_names(part),
        Node::Term(_) => 0,
    }
}

/// Replaces segments by their filters.
struct Expansion<'a> {
    segments: &'a BTreeMap<LabelName, Filter>,
    /// The segments around.
    path: Vec<&'a LabelName>,
    terms: usize,
}

impl<'a> Expansion<'a> {
    fn filter(&mut self, filter: &Filter) -> Result<Node, SelectionError> {
        let node = self.node(filter.node())?;
        if filter.names_bots() {
            return Ok(node);
        }
        self.count(1)?;
        Ok(all(vec![node, negated(Node::Term(Term::Bot))]))
    }

    fn count(&mut self, parts: usize) -> Result<(), SelectionError> {
        self.terms += parts;
        if self.terms > MAX_SELECTION_TERMS { Err(SelectionError::TooLarge) } else { Ok(()) }
    }

    fn node(&mut self, node: &Node) -> Result<Node, SelectionError> {
        self.count(match node {
            Node::Term(term) => term.values(),
            _ => 1,
        })?;
        Ok(match node {
            Node::All(parts) => all(self.parts(parts)?),
            Node::Any(parts) => any(self.parts(parts)?),
            Node::Not(part) => negated(self.node(part)?),
            Node::Term(Term::Segment(names)) => {
                let segments = names.iter().map(|name| self.segment(name));
                any(segments.collect::<Result<_, _>>()?)
            }
            Node::Term(term) => Node::Term(term.clone()),
        })
    }

    fn parts(&mut self, parts: &[Node]) -> Result<Vec<Node>, SelectionError> {
        parts.iter().map(|part| self.node(part)).collect()
    }

    fn segment(&mut self, name: &LabelName) -> Result<Node, SelectionError> {
        let segments = self.segments;
        let Some((name, filter)) = segments.get_key_value(name) else {
            return Err(SelectionError::UnknownSegment(name.clone()));
        };
        if self.path.contains(&name) {
            return Err(SelectionError::Cycle(name.clone()));
        }
        // Each level may be as deep as a filter.
        if self.path.len() >= MAX_SEGMENT_DEPTH {
            return Err(SelectionError::TooLarge);
        }
        self.path.push(name);
        let node = self.filter(filter)?;
        self.path.pop();
        Ok(node)
    }
}

/// How many segments may be within one another. With [`MAX_FILTER_DEPTH`] it bounds the depth of a
/// selection.
const MAX_SEGMENT_DEPTH: usize = 8;
const _: () = assert!(MAX_FILTER_DEPTH * (MAX_SEGMENT_DEPTH + 1) < 500);

/// Every user that meets the conditions, bots included. Days are those of UTC.
impl From<&UserFilter> for Selection {
    fn from(filter: &UserFilter) -> Self {
        Self {
            node: all(conditions(filter)),
            zone: Tz::UTC,
            now: DateTime::default(),
            today: NaiveDate::default(),
        }
    }
}

impl From<&UserFilter> for Filter {
    fn from(filter: &UserFilter) -> Self {
        Self(all(conditions(filter)))
    }
}

fn conditions(filter: &UserFilter) -> Vec<Node> {
    let mut parts = Vec::new();
    let mut add = |term: Term, is_wanted: bool| {
        let node = Node::Term(term);
        parts.push(if is_wanted { node } else { negated(node) });
    };
    let text = |text: &str| match text {
        "" => vec![Pattern::beginning("")],
        text => vec![Pattern::exactly(text)],
    };
    if let Some(code) = filter.language.as_deref() {
        add(Term::Language(text(code)), !code.is_empty());
    }
    if let Some(payload) = filter.source.as_deref() {
        add(Term::Source(text(payload)), !payload.is_empty());
    }
    match filter.reachability {
        None => {}
        Some(ReachabilityFilter::Reachable) => add(Term::Reachable, true),
        Some(ReachabilityFilter::Unreachable) => add(Term::Reachable, false),
        Some(ReachabilityFilter::Blocked) => add(Term::Blocked, true),
    }
    for (field, days) in [(DayField::Joined, filter.first_seen), (DayField::Seen, filter.last_seen)]
    {
        match (days.first, days.last) {
            (None, None) => {}
            (Some(first), Some(last)) if first <= last => {
                add(Term::Day(field, DayRange::Between(first, last)), true);
            }
            (Some(first), Some(last)) => {
                // Nobody, as no range can say it.
                add(Term::Day(field, DayRange::Since(first)), true);
                add(Term::Day(field, DayRange::Until(last)), true);
            }
            (Some(first), None) => add(Term::Day(field, DayRange::Since(first)), true),
            (None, Some(last)) => add(Term::Day(field, DayRange::Until(last)), true),
        }
    }
    if let Some(least) = filter.min_active_days {
        add(Term::ActiveDays(NumberRange { least, greatest: u32::MAX }), true);
    }
    if let Some(greatest) = filter.max_active_days {
        add(Term::ActiveDays(NumberRange { least: 0, greatest }), true);
    }
    if let Some(is_bot) = filter.is_bot {
        add(Term::Bot, is_bot);
    }
    if let Some(term) = &filter.search {
        add(Term::Search(term.clone()), true);
    }
    parts
}
