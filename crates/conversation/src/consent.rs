//! Whether a user who was erased may be stored again.

use crate::{
    action::Action,
    command::Command,
    locale::Locale,
    reply::{Button, Screen},
};

/// Asks a user who was erased.
pub(crate) fn question(locale: &Locale) -> Screen {
    let button =
        |key, agrees| Button { label: locale.text(key), action: Action::Consent { agrees } };
    Screen {
        text: locale.text("consent-question"),
        buttons: vec![vec![button("button-agree", true), button("button-decline", false)]],
        ..Screen::default()
    }
}

/// The same below another text.
pub(crate) fn question_below(locale: &Locale, text: &str) -> Screen {
    let question = question(locale);
    Screen { text: format!("{text}\n\n{}", question.text), ..question }
}

/// Whether a user who is not stored is asked first.
pub(crate) fn is_asked_before(command: &Command) -> bool {
    matches!(command, Command::Start | Command::Settings | Command::Broadcast { .. })
}

#[cfg(test)]
mod tests {
    use rollcall_domain::Language;

    use super::*;

    #[test]
    fn erased_users_are_asked_in_every_language() {
        let texts = Language::ALL.map(|language| {
            let locale = Locale::of(language);
            let Screen { text, buttons, .. } = question(locale);
            let buttons = buttons.into_iter().flatten();
            let labels: Vec<String> =
                buttons.map(|it| format!("[{} → {}]", it.label, it.action.data())).collect();
            let declined = locale.text("consent-declined");
            [text, labels.join(" "), declined, locale.text("press-agreed")].join("\n")
        });
        insta::assert_snapshot!(texts.join("\n\n———\n\n"));
    }
}
