//! The cookies of the admin.

use axum::{
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};

use crate::Settings;

/// The session's token.
pub(crate) const SESSION: &str = "rollcall_session";
/// The admins who have signed in on this browser; see [`super::device`].
pub(crate) const DEVICE: &str = "rollcall_device";
/// The token of this browser's forms; see [`super::form_token`].
pub(crate) const FORM: &str = "rollcall_form";

/// The time zone of the pages; see [`crate::page::time_zone`].
pub(crate) const ZONE: &str = "rollcall_zone";
/// The colours of the pages; see [`crate::page::Theme`].
pub(crate) const THEME: &str = "rollcall_theme";

/// The lifetime of a persistent cookie: a year.
const PERSISTENT: &str = "; Max-Age=31536000";

/// The value of a cookie in a request.
pub(crate) fn read(settings: &Settings, cookie: &str, headers: &HeaderMap) -> Option<String> {
    let name = name(settings, cookie);
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|it| it.to_str().ok());
    let mut pairs = cookies.flat_map(|it| it.split(';')).filter_map(|it| it.trim().split_once('='));
    pairs.find_map(|(key, value)| (key == name).then(|| value.to_owned()))
}

/// Adds a cookie that the browser deletes when it closes.
pub(crate) fn set(settings: &Settings, cookie: &str, value: &str, response: Response) -> Response {
    add(settings, cookie, value, "", response)
}

/// Adds a persistent cookie.
pub(crate) fn keep(settings: &Settings, cookie: &str, value: &str, response: Response) -> Response {
    add(settings, cookie, value, PERSISTENT, response)
}

/// Removes a cookie.
pub(crate) fn remove(settings: &Settings, cookie: &str, response: Response) -> Response {
    add(settings, cookie, "", "; Max-Age=0", response)
}

fn add(
    settings: &Settings,
    cookie: &str,
    value: &str,
    more: &str,
    mut response: Response,
) -> Response {
    let name = name(settings, cookie);
    let path = if settings.prefix.is_empty() { "/" } else { &settings.prefix };
    let secure = if settings.is_https() { "; Secure" } else { "" };
    let cookie = format!("{name}={value}; Path={path}; HttpOnly; SameSite=Strict{secure}{more}");
    match HeaderValue::from_str(&cookie) {
        Ok(cookie) => {
            response.headers_mut().append(header::SET_COOKIE, cookie);
            response
        }
        // Tokens and paths have no characters that a header cannot contain.
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// Over https and without a path prefix, the name begins with `__Host-`, so that no other host can
/// set the cookie.
fn name(settings: &Settings, cookie: &str) -> String {
    let is_hosts = settings.is_https() && settings.prefix.is_empty();
    format!("{}{cookie}", if is_hosts { "__Host-" } else { "" })
}
