//! A draft: what is sent to which users, and the questions before it starts.

use std::time::Duration;

use chrono::{DateTime, TimeDelta};
use chrono_tz::Tz;
use rollcall_domain::{Broadcast, Counted};
use rollcall_service::{AudienceError, BroadcastCategory, BroadcastError, Forecast, ServiceError};

use super::{action::BroadcastAction, words};
use crate::{
    action::Action,
    conversation::{Asker, Conversation},
    locale::Locale,
    messages::name_of,
    reply::{Button, Screen},
    schedule::{back, pages},
};

/// How many categories there are on a page and in a row.
const A_PAGE: usize = 20;
const A_ROW: usize = 2;

/// A draft with what follows from it now.
struct Draft<'a> {
    broadcast: &'a Broadcast,
    /// How many users the bot can write to.
    number: Counted,
    /// How long it takes, if that is known.
    duration: Option<Duration>,
    /// The current time, in the owner's time zone.
    now: DateTime<Tz>,
    /// How many messages of its category a user gets in seven days.
    weekly_cap: Option<u32>,
}

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
        Ok(match draft.number {
            Counted::Exactly(0) => overview(asker.locale(), &draft),
            _ => question(asker.locale(), &draft),
        })
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

    async fn outlook<'a>(
        &self,
        broadcast: &'a Broadcast,
        asker: &Asker,
    ) -> Result<Draft<'a>, BroadcastError> {
        let plan = &broadcast.plan;
        let number = match self.reachable(&plan.filter, plan.zone).await {
            Ok(number) => number,
            Err(AudienceError::Service(error)) => return Err(error.into()),
            Err(error) => return Err(error.into()),
        };
        let left = self.outbox.bulk_rate();
        let forecast = match (number, plan.is_paid) {
            (Counted::MoreThan(_), _) => None,
            (_, true) => Some(Forecast::paid(number.number(), plan.rate)),
            (_, false) => Some(Forecast::unpaid(number.number(), plan.rate, left)),
        };
        let all = self.broadcasts.categories().await?;
        let category = all.into_iter().find(|it| it.name == plan.category);
        Ok(Draft {
            broadcast,
            number,
            duration: forecast.and_then(|it| it.duration),
            now: self.clock.now().with_timezone(&asker.preferences.zone()),
            weekly_cap: category.and_then(|it| it.weekly_cap),
        })
    }
}

fn overview(locale: &Locale, draft: &Draft<'_>) -> Screen {
    let Broadcast { id, plan, .. } = draft.broadcast;
    let arguments = [
        ("name", words::name(plan).into()),
        ("users", words::users(locale, &plan.filter).into()),
        ("category", name_of(locale, &plan.category).into()),
    ];
    let mut text = locale.format("broadcast-draft", &arguments);
    text.push('\n');
    let is_empty = draft.number == Counted::Exactly(0);
    match is_empty {
        true => text.push_str(&locale.text("broadcast-nobody")),
        false => text.push_str(&size(locale, draft)),
    }
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
            button("button-category", BroadcastAction::Categories { id: *id, page: 0 }),
            button("button-discard", BroadcastAction::Discard(*id)),
        ],
    ];
    if !is_empty {
        buttons.insert(1, vec![button("button-start", BroadcastAction::AskStart(*id))]);
    }
    Screen { text, buttons, ..Screen::default() }
}

fn question(locale: &Locale, draft: &Draft<'_>) -> Screen {
    let Broadcast { id, plan, .. } = draft.broadcast;
    let arguments = [("name", words::name(plan).into()), ("size", size(locale, draft).into())];
    let text = locale.format("broadcast-start-question", &arguments);
    let start = words::button(locale, "button-start-now", BroadcastAction::Start(*id));
    let buttons = vec![vec![start], vec![back_to(locale, *id)]];
    Screen { text, buttons, ..Screen::default() }
}

/// How many users get it, how long that takes, and until when.
fn size(locale: &Locale, draft: &Draft<'_>) -> String {
    let mut text =
        locale.format("broadcast-size", &[("number", words::number(locale, draft.number).into())]);
    let Some(duration) = draft.duration else { return text };
    let lasts = draft.broadcast.plan.lasts;
    let duration_delta = TimeDelta::from_std(duration).unwrap_or(TimeDelta::MAX);
    let span = words::span(locale, duration).into();
    text.push('\n');
    match draft.now.checked_add_signed(duration_delta) {
        Some(end) if duration_delta < TimeDelta::hours(12) => {
            let end = locale.time(end).into();
            text.push_str(
                &locale.format("broadcast-takes-until", &[("span", span), ("time", end)]),
            );
        }
        _ => text.push_str(&locale.format("broadcast-takes", &[("span", span)])),
    }
    if duration_delta > lasts {
        let lasts = words::span(locale, lasts.to_std().unwrap_or_default()).into();
        text.push('\n');
        text.push_str(&locale.format("broadcast-too-long", &[("span", lasts)]));
    }
    text
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
            label: if is_chosen { format!("✓ {name}") } else { name },
            action: Action::Broadcast(BroadcastAction::SetCategory {
                id,
                category: it.name.clone(),
            }),
        }
    };
    let turn = |page| Action::Broadcast(BroadcastAction::Categories { id, page });
    let mut buttons = pages(all, page, (A_PAGE, A_ROW), category, turn);
    buttons.push(vec![back_to(locale, id)]);
    Screen { text: locale.text("broadcast-choose-category"), buttons, ..Screen::default() }
}

/// The button that leads back to a broadcast.
pub(super) fn back_to(locale: &Locale, id: i64) -> Button {
    back(locale, Action::Broadcast(BroadcastAction::Show(id)))
}

#[cfg(test)]
mod tests {
    use rollcall_domain::{BroadcastState, Language};

    use super::*;
    use crate::{
        broadcasts::example::{broadcast, shown},
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
        let now: DateTime<Tz> = "2026-11-27T18:05:00Z"
            .parse::<DateTime<chrono::Utc>>()
            .unwrap()
            .with_timezone(&Tz::Europe__Berlin);
        for language in Language::ALL {
            let locale = Locale::of(language);
            let mut texts = Vec::new();
            for (broadcast, number, seconds, weekly_cap) in [
                (&news, Counted::Exactly(1), Some(1), None),
                (&everyone, Counted::Exactly(12_345), Some(494), Some(1)),
                (&segment, Counted::About(5_000_000), Some(200_000), Some(3)),
                (&long, Counted::MoreThan(1_000), None, None),
                (&news, Counted::Exactly(90_000), Some(3_600), None),
                (&news, Counted::Exactly(0), Some(0), None),
            ] {
                let duration = seconds.map(Duration::from_secs);
                let draft = Draft { broadcast, number, duration, now, weekly_cap };
                for screen in [overview(locale, &draft), question(locale, &draft)] {
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
