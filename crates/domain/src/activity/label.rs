use std::{borrow::Cow, fmt};

use crate::SourceLabel;

/// What a figure is divided by: each label has its own sum for a day.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Label {
    /// A number.
    Number(u32),
    /// A name; empty if the figure has no labels, or if the value is unknown.
    Name(Cow<'static, str>),
}

impl Label {
    /// No label.
    pub const NONE: Self = Self::Name(Cow::Borrowed(""));
    /// Everything without a label of its own. No command and no deep link can have this name.
    pub const OTHER: Self = Self::Name(Cow::Borrowed("(other)"));

    /// The label as it is stored.
    pub fn text(&self) -> Cow<'_, str> {
        match self {
            Self::Number(number) => number.to_string().into(),
            Self::Name(name) => Cow::Borrowed(name),
        }
    }
}

impl From<&'static str> for Label {
    fn from(name: &'static str) -> Self {
        Self::Name(Cow::Borrowed(name))
    }
}

impl From<String> for Label {
    fn from(name: String) -> Self {
        Self::Name(Cow::Owned(name))
    }
}

impl From<Option<&str>> for Label {
    fn from(name: Option<&str>) -> Self {
        name.map_or(Self::NONE, |name| Self::Name(Cow::Owned(name.to_owned())))
    }
}

impl From<SourceLabel> for Label {
    /// The form in which sums are stored. No payload begins with `#`.
    fn from(label: SourceLabel) -> Self {
        match label {
            SourceLabel::Own(number) => format!("#{number}").into(),
            SourceLabel::Other => Self::OTHER,
        }
    }
}

impl From<Option<SourceLabel>> for Label {
    fn from(label: Option<SourceLabel>) -> Self {
        label.map_or(Self::NONE, Self::from)
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text())
    }
}
