//! The layout around every page, and rendering.

use std::{convert::Infallible, sync::Arc, time::Duration};

use askama::Template;
use axum::{
    extract::FromRequestParts,
    http::{Method, StatusCode, request::Parts},
    response::{Html, IntoResponse, Response},
};
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use rollcall_domain::{Admin, Role, error_chain};
use rollcall_service::Session;

use super::{AdminNames, Theme, text, time_zone};
use crate::{App, request::form_token::FormToken};

/// How far the lists and figures of a page are behind: an extension of its request, for pages that show
/// it.
#[derive(Clone, Copy, Debug)]
pub struct Behind(pub Duration);

/// What the layout of a page needs: the base path, the signed-in admin, the time zone.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    /// The path of the admin, such as `/admin`.
    pub(crate) base: Arc<str>,
    /// The signed-in admin; empty on public pages.
    pub(crate) who: String,
    /// The name of the signed-in admin, for people.
    pub(crate) name: String,
    /// The token that every POST form contains.
    pub(crate) form_token: String,
    /// The path of the page itself, to return to; empty if it is the answer to a form.
    pub(crate) here: String,
    zone: Tz,
    now: DateTime<Utc>,
    role: Role,
    tab: &'static str,
    theme: Theme,
    style: String,
    script: String,
    /// How far lists and figures are behind, if that is worth showing.
    behind: Option<Duration>,
}

/// The layout for the admin who sent a request, signed in or not.
impl FromRequestParts<App> for Layout {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Infallible> {
        let mut layout = Self::for_anybody(app);
        layout.zone = time_zone::of(&app.settings, &parts.headers).0;
        layout.theme = Theme::of(&app.settings, &parts.headers);
        layout.style = app.assets.style(layout.theme);
        layout.now = app.clock.now();
        if parts.method == Method::GET {
            layout.here = parts.uri.path_and_query().map(ToString::to_string).unwrap_or_default();
        }
        layout.behind = parts.extensions.get().map(|Behind(lag)| *lag);
        if let Some(FormToken(token)) = parts.extensions.get() {
            layout.form_token.clone_from(token);
        }
        if let Some(session) = parts.extensions.get::<Session>() {
            layout.who = session.admin.to_string();
            layout.name = name(app, &session.admin).await;
            layout.role = session.role;
        }
        Ok(layout)
    }
}

impl Layout {
    /// The layout of a public page without forms.
    pub(crate) fn for_anybody(app: &App) -> Self {
        Self {
            base: Arc::clone(&app.base),
            who: String::new(),
            name: String::new(),
            form_token: String::new(),
            here: String::new(),
            zone: Tz::UTC,
            role: Role::Viewer,
            tab: "",
            theme: Theme::Auto,
            style: app.assets.style(Theme::Auto),
            script: app.assets.script(),
            now: app.clock.now(),
            behind: None,
        }
    }

    /// How far lists and figures are behind, in words.
    pub(crate) fn behind(&self) -> Option<String> {
        self.behind.map(text::span)
    }

    /// Marks a link of the navigation as the current page.
    pub(crate) fn tab(self, tab: &'static str) -> Self {
        Self { tab, ..self }
    }

    pub(crate) fn css(&self) -> String {
        format!("{}/assets/{}", self.base, self.style)
    }

    pub(crate) fn js(&self) -> String {
        format!("{}/assets/{}", self.base, self.script)
    }

    /// A time in the zone of the pages.
    pub(crate) fn time(&self, at: &DateTime<Utc>) -> String {
        at.with_timezone(&self.zone).format("%Y-%m-%d %H:%M").to_string()
    }

    /// How long ago a time was.
    pub(crate) fn ago(&self, at: &DateTime<Utc>) -> String {
        text::ago(self.now - *at)
    }

    /// The themes to choose from, and whether each is chosen.
    pub(crate) fn themes(&self) -> [(Theme, bool); 3] {
        Theme::ALL.map(|theme| (theme, theme == self.theme))
    }

    /// How far that zone is from UTC.
    pub(crate) fn zone(&self) -> String {
        time_zone::distance(self.zone, self.now)
    }

    /// The name of that zone, for the script, which sends the browser's own if it is another one.
    pub(crate) fn zone_name(&self) -> &'static str {
        self.zone.name()
    }

    /// The zones to choose from: minutes, name, and whether it is chosen.
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

/// The name of an admin. A page without it is better than no page.
async fn name(app: &App, admin: &Admin) -> String {
    let names = AdminNames::of(app, vec![admin.clone()]).await.unwrap_or_else(|error| {
        log::warn!(error = error_chain(&error); "could not look up the name of an admin");
        AdminNames::default()
    });
    names.name(admin)
}

/// Renders a page.
pub(crate) fn render(template: &impl Template) -> Response {
    match template.render() {
        Ok(html) => Html(html).into_response(),
        Err(error) => {
            log::error!(error:% = error; "could not render a page");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
