use std::{
    fmt,
    net::{IpAddr, Ipv4Addr},
    sync::Arc,
};

/// The client that sent a request, as the server knows it. Cheap to clone.
#[derive(Clone)]
pub struct Client {
    pub(crate) address: IpAddr,
    on_valid_key: Arc<dyn Fn() + Send + Sync>,
}

impl Client {
    /// A client with this address. `on_valid_key` is called when its request has a valid key, before the
    /// body is read.
    pub fn new(address: IpAddr, on_valid_key: impl Fn() + Send + Sync + 'static) -> Self {
        Self { address, on_valid_key: Arc::new(on_valid_key) }
    }

    pub(crate) fn has_valid_key(&self) {
        (self.on_valid_key)();
    }
}

impl Default for Client {
    /// A client with an unknown address.
    fn default() -> Self {
        Self::new(Ipv4Addr::UNSPECIFIED.into(), || {})
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Client({})", self.address)
    }
}
