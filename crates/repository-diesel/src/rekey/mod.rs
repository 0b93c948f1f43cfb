//! Encrypting a database that exists, changing its key, and decrypting it.

mod copy;
mod error;
mod file;
mod replace;
mod texts;

pub use error::RekeyError;
pub use file::FileRekey;
pub use texts::TextRekey;
