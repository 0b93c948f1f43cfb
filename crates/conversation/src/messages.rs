//! The categories of broadcasts that users choose: in `/settings`, and by the opt-out button below a
//! message.

use rollcall_domain::{BroadcastButton, LabelName, NEWS_CATEGORY, PROMO_CATEGORY};
use rollcall_service::{CategoryChoice, OptOutButton};
use rollcall_telegram::{ButtonData, DataButton};

use crate::{
    action::Action,
    locale::Locale,
    reply::{Button, Screen},
    schedule::{back, pages},
};

/// How many categories there are on a page and in a row.
const A_PAGE: usize = 24;
const A_ROW: usize = 2;
/// How many categories are named; the rest is counted.
const NAMED: usize = 5;

/// The buttons below broadcasts that the bot answers.
pub const BROADCAST_BUTTONS: ButtonData = ButtonData { opt_out: opt_out_button, press };

/// The data of a button that counts presses; broadcast 0 is a test.
fn press(button: BroadcastButton) -> String {
    Action::Press(Some(button).filter(|it| it.broadcast > 0)).data()
}

/// The button below the messages of a broadcast.
pub fn opt_out_button(button: &OptOutButton) -> DataButton {
    toggle(Locale::of(button.language), &button.category, true)
}

/// The button below a message that opts out of a category, or opts in again.
pub(crate) fn toggle(locale: &Locale, category: &LabelName, is_out: bool) -> DataButton {
    let text = match is_out {
        true => locale.format("button-opt-out", &[("category", name_of(locale, category).into())]),
        false => locale.text("button-opt-in"),
    };
    DataButton { text, data: Action::OptOut { category: category.clone(), is_out }.data() }
}

/// What pops up after an opt-out or an opt-in.
pub(crate) fn notice(locale: &Locale, category: &LabelName, is_out: bool) -> String {
    let key = if is_out { "press-opted-out" } else { "press-opted-in" };
    locale.format(key, &[("category", name_of(locale, category).into())])
}

/// The categories that the user gets, in a line of the settings.
pub(crate) fn received(locale: &Locale, choices: &[CategoryChoice]) -> String {
    let mut names: Vec<String> = choices
        .iter()
        .filter(|choice| !choice.is_out)
        .map(|choice| name_of(locale, &choice.name))
        .collect();
    let others = names.len().saturating_sub(NAMED);
    names.truncate(NAMED);
    if others > 0 {
        names.push(format!("+{others}"));
    }
    match names.as_slice() {
        [] => locale.text("settings-no-messages"),
        names => names.join(", "),
    }
}

/// The categories to choose from.
pub(crate) fn categories(locale: &Locale, choices: &[CategoryChoice], page: u32) -> Screen {
    let button = |choice: &CategoryChoice| {
        let name = name_of(locale, &choice.name);
        Button {
            label: if choice.is_out { name } else { format!("✓ {name}") },
            action: Action::SetMessages {
                category: choice.name.clone(),
                is_out: !choice.is_out,
                page,
            },
        }
    };
    let turn = |page| Action::Messages { page };
    let mut buttons = pages(choices, page, (A_PAGE, A_ROW), button, turn);
    buttons.push(vec![back(locale, Action::Settings)]);
    Screen { text: locale.text("settings-choose-messages"), buttons, ..Screen::default() }
}

/// The name of a category for users. Owners name their own categories.
pub(crate) fn name_of(locale: &Locale, category: &LabelName) -> String {
    match category.as_str() {
        NEWS_CATEGORY => locale.text("category-news"),
        PROMO_CATEGORY => locale.text("category-promo"),
        own => own.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use rollcall_domain::Language;

    use super::*;

    fn choices(names: &[(&str, bool)]) -> Vec<CategoryChoice> {
        let choice = |(name, is_out): &(&str, bool)| CategoryChoice {
            name: name.parse().unwrap(),
            is_out: *is_out,
        };
        names.iter().map(choice).collect()
    }

    fn shown(screen: &Screen) -> String {
        let row = |row: &Vec<Button>| {
            let button = |it: &Button| format!("[{} → {}]", it.label, it.action.data());
            row.iter().map(button).collect::<Vec<_>>().join(" ")
        };
        let rows: Vec<String> = screen.buttons.iter().map(row).collect();
        format!("{}\n\n{}", screen.text, rows.join("\n"))
    }

    #[test]
    fn messages_are_chosen_in_every_language() {
        let some = choices(&[("betas", false), ("news", false), ("promo", true)]);
        let none = choices(&[("news", true), ("promo", true)]);
        let many: Vec<CategoryChoice> =
            (10..40).flat_map(|n| choices(&[(&format!("own-{n}"), false)])).collect();
        for language in Language::ALL {
            let locale = Locale::of(language);
            let mut shown = vec![
                received(locale, &some),
                received(locale, &none),
                received(locale, &many),
                shown(&categories(locale, &some, 0)),
                shown(&categories(locale, &many, 1)),
            ];
            for name in ["news", "promo", "betas"] {
                let category: LabelName = name.parse().unwrap();
                let button = opt_out_button(&OptOutButton { category: category.clone(), language });
                let undo = toggle(locale, &category, false);
                for button in [button, undo] {
                    shown.push(format!("[{} → {}]", button.text, button.data));
                }
                shown.push(notice(locale, &category, true));
                shown.push(notice(locale, &category, false));
            }
            let code = language.code();
            insta::assert_snapshot!(format!("messages_{code}"), shown.join("\n\n———\n\n"));
        }
    }

    #[test]
    fn the_longest_name_fits_into_a_button_and_a_pop_up() {
        let category: LabelName = "w".repeat(32).parse().unwrap();
        for locale in Language::ALL.map(Locale::of) {
            for is_out in [true, false] {
                assert!(notice(locale, &category, is_out).chars().count() <= 200);
                let DataButton { text, data } = toggle(locale, &category, is_out);
                assert!(text.chars().count() <= 64 && data.len() <= 64, "{text} {data}");
            }
        }
    }
}
