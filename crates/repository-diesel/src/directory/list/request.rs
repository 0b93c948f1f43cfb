use diesel::{prelude::*, sql_types::BigInt};
use rollcall_domain::{Cursor, ListedUser, SearchTerm, UserSort};

use super::place::Place;
use crate::{
    base::{connection::AnyConnection, error::Failure, schema::telegram_users, statement::Columns},
    directory::{conditions::Condition, filter::Check, sql::Sql},
    row::columns::{UserRow, columns},
};

/// The page that is requested.
#[derive(Clone)]
pub(super) struct Request<'a> {
    pub(super) conditions: Vec<Condition>,
    /// What is checked when a user has been read.
    pub(super) check: Option<Check>,
    /// A term that each user's names match.
    pub(super) term: Option<&'a SearchTerm>,
    pub(super) sort: UserSort,
    pub(super) cursor: Option<Cursor>,
    pub(super) size: usize,
}

impl Request<'_> {
    /// The users that `inner` selects, that meet the conditions and the check.
    pub(super) fn load<'a>(
        &self,
        connection: &mut AnyConnection,
        inner: Sql,
        conditions: impl Iterator<Item = &'a Sql>,
    ) -> Result<Vec<ListedUser>, Failure> {
        let mut mask =
            self.check.as_ref().map_or_else(|| Sql::new("CAST(0 AS BIGINT)"), Check::mask);
        mask.for_few();
        let mut met = Sql::default();
        met.push_all(conditions);
        met.for_few();
        let mut sql = Sql::new(concat!("SELECT ", columns!(row name), ", active_days, "));
        sql.append(mask).push(" FROM (").append(inner).push(") AS users WHERE ").append(met);
        let mut users = Vec::new();
        let rows: Vec<(ListedRow, i64)> =
            sql.returning::<(Columns<ListedRow>, BigInt)>().load(connection)?;
        for (ListedRow { user, active_days }, mask) in rows {
            let user = user.into_user()?;
            if self.check.as_ref().is_none_or(|check| check.is_met(&user, mask)) {
                let active_days = active_days.try_into().unwrap_or_default();
                users.push(ListedUser { user, active_days });
            }
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
