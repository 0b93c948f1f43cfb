//! SQL that is composed for each request. Numbers and days are part of the text, words are
//! parameters.

use std::marker::PhantomData;

use diesel::{
    QueryResult, RunQueryDsl,
    query_builder::{AstPass, Query, QueryFragment, QueryId},
    sql_types::Text,
};

use crate::base::connection::{AnyConnection, MultiBackend};

/// A statement, or a part of one.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Sql(Vec<Piece>);

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Piece {
    Text(String),
    Parameter(String),
    /// The start of a subquery that asks for a row of a user in this table, up to its condition.
    Exists {
        from: String,
        table: &'static str,
    },
    EndOfExists,
}

impl Sql {
    /// A text without parameters.
    pub(super) fn new(text: impl Into<String>) -> Self {
        Self(vec![Piece::Text(text.into())])
    }

    /// A text with one parameter, in the place of `$`. U+0000 is in no row, and PostgreSQL takes it in
    /// no parameter.
    pub(super) fn with(text: &str, parameter: &str) -> Self {
        if parameter.contains('\0') {
            return Self::new("FALSE");
        }
        let (before, after) = text.split_once('$').unwrap_or((text, ""));
        let [before, after] = [before, after].map(|text| Piece::Text(text.to_owned()));
        Self(vec![before, Piece::Parameter(parameter.to_owned()), after])
    }

    /// That `table`, which is one of `from`, has a row of the user which meets a condition. It is never
    /// NULL.
    pub(super) fn exists(from: &str, table: &'static str, condition: Self) -> Self {
        let mut all = Self(vec![Piece::Exists { from: from.to_owned(), table }]);
        all.append(condition).0.push(Piece::EndOfExists);
        all
    }

    /// Parts with a text between them, in parentheses; the text `none` if there are no parts.
    pub(super) fn joined(parts: Vec<Self>, between: &str, none: &str) -> Self {
        let mut all = Self::new("(");
        let is_empty = parts.is_empty();
        for (place, part) in parts.into_iter().enumerate() {
            all.push(if place > 0 { between } else { "" }).append(part);
        }
        all.push(if is_empty { none } else { "" }).push(")");
        all
    }

    /// Conditions with AND or OR between them, in parentheses that halve them: an expression of many
    /// conditions is then not deep. SQLite refuses one that is more than 1,000 deep.
    pub(super) fn combined(mut parts: Vec<Self>, operator: &str, none: &str) -> Self {
        if parts.len() > 8 {
            let rest = parts.split_off(parts.len() / 2);
            parts = [parts, rest].map(|half| Self::combined(half, operator, none)).into();
        }
        Self::joined(parts, operator, none)
    }

    /// The part between two texts.
    pub(super) fn between(before: &str, part: Self, after: &str) -> Self {
        let mut all = Self::new(before);
        all.append(part).push(after);
        all
    }

    /// Whether it is this text, without parameters.
    pub(super) fn is(&self, text: &str) -> bool {
        matches!(self.0.as_slice(), [Piece::Text(it)] if it == text)
    }

    /// Whether it is a subquery that asks for a row.
    pub(super) fn is_exists(&self) -> bool {
        matches!(self.0.first(), Some(Piece::Exists { .. }))
    }

    /// Whether it has a subquery that asks for a row.
    pub(super) fn has_exists(&self) -> bool {
        self.0.iter().any(|piece| matches!(piece, Piece::Exists { .. }))
    }

    /// The same where each subquery that asks for a row finds one, or where none does.
    pub(super) fn for_users_with_rows(&self, have_rows: bool) -> Self {
        let mut all = Self::default();
        let mut is_subquery = false;
        for piece in &self.0 {
            match piece {
                Piece::Exists { .. } => is_subquery = true,
                Piece::EndOfExists => {
                    is_subquery = false;
                    all.push(if have_rows { "TRUE" } else { "FALSE" });
                }
                piece if !is_subquery => _ = all.append(Self(vec![piece.clone()])),
                _ => {}
            }
        }
        all
    }

    /// Lets the subqueries be evaluated for each user. PostgreSQL would otherwise join few users with
    /// all rows of the other table, or hash all of these: what an OFFSET limits is never joined.
    pub(super) fn for_few(&mut self) {
        for piece in std::mem::take(&mut self.0) {
            if piece == Piece::EndOfExists {
                self.push(" LIMIT 1 OFFSET 0");
            }
            self.0.push(piece);
        }
    }

    /// Lets the subqueries look only at users after an id, up to another one. That changes no result
    /// where users of this range are selected, and lets PostgreSQL read the same range of the other
    /// table, instead of all of it.
    pub(super) fn within(&mut self, after: i64, last: Option<i64>) {
        let pieces = std::mem::take(&mut self.0);
        for piece in pieces {
            let range = match &piece {
                Piece::Exists { table, .. } => {
                    let until = last.map(|last| format!("{table}.telegram_id <= {last} AND "));
                    format!("{table}.telegram_id > {after} AND {}", until.unwrap_or_default())
                }
                _ => String::new(),
            };
            self.0.push(piece);
            self.push(&range);
        }
    }

    /// How many bytes and parameters it has.
    pub(super) fn size(&self) -> (usize, usize) {
        let bytes = self.0.iter().map(|piece| match piece {
            Piece::Text(text) => text.len(),
            Piece::Parameter(_) => 4,
            Piece::Exists { from, table } => 64 + from.len() + table.len(),
            Piece::EndOfExists => 1,
        });
        let is_parameter = |piece: &&Piece| matches!(piece, Piece::Parameter(_));
        (bytes.sum(), self.0.iter().filter(is_parameter).count())
    }

    /// Adds a text.
    pub(super) fn push(&mut self, text: &str) -> &mut Self {
        match self.0.last_mut() {
            _ if text.is_empty() => {}
            Some(Piece::Text(last)) => last.push_str(text),
            _ => self.0.push(Piece::Text(text.to_owned())),
        }
        self
    }

    /// Adds another part.
    pub(super) fn append(&mut self, Self(pieces): Self) -> &mut Self {
        for piece in pieces {
            match piece {
                Piece::Text(text) => _ = self.push(&text),
                piece => self.0.push(piece),
            }
        }
        self
    }

    /// Adds conditions, joined by AND.
    pub(super) fn push_all<'a>(&mut self, conditions: impl Iterator<Item = &'a Self>) -> &mut Self {
        self.push("TRUE");
        for condition in conditions {
            self.push(" AND ").append(condition.clone());
        }
        self
    }

    /// The statement, ready to run, with the SQL type of its rows.
    pub(super) fn returning<T>(self) -> Returning<T> {
        Returning { sql: self, rows: PhantomData }
    }
}

/// A statement, and the SQL type of its rows.
pub(super) struct Returning<T> {
    sql: Sql,
    rows: PhantomData<T>,
}

impl<T> QueryFragment<MultiBackend> for Returning<T> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, MultiBackend>) -> QueryResult<()> {
        // Almost every statement is unique, so caching would only fill the cache.
        out.unsafe_to_cache_prepared();
        for piece in &self.sql.0 {
            match piece {
                Piece::Text(text) => out.push_sql(text),
                Piece::Parameter(parameter) => out.push_bind_param::<Text, _>(parameter)?,
                Piece::Exists { from, table } => {
                    out.push_sql("EXISTS (SELECT 1 FROM ");
                    out.push_sql(from);
                    out.push_sql(" WHERE ");
                    out.push_sql(table);
                    out.push_sql(".telegram_id = users.telegram_id AND ");
                }
                Piece::EndOfExists => out.push_sql(")"),
            }
        }
        Ok(())
    }
}
impl<T> QueryId for Returning<T> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<T> Query for Returning<T> {
    type SqlType = T;
}

impl<T> RunQueryDsl<AnyConnection> for Returning<T> {}
