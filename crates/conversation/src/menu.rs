//! The menus of commands in Telegram clients.

use std::collections::BTreeSet;

use frankenstein::{
    methods::{GetMyCommandsParams, SetMyCommandsParams},
    types::{BotCommand, BotCommandScope, BotCommandScopeChat, ChatId},
};
use rollcall_domain::{Language, TelegramId, error_chain};
use rollcall_service::{AdminService, ScheduleView};
use rollcall_telegram::{CallError, Client, retry};
use serde::de::IgnoredAny;

use crate::{action::Action, audience::Audience, locale::Locale, reply::Button};

/// The commands in the menus of a bot, each with the key of its description.
#[derive(Clone, Copy)]
pub(crate) struct Menu {
    pub(crate) has_schedule: bool,
}

const FOR_USERS: [Entry; 5] = [
    ("start", "command-start"),
    ("schedule", "command-schedule"),
    ("settings", "command-settings"),
    ("help", "command-help"),
    ("privacy", "command-privacy"),
];
const FOR_USERS_WITHOUT_SCHEDULE: [Entry; 4] = [
    ("start", "command-start"),
    ("settings", "command-settings-plain"),
    ("help", "command-help"),
    ("privacy", "command-privacy"),
];
const FOR_ADMINS: [Entry; 5] = [
    ("users", "command-users"),
    ("segments", "command-segments"),
    ("broadcast", "command-broadcast"),
    ("stats", "command-stats"),
    ("admin", "command-admin"),
];

/// A command, and the key of its description.
type Entry = (&'static str, &'static str);

/// The languages of the menus. The first one has no code; clients in all other languages show it.
fn languages() -> impl Iterator<Item = (Language, Option<&'static str>)> {
    let code = |(index, language): (usize, Language)| (index > 0).then(|| language.code());
    Language::ALL.into_iter().enumerate().map(move |it| (it.1, code(it)))
}

/// Sets every menu, with retries. A refusal is only logged, because the bot works without menus.
pub(crate) async fn set_all(client: Client, menu: Menu, admins: AdminService) {
    const OUTAGE: &str = "the menus cannot be set";
    if let Err(error) = retry(OUTAGE, || menu.set_for_users(&client)).await {
        log::warn!(error = error_chain(&error); "the menu was not set");
    }
    let owners = admins.telegram_owners().await.unwrap_or_else(|error| {
        log::warn!(
            error = error_chain(&error);
            "could not look up the owners; their menus are set when they send /start"
        );
        Vec::new()
    });
    for admin in owners {
        if let Err(error) = retry(OUTAGE, || menu.set_for_admin(&client, admin)).await {
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

/// Whether Rollcall sets this command, with this description, in one of its languages: with the
/// schedule or without it, because the setting may have changed.
fn is_ours(command: &BotCommand) -> bool {
    let all = [&FOR_USERS[..], &FOR_USERS_WITHOUT_SCHEDULE, &FOR_ADMINS].concat();
    Language::ALL.into_iter().any(|language| commands(language, &all).contains(command))
}

impl Menu {
    fn for_users(self) -> &'static [Entry] {
        if self.has_schedule { &FOR_USERS } else { &FOR_USERS_WITHOUT_SCHEDULE }
    }

    /// Sets the menu for all users.
    async fn set_for_users(self, client: &Client) -> Result<(), CallError> {
        for (language, code) in languages() {
            let commands = commands(language, self.for_users());
            let menu = SetMyCommandsParams::builder().commands(commands).maybe_language_code(code);
            set(client, menu.build()).await?;
        }
        Ok(())
    }

    /// Sets the menu in an admin's chat. Telegram refuses if the admin has never written to the bot.
    pub(crate) async fn set_for_admin(
        self,
        client: &Client,
        admin: TelegramId,
    ) -> Result<(), CallError> {
        for (language, code) in languages() {
            let mut all = commands(language, self.for_users());
            all.extend(commands(language, &FOR_ADMINS));
            let chat = BotCommandScopeChat { chat_id: ChatId::Integer(admin.get()) };
            let scope = BotCommandScope::Chat(chat);
            let menu = SetMyCommandsParams::builder().commands(all).scope(scope);
            set(client, menu.maybe_language_code(code).build()).await?;
        }
        Ok(())
    }
}

async fn set(client: &Client, parameters: SetMyCommandsParams) -> Result<(), CallError> {
    client.call::<IgnoredAny>("setMyCommands", &parameters).await.map(drop)
}

fn commands(language: Language, entries: &[Entry]) -> Vec<BotCommand> {
    let command = |(name, key): &Entry| {
        let description = Locale::of(language).text(key);
        BotCommand::builder().command(*name).description(description).build()
    };
    entries.iter().map(command).collect()
}

/// The buttons below the greeting. Settings are for private chats only.
pub(crate) fn buttons(locale: &Locale, audience: Audience, has_schedule: bool) -> Vec<Vec<Button>> {
    let button = |key, action| Button { label: locale.text(key), action };
    let mut row = vec![button("button-help", Action::Help)];
    if audience.is_private() {
        row.insert(0, button("button-settings", Action::Settings));
    }
    if has_schedule {
        row.insert(0, button("button-schedule", Action::Schedule(ScheduleView::Next)));
    }
    vec![row]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_commands_are_ours_with_the_schedule_and_without() {
        for has_schedule in [true, false] {
            let menu = Menu { has_schedule };
            for language in Language::ALL {
                let all = [menu.for_users(), &FOR_ADMINS].concat();
                for command in commands(language, &all) {
                    assert!(is_ours(&command), "{command:?}");
                }
            }
        }
        let foreign = [("start", "Open the shop"), ("cart", "Say hello"), ("settings", "")];
        for (name, description) in foreign {
            let command = BotCommand::builder().command(name).description(description).build();
            assert!(!is_ours(&command), "{command:?}");
        }
    }

    #[test]
    fn the_menu_without_the_schedule_does_not_mention_it() {
        let shown = |has_schedule| {
            let menu = Menu { has_schedule };
            let commands = commands(Language::English, menu.for_users());
            let lines =
                commands.into_iter().map(|it| format!("{} – {}", it.command, it.description));
            lines.collect::<Vec<_>>().join("\n")
        };
        insta::assert_snapshot!(shown(true));
        insta::assert_snapshot!(shown(false));
    }

    #[test]
    fn only_buttons_that_work_are_offered() {
        let labels = |audience, has_schedule| -> Vec<String> {
            let rows = buttons(Locale::of(Language::English), audience, has_schedule);
            rows.into_iter().flatten().map(|button| button.label).collect()
        };
        assert_eq!(labels(Audience::Owner, true), ["Schedule", "Settings", "Help"]);
        assert_eq!(labels(Audience::Sender, false), ["Settings", "Help"]);
        assert_eq!(labels(Audience::Group, true), ["Schedule", "Help"]);
        assert_eq!(labels(Audience::Group, false), ["Help"]);
    }
}
