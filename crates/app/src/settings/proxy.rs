//! Proxies on the way to Telegram and the NHL: the setting `TELEGRAM_PROXY`, and the variables that
//! other programs understand too.

use std::fmt::{self, Display};

use axum::http::Uri;
use rollcall_telegram::ProxyUrl;

use super::{
    no_proxy::NoProxy,
    value::{SettingError, read},
};
use crate::environment::Environment;

/// What an owner is warned of where [`rollcall_telegram::Settings::is_token_exposed`].
pub const EXPOSED_TOKEN: &str = "TELEGRAM_API_URL begins with http://: the bot's token travels \
                                 unencrypted, and others on the way can read it; expected https://";

/// A proxy. Shown without its user name and password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proxy {
    /// The setting that names it.
    pub setting: &'static str,
    /// Where it is.
    pub url: ProxyUrl,
}

impl Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.url, self.setting)
    }
}

/// The proxy that the environment has for a server, in the way of curl: `HTTPS_PROXY` for one that
/// is reached by https, `HTTP_PROXY` for one that is reached by http, else `ALL_PROXY`, and none for
/// the hosts of `NO_PROXY`. Each may be in lower case; a name in capitals comes first.
pub(super) fn from_environment(
    server: &impl Display,
    environment: &Environment,
) -> Result<Option<Proxy>, SettingError> {
    let Ok(server) = server.to_string().parse::<Uri>() else { return Ok(None) };
    let (names, port) = match server.scheme_str() {
        Some("https") => (["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"], 443),
        _ => (["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"], 80),
    };
    let Some((setting, proxy)) = first(&names, environment) else { return Ok(None) };
    if let Some((setting, hosts)) = first(&["NO_PROXY", "no_proxy"], environment) {
        let hosts: NoProxy = read(setting, hosts)?;
        if hosts.contains(server.host().unwrap_or_default(), server.port_u16().unwrap_or(port)) {
            return Ok(None);
        }
    }
    // Without a scheme, every program takes it for http.
    let url = match proxy.contains("://") {
        true => read(setting, proxy)?,
        false => read(setting, &format!("http://{}", proxy.trim()))?,
    };
    Ok(Some(Proxy { setting, url }))
}

/// The first of these variables that is set.
fn first<'a>(
    names: &[&'static str],
    environment: &'a Environment,
) -> Option<(&'static str, &'a str)> {
    names.iter().find_map(|name| environment.get(name).map(|value| (*name, value)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown<const N: usize>(server: &str, variables: [(&str, &str); N]) -> String {
        match from_environment(&server, &variables.into()) {
            Ok(Some(proxy)) => proxy.to_string(),
            Ok(None) => "none".to_owned(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn each_scheme_has_its_variable() {
        let https = "https://api.telegram.org";
        let http = "http://localhost:8081";
        let all = ("ALL_PROXY", "socks5h://a");
        assert_eq!(shown(https, []), "none");
        assert_eq!(shown(https, [("HTTP_PROXY", "http://h:1")]), "none");
        assert_eq!(shown(http, [("HTTPS_PROXY", "http://h:1")]), "none");
        assert_eq!(shown(https, [("HTTPS_PROXY", "http://h:1"), all]), "http://h:1 (HTTPS_PROXY)");
        assert_eq!(
            shown(https, [("https_proxy", "https://h"), all]),
            "https://h:443 (https_proxy)"
        );
        assert_eq!(shown(http, [("http_proxy", "h:3128"), all]), "http://h:3128 (http_proxy)");
        assert_eq!(shown(http, [("HTTPS_PROXY", "h:3128"), all]), "socks5h://a:1080 (ALL_PROXY)");
        assert_eq!(
            shown(https, [("all_proxy", "socks5://[::1]:9")]),
            "socks5://[::1]:9 (all_proxy)"
        );
        assert_eq!(
            shown(https, [("HTTPS_PROXY", "http://upper:1"), ("https_proxy", "http://lower:1")]),
            "http://upper:1 (HTTPS_PROXY)"
        );
        assert_eq!(shown(https, [("HTTPS_PROXY", ""), all]), "socks5h://a:1080 (ALL_PROXY)");
    }

    #[test]
    fn some_hosts_are_reached_directly() {
        let all = ("ALL_PROXY", "socks5h://a");
        let telegram = "https://api.telegram.org";
        assert_eq!(shown(telegram, [all, ("NO_PROXY", "telegram.org")]), "none");
        assert_eq!(shown(telegram, [all, ("no_proxy", "localhost,*")]), "none");
        assert_eq!(shown(telegram, [all, ("NO_PROXY", "api.telegram.org:443")]), "none");
        assert_eq!(shown("http://[::1]:8081/x", [all, ("NO_PROXY", "[::1]:8081")]), "none");
        assert_eq!(
            shown(telegram, [all, ("NO_PROXY", "localhost")]),
            "socks5h://a:1080 (ALL_PROXY)"
        );
        assert!(
            shown(telegram, [all, ("NO_PROXY", "<local>")]).starts_with("NO_PROXY: \"<local>\"")
        );
    }

    #[test]
    fn what_is_no_proxy_is_named_and_not_shown() {
        for wrong in [
            "socks4://hunter2",
            "socks://hunter2:1080/",
            "ftp://ada:hunter2@h",
            "http://hunter2/path",
            "http://h:hunter2",
            "socks5://h?hunter2",
            "://hunter2",
            "http://",
            "ada:hun/ter2@h:1",
        ] {
            let message = shown("https://x", [("ALL_PROXY", wrong)]);
            assert!(message.starts_with("ALL_PROXY: "), "{message}");
            assert!(message.contains("expected http://, https://, socks5:// or socks5h://"));
            assert!(!message.contains("hunter2"), "{message}");
        }
        let message = shown("https://x", [("ALL_PROXY", "socks4://h")]);
        assert!(message.starts_with("ALL_PROXY: the scheme socks4:// is not supported;"));
    }
}
