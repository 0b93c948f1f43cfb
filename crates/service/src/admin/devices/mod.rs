//! The devices of admins: where they sign in, and which of their devices are known.

mod device;
mod device_token;
mod known_device;

pub use device::Device;
pub use device_token::DeviceCookie;
