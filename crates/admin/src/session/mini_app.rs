//! Signing in through the bot's Mini App.

use askama::Template;
use axum::{Form, extract::State, http::HeaderMap, response::Response};
use serde::Deserialize;

use super::{Refusal, sign_in::begin};
use crate::{
    App,
    page::{Failure, Layout, render},
    request::ClientDevice,
};

/// Shown for data that is refused, whatever the reason.
const REFUSED: &str = "Telegram's data is not valid here or was used before. Open the page again from \
                       the bot, or use the link in its message.";

#[derive(Deserialize)]
pub(crate) struct Opened {
    init_data: String,
}

#[derive(Template)]
#[template(path = "mini_app.html")]
struct Page {
    layout: Layout,
    trouble: Option<String>,
}

/// Shows the page that Telegram opens. Its script sends the data in the address, which never reaches
/// the server otherwise.
pub(crate) async fn open(layout: Layout) -> Response {
    render(&Page { layout, trouble: None })
}

/// Signs in with Telegram's data.
pub(crate) async fn sign_in(
    State(app): State<App>,
    ClientDevice(device): ClientDevice,
    headers: HeaderMap,
    layout: Layout,
    Form(Opened { init_data }): Form<Opened>,
) -> Result<Response, Failure> {
    match app.admins.sign_in_by_mini_app(&init_data, device).await {
        Ok(signed_in) => begin(&app, &headers, &signed_in, "").await,
        Err(error) => {
            let refusal = Refusal::of(error, REFUSED)?;
            let trouble = Some(refusal.trouble.clone());
            Ok(refusal.answer(render(&Page { layout, trouble })).await)
        }
    }
}
