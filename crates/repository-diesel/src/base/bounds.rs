//! How long a connection to PostgreSQL waits for a server that does not answer.

/// What libpq is given if the URL says nothing about it (PostgreSQL, "Database Connection Control
/// Functions"). Without them, a connection whose server has vanished waits for two hours or longer.
const BOUNDS: [(&str, &str); 5] = [
    // Seconds until a host is given up, and the next one of the URL is tried.
    ("connect_timeout", "5"),
    // Milliseconds until what was sent must have arrived.
    ("tcp_user_timeout", "10000"),
    // Seconds without data until the server is asked whether it is there, and between the further
    // questions, and their number.
    ("keepalives_idle", "10"),
    ("keepalives_interval", "5"),
    ("keepalives_count", "3"),
];

/// The URL with all bounds; those that it has stay.
pub(super) fn bounded(url: &str) -> String {
    let (_, parameters) = url.split_once('?').unwrap_or((url, ""));
    let has = |name: &str| {
        parameters.split('&').any(|it| it.split_once('=').is_some_and(|(known, _)| known == name))
    };
    let missing = BOUNDS.into_iter().filter(|(name, _)| !has(name));
    let missing: Vec<String> = missing.map(|(name, value)| format!("{name}={value}")).collect();
    let sign = if !url.contains('?') {
        "?"
    } else if url.ends_with(['?', '&']) {
        ""
    } else {
        "&"
    };
    match missing.as_slice() {
        [] => url.to_owned(),
        missing => format!("{url}{sign}{}", missing.join("&")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_url_does_not_say_is_bounded() {
        const REST: &str = "keepalives_idle=10&keepalives_interval=5&keepalives_count=3";
        let all = format!("connect_timeout=5&tcp_user_timeout=10000&{REST}");
        for (url, expected) in [
            ("postgres://u:p@h/d", format!("postgres://u:p@h/d?{all}")),
            ("postgres://h/d?", format!("postgres://h/d?{all}")),
            ("postgres://h/d?sslmode=require", format!("postgres://h/d?sslmode=require&{all}")),
            (
                "postgres://h1,h2/d?connect_timeout=2&tcp_user_timeout=0&",
                format!("postgres://h1,h2/d?connect_timeout=2&tcp_user_timeout=0&{REST}"),
            ),
        ] {
            assert_eq!(bounded(url), expected);
            assert_eq!(bounded(&expected), expected);
        }
    }
}
