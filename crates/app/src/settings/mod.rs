//! Settings: flags, else the environment, else `.env`, else a default. An error names the setting and
//! what is expected, and shows no value that may be secret.

mod database;
mod http;
mod nhl;
mod no_proxy;
mod proxy;
mod public_url;
mod telegram;
mod value;

pub use self::{
    database::DatabaseArguments,
    http::{HttpArguments, HttpSettings},
    nhl::{NhlArguments, NhlSettings},
    proxy::{EXPOSED_TOKEN, Proxy},
    public_url::PublicUrl,
    telegram::TelegramArguments,
    value::SettingError,
};
