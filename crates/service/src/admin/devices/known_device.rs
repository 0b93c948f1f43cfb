use chrono::{DateTime, Utc};
use rollcall_domain::Admin;
use rollcall_repository::{DeviceGeneration, DeviceSecret};

use super::{
    device::Device,
    device_token::{DeviceCookie, DeviceToken},
};
use crate::{
    ServiceError,
    admin::{
        service::AdminService,
        token::{random_bytes, read_token},
    },
};

impl AdminService {
    /// The new cookie for the device of this session, which makes it known to the session's admin:
    /// failed sign-ins of others do not make it wait. `None` if the session does not exist or owes its
    /// second factor.
    ///
    /// Every action that ends an admin's other sessions makes all their devices unknown. Afterwards,
    /// call this for the device in use.
    ///
    /// # Errors
    /// When the storage fails.
    pub async fn remember_device(
        &self,
        token: &str,
        cookie: DeviceCookie,
    ) -> Result<Option<DeviceCookie>, ServiceError> {
        let Some(session) = read_token(token) else { return Ok(None) };
        let found = self.storage.session_generation(session).await?;
        let Some(DeviceGeneration { admin, generation }) = found else { return Ok(None) };
        let token = DeviceToken::new(self.clock.now(), generation)?;
        Ok(Some(cookie.with(self.device_secret().await?, &admin, &token)))
    }

    /// The token in a device's cookie that makes it known to an admin, checked without a query.
    /// [`AdminService::is_known`] checks whether it is still valid.
    pub(in crate::admin) async fn device_token(
        &self,
        admin: &Admin,
        device: &Device,
    ) -> Result<Option<DeviceToken>, ServiceError> {
        if device.cookie.is_empty() {
            return Ok(None);
        }
        let secret = self.device_secret().await?;
        Ok(DeviceToken::read(secret, admin, &device.cookie, self.clock.now()))
    }

    /// Raises an alert if an admin has just signed in on an unknown device.
    pub(in crate::admin) async fn note_device(
        &self,
        admin: &Admin,
        device: &Device,
        at: DateTime<Utc>,
    ) -> Result<(), ServiceError> {
        let is_known = match self.device_token(admin, device).await? {
            Some(token) => self.is_known(admin, &token).await?,
            None => false,
        };
        if !is_known {
            self.watch.new_device(admin, device, at);
        }
        Ok(())
    }

    /// Whether the device of a token is still known to its admin.
    pub(in crate::admin) async fn is_known(
        &self,
        admin: &Admin,
        token: &DeviceToken,
    ) -> Result<bool, ServiceError> {
        Ok(self.storage.device_generation(admin).await? == token.generation)
    }

    /// The secret of the database, which never changes.
    async fn device_secret(&self) -> Result<&DeviceSecret, ServiceError> {
        let find = async || {
            let new = DeviceSecret(random_bytes()?);
            Ok::<_, ServiceError>(self.storage.device_secret(&new).await?)
        };
        self.device_secret.get_or_try_init(find).await
    }
}
