//! Choosing the colours of the pages.

use axum::{
    Form,
    extract::State,
    response::{IntoResponse, Redirect, Response},
};
use serde::Deserialize;

use crate::{
    App,
    page::{Failure, Theme},
    request::cookie,
    session::next_page,
};

/// The chosen theme, and the page to return to.
#[derive(Deserialize)]
pub(crate) struct Choice {
    theme: String,
    #[serde(default)]
    next: String,
}

/// Stores the theme in a cookie.
pub(crate) async fn set(
    State(app): State<App>,
    Form(Choice { theme, next }): Form<Choice>,
) -> Result<Response, Failure> {
    let theme = Theme::named(&theme).ok_or(Failure::Refused("There is no such theme."))?;
    let response = Redirect::to(next_page::or_first(&app.base, &next)).into_response();
    Ok(match theme {
        Theme::Auto => cookie::remove(&app.settings, cookie::THEME, response),
        Theme::Light | Theme::Dark => {
            cookie::keep(&app.settings, cookie::THEME, theme.name(), response)
        }
    })
}
