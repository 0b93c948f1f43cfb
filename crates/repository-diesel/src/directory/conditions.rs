//! The conditions of a selection, and which index finds the users that meet each.

use rollcall_domain::{DayField, FilterNode, Selection, SortKey, Term};

use super::{
    filter::{Known, Rows, node_sql, rows_of},
    sql::Sql,
};

/// A condition on users.
#[derive(Clone, Debug)]
pub(super) struct Condition {
    /// Which index finds the users that meet it.
    pub(super) index: IndexUse,
    /// The condition.
    pub(super) sql: Sql,
    /// A query of the ids of the users that meet it, which reads no other rows.
    pub(super) ids: Option<Sql>,
}

/// Which index finds the users that meet a condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum IndexUse {
    /// An index over one value of a column, sorted by first day within the value.
    Value,
    /// An index over several values of a column; each value has an order of its own.
    Values,
    /// The index of a sort key, in a range of which the users are.
    Range(SortKey),
    /// None.
    Scan,
}

impl Condition {
    /// Whether an index finds the users that meet it.
    pub(super) fn has_index(&self) -> bool {
        self.index != IndexUse::Scan
    }

    /// Whether the index of a sort key finds the users that meet it, in that order.
    pub(super) fn narrows(&self, key: SortKey) -> bool {
        match self.index {
            IndexUse::Value => key == SortKey::FirstSeen,
            IndexUse::Range(range) => range == key,
            IndexUse::Values | IndexUse::Scan => false,
        }
    }
}

/// How many subqueries PostgreSQL may turn into joins, which is fast for many users. It plans 200 of
/// them for 11 seconds. Others are evaluated for each user.
const JOINED_SUBQUERIES: usize = 4;

/// The conditions of a selection. One that depends on names is left out, because it is checked when
/// a user has been read.
pub(super) fn conditions(selection: &Selection, known: &Known) -> Vec<Condition> {
    let mut subqueries = 0;
    let parts = selection.conditions().iter();
    parts
        .filter_map(|node| {
            let mut sql = node_sql(node, selection, known)?;
            if sql.has_exists() {
                subqueries += 1;
                if subqueries > JOINED_SUBQUERIES {
                    sql = Sql::between("(", sql, ") IS TRUE");
                }
            }
            let (index, ids) = (index_of(node, known, selection), ids_of(node, known, selection));
            Some(Condition { index, sql, ids })
        })
        .collect()
}

/// A query of the ids of the users with a label or a note: each has an index.
fn ids_of(node: &FilterNode, known: &Known, selection: &Selection) -> Option<Sql> {
    let FilterNode::Term(term @ (Term::Tag(_) | Term::Group(_) | Term::Note)) = node else {
        return None;
    };
    let Rows { from, table, condition } = rows_of(term, selection, known)?;
    Some(Sql::between(&format!("SELECT {table}.telegram_id FROM {from} WHERE "), condition, ""))
}

fn index_of(node: &FilterNode, known: &Known, selection: &Selection) -> IndexUse {
    let FilterNode::Term(term) = node else {
        return match node {
            // An index finds users without a language, but PostgreSQL does not read it in order.
            FilterNode::Not(part) if is_any_language(part) => IndexUse::Values,
            _ => IndexUse::Scan,
        };
    };
    match term {
        Term::Language(patterns) => match known.languages_of(patterns) {
            Some(codes) if codes.len() == 1 => IndexUse::Value,
            Some(_) => IndexUse::Values,
            None => IndexUse::Scan,
        },
        Term::Source(payloads) => match payloads.as_slice() {
            [payload] if !payload.is_beginning => IndexUse::Value,
            payloads if payloads.iter().all(|it| !it.is_beginning) => IndexUse::Values,
            _ => IndexUse::Scan,
        },
        Term::Id(_) => IndexUse::Values,
        Term::Username(name) if !name.is_beginning => IndexUse::Values,
        Term::Blocked | Term::Bot => IndexUse::Value,
        Term::Day(DayField::Joined, _) => IndexUse::Range(SortKey::FirstSeen),
        Term::Day(DayField::Seen, _) if selection.is_in_utc() => IndexUse::Range(SortKey::LastSeen),
        Term::ActiveDays(_) => IndexUse::Range(SortKey::ActiveDays),
        _ => IndexUse::Scan,
    }
}

fn is_any_language(node: &FilterNode) -> bool {
    matches!(node, FilterNode::Term(Term::Language(patterns))
        if patterns.iter().any(|it| it.is_beginning && it.text.is_empty()))
}
