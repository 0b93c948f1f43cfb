//! The page to go to after signing in.

use serde::Deserialize;

#[derive(Deserialize)]
pub(crate) struct Next {
    #[serde(default)]
    pub(crate) next: String,
}

/// The requested page, if it belongs to the admin; otherwise the first page.
pub(crate) fn or_first<'a>(base: &'a str, next: &'a str) -> &'a str {
    if is_ours(base, next) { next } else { base }
}

/// Whether a page belongs to the admin, so that a link to the sign-in page cannot lead to another
/// site. It begins with the admin's path, so neither `//` nor a backslash can turn it into a host.
fn is_ours(base: &str, next: &str) -> bool {
    let rest = next.strip_prefix(base);
    let is_below = rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?']));
    is_below && next.bytes().all(|b| b.is_ascii_graphic() && b != b'\\')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_pages_of_the_admin_are_accepted() {
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
