//! What a selection needs to know of the database before its SQL can be written.

use std::collections::BTreeMap;

use diesel::{
    OptionalExtension as _, QueryResult, RunQueryDsl,
    sql_types::{BigInt, Text},
};
use rollcall_domain::{LabelName, Pattern, Selection, Term};

use crate::{base::connection::AnyConnection, directory::sql::Sql};

/// How many languages are looked up at most. Telegram's apps have about a hundred; whoever writes an
/// app can send others.
const MAX_LANGUAGES: usize = 1_000;

/// The languages and labels that are stored.
#[derive(Clone, Debug, Default)]
pub(in crate::directory) struct Known {
    /// The languages of users; `None` if there are too many.
    languages: Option<Vec<String>>,
    /// The numbers of the tags and groups that the selection names.
    labels: BTreeMap<(&'static str, String), i64>,
    pub(super) is_postgres: bool,
}

impl Known {
    /// Looks up what the terms of a selection need.
    pub(in crate::directory) fn read(
        connection: &mut AnyConnection,
        selection: &Selection,
    ) -> QueryResult<Self> {
        let is_postgres = matches!(connection, AnyConnection::Postgres(_));
        let mut known = Self { is_postgres, ..Self::default() };
        let mut has_language = false;
        for term in selection.node().terms() {
            match term {
                Term::Language(_) => has_language = true,
                Term::Tag(names) => known.read_labels(connection, "tag", names)?,
                Term::Group(names) => known.read_labels(connection, "group", names)?,
                _ => {}
            }
        }
        if has_language {
            known.languages = languages(connection)?;
        }
        Ok(known)
    }

    /// What is known where these languages are stored.
    #[cfg(test)]
    pub(in crate::directory) fn of_languages(codes: &[&str]) -> Self {
        let codes = codes.iter().map(|code| (*code).to_owned()).collect();
        Self { languages: Some(codes), ..Self::default() }
    }

    /// The stored languages that match, if they are known.
    pub(in crate::directory) fn languages_of(&self, patterns: &[Pattern]) -> Option<Vec<&str>> {
        let matches =
            |code: &&String| patterns.iter().any(|pattern| pattern.matches_any_case(code));
        Some(self.languages.as_ref()?.iter().filter(matches).map(String::as_str).collect())
    }

    /// The numbers of labels; those that do not exist are left out.
    pub(super) fn labels_of(&self, kind: &'static str, names: &[LabelName]) -> Vec<i64> {
        let number = |name: &LabelName| self.labels.get(&(kind, name.to_string())).copied();
        names.iter().filter_map(number).collect()
    }

    fn read_labels(
        &mut self,
        connection: &mut AnyConnection,
        kind: &'static str,
        names: &[LabelName],
    ) -> QueryResult<()> {
        for name in names {
            let text =
                format!("SELECT CAST(id AS BIGINT) FROM labels WHERE kind = '{kind}' AND name = $");
            let sql = Sql::with(&text, name.as_str()).returning::<BigInt>();
            let id: Option<i64> = sql.get_result(connection).optional()?;
            if let Some(id) = id {
                self.labels.insert((kind, name.to_string()), id);
            }
        }
        Ok(())
    }
}

/// Every language of a user. Each is one step along its index, whatever the number of users.
fn languages(connection: &mut AnyConnection) -> QueryResult<Option<Vec<String>>> {
    let sql = Sql::new(format!(
        "WITH RECURSIVE codes(code) AS (SELECT MIN(language_code) FROM telegram_users UNION ALL \
         SELECT (SELECT MIN(language_code) FROM telegram_users WHERE language_code > codes.code) \
         FROM codes WHERE codes.code IS NOT NULL) \
         SELECT code FROM codes WHERE code IS NOT NULL LIMIT {}",
        MAX_LANGUAGES + 1
    ));
    let codes: Vec<String> = sql.returning::<Text>().load(connection)?;
    Ok((codes.len() <= MAX_LANGUAGES).then_some(codes))
}
