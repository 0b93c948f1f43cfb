//! How the values of these settings are read.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    str::FromStr,
};

use ipnet::{IpNet, Ipv4Net};
use rollcall_admin::ForwardedHeader;

/// The name of this machine's own addresses (RFC 6761, 6.3).
const LOCALHOST: &str = "localhost";

/// Addresses and networks, separated by commas.
#[derive(Default)]
pub(super) struct Networks(pub(super) Vec<IpNet>);

impl FromStr for Networks {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
        let mut networks = Vec::new();
        for part in parts {
            networks.extend(read(part).ok_or_else(|| {
                format!(
                    "{part:?} is not an address or a network; expected such as \
                     127.0.0.1,10.0.0.0/8,fd00::/8"
                )
            })?);
        }
        Ok(Self(networks))
    }
}

/// The networks of an address, a network or `localhost`, which has two addresses.
fn read(part: &str) -> Option<Vec<IpNet>> {
    if part.eq_ignore_ascii_case(LOCALHOST) {
        return Some(vec![
            IpAddr::from(Ipv4Addr::LOCALHOST).into(),
            IpAddr::from(Ipv6Addr::LOCALHOST).into(),
        ]);
    }
    let address = part.parse().map(|address: IpAddr| IpNet::from(address));
    address.or_else(|_| part.parse()).ok().map(|network| vec![canonical(network)])
}

/// The network of IPv4 that one of IPv6 stands for (RFC 4291, 2.5.5.2): addresses are compared in
/// that form.
fn canonical(network: IpNet) -> IpNet {
    let IpNet::V6(mapped) = network else { return network };
    let v4 = mapped
        .addr()
        .to_ipv4_mapped()
        .and_then(|address| Ipv4Net::new(address, mapped.prefix_len().checked_sub(96)?).ok());
    v4.map_or(network, IpNet::V4)
}

/// The name of a header.
#[derive(Default)]
pub(super) struct HeaderName(pub(super) ForwardedHeader);

impl FromStr for HeaderName {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.to_ascii_lowercase().as_str() {
            "x-forwarded-for" => Ok(Self(ForwardedHeader::XForwardedFor)),
            "forwarded" => Ok(Self(ForwardedHeader::Forwarded)),
            _ => Err("unknown header; expected x-forwarded-for or forwarded"),
        }
    }
}

/// An address to listen on, or none for `off`. The host may be `localhost` or left out, which both
/// mean 127.0.0.1.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::settings) struct Listen(pub(in crate::settings) Option<SocketAddr>);

impl FromStr for Listen {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "off" {
            return Ok(Self(None));
        }
        let address = text.parse().ok().or_else(|| on_this_machine(text));
        address.map(|address| Self(Some(address))).ok_or(
            "it is not an address to listen on; expected one such as 127.0.0.1:8080, \
             localhost:8080, :8080, 0.0.0.0:8080 or [::1]:8080, or off",
        )
    }
}

fn on_this_machine(text: &str) -> Option<SocketAddr> {
    let (host, port) = text.split_once(':')?;
    let is_local = host.is_empty() || host.eq_ignore_ascii_case(LOCALHOST);
    // A sign is not a digit, but would be parsed as part of a number.
    let is_port = port.bytes().all(|byte| byte.is_ascii_digit());
    let port = port.parse().ok().filter(|_| is_local && is_port)?;
    Some((Ipv4Addr::LOCALHOST, port).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_has_short_names() {
        for (text, address) in [
            ("localhost:8090", "127.0.0.1:8090"),
            ("LocalHost:0", "127.0.0.1:0"),
            (":8090", "127.0.0.1:8090"),
            (":65535", "127.0.0.1:65535"),
            ("0.0.0.0:80", "0.0.0.0:80"),
            ("[::1]:8090", "[::1]:8090"),
        ] {
            assert_eq!(text.parse(), Ok(Listen(address.parse().ok())), "{text}");
        }
        assert_eq!("off".parse(), Ok(Listen(None)));
    }

    #[test]
    fn anything_else_is_refused_with_examples() {
        for wrong in [
            "",
            ":",
            "localhost",
            "localhost:",
            ":65536",
            ":-1",
            ":+1",
            ": 80",
            "localhost:80:80",
            "localhost.:80",
            "example.org:80",
            "http://localhost:80",
            "127.0.0.1",
            "8080",
            "[localhost]:80",
        ] {
            let error = wrong.parse::<Listen>().unwrap_err();
            assert!(error.contains("localhost:8080, :8080, 0.0.0.0:8080"), "{wrong}: {error}");
        }
    }
}
