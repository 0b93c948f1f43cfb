//! Pages of users who meet conditions, in an order. However many users there are, a page reads a
//! bounded number of them:
//!
//! - If one of the conditions is met by few, which its index tells, these are looked at one by one
//!   and sorted in memory.
//! - Otherwise many meet each of them, and it is likely that many meet all: users are looked at in
//!   the order of the list, from the cursor on, until the page is full or it has been enough.

use chrono::{DateTime, NaiveDate, Utc};
use diesel::{
    connection::SimpleConnection,
    prelude::*,
    sql_types::{BigInt, Date, Integer, Timestamp},
};
use rollcall_domain::{
    Counted, Cursor, Days, Figure, ListedUser, ReachFilter, SearchTerm, SearchText, SortKey,
    UserFilter, UserSlice, UserSort,
};

use super::{
    conditions::{About, Condition, Sql, after, conditions, day_number, order},
    search::{self, FEW, Found},
};
use crate::{
    activity,
    connection::AnyConnection,
    error::Failure,
    row::{UserRow, UserSqlType, user_columns},
    timestamp::UtcMicros,
};

/// How many users are looked at for a page in the order of the list.
const LOOKED_AT: usize = 5_000;
/// How many of them at first; then more at a time.
const FIRST_LOOK: usize = 500;

/// What is asked for.
struct Request<'a> {
    conditions: Vec<Condition>,
    term: Option<&'a SearchTerm>,
    sort: UserSort,
    cursor: Option<Cursor>,
    size: usize,
}

/// See [`DirectoryRepository::users`](rollcall_repository::DirectoryRepository::users). Within a
/// transaction that sees users as they stand at one moment.
pub(super) fn users(
    connection: &mut AnyConnection,
    filter: &UserFilter,
    sort: UserSort,
    cursor: Option<Cursor>,
    size: u32,
) -> Result<UserSlice, Failure> {
    let request = Request {
        conditions: conditions(filter),
        term: filter.search.as_ref(),
        sort,
        cursor: cursor.filter(|cursor| cursor.key == sort.key),
        size: usize::try_from(size).unwrap_or(usize::MAX),
    };
    match few(connection, &request)? {
        Some(few) => Ok(request.page_of_few(few)),
        None => {
            let (slice, looks) = request.walk(connection)?;
            let count = counted(connection, filter, &request, &slice, looks)?;
            Ok(UserSlice { count, ..slice })
        }
    }
}

/// PostgreSQL guesses how many rows a condition leaves, and may find it cheaper to read them all and
/// sort them than to go along an index. It never is, for all that is read has a bound.
fn go_by_index(connection: &mut AnyConnection) -> QueryResult<()> {
    let AnyConnection::Postgres(connection) = connection else { return Ok(()) };
    connection.batch_execute(
        "SET LOCAL enable_sort = off; SET LOCAL enable_bitmapscan = off; \
         SET LOCAL plan_cache_mode = force_custom_plan",
    )
}

/// Whoever meets all the conditions, if few meet one of them.
fn few(
    connection: &mut AnyConnection,
    request: &Request,
) -> Result<Option<Vec<ListedUser>>, Failure> {
    let matching = match request.term {
        Some(term) => term_condition(connection, term)?,
        None => None,
    };
    go_by_index(connection)?;
    if let Some(condition) = matching {
        return request.among(connection, &condition).map(Some);
    }
    for condition in request.conditions.iter().filter(|condition| condition.has_index()) {
        if is_met_by_few(connection, condition)? {
            return request.among(connection, &condition.sql).map(Some);
        }
    }
    Ok(None)
}

/// That a user is one of those who may match a term, if they are few.
fn term_condition(connection: &mut AnyConnection, term: &SearchTerm) -> QueryResult<Option<Sql>> {
    let Found::Few(mut ids) = search::find(connection, term)? else { return Ok(None) };
    ids.extend(term.id().map(|id| id.get()));
    if ids.is_empty() {
        return Ok(Some(Sql::new("FALSE")));
    }
    let ids: Vec<String> = ids.iter().map(i64::to_string).collect();
    Ok(Some(Sql::new(format!("telegram_id IN ({})", ids.join(", ")))))
}

fn is_met_by_few(connection: &mut AnyConnection, condition: &Condition) -> QueryResult<bool> {
    let mut sql = Sql::new("SELECT COUNT(*) FROM (SELECT 1 FROM telegram_users WHERE ");
    sql.push_all([&condition.sql].into_iter()).push(&format!(" LIMIT {}) AS few", FEW + 1));
    let number: i64 = sql.answering::<BigInt>().get_result(connection)?;
    Ok(usize::try_from(number).is_ok_and(|number| number <= FEW))
}

/// A place in an order.
#[derive(Queryable)]
struct PlaceRow {
    telegram_id: i64,
    created_at: UtcMicros,
    active_day: NaiveDate,
    active_days: i32,
}

/// The SQL type of a [`PlaceRow`].
type PlaceSqlType = (BigInt, Timestamp, Date, Integer);

impl PlaceRow {
    fn value(&self, key: SortKey) -> i64 {
        match key {
            SortKey::FirstSeen => DateTime::<Utc>::from(self.created_at).timestamp_micros(),
            SortKey::LastSeen => day_number(self.active_day),
            SortKey::ActiveDays => self.active_days.into(),
            SortKey::Id => self.telegram_id,
        }
    }
}

/// The place of a user in an order: the value of its key, and the id.
fn place(ListedUser { user, active_days }: &ListedUser, key: SortKey) -> (i64, i64) {
    let id = user.telegram_id.get();
    let value = match key {
        SortKey::FirstSeen => user.created_at.timestamp_micros(),
        SortKey::LastSeen => day_number(user.active_day()),
        SortKey::ActiveDays => (*active_days).into(),
        SortKey::Id => id,
    };
    (value, id)
}

impl Request<'_> {
    /// Those of the users who meet one condition, which are few, who meet the others as well.
    fn among(&self, connection: &mut AnyConnection, few: &Sql) -> Result<Vec<ListedUser>, Failure> {
        let mut inner = Sql::default();
        inner
            .push("SELECT * FROM telegram_users WHERE ")
            .push_all([few].into_iter())
            // Keeps the conditions apart, so that each database finds them by that one.
            .push(&format!(" LIMIT {}", FEW + 2));
        let rows = self.load(connection, inner, self.conditions.iter().map(|it| &it.sql))?;
        Ok(rows)
    }

    /// The users whom `inner` selects, who meet the conditions and match the term.
    fn load<'a>(
        &self,
        connection: &mut AnyConnection,
        inner: Sql,
        conditions: impl Iterator<Item = &'a Sql>,
    ) -> Result<Vec<ListedUser>, Failure> {
        let mut sql = Sql::new(concat!("SELECT ", user_columns!(), ", active_days FROM ("));
        sql.append(inner).push(") AS users WHERE ").push_all(conditions);
        let mut users = Vec::new();
        let rows: Vec<(UserRow, i32)> =
            sql.answering::<(UserSqlType, Integer)>().load(connection)?;
        for (row, active_days) in rows {
            let (user, active_days) = (row.into_user()?, super::count(active_days));
            users.push(ListedUser { user, active_days });
        }
        if let Some(term) = self.term {
            users.retain(|ListedUser { user, .. }| {
                term.id() == Some(user.telegram_id) || SearchText::of(user).matches(term)
            });
        }
        Ok(users)
    }

    /// The page, of all users who are in the list.
    fn page_of_few(&self, mut users: Vec<ListedUser>) -> UserSlice {
        let UserSort { key, descending } = self.sort;
        users.sort_by_key(|user| place(user, key));
        if descending {
            users.reverse();
        }
        let all = users.len();
        let start = self.start(&users);
        let rows: Vec<ListedUser> = users.into_iter().skip(start).take(self.size).collect();
        let has_next = start + rows.len() < all;
        UserSlice {
            previous: rows.first().filter(|_| start > 0).map(|user| self.cursor(user, true)),
            next: rows.last().filter(|_| has_next).map(|user| self.cursor(user, false)),
            count: Counted::Exactly(u64::try_from(all).unwrap_or(u64::MAX)),
            is_partial: false,
            rows,
        }
    }

    /// Where the page begins in the whole list.
    fn start(&self, users: &[ListedUser]) -> usize {
        let Some(cursor) = self.cursor else { return 0 };
        let mark = (cursor.value, cursor.telegram_id);
        let is_before = |user: &ListedUser, or_at: bool| {
            let place = place(user, cursor.key);
            (or_at && place == mark)
                || if self.sort.descending { place > mark } else { place < mark }
        };
        if cursor.backwards {
            users.partition_point(|user| is_before(user, false)).saturating_sub(self.size)
        } else {
            users.partition_point(|user| is_before(user, true))
        }
    }

    fn cursor(&self, user: &ListedUser, backwards: bool) -> Cursor {
        let (value, telegram_id) = place(user, self.sort.key);
        Cursor { key: self.sort.key, backwards, value, telegram_id }
    }

    /// The page, found by looking at users in the order of the list. What it counts are those on it.
    fn walk(&self, connection: &mut AnyConnection) -> Result<(UserSlice, Looks), Failure> {
        let is_backwards = self.cursor.is_some_and(|cursor| cursor.backwards);
        let mut walk = Walk {
            sort: UserSort { descending: self.sort.descending != is_backwards, key: self.sort.key },
            from: self.cursor,
            found: Vec::new(),
            looks: Looks::default(),
            end: End::Enough,
        };
        walk.run(connection, self)?;
        if is_backwards && walk.end == End::OfList && walk.found.len() < self.size {
            // Fewer than a page are before: then the page is the first one.
            return Request { cursor: None, conditions: self.conditions.clone(), ..*self }
                .walk(connection);
        }
        let looks = walk.looks;
        Ok((self.slice(walk, is_backwards), looks))
    }

    fn slice(&self, walk: Walk, is_backwards: bool) -> UserSlice {
        let Walk { mut found, from, end, .. } = walk;
        let has_more = found.len() > self.size;
        found.truncate(self.size);
        if is_backwards {
            found.reverse();
        }
        let stopped = from.filter(|_| end == End::Enough && !has_more);
        let ahead = |user: Option<&ListedUser>, backwards| match (stopped, user) {
            (Some(place), _) => Some(Cursor { backwards, ..place }),
            (None, Some(user)) if has_more => Some(self.cursor(user, backwards)),
            _ => None,
        };
        // Whence the page was come to. Where nobody is on it, the place itself.
        let behind = |user: Option<&ListedUser>, backwards| {
            let cursor = self.cursor?;
            Some(match user {
                Some(user) => self.cursor(user, backwards),
                None => self.turned(cursor),
            })
        };
        let (first, last) = (found.first(), found.last());
        let (previous, next) = if is_backwards {
            (ahead(first, true), behind(last, false))
        } else {
            (behind(first, true), ahead(last, false))
        };
        let seen = u64::try_from(found.len()).unwrap_or(u64::MAX);
        let count = if previous.is_none() && next.is_none() {
            Counted::Exactly(seen)
        } else if has_more {
            Counted::MoreThan(seen)
        } else {
            // Whether there are any others is not known.
            seen.checked_sub(1).map_or(Counted::About(0), Counted::MoreThan)
        };
        UserSlice {
            previous,
            next,
            count,
            is_partial: stopped.is_some() && found.len() < self.size,
            rows: found,
        }
    }

    /// How many are in the list at least: more than a few, where more met the only condition.
    fn at_least(&self, slice: &UserSlice) -> Counted {
        match (self.conditions.as_slice(), self.term) {
            ([condition], None) if condition.has_index() => {
                Counted::MoreThan(u64::try_from(FEW).unwrap_or(u64::MAX))
            }
            _ => slice.count,
        }
    }

    /// The cursor of the same place in the other direction: the user next to it is before it now.
    fn turned(&self, cursor: Cursor) -> Cursor {
        let is_up = self.sort.descending == cursor.backwards;
        let telegram_id = cursor.telegram_id.saturating_add(if is_up { 1 } else { -1 });
        Cursor { backwards: !cursor.backwards, telegram_id, ..cursor }
    }
}

/// Looking at users in an order.
struct Walk {
    /// The order, turned round where it goes backwards.
    sort: UserSort,
    /// Behind which place it goes on.
    from: Option<Cursor>,
    /// Those who meet the conditions, up to one more than a page.
    found: Vec<ListedUser>,
    /// How many were looked at, and met them.
    looks: Looks,
    /// Why it ended.
    end: End,
}

/// How many users were looked at, and how many of them are in the list.
#[derive(Clone, Copy, Default)]
struct Looks {
    looked_at: usize,
    matched: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    /// The page is full, or enough users have been looked at.
    Enough,
    /// Nobody else is in the list.
    OfList,
}

impl Walk {
    fn run(&mut self, connection: &mut AnyConnection, request: &Request) -> Result<(), Failure> {
        let key = self.sort.key;
        // Of several kinds one: the index of each has its own order.
        let kind = request.conditions.iter().position(|it| it.about == About::Kind);
        let narrows = |(place, condition): &(usize, &Condition)| {
            condition.narrows(key) && (condition.about != About::Kind || Some(*place) == kind)
        };
        let (narrowing, others): (Vec<_>, Vec<_>) =
            request.conditions.iter().enumerate().partition(narrows);
        let narrowing: Vec<&Condition> = narrowing.into_iter().map(|(_, it)| it).collect();
        let others: Vec<&Sql> = others.into_iter().map(|(_, it)| &it.sql).collect();
        let is_picky = request.term.is_some() || !others.is_empty();
        let mut look = request.size + 1;
        if is_picky {
            look = look.max(FIRST_LOOK);
        }
        loop {
            let inner = self.selected("*", &narrowing, &look.to_string());
            let found = request.load(connection, inner, others.iter().copied())?;
            self.looks.looked_at += look;
            self.looks.matched += found.len();
            self.add(found, request.size);
            if self.found.len() > request.size {
                return Ok(());
            }
            self.from = self.last_place(connection, &narrowing, look)?;
            if self.from.is_none() {
                self.end = End::OfList;
                return Ok(());
            }
            if self.looks.looked_at >= LOOKED_AT {
                return Ok(());
            }
            look = (look * 4).min(LOOKED_AT - self.looks.looked_at);
        }
    }

    /// Adds those who were found, in the order of the walk.
    fn add(&mut self, mut found: Vec<ListedUser>, size: usize) {
        let key = self.sort.key;
        found.sort_by_key(|user| place(user, key));
        if self.sort.descending {
            found.reverse();
        }
        let room = (size + 1).saturating_sub(self.found.len());
        self.found.extend(found.into_iter().take(room));
    }

    /// The place of the last of so many next users; `None` where there are fewer.
    fn last_place(
        &self,
        connection: &mut AnyConnection,
        narrowing: &[&Condition],
        look: usize,
    ) -> QueryResult<Option<Cursor>> {
        // Found by the index alone, and then read.
        let limit = format!("1 OFFSET {}", look.saturating_sub(1));
        let mut sql = Sql::new(
            "SELECT telegram_id, created_at, active_day, active_days FROM telegram_users \
             WHERE telegram_id = (",
        );
        sql.append(self.selected("telegram_id", narrowing, &limit)).push(")");
        let row: Option<PlaceRow> =
            sql.answering::<PlaceSqlType>().get_result(connection).optional()?;
        let key = self.sort.key;
        Ok(row.map(|row| Cursor {
            key,
            backwards: false,
            value: row.value(key),
            telegram_id: row.telegram_id,
        }))
    }

    /// The next users in the order, so many.
    fn selected(&self, columns: &str, narrowing: &[&Condition], limit: &str) -> Sql {
        let from = self.from.map(|place| after(self.sort, place));
        let conditions = narrowing.iter().map(|it| &it.sql).chain(&from);
        let mut sql = Sql::new(format!("SELECT {columns} FROM telegram_users WHERE "));
        sql.push_all(conditions).push(&format!(" ORDER BY {} LIMIT {limit}", order(self.sort)));
        sql
    }
}

/// How many are in the list, as far as the page tells it, or sums do.
fn counted(
    connection: &mut AnyConnection,
    filter: &UserFilter,
    request: &Request,
    slice: &UserSlice,
    looks: Looks,
) -> Result<Counted, Failure> {
    let UserFilter { language, source, reach, first_seen, search, .. } = filter;
    let summed = UserFilter {
        language: language.clone(),
        source: source.clone(),
        reach: *reach,
        first_seen: *first_seen,
        search: search.clone(),
        ..UserFilter::new()
    };
    if matches!(slice.count, Counted::Exactly(_)) {
        return Ok(slice.count);
    }
    if summed != *filter {
        return Ok(request.at_least(slice));
    }
    let mut sum = |figure, label| sum(connection, figure, label, *first_seen);
    Ok(match (language.as_deref(), source.as_deref(), reach, search) {
        (None, None, None, None) => Counted::Exactly(sum(Figure::Users, "")?),
        (None, None, None, Some(_)) => match looks.share_of(sum(Figure::Users, "")?) {
            Some(users) => Counted::About(users),
            None => request.at_least(slice),
        },
        (Some(language), None, None, None) => Counted::Exactly(sum(Figure::Language, language)?),
        (None, None, Some(ReachFilter::Reachable), None) => {
            Counted::Exactly(sum(Figure::Reachable, "")?)
        }
        (None, None, Some(ReachFilter::Unreachable), None) => {
            let users = sum(Figure::Users, "")?;
            Counted::Exactly(users.saturating_sub(sum(Figure::Reachable, "")?))
        }
        _ => request.at_least(slice),
    })
}

impl Looks {
    /// How many of all users are in the list, if those who were looked at are like all; rounded.
    fn share_of(self, users: u64) -> Option<u64> {
        let looked_at = u64::try_from(self.looked_at).ok()?;
        let matched = u64::try_from(self.matched).ok().filter(|matched| *matched >= SHARE)?;
        let share = users.checked_mul(matched)?.checked_div(looked_at)?;
        let rounding = 10_u64.pow(share.checked_ilog10()?.saturating_sub(1));
        Some(share / rounding * rounding)
    }
}

/// How many users have to be found for the share of all to be told.
const SHARE: u64 = 20;

/// What a figure sums up to for those who were first seen on some days.
fn sum(
    connection: &mut AnyConnection,
    figure: Figure,
    label: &str,
    Days { first, last }: Days,
) -> Result<u64, Failure> {
    let (first, last) = (first.unwrap_or(NaiveDate::MIN), last.unwrap_or(NaiveDate::MAX));
    let sums = activity::sums_by_label(connection, &[figure], first, last)?;
    let sum = sums.into_iter().find(|(_, it, _)| it == label).map_or(0, |(.., sum)| sum);
    Ok(u64::try_from(sum).unwrap_or_default())
}
