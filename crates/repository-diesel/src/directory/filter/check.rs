//! The parts of a selection that depend on names. Names are folded in Rust, so that every database
//! finds the same users: SQL computes the other parts, as bits, and the rest is computed here.

use rollcall_domain::{
    FilterNode, MAX_BESIDE_NAMES, SearchTerm, SearchText, Selection, TelegramUser, Term,
};

use super::{Known, node_sql};
use crate::directory::sql::Sql;

/// What a user who was read must meet.
#[derive(Clone, Debug)]
pub(in crate::directory) struct Check {
    root: Part,
    /// The parts that SQL computes.
    bits: Vec<Sql>,
}

#[derive(Clone, Debug)]
enum Part {
    All(Vec<Part>),
    Any(Vec<Part>),
    Not(Box<Part>),
    /// The part of this number, that SQL computes.
    Bit(u32),
    /// Names, username or id.
    Search(SearchTerm),
    /// First and last name.
    Name(SearchTerm),
}

// Each part that SQL computes is a bit of a BIGINT.
const _: () = assert!(MAX_BESIDE_NAMES < 63);

/// What must be checked of users who meet the [conditions](super::super::conditions) of a selection;
/// `None` if nothing is left to be checked.
pub(in crate::directory) fn check(selection: &Selection, known: &Known) -> Option<Check> {
    let mut bits = Vec::new();
    let mut parts = Vec::new();
    for node in selection.conditions() {
        if node_sql(node, selection, known).is_none() {
            parts.push(part(node, selection, known, &mut bits));
        }
    }
    (!parts.is_empty()).then_some(Check { root: Part::All(parts), bits })
}

fn part(node: &FilterNode, selection: &Selection, known: &Known, bits: &mut Vec<Sql>) -> Part {
    if let Some(sql) = node_sql(node, selection, known) {
        let number = u32::try_from(bits.len()).unwrap_or(u32::MAX);
        bits.push(sql);
        return Part::Bit(number);
    }
    let mut parts = |nodes: &[FilterNode]| {
        nodes.iter().map(|node| part(node, selection, known, bits)).collect::<Vec<Part>>()
    };
    match node {
        FilterNode::All(nodes) => Part::All(parts(nodes)),
        FilterNode::Any(nodes) => Part::Any(parts(nodes)),
        FilterNode::Not(node) => Part::Not(Box::new(part(node, selection, known, bits))),
        FilterNode::Term(Term::Name(term)) => Part::Name(term.clone()),
        FilterNode::Term(Term::Search(term)) => Part::Search(term.clone()),
        // Every other term is SQL.
        FilterNode::Term(_) => Part::Any(Vec::new()),
    }
}

impl Check {
    /// An expression with a bit for each part that SQL computes.
    pub(in crate::directory) fn mask(&self) -> Sql {
        let bit = |(number, sql): (usize, &Sql)| {
            let value = 1_u64 << number.min(MAX_BESIDE_NAMES);
            Sql::between(
                "CASE WHEN ",
                sql.clone(),
                &format!(" THEN CAST({value} AS BIGINT) ELSE 0 END"),
            )
        };
        let bits = self.bits.iter().enumerate().map(bit).collect();
        Sql::between("CAST(", Sql::joined(bits, " + ", "0"), " AS BIGINT)")
    }

    /// Whether a user meets it, whose row has this mask.
    pub(in crate::directory) fn is_met(&self, user: &TelegramUser, mask: i64) -> bool {
        self.root.is_met(user, mask)
    }
}

impl Part {
    fn is_met(&self, user: &TelegramUser, mask: i64) -> bool {
        match self {
            Self::All(parts) => parts.iter().all(|part| part.is_met(user, mask)),
            Self::Any(parts) => parts.iter().any(|part| part.is_met(user, mask)),
            Self::Not(part) => !part.is_met(user, mask),
            Self::Bit(number) => mask >> (*number).min(63) & 1 == 1,
            Self::Search(term) => {
                term.id() == Some(user.telegram_id) || SearchText::of(user).matches(term)
            }
            Self::Name(term) => SearchText::of_names(user).matches(term),
        }
    }
}
