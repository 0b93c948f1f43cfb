//! Failed sign-ins, and the devices that may sign in despite them.

mod failures;
pub(super) mod known_devices;
