//! Settings: flags, else the environment, else `.env`, else a default. An error names the setting and
//! what is expected, and shows no value that may be secret.

mod database;
mod events;
mod forward;
mod greeting;
mod http;
mod no_proxy;
mod privacy;
mod proxy;
mod public_url;
mod retention;
mod schedule;
mod secret;
mod telegram;
mod value;

pub use self::{
    database::{DATABASE_KEY_FILE, DatabaseArguments, DatabaseSettings, KEPT_SUPPRESSION_KEY},
    events::{EventsArguments, EventsSettings},
    forward::{BehindWay, ForwardArguments, ForwardSettings},
    greeting::GreetingArguments,
    http::{HttpArguments, HttpSettings},
    privacy::PrivacyArguments,
    proxy::{EXPOSED_TOKEN, Proxy},
    public_url::PublicUrl,
    retention::RetentionArguments,
    schedule::{NhlSettings, ScheduleArguments, ScheduleSettings},
    telegram::TelegramArguments,
    value::SettingError,
};
pub(crate) use self::{privacy::PRIVACY_CONTACT, telegram::TELEGRAM_API_URL};
