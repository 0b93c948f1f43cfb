//! The bot behind: another bot, which gets each update after it was registered, as if Telegram
//! delivered it.
//!
//! By webhook, an update is settled once the bot behind has accepted it (HTTP status 2xx), or once it is
//! set aside: `push`. By getUpdates, it is settled once an offset of the bot behind is beyond it: `pull`.
//! Only then may it be acknowledged to Telegram.
//!
//! An update is set aside only if the bot behind accepts others: `pulse` decides.

mod answer;
mod attempt;
mod held;
mod hook;
mod order;
mod parcel;
mod pull;
mod pulls;
mod pulse;
mod push;
mod redelivery;
mod state;
mod url;

pub use attempt::Failure;
pub use held::{Behind, Forwarding};
pub(crate) use hook::InvalidWebhook;
pub(crate) use pulls::Pull;
pub use redelivery::{RedeliveryError, redeliver};
pub use url::{ForwardSecret, ForwardUrl, InvalidForwardSecret, InvalidForwardUrl};
