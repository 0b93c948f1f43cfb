//! The claim code, which makes its sender the owner of the bot.

use rollcall_domain::{Registration, error_chain};
use rollcall_service::{ClaimCode, ClaimResult, ServiceError};
use rollcall_telegram::{Destination, TextMessage};

use crate::{
    audience::Audience,
    conversation::Conversation,
    reply::{Screen, send},
};

impl Conversation {
    /// Handles a text that looks like a claim code. Wrong and late codes get no answer, like any text.
    pub(crate) async fn text(&self, message: &TextMessage, registration: &Registration) {
        let Some(code) = ClaimCode::read(&message.text) else { return };
        match Audience::of(message.chat, registration.user.telegram_id, false) {
            None => self.note_forged(),
            Some(Audience::Group) => self.end_seen_code(&code).await,
            Some(Audience::Sender | Audience::Owner) => {
                self.claim(&code, message, registration).await;
            }
        }
    }

    async fn claim(&self, code: &ClaimCode, message: &TextMessage, registration: &Registration) {
        let user = registration.user.telegram_id;
        let result = self.admins.claim(user, code).await;
        let is_owner = matches!(result, Ok(ClaimResult::Owner));
        match result {
            Ok(ClaimResult::Owner) => log::info!(
                telegram_id = user.get();
                "this user sent the claim code and is the owner of the bot now"
            ),
            Ok(ClaimResult::LastWrong) => log::warn!(
                "too many wrong claim codes: the code no longer works; restart the bot for a new one"
            ),
            Ok(ClaimResult::Nothing) => {}
            Err(error) => {
                log::warn!(error = error_chain(&error); "could not check a claim code");
            }
        }
        if !is_owner {
            return;
        }
        self.owners.add(user);
        if let Err(error) = self.leave_out_owners().await {
            log::warn!(
                error = error_chain(&error);
                "the new owner counts in the figures until the next start"
            );
        }
        let locale = match self.asker(&registration.user).await {
            Ok(asker) => asker.locale(),
            Err((error, asker)) => {
                log::warn!(error = error_chain(&error); "could not look up the language of an owner");
                asker.locale()
            }
        };
        let to = Destination::user(user, message.from.topic);
        let begun = self.clock.now();
        if let Err(error) = send(&self.outbox, to, &Screen::from(locale.text("claimed"))).await {
            self.not_sent(user, error, begun).await;
        }
        self.set_menu(user).await;
    }

    /// Leaves the owners out of the figures, if the bot is set up to.
    async fn leave_out_owners(&self) -> Result<(), ServiceError> {
        let Some(activity) = &self.uncounting else { return Ok(()) };
        let owners = self.admins.telegram_owners().await?;
        activity.leave_out(&owners.into_iter().collect()).await
    }

    /// Ends a code that the members of a group have seen.
    async fn end_seen_code(&self, code: &ClaimCode) {
        match self.admins.end_claim_code(code).await {
            Ok(true) => log::warn!(
                "the claim code was sent in a group, where others saw it, so it no longer works; \
                 restart the bot for a new one, and send it in the private chat"
            ),
            Ok(false) => {}
            Err(error) => {
                log::warn!(error = error_chain(&error); "could not end a claim code");
            }
        }
    }
}
