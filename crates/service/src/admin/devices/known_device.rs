use chrono::{DateTime, Utc};
use rollcall_domain::Admin;
use rollcall_repository::DeviceSecret;

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
    /// What a device is to keep on which somebody is signed in with this session, in place of what
    /// it has: by it their attempts to sign in there do not have to wait for the failures of others.
    /// `None` where there is no such session, or its second factor has still to be given.
    ///
    /// Whatever ends the other sessions of an admin makes their devices unknown; the one on which
    /// that was done is to be given this again.
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
        let Some((admin, generation)) = found else { return Ok(None) };
        let token = DeviceToken::new(self.clock.now(), generation)?;
        Ok(Some(cookie.with(self.device_secret().await?, &admin, &token)))
    }

    /// What shows that a device was known to an admin, which takes no look at the storage. Whether it
    /// is still, [`AdminService::is_known`] finds out.
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

    /// Notes on which device an admin has just signed in, if it was not known to them.
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

    /// Whether a token's device is still known to its admin.
    pub(in crate::admin) async fn is_known(
        &self,
        admin: &Admin,
        token: &DeviceToken,
    ) -> Result<bool, ServiceError> {
        Ok(self.storage.device_generation(admin).await? == token.generation)
    }

    /// The database's secret, which never changes.
    async fn device_secret(&self) -> Result<&DeviceSecret, ServiceError> {
        let find = async || {
            let new = DeviceSecret(random_bytes()?);
            Ok::<_, ServiceError>(self.storage.device_secret(&new).await?)
        };
        self.device_secret.get_or_try_init(find).await
    }
}
