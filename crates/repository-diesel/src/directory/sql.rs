//! SQL that is composed for each request. Numbers and days are part of the text, words are
//! parameters.

use std::marker::PhantomData;

use diesel::{
    QueryResult, RunQueryDsl,
    query_builder::{AstPass, Query, QueryFragment, QueryId},
    sql_types::Text,
};

use crate::base::connection::{AnyConnection, MultiBackend};

/// A statement, or a part of one: a text with a `$` for each parameter, and the parameters.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Sql {
    text: String,
    parameters: Vec<String>,
}

impl Sql {
    /// A text without parameters.
    pub(super) fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), parameters: Vec::new() }
    }

    /// A text with one parameter. U+0000 is in no row, and PostgreSQL takes it in no parameter.
    pub(super) fn with(text: &str, parameter: &str) -> Self {
        if parameter.contains('\0') {
            return Self::new("FALSE");
        }
        Self { text: text.to_owned(), parameters: vec![parameter.to_owned()] }
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

    /// Whether it is a subquery that asks for a row.
    pub(super) fn is_exists(&self) -> bool {
        self.text.starts_with("EXISTS")
    }

    /// Whether it is this text, without parameters.
    pub(super) fn is(&self, text: &str) -> bool {
        self.text == text && self.parameters.is_empty()
    }

    /// How many bytes and parameters it has.
    pub(super) fn size(&self) -> (usize, usize) {
        (self.text.len(), self.parameters.len())
    }

    /// Adds a text.
    pub(super) fn push(&mut self, text: &str) -> &mut Self {
        self.text.push_str(text);
        self
    }

    /// Adds another part.
    pub(super) fn append(&mut self, Self { text, parameters }: Self) -> &mut Self {
        self.parameters.extend(parameters);
        self.push(&text)
    }

    /// Adds conditions, joined by AND.
    pub(super) fn push_all<'a>(&mut self, conditions: impl Iterator<Item = &'a Self>) -> &mut Self {
        self.push("TRUE");
        for Self { text, parameters } in conditions {
            self.push(" AND ").push(text);
            self.parameters.extend_from_slice(parameters);
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
        let Sql { text, parameters } = &self.sql;
        let mut parts = text.split('$');
        out.push_sql(parts.next().unwrap_or_default());
        for (parameter, part) in parameters.iter().zip(parts) {
            out.push_bind_param::<Text, _>(parameter)?;
            out.push_sql(part);
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
