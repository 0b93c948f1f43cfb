//! Presses of the buttons below broadcasts.

use std::sync::Arc;

use rollcall_domain::{
    BroadcastButton, BroadcastContent, ButtonTarget, Buttons, Clock, TelegramId,
};
use rollcall_repository::BroadcastRepository;

use crate::ServiceError;

/// Counts presses of buttons that the bot answers. Cheap to clone.
#[derive(Clone)]
pub struct PressService {
    broadcasts: Arc<dyn BroadcastRepository>,
    clock: Arc<dyn Clock>,
}

/// The answer to a press.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PressAnswer {
    /// What pops up; `None` for nothing.
    pub notice: Option<String>,
}

impl PressService {
    /// Creates a service over `storage`.
    pub fn new(storage: impl BroadcastRepository + 'static, clock: impl Clock + 'static) -> Self {
        Self { broadcasts: Arc::new(storage), clock: Arc::new(clock) }
    }

    /// Counts the press of a button by a user, once for each recipient and button. Returns the answer;
    /// `None` if the broadcast has no such button.
    ///
    /// # Errors
    /// If the storage fails.
    pub async fn press(
        &self,
        id: TelegramId,
        button: BroadcastButton,
    ) -> Result<Option<PressAnswer>, ServiceError> {
        let Some(broadcast) = self.broadcasts.broadcast(button.broadcast).await? else {
            return Ok(None);
        };
        let content = match broadcast.plan.experiment.has_variants() {
            true => self.broadcasts.received_content(button.broadcast, id).await?,
            false => Some(broadcast.plan.content),
        };
        let Some(BroadcastContent::Text { buttons, .. }) = content else { return Ok(None) };
        let buttons: Buttons = buttons.parse().unwrap_or_default();
        let Some(ButtonTarget::Press(notice)) = buttons.get(button.button).map(|it| it.target())
        else {
            return Ok(None);
        };
        self.broadcasts.press_button(id, button, self.clock.now()).await?;
        Ok(Some(PressAnswer { notice: notice.clone() }))
    }
}
