//! A selection as SQL. Each part is a condition on the row `users` of `telegram_users`. Like in the
//! language, a condition on a value that a user lacks is false: it is never NULL where it is negated.

mod check;
mod known;
mod node;
mod one_table;
mod term;

pub(super) use check::{Check, check};
pub(super) use known::Known;
pub(super) use node::{NOT_BOT, node_sql};
pub(super) use one_table::{OneTable, one_table};
pub(super) use term::{Rows, rows_of};
