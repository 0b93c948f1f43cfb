//! Picking the winner of an experiment.

use axum::{
    Extension, Form,
    extract::{Path, State},
    response::{IntoResponse, Redirect, Response},
};
use rollcall_domain::Variant;
use rollcall_service::Session;

use super::find::{find, page_of, refusal};
use crate::{App, page::Failure, request::value};

/// Makes a variant the winner.
pub(crate) async fn pick(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    Path(id): Path<String>,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response, Failure> {
    let id = find(&app, &id).await?.id;
    let Ok(winner) = value(&pairs, "variant").parse::<Variant>() else {
        return Err(Failure::Refused("Choose a variant. Nothing was picked."));
    };
    app.broadcasts.pick_winner(id, winner, Some(&session.admin)).await.map_err(refusal)?;
    Ok(Redirect::to(&format!("{}?done=pick", page_of(&app, id))).into_response())
}
