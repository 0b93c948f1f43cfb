use rollcall_domain::{FilterNode, Selection, Term};

use super::{Known, term::term_sql};
use crate::directory::sql::Sql;

/// That a user is not a bot.
pub(in crate::directory) const NOT_BOT: &str = "NOT users.is_bot";

/// A part of a selection as a condition; `None` if it depends on names, which SQL does not compare.
/// It is true, false or NULL, where NULL means false.
pub(in crate::directory) fn node_sql(
    node: &FilterNode,
    selection: &Selection,
    known: &Known,
) -> Option<Sql> {
    let parts = |parts: &[FilterNode]| {
        parts.iter().map(|part| node_sql(part, selection, known)).collect::<Option<Vec<Sql>>>()
    };
    Some(match node {
        FilterNode::All(nodes) => Sql::combined(parts(nodes)?, " AND ", "TRUE"),
        FilterNode::Any(nodes) => Sql::combined(parts(nodes)?, " OR ", "FALSE"),
        FilterNode::Not(part) => match &**part {
            // The column is never NULL, and so is its index condition simpler.
            FilterNode::Term(Term::Bot) => Sql::new(NOT_BOT),
            FilterNode::Term(Term::Language(patterns))
                if patterns.iter().any(|it| it.is_beginning && it.text.is_empty()) =>
            {
                Sql::new("users.language_code IS NULL")
            }
            part => {
                let part = node_sql(part, selection, known)?;
                match part.is_exists() {
                    // PostgreSQL can turn this into a join.
                    true => Sql::between("NOT ", part, ""),
                    false => Sql::between("(", part, ") IS NOT TRUE"),
                }
            }
        },
        FilterNode::Term(term) => term_sql(term, selection, known)?,
    })
}
