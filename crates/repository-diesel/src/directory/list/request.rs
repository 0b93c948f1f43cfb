use diesel::prelude::*;
use rollcall_domain::{Cursor, ListedUser, SearchTerm, SearchText, UserSort};

use super::place::Place;
use crate::{
    base::{connection::AnyConnection, error::Failure, schema::telegram_users, statement::Columns},
    directory::conditions::{Condition, Sql},
    row::columns::{UserRow, columns},
};

/// The page that is requested.
#[derive(Clone)]
pub(super) struct Request<'a> {
    pub(super) conditions: Vec<Condition>,
    pub(super) term: Option<&'a SearchTerm>,
    pub(super) sort: UserSort,
    pub(super) cursor: Option<Cursor>,
    pub(super) size: usize,
}

impl Request<'_> {
    /// The users that `inner` selects, that meet the conditions and match the term.
    pub(super) fn load<'a>(
        &self,
        connection: &mut AnyConnection,
        inner: Sql,
        conditions: impl Iterator<Item = &'a Sql>,
    ) -> Result<Vec<ListedUser>, Failure> {
        let mut sql = Sql::new(concat!("SELECT ", columns!(row name), ", active_days FROM ("));
        sql.append(inner).push(") AS users WHERE ").push_all(conditions);
        let mut users = Vec::new();
        let rows: Vec<ListedRow> = sql.returning::<Columns<ListedRow>>().load(connection)?;
        for ListedRow { user, active_days } in rows {
            let active_days = active_days.try_into().unwrap_or_default();
            users.push(ListedUser { user: user.into_user()?, active_days });
        }
        if let Some(term) = self.term {
            users.retain(|ListedUser { user, .. }| {
                term.id() == Some(user.telegram_id) || SearchText::of(user).matches(term)
            });
        }
        Ok(users)
    }

    /// Sorts users as the list is sorted.
    pub(super) fn sort(&self, users: &mut [ListedUser]) {
        sort(users, self.sort);
    }

    /// The cursor at a user of the list.
    pub(super) fn cursor_at(&self, user: &ListedUser, backwards: bool) -> Cursor {
        let key = self.sort.key;
        let Place { value, telegram_id } = Place::of(user, key);
        Cursor { key, backwards, value, telegram_id }
    }
}

/// Sorts users in memory.
pub(super) fn sort(users: &mut [ListedUser], UserSort { key, descending }: UserSort) {
    users.sort_by_key(|user| Place::of(user, key));
    if descending {
        users.reverse();
    }
}

/// A user of a list, as its row describes it.
#[derive(Queryable, Selectable)]
#[diesel(table_name = telegram_users)]
struct ListedRow {
    #[diesel(embed)]
    user: UserRow,
    active_days: i32,
}
