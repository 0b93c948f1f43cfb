//! Pages of users that meet conditions, in an order. However many users there are, a page reads a
//! bounded number of rows:
//!
//! - If few users meet one of the conditions, which its index shows, all of them are read and
//!   sorted in memory.
//! - Otherwise many users meet each condition, and probably all of them together: users are read
//!   in the order of the list, from the cursor on, until the page is full or the bound is reached.

pub(super) mod count;
mod few;
mod place;
mod request;
mod scan;

use rollcall_domain::{Cursor, FilterNode, Selection, Term, UserSlice, UserSort};

use self::request::Request;
use super::{
    conditions::conditions,
    filter::{Known, check},
};
use crate::base::{connection::AnyConnection, error::Failure};

/// See [`DirectoryRepository::select`](rollcall_repository::DirectoryRepository::select). Runs in a
/// transaction that sees all users at one moment.
pub(super) fn users(
    connection: &mut AnyConnection,
    selection: &Selection,
    sort: UserSort,
    cursor: Option<Cursor>,
    size: u32,
) -> Result<UserSlice, Failure> {
    let known = Known::read(connection, selection)?;
    let request = Request {
        conditions: conditions(selection, &known),
        check: check(selection, &known),
        term: selection.conditions().iter().find_map(|node| match node {
            FilterNode::Term(Term::Search(term)) => Some(term),
            _ => None,
        }),
        sort,
        cursor: cursor.filter(|cursor| cursor.key == sort.key),
        size: usize::try_from(size).unwrap_or(usize::MAX),
    };
    match few::find(connection, &request)? {
        Some(users) => Ok(few::page(&request, users)),
        None => {
            let (slice, stats) = scan::page(connection, &request)?;
            let count = count::count(connection, selection, &known, &request, &slice, stats)?;
            Ok(UserSlice { count, ..slice })
        }
    }
}
