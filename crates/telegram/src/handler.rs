//! What the bot answers.

use std::{collections::BTreeSet, sync::Arc, time::Instant};

use chrono::{DateTime, Utc};
use rollcall_domain::{ChatKind, Clock, Obstacle, Registration, TelegramId};
use rollcall_service::{ServiceError, UserService};

use crate::{
    bot::AdminSite,
    client::Client,
    command::Command,
    menu,
    outbox::{Outbox, SendError},
    reply::reply,
    text,
    trouble::chain,
    update::CommandMessage,
};

/// How many users `/users` shows a page.
const PAGE_SIZE: u32 = 20;

/// Answers commands.
pub(crate) struct Handler {
    pub(crate) client: Client,
    pub(crate) outbox: Outbox,
    pub(crate) users: UserService,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) admins: BTreeSet<TelegramId>,
    pub(crate) admin_site: Option<AdminSite>,
    pub(crate) our_username: String,
}

impl Handler {
    /// Answers a message that starts with a command, from somebody just registered. Answers are
    /// best effort: one that the outbox cannot get out is logged, and gone.
    pub(crate) async fn handle(&self, message: &CommandMessage, registration: &Registration) {
        let Some(command) = Command::read(&message.text, &self.our_username) else { return };
        let from = registration.user.telegram_id;
        let is_private = message.chat.kind == ChatKind::Private;
        let by_admin = is_private && self.admins.contains(&from);
        if command.is_for_admins() && !by_admin {
            return;
        }
        let begun_at = Instant::now();
        let answer = self.answer(command, by_admin, registration).await.unwrap_or_else(|error| {
            log::warn!(error = chain(&error); "a command failed");
            text::FAILED.to_owned()
        });
        // Whatever the person does from now on shows that they can be reached.
        let begun = self.clock.now();
        if let Err(error) = reply(&self.outbox, message, &answer).await {
            log::warn!(error = chain(&error); "an answer was not sent");
            log::debug!(telegram_id = from.get(); "it was for this user");
            if let SendError::Unreachable { cause, .. } = error {
                self.mark_unreachable(from, cause, begun).await;
            }
        }
        metrics::histogram!("rollcall_handler_seconds").record(begun_at.elapsed());
        if command == Command::Start && by_admin {
            self.set_menu(from).await;
        }
    }

    async fn answer(
        &self,
        command: Command<'_>,
        by_admin: bool,
        registration: &Registration,
    ) -> Result<String, ServiceError> {
        Ok(match command {
            Command::Start => text::greeting(&registration.user),
            Command::Schedule => text::NO_GAMES.to_owned(),
            Command::Help if by_admin => format!("{}{}", text::HELP, text::ADMIN_HELP),
            Command::Help => text::HELP.to_owned(),
            Command::Users(page) => match page_number(page) {
                Some(page) => text::users(&self.users.get_users_list(page, PAGE_SIZE).await?),
                None => text::NO_SUCH_PAGE.to_owned(),
            },
            Command::Stats => text::stats(&self.users.get_user_stats().await?),
            Command::Admin => self.link(registration.user.telegram_id).await?,
        })
    }

    /// A link for an admin to sign in to the web admin with.
    async fn link(&self, admin: TelegramId) -> Result<String, ServiceError> {
        let Some(site) = &self.admin_site else { return Ok(text::NO_ADMIN_SITE.to_owned()) };
        let token = site.admins.create_link(admin).await?;
        Ok(token.map_or_else(
            || text::NO_ADMIN_SITE.to_owned(),
            |token| text::link(&format!("{}/link/{}", site.url, token.as_str())),
        ))
    }

    /// Telegram has told that nothing can be sent to this user any more.
    async fn mark_unreachable(&self, id: TelegramId, obstacle: Obstacle, at: DateTime<Utc>) {
        if let Err(error) = self.users.mark_unreachable(id, obstacle, at).await {
            log::warn!(error = chain(&error); "that a user cannot be reached was not stored");
        }
    }

    /// An admin who never wrote to the bot could not be given the menu when the bot started.
    async fn set_menu(&self, admin: TelegramId) {
        if let Err(error) = menu::set_for_admin(&self.client, admin).await {
            log::warn!(error = chain(&error); "an admin's menu was not set");
        }
    }
}

/// The page that was typed; the first one where none was, and none where it cannot be one.
fn page_number(typed: &str) -> Option<u32> {
    match typed {
        "" => Some(1),
        typed => typed.parse().ok().filter(|page| *page > 0),
    }
}
