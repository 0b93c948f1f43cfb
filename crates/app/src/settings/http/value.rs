//! How the values of these settings are read.

use std::{
    net::{IpAddr, SocketAddr},
    str::FromStr,
};

use ipnet::{IpNet, Ipv4Net};
use rollcall_admin::ForwardedHeader;

/// Addresses and networks, separated by commas.
#[derive(Default)]
pub(super) struct Networks(pub(super) Vec<IpNet>);

impl FromStr for Networks {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
        let parsed = parts.map(|part| {
            let address = part.parse().map(|address: IpAddr| IpNet::from(address));
            address.or_else(|_| part.parse()).map(canonical).map_err(|_| {
                format!(
                    "{part:?} is not an address or a network; expected such as \
                     127.0.0.1,10.0.0.0/8,fd00::/8"
                )
            })
        });
        parsed.collect::<Result<_, _>>().map(Self)
    }
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

/// An address, or none for `off`.
pub(super) struct Listen(pub(super) Option<SocketAddr>);

impl FromStr for Listen {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "off" => Ok(Self(None)),
            text => text.parse().map(|address| Self(Some(address))).map_err(|_| {
                "it is not an address to listen on; \
                 expected one such as 127.0.0.1:8080, 0.0.0.0:8080 or [::1]:8080, or off"
            }),
        }
    }
}
