use std::net::IpAddr;

use super::device_token::DeviceCookie;

/// What somebody signs in from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// The browser and system in words, such as "Firefox on Linux"; "" where they are not known.
    pub name: String,
    /// The address of the person, not of a proxy.
    pub address: IpAddr,
    /// What the device was given when admins signed in on it before.
    pub cookie: DeviceCookie,
}

impl Device {
    /// From where somebody came, as the audit log shows it.
    pub(in crate::admin) fn place(&self) -> String {
        format!("from {}", self.address.to_canonical())
    }
}

impl From<IpAddr> for Device {
    fn from(address: IpAddr) -> Self {
        Self { name: String::new(), address, cookie: DeviceCookie::default() }
    }
}
