//! Selections that ask for rows of one other table.

use rollcall_domain::{FilterNode, Selection, Term};

use super::{
    Known,
    term::{Rows, rows_of},
};

/// The only rows of another table that a selection asks for.
pub(in crate::directory) struct OneTable {
    pub(in crate::directory) rows: Rows,
    /// Whether users without such a row may be selected because they have none, rather than users with
    /// one because they have one.
    pub(in crate::directory) is_negated: bool,
    /// Whether it is a condition of its own: no user is selected with and without such a row alike.
    pub(in crate::directory) is_condition: bool,
}

/// The rows that a selection asks for, if it names the same ones everywhere, and either always negates
/// them or never.
pub(in crate::directory) fn one_table(selection: &Selection, known: &Known) -> Option<OneTable> {
    let mut terms = Vec::new();
    add_terms(selection.node(), false, &mut terms);
    let rows = |term: &Term| rows_of(term, selection, known);
    let mut all = terms.iter().filter_map(|(term, is_negated)| Some((rows(term)?, *is_negated)));
    let one = all.next()?;
    if all.any(|other| other != one) {
        return None;
    }
    let is_rows = |node: &FilterNode| matches!(node, FilterNode::Term(it) if rows(it).is_some());
    let is_condition = selection.conditions().iter().any(|node| match node {
        FilterNode::Not(part) => is_rows(part),
        node => is_rows(node),
    });
    let (rows, is_negated) = one;
    Some(OneTable { rows, is_negated, is_condition })
}

/// Adds the terms of a node, and whether each is negated.
fn add_terms<'a>(node: &'a FilterNode, is_negated: bool, terms: &mut Vec<(&'a Term, bool)>) {
    match node {
        FilterNode::All(nodes) | FilterNode::Any(nodes) => {
            nodes.iter().for_each(|node| add_terms(node, is_negated, terms));
        }
        FilterNode::Not(part) => add_terms(part, !is_negated, terms),
        FilterNode::Term(term) => terms.push((term, is_negated)),
    }
}
