//! The environment variable `NO_PROXY`.

use std::{net::IpAddr, str::FromStr};

use ipnet::IpNet;

/// Hosts that are reached without a proxy.
///
/// There is no standard. This understands what curl, Go and Python do: `example.org` and
/// `.example.org` for a domain and what is below it, addresses, networks such as `10.0.0.0/8`, a
/// port behind a host, and `*` for any text.
#[derive(Debug, Default)]
pub(super) struct NoProxy(Vec<Entry>);

#[derive(Debug)]
struct Entry {
    host: Host,
    port: Option<u16>,
}

#[derive(Debug)]
enum Host {
    Network(IpNet),
    /// A domain, in lower case and without a dot before it.
    Domain(String),
    /// A text in lower case in which `*` stands for any other.
    Pattern(String),
}

impl NoProxy {
    /// Whether a host, of which an IPv6 address may stand in brackets, is one of them.
    pub(super) fn contains(&self, host: &str, port: u16) -> bool {
        let host = host.trim_start_matches('[').trim_end_matches(']').to_ascii_lowercase();
        let address = host.parse().ok().map(|address: IpAddr| address.to_canonical());
        let fits = |entry: &Entry| match &entry.host {
            Host::Network(network) => address.is_some_and(|address| network.contains(&address)),
            Host::Pattern(pattern) => matches(pattern, &host),
            Host::Domain(domain) => {
                let before = host.strip_suffix(domain.as_str());
                before.is_some_and(|before| before.is_empty() || before.ends_with('.'))
            }
        };
        self.0.iter().any(|entry| entry.port.is_none_or(|it| it == port) && fits(entry))
    }
}

/// Whether a text is a pattern's, in which `*` stands for any text.
fn matches(pattern: &str, text: &str) -> bool {
    let Some((before, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(text) = text.strip_prefix(before) else { return false };
    let mut places = text.char_indices().map(|(at, _)| at).chain([text.len()]);
    places.any(|at| text.get(at..).is_some_and(|text| matches(rest, text)))
}

impl FromStr for NoProxy {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts = text.split([',', ' ', '\t']).filter(|part| !part.is_empty());
        let parsed = parts.map(|part| {
            read(part).ok_or_else(|| {
                format!(
                    "{part:?} is not a host, an address or a network; \
                     expected such as localhost,.example.org,10.0.0.0/8,192.0.2.1:8080"
                )
            })
        });
        parsed.collect::<Result<_, _>>().map(Self)
    }
}

fn read(part: &str) -> Option<Entry> {
    if let Some(network) = network(part) {
        return Some(Entry { host: Host::Network(network), port: None });
    }
    let (host, port) = match part.rsplit_once(':') {
        Some((host, port)) => (host, Some(port.parse().ok()?)),
        None => (part, None),
    };
    let host = match network(host) {
        Some(network) => Host::Network(network),
        None => name(&host.to_ascii_lowercase())?,
    };
    Some(Entry { host, port })
}

/// An address, which may stand in brackets, or a network.
fn network(text: &str) -> Option<IpNet> {
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    if let Ok(address) = bare.parse::<IpAddr>() {
        return Some(address.to_canonical().into());
    }
    let (address, length) = text.split_once('/')?;
    // Of an IPv4 network some write only the octets that count.
    let missing = match address.contains(':') {
        true => 0,
        false => 3_usize.checked_sub(address.matches('.').count())?,
    };
    format!("{address}{}/{length}", ".0".repeat(missing)).parse().ok()
}

fn name(text: &str) -> Option<Host> {
    let is_name = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
    let domain = text.strip_prefix("*.").unwrap_or(text);
    let domain = domain.trim_start_matches('.').trim_end_matches('.');
    match text {
        text if text.chars().all(|c| c == '*' || c == '.') && text.contains('*') => {
            Some(Host::Pattern("*".to_owned()))
        }
        _ if domain.is_empty() => None,
        _ if domain.chars().all(is_name) => Some(Host::Domain(domain.to_owned())),
        _ if domain.chars().all(|c| c == '*' || is_name(c)) => Some(Host::Pattern(text.to_owned())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_direct(no_proxy: &str, host: &str, port: u16) -> bool {
        no_proxy.parse::<NoProxy>().unwrap().contains(host, port)
    }

    #[test]
    fn hosts_are_named_in_every_usual_way() {
        for no_proxy in [
            "*",
            "localhost, API.telegram.org",
            ".telegram.org",
            "*.telegram.org",
            "telegram.org.",
            "x telegram.org",
            "api.*.org",
            "api.telegram.org:443",
        ] {
            assert!(is_direct(no_proxy, "api.telegram.org", 443), "{no_proxy}");
        }
        for no_proxy in [
            "",
            ",",
            "pi.telegram.org",
            "gram.org",
            "example.org",
            "telegram.org:8443",
            "x.api.telegram.org",
            "149.154.160.0/20",
            "tele*",
        ] {
            assert!(!is_direct(no_proxy, "api.telegram.org", 443), "{no_proxy}");
        }
    }

    #[test]
    fn addresses_may_be_of_a_network() {
        for (no_proxy, host) in [
            ("127.0.0.1", "127.0.0.1"),
            ("127.0.0.0/8", "127.9.9.9"),
            ("169.254/16", "169.254.1.1"),
            ("192.168.*", "192.168.1.1"),
            ("127.0.0.1:80", "127.0.0.1"),
            ("::1", "[::1]"),
            ("[::1]", "[::1]"),
            ("[::1]:80", "[::1]"),
            ("fd00::/8", "[fd00::1]"),
            ("127.0.0.1", "[::ffff:127.0.0.1]"),
        ] {
            assert!(is_direct(no_proxy, host, 80), "{no_proxy}");
        }
        for (no_proxy, host) in [
            ("127.0.0.1", "127.0.0.11"),
            ("10.0.0.0/8", "11.0.0.1"),
            ("127.0.0.1:81", "127.0.0.1"),
            ("::1", "[::2]"),
            ("0.0.0.0/0", "example.org"),
        ] {
            assert!(!is_direct(no_proxy, host, 80), "{no_proxy}");
        }
    }

    #[test]
    fn what_is_none_of_them_is_named() {
        for part in
            ["http://x", "<local>", "ada@x", "x:port", "10.0.0.0/33", "1.2.3.4.5/8", ".", "a/b"]
        {
            let error = format!("localhost,{part}").parse::<NoProxy>().unwrap_err();
            assert!(error.starts_with(&format!("{part:?} is not a host,")), "{error}");
        }
    }
}
