//! The search over names.
//!
//! Names are split into grams: each three neighbouring characters of a word, with a blank in front of
//! it, and its first character alone. A user who has all the grams of a term's words may match; the
//! names show whether it does. An index finds the users of a gram: on SQLite a full-text index whose
//! words are grams, on PostgreSQL one over arrays. Neither needs an extension or knows letters, so
//! both find the same users, whatever the language of the server.

pub(super) mod find;
mod grams;
pub(crate) mod index;
