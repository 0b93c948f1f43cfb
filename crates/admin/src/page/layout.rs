//! What every page has around it, and how pages become answers.

use std::{convert::Infallible, sync::Arc};

use askama::Template;
use axum::{
    extract::FromRequestParts,
    http::{StatusCode, request::Parts},
    response::{Html, IntoResponse, Response},
};
use chrono::{DateTime, FixedOffset, Offset, Utc};
use rollcall_domain::Role;
use rollcall_service::Session;

use super::time_zone;
use crate::{App, request::form_token::FormToken};

/// What every page knows: where the admin is mounted, and who looks.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    /// The path of the admin, such as `/admin`.
    pub(crate) base: Arc<str>,
    /// Who looks; empty on the pages that anybody may see.
    pub(crate) who: String,
    /// What every form that is sent by POST has to carry.
    pub(crate) form_token: String,
    /// The page itself, to come back to.
    pub(crate) here: String,
    zone: FixedOffset,
    role: Role,
    tab: &'static str,
    style: String,
    script: String,
}

/// Around a page for whoever asks for it, signed in or not.
impl FromRequestParts<App> for Layout {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Infallible> {
        let mut layout = Self::for_anybody(app);
        layout.zone = time_zone::of(&app.settings, &parts.headers);
        layout.here = parts.uri.path_and_query().map(ToString::to_string).unwrap_or_default();
        if let Some(FormToken(token)) = parts.extensions.get() {
            layout.form_token.clone_from(token);
        }
        if let Some(session) = parts.extensions.get::<Session>() {
            layout.who = session.admin.to_string();
            layout.role = session.role;
        }
        Ok(layout)
    }
}

impl Layout {
    /// Around a page without forms for anybody.
    pub(crate) fn for_anybody(app: &App) -> Self {
        Self {
            base: Arc::clone(&app.base),
            who: String::new(),
            form_token: String::new(),
            here: String::new(),
            zone: Utc.fix(),
            role: Role::Viewer,
            tab: "",
            style: app.assets.style.clone(),
            script: app.assets.script.clone(),
        }
    }

    /// The same with a link marked as the page's own.
    pub(crate) fn tab(self, tab: &'static str) -> Self {
        Self { tab, ..self }
    }

    pub(crate) fn css(&self) -> String {
        format!("{}/assets/{}", self.base, self.style)
    }

    pub(crate) fn js(&self) -> String {
        format!("{}/assets/{}", self.base, self.script)
    }

    /// A time as the pages show it.
    pub(crate) fn time(&self, at: &DateTime<Utc>) -> String {
        at.with_timezone(&self.zone).format("%Y-%m-%d %H:%M").to_string()
    }

    /// The zone of the times.
    pub(crate) fn zone(&self) -> String {
        time_zone::name(self.zone)
    }

    /// What can be chosen as the zone: minutes, name, and whether it is chosen.
    pub(crate) fn zones(&self) -> Vec<(i32, String, bool)> {
        let chosen = self.zone();
        let choice = |(offset, name): (i32, String)| {
            let is_chosen = name == chosen;
            (offset, name, is_chosen)
        };
        time_zone::choices().into_iter().map(choice).collect()
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
pub(crate) fn render(template: &impl Template) -> Response {
    match template.render() {
        Ok(html) => Html(html).into_response(),
        Err(error) => {
            log::error!(error:% = error; "a page cannot be written");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
