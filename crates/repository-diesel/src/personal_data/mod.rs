//! What is stored about one person, from every table that has something.

mod copied;
mod person_hash;
mod requests;
mod store;
mod value;
