//! Choosing the time zone of the pages, in browsers without a script.

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
    offset: i32,
    #[serde(default)]
    next: String,
}

/// Stores the zone in a cookie.
pub(crate) async fn set(
    State(app): State<App>,
    Form(Choice { offset, next }): Form<Choice>,
) -> Result<Response, Failure> {
    let known = time_zone::offsets().contains(&offset);
    if !known {
        return Err(Failure::Refused("There is no such time zone."));
    }
    let response = Redirect::to(next_page::or_first(&app.base, &next)).into_response();
    Ok(cookie::keep(&app.settings, cookie::ZONE, &offset.to_string(), response))
}
