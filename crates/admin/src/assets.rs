//! The style sheet and the script, under names that change with what they say, so that a browser
//! may keep them for ever.

use std::hash::{DefaultHasher, Hash, Hasher};

use axum::{
    extract::{Path, State},
    http::{HeaderName, StatusCode, header},
    response::{IntoResponse, Response},
};

use crate::App;

const STYLE: &str =
    concat!(include_str!("../assets/admin.css"), include_str!("../assets/charts.css"));
const SCRIPT: &str = include_str!("../assets/admin.js");
const FOR_EVER: &str = "public, max-age=31536000, immutable";

/// The names under which the files are served.
#[derive(Clone, Debug)]
pub(crate) struct Assets {
    pub(crate) style: String,
    pub(crate) script: String,
}

impl Assets {
    pub(crate) fn new() -> Self {
        Self {
            style: format!("admin.{}.css", fingerprint(STYLE)),
            script: format!("admin.{}.js", fingerprint(SCRIPT)),
        }
    }
}

/// Answers one of the files.
pub(crate) async fn get(State(app): State<App>, Path(name): Path<String>) -> Response {
    let (kind, text) = if name == app.assets.style {
        ("text/css; charset=utf-8", STYLE)
    } else if name == app.assets.script {
        ("text/javascript; charset=utf-8", SCRIPT)
    } else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let headers: [(HeaderName, &str); 2] =
        [(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, FOR_EVER)];
    (headers, text).into_response()
}

/// Tells one version of a file from another; nothing secret hangs on it.
fn fingerprint(text: &str) -> String {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}
