//! Lists with a condition that few users meet: they are sorted in memory.

use diesel::{QueryResult, RunQueryDsl, connection::SimpleConnection, sql_types::BigInt};
use rollcall_domain::{Counted, ListedUser, SearchTerm, UserSlice};

use super::{place::Place, request::Request};
use crate::{
    base::{connection::AnyConnection, error::Failure},
    directory::{
        conditions::Condition,
        search::find::{FEW, Found, find as find_by_name},
        sql::Sql,
    },
};

/// The users of the list, if one of the conditions is met by few users.
pub(super) fn find(
    connection: &mut AnyConnection,
    request: &Request,
) -> Result<Option<Vec<ListedUser>>, Failure> {
    let matching = match request.term {
        Some(term) => term_condition(connection, term)?,
        None => None,
    };
    use_indexes(connection)?;
    if let Some(condition) = matching {
        return users_among(connection, request, &condition).map(Some);
    }
    for condition in request.conditions.iter().filter(|condition| condition.has_index()) {
        if is_met_by_few(connection, condition)? {
            return users_among(connection, request, &condition.sql).map(Some);
        }
    }
    for ids in request.conditions.iter().filter_map(|condition| condition.ids.as_ref()) {
        if are_few(connection, ids)? {
            let condition = Sql::between("users.telegram_id IN (", ids.clone(), ")");
            return users_among(connection, request, &condition).map(Some);
        }
    }
    Ok(None)
}

/// Makes PostgreSQL read along indexes. It guesses how many rows a condition leaves, and may find it
/// cheaper to read and sort all of them. It never is, because all that is read here has a bound.
pub(super) fn use_indexes(connection: &mut AnyConnection) -> QueryResult<()> {
    let AnyConnection::Postgres(connection) = connection else { return Ok(()) };
    connection.batch_execute(
        "SET LOCAL enable_sort = off; SET LOCAL enable_bitmapscan = off; \
         SET LOCAL plan_cache_mode = force_custom_plan",
    )
}

/// The condition that a user is one of those that may match a term, if they are few.
fn term_condition(connection: &mut AnyConnection, term: &SearchTerm) -> QueryResult<Option<Sql>> {
    let Found::Few(mut ids) = find_by_name(connection, term)? else { return Ok(None) };
    ids.extend(term.id().map(|id| id.get()));
    if ids.is_empty() {
        return Ok(Some(Sql::new("FALSE")));
    }
    let ids: Vec<String> = ids.iter().map(i64::to_string).collect();
    Ok(Some(Sql::new(format!("telegram_id IN ({})", ids.join(", ")))))
}

fn is_met_by_few(connection: &mut AnyConnection, condition: &Condition) -> QueryResult<bool> {
    let users = "SELECT 1 FROM telegram_users AS users WHERE ";
    are_few(connection, &Sql::between(users, condition.sql.clone(), ""))
}

fn are_few(connection: &mut AnyConnection, rows: &Sql) -> QueryResult<bool> {
    let end = format!(" LIMIT {}) AS few", FEW + 1);
    let sql = Sql::between("SELECT COUNT(*) FROM (", rows.clone(), &end);
    let number: i64 = sql.returning::<BigInt>().get_result(connection)?;
    Ok(usize::try_from(number).is_ok_and(|number| number <= FEW))
}

/// The users that meet a condition, which are few, and the other conditions.
fn users_among(
    connection: &mut AnyConnection,
    request: &Request,
    condition: &Sql,
) -> Result<Vec<ListedUser>, Failure> {
    let mut inner = Sql::new("SELECT * FROM telegram_users AS users WHERE ");
    inner
        .push_all([condition].into_iter())
        // Keeps the conditions apart, so that each database uses the index of this one.
        .push(&format!(" LIMIT {}", FEW + 2));
    request.load(connection, inner, request.conditions.iter().map(|it| &it.sql))
}

/// The page, of all users in the list.
pub(super) fn page(request: &Request, mut users: Vec<ListedUser>) -> UserSlice {
    request.sort(&mut users);
    let all = users.len();
    let start = start(request, &users);
    let rows: Vec<ListedUser> = users.into_iter().skip(start).take(request.size).collect();
    let has_next = start + rows.len() < all;
    UserSlice {
        previous: rows.first().filter(|_| start > 0).map(|user| request.cursor_at(user, true)),
        next: rows.last().filter(|_| has_next).map(|user| request.cursor_at(user, false)),
        count: Counted::Exactly(u64::try_from(all).unwrap_or(u64::MAX)),
        is_partial: false,
        rows,
    }
}

/// The index of the page's first user in the whole list.
fn start(request: &Request, users: &[ListedUser]) -> usize {
    let Some(cursor) = request.cursor else { return 0 };
    let mark = Place::at(cursor);
    let is_before = |user: &ListedUser| {
        let place = Place::of(user, cursor.key);
        if request.sort.descending { place > mark } else { place < mark }
    };
    if cursor.backwards {
        users.partition_point(is_before).saturating_sub(request.size)
    } else {
        users.partition_point(|user| is_before(user) || Place::of(user, cursor.key) == mark)
    }
}
