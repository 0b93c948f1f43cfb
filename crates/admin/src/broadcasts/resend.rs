//! Sending a broadcast again to recipients that did not get it.

use axum::{
    Extension, Form,
    extract::{Path, State},
    response::{IntoResponse, Redirect, Response},
};
use rollcall_domain::{Broadcast, RecipientState, RecipientSums};
use rollcall_service::{RESENT_STATES, Session};

use super::{
    find::{find, page_of, refusal},
    words,
};
use crate::{
    App,
    page::{Failure, text},
};

/// Recipients that a broadcast can be sent to again.
pub(super) struct Resendable {
    /// What the form sends for them.
    pub(super) value: &'static str,
    pub(super) name: &'static str,
    pub(super) number: String,
    /// Whether they are chosen unless the owner changes it.
    pub(super) is_default: bool,
}

/// Those of a broadcast; none before its end.
pub(super) fn resendable(broadcast: &Broadcast, sums: &RecipientSums) -> Vec<Resendable> {
    let has_ended = broadcast.state.has_ended();
    let states = RESENT_STATES.into_iter().filter(|it| has_ended && sums.of(*it) > 0);
    let row = |state: RecipientState| Resendable {
        value: state.name(),
        name: words::outcome(state),
        number: text::grouped(sums.of(state)),
        is_default: state == RecipientState::Failed,
    };
    states.map(row).collect()
}

/// Stores a draft of a new broadcast to recipients of one that has ended, and shows it.
pub(crate) async fn resend(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    Path(id): Path<String>,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response, Failure> {
    let id = find(&app, &id).await?.id;
    let chosen = pairs.iter().filter(|(name, _)| name == "state");
    let states: Vec<RecipientState> =
        chosen.filter_map(|(_, value)| RecipientState::from_name(value)).collect();
    if states.is_empty() {
        return Err(Failure::Refused("Tick at least one outcome. Nothing was created."));
    }
    let created = app.broadcasts.resend(id, &states, Some(&session.admin)).await;
    let id = created.map_err(refusal)?.id;
    Ok(Redirect::to(&format!("{}?done=resend", page_of(&app, id))).into_response())
}
