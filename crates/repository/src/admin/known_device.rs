use std::fmt;

use async_trait::async_trait;
use rollcall_domain::Admin;

use super::digest::Digest;
use crate::RepositoryError;

/// The secret that signs the cookies of known devices: 256 bits.
#[derive(Clone, PartialEq, Eq)]
pub struct DeviceSecret(pub [u8; DeviceSecret::BYTES]);

impl DeviceSecret {
    /// How long it is.
    pub const BYTES: usize = 32;
}

// A secret has no business in a log.
impl fmt::Debug for DeviceSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DeviceSecret(…)")
    }
}

/// What is stored about the devices that admins are known on: no row for each of them, but what
/// makes and unmakes them all.
///
/// An admin's devices have a generation. Whatever ends all sessions of an admin, or all but one,
/// starts the next one in the same transaction: then the devices of the one before are unknown.
#[async_trait]
pub trait KnownDeviceRepository: Send + Sync {
    /// The secret of this database: the one stored before, else `new`, which is stored.
    async fn device_secret(&self, new: &DeviceSecret) -> Result<DeviceSecret, RepositoryError>;

    /// The generation of an admin's devices.
    async fn device_generation(&self, admin: &Admin) -> Result<i64, RepositoryError>;

    /// The admin of a session, and the generation of their devices at the same moment; `None` where
    /// there is no such session, or the second factor has still to be given in it.
    async fn session_generation(
        &self,
        session: Digest,
    ) -> Result<Option<(Admin, i64)>, RepositoryError>;
}
