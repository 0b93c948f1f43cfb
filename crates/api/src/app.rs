use std::{
    net::IpAddr,
    sync::{Arc, Mutex},
};

use rollcall_domain::{LabelName, LogPace};
use tokio::sync::Semaphore;

use crate::{
    buckets::{Buckets, Rate},
    services::Services,
};

/// How many requests a key may send: a bot with a thousand updates a second, each sent alone.
const OF_A_KEY: Rate = Rate { at_once: 2000.0, a_second: 1000.0 };
/// How many wrong keys an address may send.
const WRONG_KEYS: Rate = Rate { at_once: 20.0, a_second: 1.0 };
/// How many requests with a body are read or stored at once.
const BODIES: usize = 256;
/// How much memory the bodies take at most, in KiB.
const BODIES_KIB: usize = 64 * 1024;

/// What the handlers share. Cheap to clone.
#[derive(Clone)]
pub(crate) struct App {
    pub(crate) services: Services,
    pub(crate) shared: Arc<Shared>,
}

pub(crate) struct Shared {
    pub(crate) requests: Buckets<LabelName>,
    pub(crate) wrong_keys: Buckets<IpAddr>,
    pub(crate) bodies: Arc<Semaphore>,
    pub(crate) memory_kib: Arc<Semaphore>,
    pub(crate) refused: Mutex<LogPace>,
    pub(crate) not_stored: Mutex<LogPace>,
}

impl App {
    pub(crate) fn new(services: Services) -> Self {
        let shared = Shared {
            requests: Buckets::new(OF_A_KEY),
            wrong_keys: Buckets::new(WRONG_KEYS),
            bodies: Arc::new(Semaphore::new(BODIES)),
            memory_kib: Arc::new(Semaphore::new(BODIES_KIB)),
            refused: Mutex::default(),
            not_stored: Mutex::default(),
        };
        Self { services, shared: Arc::new(shared) }
    }
}
