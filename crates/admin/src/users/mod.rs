//! The list of users, the page of one, and what is done to those of a list.

mod choice;
pub(crate) mod delete;
pub(crate) mod detail;
pub(crate) mod export;
mod heat_map;
pub(crate) mod labels;
pub(crate) mod list;
pub(crate) mod preferences;
pub(crate) mod query;
mod saves;
mod selection;
mod sort;
mod views;

pub(crate) use saves::Saves;
