//! The style sheets, one for each theme, and the script. Their names change with their contents, so browsers can cache
//! them for ever.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
};

use axum::{
    body::Bytes,
    extract::{Path, State},
    http::{HeaderName, StatusCode, header},
    response::{IntoResponse, Response},
};

use super::Theme;

const STYLE: &str =
    concat!(include_str!("../../assets/admin.css"), include_str!("../../assets/charts.css"));
const SCRIPT: &str = concat!(
    include_str!("../../assets/admin.js"),
    include_str!("../../assets/counts.js"),
    include_str!("../../assets/periods.js"),
    include_str!("../../assets/filter.js"),
    include_str!("../../assets/compose.js"),
    include_str!("../../assets/charts.js"),
    include_str!("../../assets/passkeys.js"),
    include_str!("../../assets/mini_app.js")
);
const FOR_EVER: &str = "public, max-age=31536000, immutable";

/// The files.
#[derive(Clone, Debug)]
pub(crate) struct Assets {
    styles: [(Theme, Asset); 3],
    script: Asset,
}

/// A file, and the name under which it is served.
#[derive(Clone, Debug)]
struct Asset {
    name: String,
    content: Bytes,
}

impl Asset {
    fn new(content: String, extension: &str) -> Self {
        let name = format!("admin.{}.{extension}", fingerprint(&content));
        Self { name, content: content.into() }
    }
}

impl Assets {
    pub(crate) fn new() -> Self {
        Self {
            styles: Theme::ALL.map(|theme| (theme, Asset::new(theme.apply(STYLE), "css"))),
            script: Asset::new(SCRIPT.to_owned(), "js"),
        }
    }

    /// The name of the style sheet of a theme.
    pub(crate) fn style(&self, theme: Theme) -> String {
        let style = self.styles.iter().find(|(it, _)| *it == theme);
        style.map(|(_, asset)| asset.name.clone()).unwrap_or_default()
    }

    /// The name of the script.
    pub(crate) fn script(&self) -> String {
        self.script.name.clone()
    }
}

/// Serves one of the files.
pub(crate) async fn get(State(assets): State<Arc<Assets>>, Path(name): Path<String>) -> Response {
    let style = assets.styles.iter().map(|(_, asset)| asset).find(|asset| asset.name == name);
    let script = Some(&assets.script).filter(|asset| asset.name == name);
    let (kind, asset) = match (style, script) {
        (Some(style), _) => ("text/css; charset=utf-8", style),
        (None, Some(script)) => ("text/javascript; charset=utf-8", script),
        (None, None) => return StatusCode::NOT_FOUND.into_response(),
    };
    let headers: [(HeaderName, &str); 2] =
        [(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, FOR_EVER)];
    (headers, asset.content.clone()).into_response()
}

/// Identifies a version of a file. It need not be secret.
fn fingerprint(text: &str) -> String {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    /// The colours of a scheme by their names: those of the light one, and what the dark one changes.
    fn colours(is_dark: bool) -> HashMap<&'static str, f64> {
        let mut colours = HashMap::new();
        for block in STYLE.split(":root {").skip(1).enumerate() {
            // Each file has the light scheme first.
            if block.0 % 2 == 1 && !is_dark {
                continue;
            }
            for line in block.1.split('}').next().unwrap().lines() {
                if let Some((name, value)) = line.trim().split_once(": #") {
                    colours.insert(name, luminance(value.trim_end_matches(';')));
                }
            }
        }
        colours
    }

    /// How light a colour is (WCAG 2.2, "relative luminance").
    fn luminance(hex: &str) -> f64 {
        let part = |at: usize| {
            let part = f64::from(u8::from_str_radix(&hex[at..at + 2], 16).unwrap()) / 255.0;
            if part <= 0.04045 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * part(0) + 0.7152 * part(2) + 0.0722 * part(4)
    }

    #[test]
    fn a_theme_has_its_colours_on_every_system() {
        let assets = Assets::new();
        let style = |theme: Theme| Theme::apply(theme, STYLE);
        assert!(style(Theme::Light).contains("color-scheme: light;"));
        assert!(style(Theme::Dark).contains("color-scheme: dark;"));
        for theme in [Theme::Light, Theme::Dark] {
            assert!(!style(theme).contains("prefers-color-scheme"), "{theme:?}");
            assert_ne!(assets.style(theme), assets.style(Theme::Auto));
        }
        assert_eq!(style(Theme::Auto), STYLE);
    }

    #[test]
    fn colours_of_charts_stand_out() {
        for is_dark in [false, true] {
            let colours = colours(is_dark);
            let contrast = |a: &str, b: &str| {
                let (a, b) = (colours[a], colours[b]);
                (a.max(b) + 0.05) / (a.min(b) + 0.05)
            };
            for drawn in ["--c1", "--c2", "--c3", "--c4"] {
                let contrast = contrast(drawn, "--panel");
                assert!(contrast >= 3.0, "{drawn}, dark: {is_dark}: {contrast:.2}");
            }
            for (drawn, beside) in [("--c1", "--c2"), ("--c2", "--c3")] {
                let contrast = contrast(drawn, beside);
                assert!(contrast >= 1.5, "{drawn} by {beside}, dark: {is_dark}: {contrast:.2}");
            }
            for (text, behind) in [
                ("--on-light", "--l0"),
                ("--on-light", "--l1"),
                ("--on-light", "--l2"),
                ("--on-light", "--l3"),
                ("--on-dark", "--l4"),
                ("--on-dark", "--l5"),
                ("--soft", "--panel"),
                ("--good", "--panel"),
                ("--bad", "--panel"),
            ] {
                let contrast = contrast(text, behind);
                assert!(contrast >= 4.5, "{text} on {behind}, dark: {is_dark}: {contrast:.2}");
            }
        }
    }
}
