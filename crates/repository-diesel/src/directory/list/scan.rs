//! Lists whose conditions are each met by many users: users are read in the order of the list.

#[cfg(test)]
mod plans;

use diesel::prelude::*;
use rollcall_domain::{Counted, Cursor, ListedUser, UserSlice, UserSort};

use super::{
    place::{Place, PlaceRow},
    request::{Request, sort},
};
use crate::{
    base::{connection::AnyConnection, error::Failure, statement::Columns},
    directory::{
        conditions::{Condition, IndexUse},
        order::{after, order},
        sql::Sql,
    },
};

/// How many users a page reads at most.
const MAX_SCANNED: usize = 5_000;
/// How many of them it reads first; then it reads more at a time.
const FIRST_SCANNED: usize = 500;

/// The page, found by reading users in the order of the list. Its count is a lower bound.
pub(super) fn page(
    connection: &mut AnyConnection,
    request: &Request,
) -> Result<(UserSlice, ScanStats), Failure> {
    let is_backwards = request.cursor.is_some_and(|cursor| cursor.backwards);
    let UserSort { key, descending } = request.sort;
    let mut scan = IndexScan {
        sort: UserSort { descending: descending != is_backwards, key },
        from: request.cursor,
        found: Vec::new(),
        stats: ScanStats::default(),
        is_exhausted: false,
    };
    scan.run(connection, request)?;
    if is_backwards && scan.is_exhausted && scan.found.len() < request.size {
        // Fewer users than a page precede the cursor, so this is the first page.
        return page(connection, &Request { cursor: None, ..request.clone() });
    }
    let stats = scan.stats;
    Ok((slice(request, scan, is_backwards), stats))
}

fn slice(request: &Request, scan: IndexScan, is_backwards: bool) -> UserSlice {
    let IndexScan { mut found, from, is_exhausted, .. } = scan;
    let has_more = found.len() > request.size;
    found.truncate(request.size);
    if is_backwards {
        found.reverse();
    }
    let stopped = from.filter(|_| !is_exhausted && !has_more);
    let ahead = |user: Option<&ListedUser>, backwards| match (stopped, user) {
        (Some(place), _) => Some(Cursor { backwards, ..place }),
        (None, Some(user)) if has_more => Some(request.cursor_at(user, backwards)),
        _ => None,
    };
    // The way back to where the request came from. On an empty page, that is the cursor itself.
    let behind = |user: Option<&ListedUser>, backwards| {
        let cursor = request.cursor?;
        Some(match user {
            Some(user) => request.cursor_at(user, backwards),
            None => turned(request.sort, cursor),
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
        // Whether there are other users is not known.
        seen.checked_sub(1).map_or(Counted::About(0), Counted::MoreThan)
    };
    UserSlice {
        previous,
        next,
        count,
        is_partial: stopped.is_some() && found.len() < request.size,
        rows: found,
    }
}

/// The cursor of the same place in the other direction, where the user next to it precedes it.
fn turned(sort: UserSort, cursor: Cursor) -> Cursor {
    let is_up = sort.descending == cursor.backwards;
    let telegram_id = cursor.telegram_id.saturating_add(if is_up { 1 } else { -1 });
    Cursor { backwards: !cursor.backwards, telegram_id, ..cursor }
}

/// A scan of users in an order.
struct IndexScan {
    /// The order, reversed where the scan goes backwards.
    sort: UserSort,
    /// The place that it goes on from.
    from: Option<Cursor>,
    /// The users that meet the conditions, up to one more than a page.
    found: Vec<ListedUser>,
    stats: ScanStats,
    /// Whether it reached the end of the list, rather than filled the page or reached its bound.
    is_exhausted: bool,
}

/// How many users were scanned, and how many of them are in the list.
#[derive(Clone, Copy, Default)]
pub(super) struct ScanStats {
    pub(super) scanned: usize,
    pub(super) matched: usize,
}

impl IndexScan {
    fn run(&mut self, connection: &mut AnyConnection, request: &Request) -> Result<(), Failure> {
        let key = self.sort.key;
        // Only one condition on a value narrows the scan: each value's index has its own order.
        let value = request.conditions.iter().position(|it| it.index == IndexUse::Value);
        let narrows = |(place, condition): &(usize, &Condition)| {
            condition.narrows(key) && (condition.index != IndexUse::Value || Some(*place) == value)
        };
        let (narrowing, others): (Vec<_>, Vec<_>) =
            request.conditions.iter().enumerate().partition(narrows);
        let narrowing: Vec<&Condition> = narrowing.into_iter().map(|(_, it)| it).collect();
        let others: Vec<&Sql> = others.into_iter().map(|(_, it)| &it.sql).collect();
        let is_selective = request.check.is_some() || !others.is_empty();
        let mut part = request.size + 1;
        if is_selective {
            part = part.max(FIRST_SCANNED);
        }
        loop {
            let inner = self.next_users("*", &narrowing, &part.to_string());
            let found = request.load(connection, inner, others.iter().copied())?;
            self.stats.scanned += part;
            self.stats.matched += found.len();
            self.add(found, request.size);
            if self.found.len() > request.size {
                return Ok(());
            }
            self.from = self.last_of(connection, &narrowing, part)?;
            if self.from.is_none() {
                self.is_exhausted = true;
                return Ok(());
            }
            if self.stats.scanned >= MAX_SCANNED {
                return Ok(());
            }
            part = (part * 4).min(MAX_SCANNED - self.stats.scanned);
        }
    }

    /// Adds users that were found, in the order of the scan.
    fn add(&mut self, mut found: Vec<ListedUser>, size: usize) {
        sort(&mut found, self.sort);
        let room = (size + 1).saturating_sub(self.found.len());
        self.found.extend(found.into_iter().take(room));
    }

    /// The place of the last of the next `part` users; `None` if there are fewer.
    fn last_of(
        &self,
        connection: &mut AnyConnection,
        narrowing: &[&Condition],
        part: usize,
    ) -> QueryResult<Option<Cursor>> {
        // Found in the index alone; then its row is read.
        let limit = format!("1 OFFSET {}", part.saturating_sub(1));
        let mut sql = Sql::new(
            "SELECT telegram_id, created_at, active_day, active_days FROM telegram_users \
             WHERE telegram_id = (",
        );
        sql.append(self.next_users("telegram_id", narrowing, &limit)).push(")");
        let row: Option<PlaceRow> =
            sql.returning::<Columns<PlaceRow>>().get_result(connection).optional()?;
        let key = self.sort.key;
        Ok(row.map(|row| {
            let Place { value, telegram_id } = row.place(key);
            Cursor { key, backwards: false, value, telegram_id }
        }))
    }

    /// The next users in the order, up to a limit.
    fn next_users(&self, columns: &str, narrowing: &[&Condition], limit: &str) -> Sql {
        let from = self.from.map(|place| after(self.sort, place));
        let conditions = narrowing.iter().map(|it| &it.sql).chain(&from);
        let mut sql = Sql::new(format!("SELECT {columns} FROM telegram_users AS users WHERE "));
        sql.push_all(conditions).push(&format!(" ORDER BY {} LIMIT {limit}", order(self.sort)));
        sql
    }
}
