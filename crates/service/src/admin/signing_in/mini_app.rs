use rollcall_domain::{Admin, Role, TelegramId};

use super::{SignIn, attempt::SignInError, mini_app_data::Opening};
use crate::{
    ServiceError,
    admin::{devices::Device, service::AdminService},
};

impl AdminService {
    /// Signs an owner in with the data of the Mini App that they opened (Bot API, `initData` of
    /// "WebApp"). Each data signs in once, within five minutes.
    ///
    /// # Errors
    /// [`SignInError::Refused`] if the data is invalid, too old or used, or its user is not an owner; or
    /// when the storage fails.
    pub async fn sign_in_by_mini_app(
        &self,
        data: &str,
        device: impl Into<Device>,
    ) -> Result<SignIn, SignInError> {
        let Some(user) = self.use_opening(data).await? else {
            self.watch.failed();
            return Err(SignInError::Refused);
        };
        self.watch.succeeded();
        let at = self.clock.now();
        self.open_session(Admin::Telegram(user), Role::Owner, None, device.into(), at).await
    }

    /// Uses the data up, and returns its user if it is valid and the user an owner.
    async fn use_opening(&self, data: &str) -> Result<Option<TelegramId>, ServiceError> {
        let now = self.clock.now();
        let opening = self.mini_app_key.as_ref().and_then(|key| key.read(data));
        let Some(Opening { user, id, .. }) = opening.filter(|opening| opening.is_good(now)) else {
            return Ok(None);
        };
        let may_sign_in =
            self.is_telegram_owner(user).await? && self.storage.use_mini_app_data(id, now).await?;
        Ok(may_sign_in.then_some(user))
    }
}
