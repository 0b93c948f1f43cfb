//! A draft: what is sent to which users, and the questions before it starts.

use rollcall_domain::{Broadcast, Counted};
use rollcall_service::{BroadcastCategory, BroadcastError, ServiceError};

use super::{
    action::BroadcastAction,
    outlook::{Outlook, figures},
    speed::speeds,
    words,
};
use crate::{
    action::Action,
    conversation::{Asker, Conversation},
    locale::Locale,
    messages::name_of,
    reply::{Button, Screen},
    schedule::pages,
};

/// How many categories there are on a page and in a row.
const A_PAGE: usize = 20;
const A_ROW: usize = 2;

impl Conversation {
    /// A draft, with buttons that change and start it.
    pub(super) async fn draft(
        &self,
        broadcast: &Broadcast,
        asker: &Asker,
    ) -> Result<Screen, BroadcastError> {
        Ok(overview(asker.locale(), &self.outlook(broadcast, asker).await?))
    }

    /// Asks whether to start a draft.
    pub(super) async fn ask_start(
        &self,
        broadcast: &Broadcast,
        asker: &Asker,
    ) -> Result<Screen, BroadcastError> {
        let draft = self.outlook(broadcast, asker).await?;
        Ok(match draft.messages() {
            Counted::Exactly(0) => overview(asker.locale(), &draft),
            _ => question(asker.locale(), &draft),
        })
    }

    /// The speeds that a draft can have.
    pub(super) async fn speeds(
        &self,
        broadcast: &Broadcast,
        asker: &Asker,
    ) -> Result<Screen, BroadcastError> {
        Ok(speeds(asker.locale(), &self.outlook(broadcast, asker).await?))
    }

    /// A page of the categories that a draft can have.
    pub(super) async fn categories(
        &self,
        broadcast: &Broadcast,
        page: u32,
        locale: &Locale,
    ) -> Result<Screen, ServiceError> {
        Ok(categories(locale, broadcast, &self.broadcasts.categories().await?, page))
    }
}

fn overview(locale: &Locale, draft: &Outlook<'_>) -> Screen {
    let Broadcast { id, plan, .. } = draft.broadcast;
    let arguments = [
        ("name", words::name(plan).into()),
        ("users", words::users(locale, &plan.filter).into()),
        ("category", name_of(locale, &plan.category).into()),
    ];
    let mut text = locale.format("broadcast-draft", &arguments);
    text.push('\n');
    if let Some(at) = draft.starts_at() {
        let at = [("at", words::moment(locale, at).into())];
        text.push_str(&locale.format("broadcast-starts-at", &at));
        text.push('\n');
    }
    let is_empty = draft.messages() == Counted::Exactly(0);
    if is_empty {
        text.push_str(&locale.text("broadcast-nobody-now"));
        text.push('\n');
    }
    text.push_str(&figures(locale, draft));
    if let Some(cap) = draft.weekly_cap {
        text.push('\n');
        text.push_str(&locale.format("broadcast-cap", &[("count", u64::from(cap).into())]));
    }
    text.push_str("\n\n");
    text.push_str(&locale.text("broadcast-keep-message"));
    let button = |key, action| words::button(locale, key, action);
    let mut buttons = vec![
        vec![button("button-test-copy", BroadcastAction::Test(*id))],
        vec![
            button("button-start-time", BroadcastAction::Days(*id)),
            button("button-speed", BroadcastAction::Speeds(*id)),
        ],
        vec![
            button("button-category", BroadcastAction::Categories { id: *id, page: 0 }),
            button("button-discard", BroadcastAction::Discard(*id)),
        ],
    ];
    if !is_empty {
        buttons.insert(1, vec![button("button-start", BroadcastAction::AskStart(*id))]);
    }
    Screen { text, buttons, ..Screen::default() }
}

fn question(locale: &Locale, draft: &Outlook<'_>) -> Screen {
    let Broadcast { id, plan, .. } = draft.broadcast;
    let (name, size) = (words::name(plan).into(), figures(locale, draft).into());
    let button = |key, action| words::button(locale, key, action);
    let start = button("button-start-now", BroadcastAction::Start(*id));
    let (text, mut buttons) = match draft.starts_at() {
        None => {
            let arguments = [("name", name), ("size", size)];
            (locale.format("broadcast-start-question", &arguments), vec![vec![start]])
        }
        Some(at) => {
            let at = words::moment(locale, at).into();
            let text = locale.format(
                "broadcast-schedule-question",
                &[("name", name), ("size", size), ("at", at)],
            );
            let schedule = button("button-schedule-start", BroadcastAction::Schedule(*id));
            (text, vec![vec![schedule], vec![start]])
        }
    };
    buttons.push(vec![words::back_to(locale, *id)]);
    Screen { text, buttons, ..Screen::default() }
}

fn categories(
    locale: &Locale,
    broadcast: &Broadcast,
    all: &[BroadcastCategory],
    page: u32,
) -> Screen {
    let id = broadcast.id;
    let category = |it: &BroadcastCategory| {
        let name = name_of(locale, &it.name);
        let is_chosen = it.name == broadcast.plan.category;
        Button {
            label: words::chosen(is_chosen, name),
            action: Action::Broadcast(BroadcastAction::SetCategory {
                id,
                category: it.name.clone(),
            }),
        }
    };
    let turn = |page| Action::Broadcast(BroadcastAction::Categories { id, page });
    let mut buttons = pages(all, page, (A_PAGE, A_ROW), category, turn);
    buttons.push(vec![words::back_to(locale, id)]);
    Screen { text: locale.text("broadcast-choose-category"), buttons, ..Screen::default() }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use chrono_tz::Tz;
    use rollcall_domain::{BroadcastState, Language};
    use rollcall_service::AudienceSize;

    use super::*;
    use crate::{
        broadcasts::{
            example::{broadcast, shown},
            outlook::Audience,
        },
        html,
    };

    #[test]
    fn drafts_are_shown_in_every_language() {
        let news = broadcast(BroadcastState::Draft);
        let with = |filter: &str, category: &str| {
            let mut broadcast = news.clone();
            broadcast.plan.filter = filter.parse().unwrap();
            broadcast.plan.category = category.parse().unwrap();
            broadcast
        };
        let (everyone, segment) = (with("", "promo"), with("segment:vip", "betas"));
        let long = with(&["lang:de"; 60].join(" or "), "system");
        let mut paid = with("bot or lang:de", "news");
        (paid.plan.is_paid, paid.plan.rate) = (true, Some(500));
        let mut later = news.clone();
        later.plan.starts_at = Some("2026-11-28T17:00:00Z".parse().unwrap());
        let mut past = news.clone();
        past.plan.starts_at = Some("2026-11-27T18:00:00Z".parse().unwrap());
        let of = |messages| AudienceSize { messages, ..AudienceSize::default() };
        let some = AudienceSize { opted_out: 600, unreachable: 55, ..of(12_345) };
        let each = AudienceSize { capped: 1, bots: 3, held_out: 5_000, ..of(90_000) };
        let none = AudienceSize { opted_out: 2, unreachable: 1, ..of(0) };
        let now: DateTime<Tz> = "2026-11-27T18:05:00Z"
            .parse::<DateTime<chrono::Utc>>()
            .unwrap()
            .with_timezone(&Tz::Europe__Berlin);
        for language in Language::ALL {
            let locale = Locale::of(language);
            let mut texts = Vec::new();
            for (broadcast, audience, left, weekly_cap) in [
                (&news, Audience::Counted(of(1)), Some(25), None),
                (&everyone, Audience::Counted(some), Some(25), Some(1)),
                (&segment, Audience::Estimated(Counted::About(5_000_000)), Some(25), Some(3)),
                (&long, Audience::Estimated(Counted::MoreThan(1_000)), Some(25), None),
                (&paid, Audience::Counted(each), Some(25), None),
                (&news, Audience::Counted(of(90_000)), None, None),
                (&news, Audience::Counted(none), Some(25), None),
                (&later, Audience::Counted(of(200)), Some(25), None),
                (&past, Audience::Counted(of(200)), Some(25), None),
            ] {
                let outlook = Outlook { broadcast, audience, left, now, weekly_cap };
                for screen in [overview(locale, &outlook), question(locale, &outlook)] {
                    assert_eq!(html::check(&screen.text), Ok(()), "{}", screen.text);
                    texts.push(shown(&screen));
                }
            }
            let category =
                |name: &str| BroadcastCategory { name: name.parse().unwrap(), weekly_cap: None };
            let all = ["betas", "news", "promo", "system"].map(category);
            texts.push(shown(&categories(locale, &news, &all, 0)));
            let many: Vec<_> = (10..40).map(|n| category(&format!("own-{n}"))).collect();
            texts.push(shown(&categories(locale, &news, &many, 1)));
            let code = language.code();
            insta::assert_snapshot!(format!("draft_{code}"), texts.join("\n\n———\n\n"));
        }
    }
}
