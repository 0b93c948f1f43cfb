//! The owners from Telegram, and the code that makes one.

mod claim_code;
mod owner;

pub use claim_code::ClaimCode;
pub use owner::ClaimResult;
