//! The commands that clients show in their menus.

use std::collections::BTreeSet;

use frankenstein::{
    methods::SetMyCommandsParams,
    types::{BotCommand, BotCommandScope, BotCommandScopeChat, ChatId},
};
use rollcall_domain::TelegramId;
use serde::de::IgnoredAny;

use crate::{
    client::{CallError, Client},
    trouble::{chain, patiently},
};

const FOR_EVERYBODY: [(&str, &str); 3] =
    [("start", "Say hello"), ("schedule", "The next games"), ("help", "What this bot can do")];
const FOR_ADMINS: [(&str, &str); 3] = [
    ("users", "Who talks to this bot"),
    ("stats", "How many they are"),
    ("admin", "Sign in to the web admin"),
];

/// Sets every menu, as long as that takes. Where Telegram refuses, that is told, and nothing more: a
/// bot without menus is as good.
pub(crate) async fn set_all(client: Client, admins: BTreeSet<TelegramId>) {
    const TROUBLE: &str = "the menus cannot be set";
    if let Err(error) = patiently(TROUBLE, || set_for_everybody(&client)).await {
        log::warn!(error = chain(&error); "the menu was not set");
    }
    for admin in admins {
        if let Err(error) = patiently(TROUBLE, || set_for_admin(&client, admin)).await {
            log::warn!(
                error = chain(&error);
                "an admin's menu was not set; it is when the admin sends /start"
            );
        }
    }
}

/// Sets the menu that everybody sees.
async fn set_for_everybody(client: &Client) -> Result<(), CallError> {
    let commands = commands(&FOR_EVERYBODY);
    set(client, SetMyCommandsParams::builder().commands(commands).build()).await
}

/// Sets the menu in an admin's chat; Telegram refuses where the admin never wrote to the bot.
pub(crate) async fn set_for_admin(client: &Client, admin: TelegramId) -> Result<(), CallError> {
    let mut all = commands(&FOR_EVERYBODY);
    all.extend(commands(&FOR_ADMINS));
    let chat = BotCommandScopeChat { chat_id: ChatId::Integer(admin.get()) };
    let scope = BotCommandScope::Chat(chat);
    set(client, SetMyCommandsParams::builder().commands(all).scope(scope).build()).await
}

async fn set(client: &Client, parameters: SetMyCommandsParams) -> Result<(), CallError> {
    client.call::<IgnoredAny>("setMyCommands", &parameters).await.map(drop)
}

fn commands(commands: &[(&str, &str)]) -> Vec<BotCommand> {
    commands
        .iter()
        .map(|(command, description)| {
            BotCommand::builder().command(*command).description(*description).build()
        })
        .collect()
}
