use std::fmt;

use async_trait::async_trait;
use rollcall_domain::Admin;

use super::digest::Digest;
use crate::error::RepositoryError;

/// The secret that signs the cookies of known devices: 256 bits.
#[derive(Clone, PartialEq, Eq)]
pub struct DeviceSecret(pub [u8; DeviceSecret::BYTES]);

impl DeviceSecret {
    /// Its length.
    pub const BYTES: usize = 32;
}

// Keeps the secret out of logs.
impl fmt::Debug for DeviceSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DeviceSecret(…)")
    }
}

/// The admin of a session, and the generation of their devices at the same moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceGeneration {
    /// The admin.
    pub admin: Admin,
    /// The generation.
    pub generation: i64,
}

/// What is stored about the known devices of admins: not a row for each, but what makes them valid
/// or invalid.
///
/// An admin's devices have a generation. Whatever ends all sessions of an admin, or all but one,
/// starts the next generation in the same transaction: then older devices are unknown.
#[async_trait]
pub trait KnownDeviceRepository: Send + Sync {
    /// The secret of this database: the stored one, or else `new`, which is stored.
    async fn device_secret(&self, new: &DeviceSecret) -> Result<DeviceSecret, RepositoryError>;

    /// The generation of an admin's devices.
    async fn device_generation(&self, admin: &Admin) -> Result<i64, RepositoryError>;

    /// The admin of a session with the generation of their devices; `None` if there is no such
    /// session, or if it still owes the second factor.
    async fn session_generation(
        &self,
        session: Digest,
    ) -> Result<Option<DeviceGeneration>, RepositoryError>;
}
