//! The headers in which reverse proxies name the client of a request.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use axum::http::{HeaderMap, HeaderValue, header};
use ipnet::IpNet;

/// The header in which trusted proxies name the client of a request. The other one is never read,
/// because clients can write it freely.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ForwardedHeader {
    /// `X-Forwarded-For`: addresses, separated by commas.
    #[default]
    XForwardedFor,
    /// `Forwarded` (RFC 7239): the `for` of each element.
    Forwarded,
}

/// The client of a request from this peer: the peer itself or, if it is a trusted proxy, the last
/// address in the header that is not one.
pub fn client_address(
    proxies: &[IpNet],
    peer: IpAddr,
    header: ForwardedHeader,
    headers: &HeaderMap,
) -> IpAddr {
    let is_trusted = |address: &IpAddr| proxies.iter().any(|it| it.contains(address));
    let mut address = peer.to_canonical();
    if !is_trusted(&address) {
        return address;
    }
    let clients = match header {
        ForwardedHeader::XForwardedFor => x_forwarded_for(headers),
        ForwardedHeader::Forwarded => forwarded(headers),
    };
    for client in clients.into_iter().rev() {
        // An unreadable entry ends the search: what precedes it cannot be trusted.
        let Some(client) = client.filter(|_| is_trusted(&address)) else { break };
        address = client;
    }
    address
}

/// The clients in `X-Forwarded-For`, the nearest last; `None` for an entry that is no address.
fn x_forwarded_for(headers: &HeaderMap) -> Vec<Option<IpAddr>> {
    let lines = headers.get_all("x-forwarded-for").iter().map(HeaderValue::as_bytes);
    let parts = lines.flat_map(|line| line.split(|byte| *byte == b','));
    let parts = parts.map(|part| part.trim_ascii()).filter(|part| !part.is_empty());
    parts.map(|part| str::from_utf8(part).ok().and_then(node)).collect()
}

/// The clients in `Forwarded`, the nearest last; `None` for an entry that is no address.
fn forwarded(headers: &HeaderMap) -> Vec<Option<IpAddr>> {
    let lines = headers.get_all(header::FORWARDED).iter().map(HeaderValue::as_bytes);
    let elements = lines.flat_map(|line| split(line, b','));
    let elements = elements.filter(|element| !element.trim_ascii().is_empty());
    elements.map(|element| node(&client(element)?)).collect()
}

/// The value of `for` in an element such as `for="[2001:db8::1]:80";proto=https` (RFC 7239, 4), if
/// there is exactly one.
fn client(element: &[u8]) -> Option<String> {
    let mut found = None;
    for pair in split(element, b';') {
        let pair = str::from_utf8(pair).ok()?.trim_ascii();
        if pair.is_empty() {
            continue;
        }
        let (name, value) = pair.split_once('=')?;
        let value = unquote(value)?;
        if name.eq_ignore_ascii_case("for") && found.replace(value).is_some() {
            return None;
        }
    }
    found
}

/// Splits a text at separators outside quotes. An unclosed quote extends to the end of the text.
fn split(text: &[u8], separator: u8) -> Vec<&[u8]> {
    let (mut in_quotes, mut is_escaped) = (false, false);
    let is_separator = |byte: &u8| {
        let was_escaped = std::mem::take(&mut is_escaped);
        match byte {
            b'\\' if in_quotes => is_escaped = !was_escaped,
            b'"' if !was_escaped => in_quotes = !in_quotes,
            _ => {}
        }
        *byte == separator && !in_quotes
    };
    text.split(is_separator).collect()
}

/// A value without its quotes and escapes (RFC 9110, 5.6.4). Unquoted values may contain colons and
/// brackets, which some proxies write although RFC 7239 does not allow it.
fn unquote(value: &str) -> Option<String> {
    let Some(quoted) = value.strip_prefix('"') else {
        return Some(value.to_owned()).filter(|value| !value.contains('"'));
    };
    let mut text = String::new();
    let mut characters = quoted.chars();
    loop {
        match characters.next()? {
            '"' => break,
            '\\' => text.push(characters.next()?),
            character => text.push(character),
        }
    }
    characters.next().is_none().then_some(text)
}

/// The address of a node such as `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1` or `[2001:db8::1]:80`
/// (RFC 7239, 6); `None` for `unknown`, or for a name that hides it.
fn node(text: &str) -> Option<IpAddr> {
    let (address, port) = if let Some(text) = text.strip_prefix('[') {
        let (address, port) = text.split_once(']')?;
        (without_zone(address).parse::<Ipv6Addr>().ok()?.into(), port)
    } else if text.matches(':').count() > 1 {
        (without_zone(text).parse::<Ipv6Addr>().ok()?.into(), "")
    } else {
        let (address, port) = text.split_at(text.find(':').unwrap_or(text.len()));
        (address.parse::<Ipv4Addr>().ok()?.into(), port)
    };
    let is_port = port.is_empty() || port.strip_prefix(':').is_some_and(is_port);
    is_port.then(|| IpAddr::to_canonical(&address))
}

/// Removes the network of a link-local address, as in `fe80::1%eth0`.
fn without_zone(address: &str) -> &str {
    address.split_once('%').map_or(address, |(address, _)| address)
}

/// A number, or a name that hides it, such as `_x` (RFC 7239, 6.2 and 6.3).
fn is_port(text: &str) -> bool {
    match text.strip_prefix('_') {
        Some(name) => {
            !name.is_empty()
                && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
        }
        None => matches!(text.len(), 1..=5) && text.bytes().all(|b| b.is_ascii_digit()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: &[&str] = &["10.0.0.0/8", "::1/128"];

    /// The address of a request with these lines of the header, and of the other one.
    fn seen(
        header: ForwardedHeader,
        proxies: &[&str],
        peer: &str,
        [x_forwarded_for, forwarded]: [&[&str]; 2],
    ) -> String {
        let proxies: Vec<IpNet> = proxies.iter().map(|it| it.parse().unwrap()).collect();
        let mut headers = HeaderMap::new();
        for (name, lines) in [("x-forwarded-for", x_forwarded_for), ("forwarded", forwarded)] {
            for line in lines {
                headers.append(name, HeaderValue::from_bytes(line.as_bytes()).unwrap());
            }
        }
        client_address(&proxies, peer.parse().unwrap(), header, &headers).to_string()
    }

    /// As seen from a proxy of ours, with lines of `X-Forwarded-For`.
    fn x(lines: &[&str]) -> String {
        let other: &[&str] = &["for=192.0.2.99"];
        seen(ForwardedHeader::XForwardedFor, OURS, "10.0.0.1", [lines, other])
    }

    /// As seen from a proxy of ours, with lines of `Forwarded`.
    fn f(lines: &[&str]) -> String {
        let other: &[&str] = &["192.0.2.99"];
        seen(ForwardedHeader::Forwarded, OURS, "10.0.0.1", [other, lines])
    }

    #[test]
    fn only_trusted_proxies_are_believed() {
        for header in [ForwardedHeader::XForwardedFor, ForwardedHeader::Forwarded] {
            let lines: [&[&str]; 2] = [&["198.51.100.1"], &["for=198.51.100.1"]];
            let seen = |proxies: &[&str], peer: &str| seen(header, proxies, peer, lines);
            assert_eq!(seen(&[], "203.0.113.9"), "203.0.113.9");
            assert_eq!(seen(OURS, "203.0.113.9"), "203.0.113.9");
            assert_eq!(seen(OURS, "::1"), "198.51.100.1");
            assert_eq!(seen(OURS, "::ffff:10.0.0.1"), "198.51.100.1");
        }
    }

    #[test]
    fn entries_before_the_trusted_proxies_do_not_count() {
        assert_eq!(x(&["1.1.1.1, 198.51.100.1, 10.0.0.2"]), "198.51.100.1");
        assert_eq!(x(&["1.1.1.1", "198.51.100.1"]), "198.51.100.1");
        assert_eq!(x(&["1.1.1.1, nonsense"]), "10.0.0.1");
        assert_eq!(x(&["1.1.1.1, nonsense, 10.0.0.2"]), "10.0.0.2");
        assert_eq!(x(&["10.0.0.3, 10.0.0.2"]), "10.0.0.3");
        assert_eq!(x(&[]), "10.0.0.1");
        assert_eq!(f(&["for=1.1.1.1, for=198.51.100.1;proto=https, for=10.0.0.2"]), "198.51.100.1");
        assert_eq!(f(&["for=1.1.1.1", "for=198.51.100.1"]), "198.51.100.1");
        assert_eq!(f(&[]), "10.0.0.1");
    }

    #[test]
    fn an_address_may_have_a_port_brackets_and_blanks() {
        for (text, address) in [
            ("203.0.113.7", "203.0.113.7"),
            ("203.0.113.7:4711", "203.0.113.7"),
            ("[2001:db8::1]:4711", "2001:db8::1"),
            ("[2001:db8::1]", "2001:db8::1"),
            ("2001:DB8::1", "2001:db8::1"),
            ("::ffff:203.0.113.7", "203.0.113.7"),
            ("[::ffff:203.0.113.7]:80", "203.0.113.7"),
            ("fe80::1%eth0", "fe80::1"),
            (" \t203.0.113.7:4711\t ", "203.0.113.7"),
            ("203.0.113.7,", "203.0.113.7"),
            ("203.0.113.7, ,,", "203.0.113.7"),
        ] {
            assert_eq!(x(&[text]), address, "{text}");
            assert_eq!(x(&["1.1.1.1", text]), address, "{text}");
            assert_eq!(x(&[&format!("1.1.1.1 ,{text}, 10.0.0.2:80")]), address, "{text}");
        }
        for odd in [
            "unknown",
            "203.0.113.7:",
            "203.0.113.7:x",
            "203.0.113.7:123456",
            "203.0.113.7 80",
            "[203.0.113.7]",
            "[2001:db8::1",
            "[2001:db8::1]80",
            "203.0.113",
            "for=203.0.113.7",
            "example.org",
            "ключ",
        ] {
            assert_eq!(x(&[&format!("1.1.1.1, {odd}")]), "10.0.0.1", "{odd}");
        }
        assert_eq!(x(&["ключ, 198.51.100.1"]), "198.51.100.1", "what is right of it is ours");
    }

    #[test]
    fn forwarded_is_read_as_rfc_7239_defines_it() {
        for (element, address) in [
            ("for=192.0.2.43", "192.0.2.43"),
            ("For=192.0.2.43;Proto=https;By=203.0.113.43", "192.0.2.43"),
            ("proto=http ; by=203.0.113.43 ; FOR=192.0.2.43", "192.0.2.43"),
            ("for=\"192.0.2.43:47011\"", "192.0.2.43"),
            ("for=\"192.0.2.43:_http\"", "192.0.2.43"),
            ("for=\"[2001:db8:cafe::17]:4711\"", "2001:db8:cafe::17"),
            ("for=\"[2001:db8:cafe::17]\"", "2001:db8:cafe::17"),
            ("for=\"\\1\\9\\2.0.2.43\"", "192.0.2.43"),
            ("host=\"a, for=1.1.1.1; b\\\", c\";for=192.0.2.43", "192.0.2.43"),
            // Not as it should be written, but clear.
            ("for=192.0.2.43:47011", "192.0.2.43"),
            ("for=[2001:db8:cafe::17]:4711", "2001:db8:cafe::17"),
            (";for=192.0.2.43;", "192.0.2.43"),
        ] {
            assert_eq!(f(&[element]), address, "{element}");
            assert_eq!(f(&["for=1.1.1.1", element]), address, "{element}");
            assert_eq!(f(&[&format!("for=1.1.1.1,{element} , for=10.0.0.2,")]), address);
        }
        for odd in [
            "for=unknown",
            "for=_hidden",
            "for=\"_SEVKISEK:80\"",
            "for=",
            "for=\"\"",
            "for",
            "192.0.2.43",
            "proto=https",
            "for=192.0.2.43;for=192.0.2.44",
            "for =192.0.2.43",
            "for=\"192.0.2.43",
            "for=\"192.0.2.43\"x",
            "for=192.0.2.43\"",
            "for=192.0.2.43;proto",
        ] {
            assert_eq!(f(&[&format!("for=1.1.1.1, {odd}")]), "10.0.0.1", "{odd}");
            assert_eq!(f(&[odd, "for=198.51.100.1"]), "198.51.100.1", "{odd}");
        }
    }

    #[test]
    fn a_forged_quote_does_not_swallow_what_a_proxy_adds() {
        for added in
            ["for=198.51.100.1", "for=\"[2001:db8::1]:80\";proto=https", "for=\"1.2.3.4:5\""]
        {
            for forged in ["for=\"1.1.1.1", "for=1.1.1.1;by=\"", "for=1.1.1.1;by=\"\\", "\""] {
                let seen = f(&[&format!("{forged}, {added}")]);
                assert_ne!(seen, "1.1.1.1", "{forged}, {added}");
            }
        }
    }
}
