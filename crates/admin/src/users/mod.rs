//! The list of users, the page of one, and what is done to those of a list.

mod bar;
mod calendar;
mod choice;
mod completion;
pub(crate) mod copy;
pub(crate) mod delete;
pub(crate) mod detail;
pub(crate) mod export;
pub(crate) mod form;
mod former;
mod heat_map;
mod invalid_filter;
pub(crate) mod labels;
pub(crate) mod list;
mod options;
pub(crate) mod preferences;
pub(crate) mod query;
mod saves;
mod selection;
mod sort;
mod unsearched;
mod views;

pub(crate) use completion::{Completion, completions};
pub(crate) use invalid_filter::{InvalidFilter, Marked};
pub(crate) use saves::Saves;
