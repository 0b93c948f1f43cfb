use std::io;

use rollcall_domain::{LabelKind, LabelName};
use rollcall_repository::RepositoryError;

use super::row::COLUMNS;
use crate::{ServiceError, text::Refused};

/// Why a file was not imported.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The file cannot be read.
    #[error("the file cannot be read")]
    Unreadable(#[source] io::Error),
    /// The file has no line with the column names.
    #[error("the file is empty; expected a line with {}", COLUMNS.join(","))]
    Empty,
    /// The line with the column names is wrong.
    #[error("line {}: {}", .0.line, .0.reason)]
    Header(Refused),
    /// There is no room for another tag.
    #[error(
        "line {line}: the tag '{tag}' does not exist and cannot be created: there are {} tags \
         already, which is the limit; `manage tag delete` makes room",
        LabelKind::Tag.most()
    )]
    NoRoom {
        /// The tag.
        tag: LabelName,
        /// The first line with it.
        line: u64,
    },
    /// The storage failed.
    #[error(transparent)]
    Storage(#[from] ServiceError),
}

impl From<RepositoryError> for ImportError {
    fn from(error: RepositoryError) -> Self {
        Self::Storage(error.into())
    }
}
