//! Keeping the bot from taking over one that runs elsewhere: a foreign webhook would be deleted, and
//! foreign menus overwritten.

use std::fmt;

use anyhow::{bail, ensure};
use rollcall_conversation::foreign_commands;
use rollcall_domain::{TelegramId, error_chain};
use rollcall_repository_diesel::Database;
use rollcall_telegram::{Bot, BotError, CallError, Webhook, WebhookUrl};

use crate::settings::BehindWay;

/// How many foreign commands an error names.
const NAMED_COMMANDS: usize = 5;

/// What already runs with the bot's token.
enum ForeignUse {
    /// The webhook's address. Its path and query may hold a secret, so they are left out.
    Webhook(String),
    /// The commands in its menus.
    Commands(Vec<String>),
    /// Another program fetches the updates.
    Poller,
}

impl fmt::Display for ForeignUse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Webhook(url) => write!(f, "webhook {}", origin(url)),
            Self::Commands(commands) => {
                let named: Vec<_> =
                    commands.iter().take(NAMED_COMMANDS).map(|it| format!("/{it}")).collect();
                let more = if commands.len() > NAMED_COMMANDS { ", …" } else { "" };
                write!(f, "commands {}{more}", named.join(", "))
            }
            Self::Poller => write!(f, "another program polls for its updates"),
        }
    }
}

/// Checks that no other program uses the bot, and changes nothing. `webhook` is ours. A bot `behind` may
/// have commands, and the webhook may be set to which its updates are forwarded.
///
/// # Errors
/// If another program uses it, or Telegram no longer accepts the token.
pub(crate) async fn refuse_foreign_use(
    bot: &Bot,
    webhook: Option<&Webhook>,
    behind: Option<&BehindWay>,
) -> anyhow::Result<()> {
    let own = webhook.map(|it| &it.url);
    let foreign = foreign_use(bot, own, behind).await.map_err(BotError::from)?;
    let Some(foreign) = foreign else { return Ok(()) };
    let bot = bot.username();
    match behind {
        Some(BehindWay::Forward(forwarding)) => bail!(
            "@{bot} gets its updates elsewhere ({foreign}), not at FORWARD_URL ({}/…). Stop what runs \
             there, or use --take-over: all updates then go through Rollcall to FORWARD_URL.",
            forwarding.url.origin()
        ),
        Some(BehindWay::Proxy { address, .. }) => bail!(
            "@{bot} gets its updates elsewhere ({foreign}), not through API_PROXY_ADDR. Stop what runs \
             there, or use --take-over: all updates then go to the bot that uses http://{address} \
             instead of https://api.telegram.org."
        ),
        None => bail!(
            "@{bot} is already in use ({foreign}). Use a new bot from @BotFather, or --take-over to \
             replace what runs there."
        ),
    }
}

/// Refuses a database of another bot. A database belongs to one bot, because the update ids of two
/// bots overlap.
///
/// # Errors
/// If `owner` is not `bot`.
pub(crate) fn refuse_another(
    owner: TelegramId,
    bot: TelegramId,
    database: &Database,
) -> anyhow::Result<()> {
    ensure!(
        owner == bot,
        "the database {} belongs to the bot {owner}, but the token belongs to the bot {bot}; \
         each bot needs its own DATABASE_URL",
        database.url()
    );
    Ok(())
}

async fn foreign_use(
    bot: &Bot,
    own: Option<&WebhookUrl>,
    behind: Option<&BehindWay>,
) -> Result<Option<ForeignUse>, CallError> {
    let url = if_known(bot.webhook_url().await)?.unwrap_or_default();
    let is_own = own.is_some_and(|own| own.as_str() == url)
        || matches!(behind, Some(BehindWay::Forward(it)) if it.url.is(&url));
    if !url.is_empty() && !is_own {
        return Ok(Some(ForeignUse::Webhook(url)));
    }
    let commands = match behind {
        Some(_) => Vec::new(),
        None => if_known(foreign_commands(&bot.client()).await)?.unwrap_or_default(),
    };
    if !commands.is_empty() {
        return Ok(Some(ForeignUse::Commands(commands)));
    }
    let is_polled = !is_own && if_known(bot.is_polled_elsewhere().await)? == Some(true);
    Ok(is_polled.then_some(ForeignUse::Poller))
}

/// What a method answered; `None` if the server refuses it, because not every server that offers the
/// Bot API knows every method.
fn if_known<T>(result: Result<T, CallError>) -> Result<Option<T>, CallError> {
    match result {
        Ok(answer) => Ok(Some(answer)),
        Err(error @ CallError::Refused { code: 401, .. }) => Err(error),
        Err(error) => {
            log::warn!(error = error_chain(&error); "cannot check whether the bot is already in use");
            Ok(None)
        }
    }
}

/// An address without its path and query.
fn origin(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("https", url));
    // Behind an `@`, because a name and password may stand before it.
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = host.rsplit('@').next().unwrap_or_default();
    format!("{scheme}://{host}/…")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_secret_in_a_webhook_is_not_shown() {
        for url in [
            "https://bot.example.org/123:hunter2",
            "https://bot.example.org?hunter2",
            "https://ada:hunter2@bot.example.org/x",
            "bot.example.org/hunter2",
        ] {
            let shown = ForeignUse::Webhook(url.to_owned()).to_string();
            assert_eq!(shown, "webhook https://bot.example.org/…", "{url}");
        }
    }

    #[test]
    fn a_few_commands_are_named() {
        let commands = |count: usize| ForeignUse::Commands(vec!["buy".to_owned(); count]);
        assert_eq!(commands(2).to_string(), "commands /buy, /buy");
        assert_eq!(commands(6).to_string(), "commands /buy, /buy, /buy, /buy, /buy, …");
    }
}
