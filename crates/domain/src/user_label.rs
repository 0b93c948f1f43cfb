//! Labels of users: tags and groups.

use chrono::{DateTime, Utc};

use crate::LabelName;

/// The most characters of the description of a label or a segment.
pub const MAX_DESCRIPTION_CHARS: usize = 1_000;

/// What a label of users is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum LabelKind {
    /// A property of users, such as `vip`.
    Tag,
    /// A named set of users, with a description.
    Group,
}

impl LabelKind {
    /// Every kind.
    pub const ALL: [Self; 2] = [Self::Tag, Self::Group];

    /// The kind's name, as it is stored and as filters name it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Tag => "tag",
            Self::Group => "group",
        }
    }

    /// The kind with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// How many labels of this kind there can be.
    pub fn most(self) -> usize {
        match self {
            Self::Tag => 200,
            Self::Group => 1_000,
        }
    }
}

/// A tag or a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserLabel {
    /// Its number; never given again after it is deleted.
    pub id: i32,
    /// What it is.
    pub kind: LabelKind,
    /// Its name, unique within its kind.
    pub name: LabelName,
    /// What it is for, up to [`MAX_DESCRIPTION_CHARS`] characters.
    pub description: String,
    /// When it was created.
    pub created_at: DateTime<Utc>,
}

/// The names of a user's labels, sorted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LabelsOfUser {
    /// The user's tags.
    pub tags: Vec<LabelName>,
    /// The groups that contain the user.
    pub groups: Vec<LabelName>,
}
