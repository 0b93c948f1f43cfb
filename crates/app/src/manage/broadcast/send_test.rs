//! `manage broadcast test`.

use std::{io::Write, str::FromStr, sync::Arc};

use anyhow::bail;
use clap::Args;
use rollcall_domain::{Clock, SystemClock, TelegramId, TelegramUser, Variant};
use rollcall_repository::BotRepository;
use rollcall_service::{Delivery, Letter, Message, Messenger};
use rollcall_telegram::{Bot, OutboxMessenger};
use tokio::sync::watch;

use super::{
    audience::opt_out_button,
    number::{Number, title},
    variants::content_of,
};
use crate::{
    environment::Environment,
    manage::output::{safe, stdout},
    services::Services,
    settings::TelegramArguments,
    take_over::refuse_another,
};

#[derive(Args)]
pub struct SendTest {
    #[command(flatten)]
    number: Number,
    /// Which variant, such as B
    #[arg(long, value_name = "VARIANT", default_value = "A", value_parser = Variant::from_str)]
    variant: Variant,
    /// The user that gets the copy. Variables are filled with what is stored about them
    #[arg(long, value_name = "TELEGRAM_ID")]
    to: TelegramId,
    #[command(flatten)]
    telegram: TelegramArguments,
}

impl SendTest {
    pub(super) async fn run(
        self,
        services: &Services,
        environment: &Environment,
    ) -> anyhow::Result<()> {
        let settings = self.telegram.settings(environment)?;
        let broadcasts = services.broadcasts();
        let broadcast = broadcasts.find(self.number.id).await?;
        let message = Message::new(content_of(&broadcast, self.variant)?)?;
        let stored = services.users().get_user_by_telegram_id(self.to).await?;
        let user = stored.unwrap_or_else(|| TelegramUser::new(self.to, SystemClock.now()));
        let bot = Bot::connect(settings, Arc::new(SystemClock)).await?;
        if let Some(owner) = services.bot_repository().owner().await? {
            refuse_another(owner, bot.id(), services.database())?;
        }
        let opt_out = opt_out_button(services, &broadcast.plan, &user).await?;
        let messenger = OutboxMessenger::new(
            bot.outbox(),
            bot.username(),
            rollcall_conversation::BROADCAST_BUTTONS,
        );
        // Never paid: it is one message.
        let lane = messenger.lane(None, false);
        let (_never, stop) = watch::channel(false);
        let letter = Letter { message: &message, to: &user, opt_out, broadcast: None };
        match broadcasts.pictures().send(&*lane, letter, stop).await {
            Delivery::Sent(_) | Delivery::Uploaded { .. } => {
                writeln!(stdout(), "Sent a copy of {} to {}.", title(&broadcast), self.to)?;
                Ok(())
            }
            Delivery::Unreachable(reason) => bail!(
                "the bot cannot write to {}: {}; they have to send it /start first",
                self.to,
                reason.name()
            ),
            Delivery::Failed(reason)
            | Delivery::Content(reason)
            | Delivery::LostPicture(reason) => {
                bail!("Telegram refuses the message: {}", safe(&reason))
            }
            Delivery::Unknown => {
                bail!("Telegram did not respond; look at the chat before you send it again")
            }
            Delivery::NotYet => bail!("Telegram asks to wait; send it again in a minute"),
        }
    }
}
