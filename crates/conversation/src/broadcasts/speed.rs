//! Choosing how fast a draft is sent, with what each way takes and costs.

use rollcall_service::{BothWays, Forecast};

use super::{
    action::BroadcastAction,
    outlook::{Outlook, span},
    words,
};
use crate::{
    action::Action,
    locale::Locale,
    reply::{Button, Screen},
};

/// Slower rates than the bot's limit leaves.
const SLOWER: [u32; 3] = [10, 5, 1];
/// Rates that cost Stars.
const PAID: [u32; 3] = [100, 300, 1_000];

/// The speeds to choose from.
pub(super) fn speeds(locale: &Locale, outlook: &Outlook<'_>) -> Screen {
    let plan = &outlook.broadcast.plan;
    let id = outlook.broadcast.id;
    let button = |rate: Option<u32>, is_paid| {
        let both = outlook.both_ways(rate);
        let rate_shown = rate.or(outlook.left);
        let label = label(locale, rate_shown, both.map(|it: BothWays| it.chosen(is_paid)));
        let is_chosen = (plan.rate, plan.is_paid) == (rate, is_paid);
        let action = BroadcastAction::SetSpeed { id, rate, is_paid };
        vec![Button { label: words::chosen(is_chosen, label), action: Action::Broadcast(action) }]
    };
    let is_slower = |rate: &u32| outlook.left.is_none_or(|left| *rate < left);
    let mut buttons = vec![button(None, false)];
    buttons.extend(SLOWER.into_iter().filter(is_slower).map(|rate| button(Some(rate), false)));
    buttons.extend(PAID.into_iter().map(|rate| button(Some(rate), true)));
    buttons.push(vec![words::back_to(locale, id)]);
    Screen { text: locale.text("broadcast-choose-speed"), buttons, ..Screen::default() }
}

/// A rate, how long it takes, and what it costs.
fn label(locale: &Locale, rate: Option<u32>, forecast: Option<Forecast>) -> String {
    let mut parts = vec![match rate {
        Some(rate) => {
            let rate = words::exact(locale, rate.into());
            locale.format("broadcast-pace-only", &[("rate", rate.into())])
        }
        None => locale.text("button-no-limit"),
    }];
    parts.extend(forecast.and_then(|it| span(locale, it)));
    let price = forecast.map(|it| it.price).filter(|price| price.tenths > 0);
    parts.extend(price.map(|price| words::stars(locale, price)));
    parts.join(" · ")
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Utc};
    use chrono_tz::Tz;
    use rollcall_domain::{BroadcastState, Counted, Language};
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
    fn speeds_are_chosen_in_every_language() {
        let free = broadcast(BroadcastState::Draft);
        let mut slow = free.clone();
        slow.plan.rate = Some(5);
        let mut paid = free.clone();
        (paid.plan.rate, paid.plan.is_paid) = (Some(300), true);
        let now: DateTime<Tz> =
            "2026-11-27T18:05:00Z".parse::<DateTime<Utc>>().unwrap().with_timezone(&Tz::UTC);
        let counted = |messages| Audience::Counted(AudienceSize { messages, ..Default::default() });
        for language in Language::ALL {
            let locale = Locale::of(language);
            let mut texts = Vec::new();
            for (broadcast, audience, left) in [
                (&free, counted(1_000_000), Some(25)),
                (&slow, counted(12), Some(4)),
                (&paid, counted(50_000), None),
                (&free, Audience::Estimated(Counted::MoreThan(1_000)), Some(25)),
            ] {
                let outlook = Outlook { broadcast, audience, left, now, weekly_cap: None };
                let screen = speeds(locale, &outlook);
                assert_eq!(html::check(&screen.text), Ok(()), "{}", screen.text);
                texts.push(shown(&screen));
            }
            let code = language.code();
            insta::assert_snapshot!(format!("speeds_{code}"), texts.join("\n\n———\n\n"));
        }
    }
}
