//! What admins change of their own accounts: password, second factor, passkeys, sessions, time zone.

pub(crate) mod overview;
pub(crate) mod passkeys;
pub(crate) mod password;
mod qr;
pub(crate) mod second_factor;
pub(crate) mod theme;
pub(crate) mod time_zone;
