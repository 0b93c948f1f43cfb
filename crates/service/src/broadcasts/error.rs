use chrono::{DateTime, Utc};
use rollcall_domain::{
    BroadcastState, LabelName, MAX_BROADCAST_NAME_CHARS, MAX_BUTTONS, PictureId, SYSTEM_CATEGORY,
    Variant,
};
use rollcall_repository::{BroadcastChange, RepositoryError};

use super::{content::ContentError, experiment_error::ExperimentError};
use crate::{AudienceError, ServiceError};

/// Why a broadcast was not created or changed.
#[derive(Clone, Debug, thiserror::Error)]
pub enum BroadcastError {
    /// The name is empty, too long or has several lines.
    #[error("expected a name of 1 to {MAX_BROADCAST_NAME_CHARS} characters in one line")]
    Name,
    /// There is no such category.
    #[error("there is no category '{_0}'; expected one of {_1}")]
    Category(LabelName, String),
    /// The message cannot be sent.
    #[error(transparent)]
    Content(#[from] ContentError),
    /// The picture is not stored, or was deleted.
    #[error("there is no picture {_0}; upload it again")]
    Picture(PictureId),
    /// The message of a variant cannot be sent.
    #[error("variant {_0}: {_1}")]
    Variant(Variant, ContentError),
    /// What it tries out does not work.
    #[error(transparent)]
    Experiment(#[from] ExperimentError),
    /// Users cannot opt out of the category `system`.
    #[error("users cannot opt out of '{SYSTEM_CATEGORY}'")]
    SystemOptOut,
    /// There is no room for the opt-out button.
    #[error("expected at most {} buttons besides the opt-out button", MAX_BUTTONS - 1)]
    Buttons,
    /// Its time is in the past.
    #[error("{} is in the past; expected a later time", _0.format("%Y-%m-%d %H:%M UTC"))]
    Past(DateTime<Utc>),
    /// The filter cannot be evaluated.
    #[error(transparent)]
    Audience(AudienceError),
    /// No user would get it.
    #[error("the filter '{_0}' selects no user that the bot can write to")]
    Nobody(String),
    /// The bot can write to users, but each would be left out.
    #[error(
        "all users of this filter that the bot can write to have opted out of '{_0}' or had as many of its messages this week as its cap allows"
    )]
    AllLeftOut(LabelName),
    /// There is none of this number.
    #[error("there is no broadcast {_0}")]
    Missing(i64),
    /// It is no draft any more.
    #[error("broadcast {id} is {}; expected a draft", state.name())]
    NoDraft {
        /// Its number.
        id: i64,
        /// Its state.
        state: BroadcastState,
    },
    /// Its state does not allow the change.
    #[error("{}", refused(*id, *change, *state))]
    State {
        /// Its number.
        id: i64,
        /// What was to be done.
        change: BroadcastChange,
        /// Its state.
        state: BroadcastState,
    },
    /// Messages of a broadcast that has not ended are not sent again.
    #[error("broadcast {_0} is {}; expected one that is finished or cancelled", _1.name())]
    NotEnded(i64, BroadcastState),
    /// No recipient of the broadcast has one of the states.
    #[error("no recipient of broadcast {_0} has such a state")]
    NoneToResend(i64),
    /// The service failed.
    #[error(transparent)]
    Service(#[from] ServiceError),
}

impl From<RepositoryError> for BroadcastError {
    fn from(error: RepositoryError) -> Self {
        Self::Service(error.into())
    }
}

impl From<AudienceError> for BroadcastError {
    fn from(error: AudienceError) -> Self {
        match error {
            AudienceError::Service(error) => Self::Service(error),
            error => Self::Audience(error),
        }
    }
}

fn refused(id: i64, change: BroadcastChange, state: BroadcastState) -> String {
    let (verb, expected) = match change {
        BroadcastChange::Start => ("started", "draft or scheduled"),
        BroadcastChange::Schedule => ("scheduled", "draft with a time"),
        BroadcastChange::Pause => ("paused", "preparing or sending"),
        BroadcastChange::Resume => ("resumed", "paused"),
        BroadcastChange::Cancel => ("cancelled", "neither finished nor cancelled"),
    };
    let state = state.name();
    format!("broadcast {id} is {state} and cannot be {verb}; expected one that is {expected}")
}
