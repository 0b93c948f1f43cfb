//! The time zone of the viewer: what the script of the pages sends, or a choice without one.

use axum::{
    Form,
    extract::State,
    response::{IntoResponse, Redirect, Response},
};
use serde::Deserialize;

use crate::{
    App,
    page::{Failure, time_zone},
    request::cookie,
    session::next_page,
};

/// The chosen zone, and the page to return to.
#[derive(Deserialize)]
pub(crate) struct Choice {
    /// The name of a time zone, or the minutes that it is east of UTC.
    offset: String,
    #[serde(default)]
    next: String,
}

/// Stores the zone in a cookie.
pub(crate) async fn set(
    State(app): State<App>,
    Form(Choice { offset, next }): Form<Choice>,
) -> Result<Response, Failure> {
    if time_zone::read(&offset).is_none() {
        return Err(Failure::Refused("There is no such time zone."));
    }
    let response = Redirect::to(next_page::or_first(&app.base, &next)).into_response();
    Ok(cookie::keep(&app.settings, cookie::ZONE, &offset, response))
}
