//! Evaluating many selections at once, part by part.
//!
//! The terms of all selections are their atoms; equal ones are one atom. SQL computes each atom once,
//! for all users of a part: those about a user's own row in one query, and those about another table
//! in one query for that table. The rest is `and`, `or` and `not` over sets of users, 64 at a time.

mod atoms;
pub(crate) mod bits;
mod evaluate;

pub(crate) use evaluate::{Members, Range, members};
