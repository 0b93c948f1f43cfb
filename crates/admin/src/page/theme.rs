//! The colours of the pages: those of the system, light or dark.

use axum::http::HeaderMap;

use crate::{Settings, request::cookie};

/// Which colours an admin chose.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Theme {
    /// The colours of the system.
    #[default]
    Auto,
    /// Light colours.
    Light,
    /// Dark colours.
    Dark,
}

impl Theme {
    pub(crate) const ALL: [Self; 3] = [Self::Auto, Self::Light, Self::Dark];

    /// The theme in the cookie.
    pub(crate) fn of(settings: &Settings, headers: &HeaderMap) -> Self {
        let name = cookie::read(settings, cookie::THEME, headers);
        name.and_then(|name| Self::named(&name)).unwrap_or_default()
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|theme| theme.name() == name)
    }

    /// Its name in forms and in the cookie.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Auto => "Auto",
            Self::Light => "Light",
            Self::Dark => "Dark",
        }
    }

    /// A style sheet with rules for light and dark systems, so that only this theme applies.
    pub(super) fn apply(self, style: &str) -> String {
        let (scheme, dark_rules) = match self {
            Self::Auto => return style.to_owned(),
            Self::Light => ("color-scheme: light;", "@media not all"),
            Self::Dark => ("color-scheme: dark;", "@media all"),
        };
        style
            .replace("color-scheme: light dark;", scheme)
            .replace("@media (prefers-color-scheme: dark)", dark_rules)
    }
}
