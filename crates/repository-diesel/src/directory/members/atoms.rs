//! The atoms of selections, and how the selections follow from them.

use std::collections::BTreeMap;

use rollcall_domain::{FilterNode, Selection, Term};

use super::bits::Bits;
use crate::directory::{
    filter::{Known, Rows, node_sql, rows_of},
    sql::Sql,
};

/// A condition, and the number of its atom.
pub(super) type Numbered = (usize, Sql);

/// What must be known of each user.
#[derive(Default)]
pub(super) struct Atoms {
    /// How many there are.
    pub(super) count: usize,
    /// Conditions on the user's own row.
    pub(super) users: Vec<Numbered>,
    /// Conditions on rows of other tables, by where they are.
    pub(super) rows: BTreeMap<From, Vec<Numbered>>,
    /// Terms that compare names.
    pub(super) names: Vec<(usize, Term)>,
    numbers: BTreeMap<(Option<From>, Sql), usize>,
}

/// The table with the column `telegram_id`, alone or joined with others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct From {
    pub(super) table: &'static str,
    pub(super) joined: &'static str,
}

/// How a selection follows from the atoms.
pub(super) enum Tree {
    All(Vec<Tree>),
    Any(Vec<Tree>),
    Not(Box<Tree>),
    Atom(usize),
}

impl Atoms {
    /// Adds the atoms of a selection.
    pub(super) fn add(&mut self, selection: &Selection, known: &Known) -> Tree {
        self.node(selection.node(), selection, known)
    }

    fn node(&mut self, node: &FilterNode, selection: &Selection, known: &Known) -> Tree {
        let mut parts = |nodes: &[FilterNode]| {
            nodes.iter().map(|node| self.node(node, selection, known)).collect::<Vec<Tree>>()
        };
        match node {
            FilterNode::All(nodes) => Tree::All(parts(nodes)),
            FilterNode::Any(nodes) => Tree::Any(parts(nodes)),
            FilterNode::Not(node) => Tree::Not(Box::new(self.node(node, selection, known))),
            FilterNode::Term(term) => Tree::Atom(self.term(term, node, selection, known)),
        }
    }

    fn term(
        &mut self,
        term: &Term,
        node: &FilterNode,
        selection: &Selection,
        known: &Known,
    ) -> usize {
        if let Some(Rows { from: joined, table, condition }) = rows_of(term, selection, known) {
            return self.number(Some(From { table, joined }), condition);
        }
        if let Some(condition) = node_sql(node, selection, known) {
            return self.number(None, condition);
        }
        if let Some((number, _)) = self.names.iter().find(|(_, other)| other == term) {
            return *number;
        }
        let number = self.count;
        self.count += 1;
        self.names.push((number, term.clone()));
        number
    }

    fn number(&mut self, from: Option<From>, condition: Sql) -> usize {
        let key = (from, condition.clone());
        if let Some(number) = self.numbers.get(&key) {
            return *number;
        }
        let number = self.count;
        self.count += 1;
        self.numbers.insert(key, number);
        match from {
            Some(from) => self.rows.entry(from).or_default().push((number, condition)),
            None => self.users.push((number, condition)),
        }
        number
    }
}

impl Tree {
    /// The users of the selection, from those of each atom.
    pub(super) fn users(&self, atoms: &[Bits], places: usize) -> Bits {
        match self {
            Self::All(parts) => {
                parts.iter().fold(Bits::all(places), |all, it| all.and(&it.users(atoms, places)))
            }
            Self::Any(parts) => {
                parts.iter().fold(Bits::none(places), |any, it| any.or(&it.users(atoms, places)))
            }
            Self::Not(part) => part.users(atoms, places).inverted(),
            Self::Atom(number) => atoms.get(*number).cloned().unwrap_or_else(|| Bits::none(places)),
        }
    }
}
