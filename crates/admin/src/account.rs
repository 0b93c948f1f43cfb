//! An admin's own account.

use askama::Template;
use axum::{Extension, extract::State, response::Response};
use rollcall_service::{SecondFactor, Session};

use crate::{
    App,
    explain::Failure,
    frame::{Frame, page},
};

#[derive(Template)]
#[template(path = "account.html")]
struct Page {
    frame: Frame,
    second_factor: Option<SecondFactor>,
    is_required: bool,
}

/// Shows it.
pub(crate) async fn show(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    frame: Frame,
) -> Result<Response, Failure> {
    Ok(page(&Page {
        frame: frame.tab("account"),
        second_factor: app.admins.second_factor(&session.admin).await?,
        is_required: app.admins.requires_second_factor(),
    }))
}
