use std::{num::NonZeroU32, time::Duration};

use tokio::{
    sync::{Mutex, MutexGuard},
    time::{Instant, sleep_until},
};

use crate::outbox::bucket::{Bucket, Pace};

/// How much a broadcast may catch up after a delay, because timers and threads are often late.
const CATCH_UP: Duration = Duration::from_millis(100);

/// How much earlier than its time a message may be sent at high rates. Then several of them go out at
/// once, because waking up for each takes as long as sending it.
const GROUP: Duration = Duration::from_millis(4);
/// The rate from which messages go out in groups.
const HIGH_RATE: u32 = 500;

/// The rate of one broadcast, which its messages share. They are sent in the order of their calls.
pub struct BulkPace(Mutex<Option<Spacing>>);

pub(super) struct Spacing {
    bucket: Bucket,
    /// How much too early a message may be.
    early: Duration,
}

impl BulkPace {
    /// Up to `rate` messages a second, evenly spaced; 0 for no bound besides those of the outbox. After
    /// a delay of at most a tenth of a second, messages catch up.
    pub fn new(rate: u32) -> Self {
        let spacing = NonZeroU32::new(rate).map(|rate| Spacing {
            bucket: Bucket::new(Pace::per_second(rate, CATCH_UP)),
            early: if rate.get() >= HIGH_RATE { GROUP } else { Duration::ZERO },
        });
        Self(Mutex::new(spacing))
    }

    /// The spacing, for one message at a time in their order; `None` without a bound.
    pub(super) async fn lock(&self) -> MutexGuard<'_, Option<Spacing>> {
        self.0.lock().await
    }
}

impl Spacing {
    /// Waits for the turn of the next message.
    pub(super) async fn wait(&mut self) {
        let at = self.bucket.take();
        if at > Instant::now() + self.early {
            sleep_until(at).await;
        }
    }
}
