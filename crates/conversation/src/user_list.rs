//! Pages of the list of users, for owners.

use rollcall_domain::{Cursor, TelegramUser, UserSlice, Username};

use crate::{
    action::Action,
    locale::Locale,
    reply::{Button, Screen},
    text::{SHOWN_NAME_UNITS, minute, shown},
};

/// How many users a page has.
pub(crate) const PAGE_SIZE: u32 = 20;

/// Usernames are cut at this length in UTF-16 units, so that a page fits into one message. No username of
/// Telegram's is that long.
const SHOWN_USERNAME_UNITS: usize = 32;

/// A page of the list, with buttons for the pages beside it.
pub(crate) fn page(locale: &Locale, page: &UserSlice) -> Screen {
    if page.rows.is_empty() {
        return locale.text("users-nobody").into();
    }
    let mut text = locale.format("users-head", &[("total", page.count.number().into())]);
    text.push('\n');
    for row in &page.rows {
        text.push_str(&entry(locale, &row.user));
    }
    let buttons = turns(locale, page, |cursor| Action::Users(Some(cursor)));
    Screen { text, buttons, ..Screen::default() }
}

/// The buttons for the pages beside a page.
pub(crate) fn turns(
    locale: &Locale,
    page: &UserSlice,
    turn: impl Fn(Cursor) -> Action,
) -> Vec<Vec<Button>> {
    let turns = [(page.previous, "users-newer"), (page.next, "users-older")];
    let button = |(cursor, key): (Option<Cursor>, &str)| {
        Some(Button { label: locale.text(key), action: turn(cursor?) })
    };
    let turns: Vec<Button> = turns.into_iter().filter_map(button).collect();
    if turns.is_empty() { Vec::new() } else { vec![turns] }
}

pub(crate) fn entry(locale: &Locale, user: &TelegramUser) -> String {
    let times =
        [("seen", minute(user.last_seen).into()), ("joined", minute(user.created_at).into())];
    format!(
        "\n{}\n<code>{}</code>{}\n{}\n",
        shown(&user.shown_name(), SHOWN_NAME_UNITS),
        user.telegram_id,
        user.username.as_ref().map(at_username).unwrap_or_default(),
        locale.format("users-times", &times),
    )
}

fn at_username(username: &Username) -> String {
    format!(" · @{}", shown(username.as_str(), SHOWN_USERNAME_UNITS))
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Utc};
    use rollcall_domain::{
        Counted, Interaction, InteractionKind, Language, ListedUser, Profile, SortKey,
    };

    use super::*;

    fn user(n: i64, profile: impl Fn(Profile) -> Profile) -> TelegramUser {
        let at: DateTime<Utc> = "2026-11-20T12:34:56Z".parse().unwrap();
        let profile = profile(Profile::new(n.try_into().unwrap(), "Ada"));
        let mut user = TelegramUser::new(profile.telegram_id(), at);
        user.observe(&Interaction::new(at, profile, InteractionKind::Text), at);
        user
    }

    fn slice(users: impl IntoIterator<Item = TelegramUser>, total: u64) -> UserSlice {
        let rows: Vec<ListedUser> =
            users.into_iter().map(|user| ListedUser { user, active_days: 1 }).collect();
        let count = Counted::Exactly(total);
        UserSlice { rows, previous: None, next: None, count, is_partial: false }
    }

    fn place(backwards: bool, telegram_id: i64) -> Cursor {
        Cursor { key: SortKey::FirstSeen, backwards, value: 1_795_178_096_000_000, telegram_id }
    }

    fn labels(screen: &Screen) -> Vec<(String, Action)> {
        screen.buttons.iter().flatten().map(|it| (it.label.clone(), it.action.clone())).collect()
    }

    #[test]
    fn a_page_lists_users_with_the_total() {
        let named = |ada: Profile| ada.last_name("Lovelace").username("ada");
        let users = || slice([user(1815, named), user(7, |ada| ada)], 12_345);
        let texts: Vec<String> =
            Language::ALL.map(|language| page(Locale::of(language), &users()).text).into();
        insta::assert_snapshot!(texts.join("\n———\n\n"));
        let empty = page(Locale::of(Language::English), &slice([], 0));
        insta::assert_snapshot!(empty.text, @"Nobody has talked to this bot yet.");
        assert_eq!(empty.buttons, Vec::<Vec<Button>>::new());
    }

    #[test]
    fn a_page_has_buttons_for_the_pages_beside_it() {
        let (newer, older) = (place(true, 9), place(false, 5));
        let with = |previous, next| {
            let slice = UserSlice { previous, next, ..slice([user(7, |ada| ada)], 3) };
            labels(&page(Locale::of(Language::English), &slice))
        };
        let to_newer = ("‹ Newer".to_owned(), Action::Users(Some(newer)));
        let to_older = ("Older ›".to_owned(), Action::Users(Some(older)));
        assert_eq!(with(None, None), []);
        assert_eq!(with(None, Some(older)), std::slice::from_ref(&to_older));
        assert_eq!(with(Some(newer), Some(older)), [to_newer.clone(), to_older]);
        assert_eq!(with(Some(newer), None), [to_newer]);
    }

    #[test]
    fn a_user_without_a_visible_name_is_listed_by_id() {
        for (first, last) in [("\u{3164}", ""), ("\u{200b}\u{2800}", "\u{202e}"), ("", "")] {
            let invisible =
                user(1815, |_| Profile::new(1815.try_into().unwrap(), first).last_name(last));
            for language in Language::ALL {
                let text = page(Locale::of(language), &slice([invisible.clone()], 1)).text;
                assert!(text.contains("\n\u{2068}User 1815\u{2069}\n"), "{text}");
            }
        }
        // A name is not cut before its first visible character.
        let late = Profile::new(1.try_into().unwrap(), &format!("{}Ada", "\u{3164}".repeat(50)));
        let late = slice([user(1, |_| late.clone())], 1);
        let text = page(Locale::of(Language::English), &late).text;
        assert!(text.contains("\u{2068}Ada\u{2069}"), "{text}");
    }

    #[test]
    fn the_longest_page_fits_into_a_message() {
        let long =
            |profile: Profile| profile.last_name(&"𝄞".repeat(255)).username(&"𝄞".repeat(255));
        let users = (0..i64::from(PAGE_SIZE)).map(|n| user((1 << 52) - 1 - n, long));
        let slice = slice(users, u64::MAX);
        for language in Language::ALL {
            let text = page(Locale::of(language), &slice).text;
            // Telegram counts what is left without the markup.
            let plain: String =
                text.split('<').map(|part| part.rsplit('>').next().unwrap()).collect();
            let units = plain.encode_utf16().count();
            assert!(units <= 4096, "{language:?}: {units}");
        }
    }
}
