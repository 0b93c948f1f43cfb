//! What a selection needs to know of the database before its SQL can be written.

use std::collections::BTreeMap;

use diesel::{QueryDsl, QueryResult, RunQueryDsl, sql_types::Text};
use rollcall_domain::{LabelKind, LabelName, Pattern, Selection, Term};

use crate::{
    base::{connection::AnyConnection, schema::labels},
    broadcasts::week::Week,
    directory::sql::Sql,
};

/// How many languages are looked up at most. Telegram's apps have about a hundred, and other
/// apps can send any.
const MAX_LANGUAGES: usize = 1_000;

/// The languages and labels that are stored.
#[derive(Clone, Debug, Default)]
pub(in crate::directory) struct Known {
    /// The languages of users; `None` if there are too many.
    languages: Option<Vec<String>>,
    /// The numbers of all tags and groups by kind and name, if the selection names any.
    labels: BTreeMap<(String, String), i32>,
    /// The last week of each category with a cap that the selections name.
    pub(super) weeks: BTreeMap<LabelName, Week>,
    pub(super) is_postgres: bool,
}

impl Known {
    /// Looks up what the terms of a selection need.
    pub(in crate::directory) fn read(
        connection: &mut AnyConnection,
        selection: &Selection,
    ) -> QueryResult<Self> {
        Self::read_all(connection, std::slice::from_ref(selection))
    }

    /// Looks up what the terms of several selections need.
    pub(in crate::directory) fn read_all(
        connection: &mut AnyConnection,
        selections: &[Selection],
    ) -> QueryResult<Self> {
        let terms: Vec<&Term> = selections.iter().flat_map(|it| it.node().terms()).collect();
        let has = |is_of: fn(&Term) -> bool| terms.iter().any(|term| is_of(term));
        let mut known = Self {
            is_postgres: matches!(connection, AnyConnection::Postgres(_)),
            ..Self::default()
        };
        if has(|term| matches!(term, Term::Language(_))) {
            known.languages = languages(connection)?;
        }
        if has(|term| matches!(term, Term::Tag(_) | Term::Group(_))) {
            let all: Vec<(String, String, i32)> =
                labels::table.select((labels::kind, labels::name, labels::id)).load(connection)?;
            known.labels = all.into_iter().map(|(kind, name, id)| ((kind, name), id)).collect();
        }
        for selection in selections {
            let named = selection.node().terms().filter_map(|term| match term {
                Term::Capped(names) => Some(names),
                _ => None,
            });
            for name in named.flatten() {
                if let Some(week) = Week::of(connection, name.as_str(), selection.now())? {
                    known.weeks.insert(name.clone(), week);
                }
            }
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
    pub(super) fn labels_of(&self, kind: LabelKind, names: &[LabelName]) -> Vec<i32> {
        let key = |name: &LabelName| (kind.name().to_owned(), name.to_string());
        names.iter().filter_map(|name| self.labels.get(&key(name)).copied()).collect()
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
