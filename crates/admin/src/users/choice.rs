//! The options of a select field.

/// An option of a select field, or a checkbox.
pub(crate) struct Choice {
    pub(crate) value: String,
    pub(crate) name: String,
    pub(crate) is_chosen: bool,
}
