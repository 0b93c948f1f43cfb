//! Users in bulk: exports, imports and demo data.

mod bulk;
mod demo;
mod export;
mod import;
mod indexes;
mod store;
mod tags;
mod usernames;
