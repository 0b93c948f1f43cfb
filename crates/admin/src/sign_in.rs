//! Signing in and out.

use std::time::Duration;

use askama::Template;
use axum::{
    Extension, Form,
    extract::{Path, Query, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use rollcall_service::{Session, SignIn, SignInError};
use serde::Deserialize;
use tokio::time::sleep;

use crate::{
    App,
    device::{self, From},
    explain::Failure,
    frame::{Frame, page},
    session,
};

/// How long an attempt that has to wait waits for that answer.
const REFUSED: Duration = Duration::from_secs(1);
/// When to try again where too many sign in at once.
const BUSY: Duration = Duration::from_secs(5);

#[derive(Deserialize)]
pub(crate) struct Next {
    #[serde(default)]
    pub(crate) next: String,
}

#[derive(Deserialize)]
pub(crate) struct Credentials {
    name: String,
    password: String,
    #[serde(default)]
    next: String,
}

#[derive(Template)]
#[template(path = "sign_in.html")]
struct Page {
    frame: Frame,
    trouble: Option<String>,
    name: String,
    next: String,
}

#[derive(Template)]
#[template(path = "link.html")]
struct LinkPage {
    frame: Frame,
    token: String,
}

#[derive(Template)]
#[template(path = "again.html")]
struct Again<'a> {
    url: &'a str,
}

/// The form.
pub(crate) async fn form(frame: Frame, Query(Next { next }): Query<Next>) -> Response {
    page(&Page { frame, trouble: None, name: String::new(), next })
}

/// Signs in by name and password.
pub(crate) async fn by_password(
    State(app): State<App>,
    From(device): From,
    headers: HeaderMap,
    frame: Frame,
    Form(Credentials { name, password, next }): Form<Credentials>,
) -> Result<Response, Failure> {
    match app.admins.sign_in(&name, &password, device).await {
        Ok(signed_in) => begin(&app, &headers, &signed_in, &next).await,
        Err(error) => refused(frame, error, name, next).await,
    }
}

/// The page of a link that the bot sent. Looking at it changes nothing: programs that show what is
/// behind a link do not use it up.
pub(crate) async fn link(frame: Frame, Path(token): Path<String>) -> Response {
    page(&LinkPage { frame, token })
}

/// Signs in by such a link.
pub(crate) async fn by_link(
    State(app): State<App>,
    From(device): From,
    headers: HeaderMap,
    frame: Frame,
    Path(token): Path<String>,
) -> Result<Response, Failure> {
    match app.admins.sign_in_by_link(&token, device).await {
        Ok(signed_in) => begin(&app, &headers, &signed_in, "").await,
        Err(SignInError::Refused) => {
            let trouble = Some(
                "This link no longer works: it was used, or is older than five minutes. Send \
                 /admin to the bot for a new one."
                    .to_owned(),
            );
            let page = page(&Page { frame, trouble, name: String::new(), next: String::new() });
            Ok((StatusCode::UNAUTHORIZED, page).into_response())
        }
        Err(error) => refused(frame, error, String::new(), String::new()).await,
    }
}

/// Signs out. Also for those whose session has expired: they want to be out.
pub(crate) async fn out(State(app): State<App>, headers: HeaderMap) -> Result<Response, Failure> {
    if let Some(token) = session::token(&app.settings, &headers) {
        app.admins.sign_out(&token).await?;
    }
    Ok(to_form(&app))
}

/// Ends every session of whoever asks for it.
pub(crate) async fn out_everywhere(
    State(app): State<App>,
    Extension(session): Extension<Session>,
) -> Result<Response, Failure> {
    app.admins.sign_out_everywhere(&session.admin).await?;
    Ok(to_form(&app))
}

/// Has the browser ask for the same page again, from a page of ours.
pub(crate) fn again(url: &str) -> Response {
    page(&Again { url })
}

fn to_form(app: &App) -> Response {
    let response = Redirect::to(&format!("{}/sign-in", app.base)).into_response();
    session::end(&app.settings, response)
}

/// Ends the session that the browser had, and begins the new one where it was going.
pub(crate) async fn begin(
    app: &App,
    headers: &HeaderMap,
    signed_in: &SignIn,
    next: &str,
) -> Result<Response, Failure> {
    if let Some(old) = session::token(&app.settings, headers) {
        app.admins.sign_out(&old).await?;
    }
    let response = Redirect::to(ours(&app.base, next)).into_response();
    let response = session::begin(&app.settings, &signed_in.token, response);
    device::remember(app, headers, signed_in.token.as_str(), response).await
}

async fn refused(
    frame: Frame,
    error: SignInError,
    name: String,
    next: String,
) -> Result<Response, Failure> {
    let refusal = Refusal::of(error, "The name or the password is wrong.")?;
    let trouble = Some(refusal.trouble.clone());
    Ok(refusal.answer(page(&Page { frame, trouble, name, next })).await)
}

/// Why somebody is not let in.
pub(crate) struct Refusal {
    status: StatusCode,
    wait: Option<Duration>,
    /// In words.
    pub(crate) trouble: String,
}

impl Refusal {
    /// What to answer, where `wrong` says that something was.
    pub(crate) fn of(error: SignInError, wrong: &str) -> Result<Self, Failure> {
        let (status, wait, trouble) = match error {
            SignInError::Refused => (StatusCode::UNAUTHORIZED, None, wrong.to_owned()),
            SignInError::Throttled { retry_after } => {
                let seconds = retry_after.as_secs();
                let trouble = format!(
                    "Signing in failed too often. Try again in {}.",
                    if seconds > 90 {
                        format!("{} minutes", seconds.div_ceil(60))
                    } else {
                        format!("{seconds} seconds")
                    }
                );
                (StatusCode::TOO_MANY_REQUESTS, Some(retry_after), trouble)
            }
            SignInError::Busy => (
                StatusCode::SERVICE_UNAVAILABLE,
                Some(BUSY),
                "Too many people are signing in at once. Try again in a few seconds.".to_owned(),
            ),
            SignInError::Storage(error) => return Err(error.into()),
        };
        Ok(Self { status, wait, trouble })
    }

    /// The answer, with a page that has the words on it.
    pub(crate) async fn answer(self, page: Response) -> Response {
        if self.wait.is_some() {
            // Clients that try again and again do so no faster than this on each connection.
            sleep(REFUSED).await;
        }
        let wait = self.wait.map(|wait| [(header::RETRY_AFTER, wait.as_secs().to_string())]);
        (self.status, wait, page).into_response()
    }
}

/// Where somebody wants to go, if it is a page of the admin; else its first page.
pub(crate) fn ours<'a>(base: &'a str, next: &'a str) -> &'a str {
    if is_ours(base, next) { next } else { base }
}

/// Whether a page is one of the admin's own, so that a link to the sign-in page cannot lead
/// elsewhere. It begins with the admin's path, so neither `//` nor a backslash can make a host of it.
fn is_ours(base: &str, next: &str) -> bool {
    let rest = next.strip_prefix(base);
    let is_below = rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?']));
    is_below && next.bytes().all(|b| b.is_ascii_graphic() && b != b'\\')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_pages_of_the_admin_are_gone_to() {
        for ours in ["/admin", "/admin/users?q=%D0%96", "/admin?x=1", "/admin/users/7"] {
            assert!(is_ours("/admin", ours), "{ours}");
        }
        for other in [
            "",
            "/",
            "//evil.example",
            "https://evil.example/admin",
            "/administrator",
            "/admin\\..\\",
            "/admin/\nSet-Cookie: x",
            "/\\evil.example/admin",
            " /admin",
        ] {
            assert!(!is_ours("/admin", other), "{other}");
        }
    }
}
