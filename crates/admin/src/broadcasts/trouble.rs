//! What is wrong with a field of the form.

use rollcall_domain::{FilterError, TextError};

use crate::{
    page::text,
    users::{InvalidFilter, Marked},
};

/// What is wrong with a field, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Trouble {
    /// The name of the field; those of texts and languages end with their number.
    pub(super) field: String,
    pub(super) message: String,
    pub(super) place: Option<Marked>,
}

impl Trouble {
    pub(super) fn new(field: impl Into<String>, message: &str) -> Self {
        Self { field: field.into(), message: text::sentence(message), place: None }
    }

    pub(super) fn of_text(field: impl Into<String>, typed: &str, error: TextError) -> Self {
        let message = error.to_string();
        let line = typed.split('\n').nth(error.line.saturating_sub(1)).unwrap_or_default();
        let at = error.column.saturating_sub(1);
        let marked = InvalidFilter::from(FilterError { at, message: error.message });
        Self { place: marked.marked(line), ..Self::new(field, &message) }
    }
}
