//! What every page has around it, and how pages become answers.

use std::sync::Arc;

use askama::Template;
use axum::{
    http::StatusCode,
    response::{Html, IntoResponse, Response},
};
use rollcall_domain::Role;
use rollcall_service::Session;

use crate::App;

/// What every page knows: where the admin is mounted, and who looks.
#[derive(Clone, Debug)]
pub(crate) struct Frame {
    /// The path of the admin, such as `/admin`.
    pub(crate) base: Arc<str>,
    /// Who looks; empty on the pages that anybody may see.
    pub(crate) who: String,
    role: Role,
    tab: &'static str,
    style: String,
    script: String,
}

impl Frame {
    /// A page for somebody who has signed in. `tab` is the link that is marked as theirs.
    pub(crate) fn new(app: &App, session: &Session, tab: &'static str) -> Self {
        Self { who: session.admin.to_string(), role: session.role, tab, ..Self::for_anybody(app) }
    }

    /// A page for anybody.
    pub(crate) fn for_anybody(app: &App) -> Self {
        Self {
            base: Arc::clone(&app.base),
            who: String::new(),
            role: Role::Viewer,
            tab: "",
            style: app.assets.style.clone(),
            script: app.assets.script.clone(),
        }
    }

    pub(crate) fn css(&self) -> String {
        format!("{}/assets/{}", self.base, self.style)
    }

    pub(crate) fn js(&self) -> String {
        format!("{}/assets/{}", self.base, self.script)
    }

    pub(crate) fn role(&self) -> Role {
        self.role
    }

    pub(crate) fn is(&self, tab: &str) -> bool {
        self.tab == tab
    }

    pub(crate) fn is_owner(&self) -> bool {
        self.role >= Role::Owner
    }

    pub(crate) fn is_editor(&self) -> bool {
        self.role >= Role::Editor
    }
}

/// A page as an answer.
pub(crate) fn page(template: &impl Template) -> Response {
    match template.render() {
        Ok(html) => Html(html).into_response(),
        Err(error) => {
            log::error!(error:% = error; "a page cannot be written");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
