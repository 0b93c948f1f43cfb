//! URLs without empty fields.
//!
//! Browsers send every field of a form, also the empty ones. The address of a list would then be
//! long, and two addresses would mean the same list.

use axum::{
    extract::{Request, State},
    http::Method,
    middleware::Next,
    response::{IntoResponse, Redirect, Response},
};

use crate::App;

/// Redirects a page with empty fields in its URL to the same page without them.
pub(crate) async fn leave_out(State(app): State<App>, request: Request, next: Next) -> Response {
    let uri = request.uri();
    // Only our own paths, so that the target cannot be read as the address of another host.
    let is_ours = *request.method() == Method::GET && uri.path().starts_with(&*app.base);
    let fields = uri.query().filter(|_| is_ours).and_then(without_empty);
    match fields {
        None => next.run(request).await,
        Some(fields) if fields.is_empty() => Redirect::to(uri.path()).into_response(),
        Some(fields) => Redirect::to(&format!("{}?{fields}", uri.path())).into_response(),
    }
}

/// A query string without its empty fields. `None` if it has none.
fn without_empty(query: &str) -> Option<String> {
    let is_empty = |field: &&str| {
        field.is_empty() || field.split_once('=').is_some_and(|(_, value)| is_blank(value))
    };
    let kept: Vec<&str> = query.split('&').filter(|field| !is_empty(field)).collect();
    let kept = kept.join("&");
    (kept != query).then_some(kept)
}

/// Whether a value has at most spaces.
fn is_blank(value: &str) -> bool {
    value.replace("%20", "").bytes().all(|byte| byte == b'+')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_fields_are_left_out_and_others_stay_as_they_are() {
        for (query, kept) in [
            ("q=ada&language=&source=&sort=-id", "q=ada&sort=-id"),
            ("q=", ""),
            ("q=+%20&reach=blocked&", "reach=blocked"),
            ("noted&q=", "noted"),
            ("q=a%3D&=&at=", "q=a%3D"),
        ] {
            assert_eq!(without_empty(query).as_deref(), Some(kept), "{query}");
        }
        for query in ["q=ada", "noted", "q=%00&at=x", "q=%ED%A0%80"] {
            assert_eq!(without_empty(query), None, "{query}");
        }
    }
}
