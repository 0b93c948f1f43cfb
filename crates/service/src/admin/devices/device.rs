use std::net::IpAddr;

use super::device_token::DeviceCookie;

/// The device of a sign-in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// The browser and system in words, such as "Firefox on Linux"; "" if unknown.
    pub name: String,
    /// The address of the client, not of a proxy.
    pub address: IpAddr,
    /// The cookie that the device got when admins signed in on it before.
    pub cookie: DeviceCookie,
}

impl Device {
    /// The address as the audit log shows it.
    pub(in crate::admin) fn place(&self) -> String {
        format!("from {}", self.address.to_canonical())
    }
}

impl From<IpAddr> for Device {
    fn from(address: IpAddr) -> Self {
        Self { name: String::new(), address, cookie: DeviceCookie::default() }
    }
}
