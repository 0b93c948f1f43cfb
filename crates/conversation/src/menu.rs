//! The menus of commands in Telegram clients.

use std::collections::BTreeSet;

use frankenstein::{
    methods::{GetMyCommandsParams, SetMyCommandsParams},
    types::{BotCommand, BotCommandScope, BotCommandScopeChat, ChatId},
};
use rollcall_domain::{Language, TelegramId, error_chain};
use rollcall_telegram::{CallError, Client, retry};
use serde::de::IgnoredAny;

use crate::locale::Locale;

const FOR_USERS: [&str; 4] = ["start", "schedule", "settings", "help"];
const FOR_ADMINS: [&str; 3] = ["users", "stats", "admin"];

/// The languages of the menus. The first one has no code; clients in all other languages show it.
fn languages() -> impl Iterator<Item = (Language, Option<&'static str>)> {
    let code = |(index, language): (usize, Language)| (index > 0).then(|| language.code());
    Language::ALL.into_iter().enumerate().map(move |it| (it.1, code(it)))
}

/// Sets every menu, with retries. A refusal is only logged, because the bot works without menus.
pub(crate) async fn set_all(client: Client, admins: BTreeSet<TelegramId>) {
    const OUTAGE: &str = "the menus cannot be set";
    if let Err(error) = retry(OUTAGE, || set_for_users(&client)).await {
        log::warn!(error = error_chain(&error); "the menu was not set");
    }
    for admin in admins {
        if let Err(error) = retry(OUTAGE, || set_for_admin(&client, admin)).await {
            log::warn!(
                error = error_chain(&error);
                "an admin's menu was not set; it will be when the admin sends /start"
            );
        }
    }
}

/// The commands in the bot's menus that Rollcall did not set, in the order of the menus and without the
/// slash. Retries until there is a response.
///
/// # Errors
/// If the server refuses, for example because it does not know getMyCommands.
pub async fn foreign_commands(client: &Client) -> Result<Vec<String>, CallError> {
    let mut foreign = Vec::new();
    for scope in [BotCommandScope::Default, BotCommandScope::AllPrivateChats] {
        for (_, code) in languages() {
            let menu = GetMyCommandsParams::builder().scope(scope.clone());
            let menu = menu.maybe_language_code(code).build();
            let commands: Vec<BotCommand> = retry("cannot check whether the bot is in use", || {
                client.call("getMyCommands", &menu)
            })
            .await?;
            foreign.extend(commands.into_iter().filter(|it| !is_ours(it)).map(|it| it.command));
        }
    }
    let mut seen = BTreeSet::new();
    foreign.retain(|name| seen.insert(name.clone()));
    Ok(foreign)
}

/// Whether Rollcall sets this command, with this description, in one of its languages.
fn is_ours(command: &BotCommand) -> bool {
    let all = [&FOR_USERS[..], &FOR_ADMINS].concat();
    Language::ALL.into_iter().any(|language| commands(language, &all).contains(command))
}

/// Sets the menu for all users.
async fn set_for_users(client: &Client) -> Result<(), CallError> {
    for (language, code) in languages() {
        let commands = commands(language, &FOR_USERS);
        let menu = SetMyCommandsParams::builder().commands(commands).maybe_language_code(code);
        set(client, menu.build()).await?;
    }
    Ok(())
}

/// Sets the menu in an admin's chat. Telegram refuses if the admin has never written to the bot.
pub(crate) async fn set_for_admin(client: &Client, admin: TelegramId) -> Result<(), CallError> {
    for (language, code) in languages() {
        let mut all = commands(language, &FOR_USERS);
        all.extend(commands(language, &FOR_ADMINS));
        let chat = BotCommandScopeChat { chat_id: ChatId::Integer(admin.get()) };
        let scope = BotCommandScope::Chat(chat);
        let menu = SetMyCommandsParams::builder().commands(all).scope(scope);
        set(client, menu.maybe_language_code(code).build()).await?;
    }
    Ok(())
}

async fn set(client: &Client, parameters: SetMyCommandsParams) -> Result<(), CallError> {
    client.call::<IgnoredAny>("setMyCommands", &parameters).await.map(drop)
}

fn commands(language: Language, commands: &[&str]) -> Vec<BotCommand> {
    let command = |name: &&str| {
        let description = Locale::of(language).text(&format!("command-{name}"));
        BotCommand::builder().command(*name).description(description).build()
    };
    commands.iter().map(command).collect()
}
