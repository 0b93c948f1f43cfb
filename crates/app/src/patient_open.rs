//! Opens the database once its server is there.

use std::time::Duration;

use rollcall_domain::Backoff;
use rollcall_repository_diesel::{Database, OpenError};
use rollcall_service::Outage;
use tokio::time::sleep;

use crate::settings::DatabaseSettings;

/// The shortest and the longest pause between two attempts.
const PAUSES: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(10)];

/// Opens the database, and waits while there is no server, or none that may be written.
pub(crate) async fn open_when_there(settings: DatabaseSettings) -> Result<Database, OpenError> {
    let [shortest, longest] = PAUSES;
    let backoff = Backoff::new(shortest, longest);
    let mut outage = Outage::new("the database cannot be opened", backoff);
    loop {
        match open_writable(settings.clone()).await {
            Err(error) if error.may_pass() => sleep(outage.record(&error)).await,
            result => {
                outage.end();
                return result;
            }
        }
    }
}

async fn open_writable(settings: DatabaseSettings) -> Result<Database, OpenError> {
    let database = settings.open().await?;
    database.check_writable().await?;
    Ok(database)
}
