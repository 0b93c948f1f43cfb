use rollcall_domain::{FilterError, LabelKind, LabelName, MAX_DESCRIPTION_CHARS};
use rollcall_repository::RepositoryError;

use crate::{AudienceError, ServiceError};

/// Why labels could not be changed.
#[derive(Clone, Debug, thiserror::Error)]
pub enum LabelError {
    /// There is no label of this name.
    #[error("there is no {} '{_1}'", _0.name())]
    Unknown(LabelKind, LabelName),
    /// There is no room for another label.
    #[error("there are {} {}s already, which is the limit; delete one first", _0.most(), _0.name())]
    Full(LabelKind),
    /// The description is too long.
    #[error("the description is too long; expected up to {MAX_DESCRIPTION_CHARS} characters")]
    DescriptionTooLong,
    /// Saved segments name the label.
    #[error("{} '{_1}' is used by these segments: {_2}; delete or change them first", _0.name())]
    Used(LabelKind, LabelName, String),
    /// The label was deleted while it was changed.
    #[error("the {} '{_1}' was deleted meanwhile", _0.name())]
    Deleted(LabelKind, LabelName),
    /// Another process undoes the change that this one goes on with.
    #[error("another process undoes this change")]
    Undone,
    /// Another process goes on with the change that this one has begun.
    #[error("another process goes on with this change")]
    TakenOver,
    /// There is no such change, or it is too old.
    #[error("there is no such change within the last hour; it may be undone already")]
    UnknownChange,
    /// A newer change of the same label has to be undone first.
    #[error("there is a newer change of {} '{_1}'; undo that one first", _0.name())]
    NotLatest(LabelKind, LabelName),
    /// The change is not one that can be resumed now.
    #[error("only a change by a filter that has stopped can be resumed")]
    NotStopped,
    /// Too many changes are not complete.
    #[error("there are {0} changes that are not complete; wait until one of them is")]
    Busy(usize),
    /// There is no change that can be undone.
    #[error("there is no change of {}s within the last hour", _0.name())]
    NothingToUndo(LabelKind),
    /// No change was stopped that could go on.
    #[error("no change of {}s by a filter was stopped within the last hour", _0.name())]
    NothingToResume(LabelKind),
    /// The filter of a change that was stopped names the label.
    #[error(
        "{} '{_1}' is named by the filter of a change that is not complete; resume or undo that change \
         first",
        _0.name()
    )]
    Awaited(LabelKind, LabelName),
    /// The filter cannot be evaluated.
    #[error(transparent)]
    Audience(#[from] AudienceError),
    /// The stored filter of a change cannot be read.
    #[error("the stored filter cannot be read")]
    Filter(#[from] FilterError),
    /// The storage failed.
    #[error(transparent)]
    Service(#[from] ServiceError),
}

impl From<RepositoryError> for LabelError {
    fn from(error: RepositoryError) -> Self {
        Self::Service(error.into())
    }
}
