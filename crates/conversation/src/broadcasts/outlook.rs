//! What would become of a draft now: how many users get it, how long that takes, and what it costs.

use std::time::Duration;

use chrono::{DateTime, TimeDelta};
use chrono_tz::Tz;
use rollcall_domain::{Broadcast, Counted};
use rollcall_service::{AudienceSize, BothWays, BroadcastError, Forecast};

use super::words;
use crate::{
    conversation::{Asker, Conversation},
    locale::Locale,
};

/// How long an exact count may take. If it takes longer, an estimate is shown.
const PATIENCE: Duration = Duration::from_secs(3);

/// A draft with what would become of it now.
pub(super) struct Outlook<'a> {
    pub(super) broadcast: &'a Broadcast,
    pub(super) audience: Audience,
    /// How many messages a second the bot's limit leaves; `None` without a limit.
    pub(super) left: Option<u32>,
    /// The current time, in the owner's time zone.
    pub(super) now: DateTime<Tz>,
    /// How many messages of its category a user gets in seven days.
    pub(super) weekly_cap: Option<u32>,
}

/// How many users get it.
pub(super) enum Audience {
    /// Exactly, with those that are left out.
    Counted(AudienceSize),
    /// About.
    Estimated(Counted),
}

impl Outlook<'_> {
    /// How many users get the message.
    pub(super) fn messages(&self) -> Counted {
        match self.audience {
            Audience::Counted(size) => Counted::Exactly(size.messages),
            Audience::Estimated(number) => number,
        }
    }

    /// When it starts if it is scheduled, unless that is past.
    pub(super) fn starts_at(&self) -> Option<DateTime<Tz>> {
        let at = self.broadcast.plan.starts_at?.with_timezone(&self.now.timezone());
        Some(at).filter(|at| *at > self.now)
    }

    /// How long it takes and what it costs at most so many messages a second; `None` if the number of
    /// messages is not known.
    pub(super) fn both_ways(&self, rate: Option<u32>) -> Option<BothWays> {
        match self.messages() {
            Counted::MoreThan(_) => None,
            number => Some(BothWays::of(number.number(), rate, self.left)),
        }
    }
}

impl Conversation {
    pub(super) async fn outlook<'a>(
        &self,
        broadcast: &'a Broadcast,
        asker: &Asker,
    ) -> Result<Outlook<'a>, BroadcastError> {
        let plan = &broadcast.plan;
        let audience = match self.broadcasts.size_within(PATIENCE, plan).await? {
            Some(size) => Audience::Counted(size),
            None => Audience::Estimated(self.broadcasts.estimate(plan).await?.1),
        };
        let all = self.broadcasts.categories().await?;
        let category = all.into_iter().find(|it| it.name == plan.category);
        Ok(Outlook {
            broadcast,
            audience,
            left: self.outbox.bulk_rate(),
            now: self.clock.now().with_timezone(&asker.preferences.zone()),
            weekly_cap: category.and_then(|it| it.weekly_cap),
        })
    }
}

/// How many users get it, how many are left out, how long it takes and what it costs.
pub(super) fn figures(locale: &Locale, outlook: &Outlook<'_>) -> String {
    let recipients = recipients(locale, outlook).join("\n");
    let plan = &outlook.broadcast.plan;
    let both = outlook.both_ways(plan.rate);
    let Some(both) = both.filter(|_| outlook.messages() != Counted::Exactly(0)) else {
        return recipients;
    };
    let mut lines = way(locale, outlook, both.chosen(plan.is_paid));
    if plan.is_paid {
        let span = span(locale, both.unpaid);
        lines.extend(span.map(|it| locale.format("broadcast-unpaid", &[("span", it.into())])));
    } else if both.pays_off() {
        let stars = words::stars(locale, both.paid.price);
        let span = span(locale, both.paid).unwrap_or_default();
        let arguments = [("span", span.into()), ("stars", stars.into())];
        lines.push(locale.format("broadcast-paid", &arguments));
    }
    match lines.is_empty() {
        true => recipients,
        false => format!("{recipients}\n\n{}", lines.join("\n")),
    }
}

fn recipients(locale: &Locale, outlook: &Outlook<'_>) -> Vec<String> {
    let number = ("number", words::number(locale, outlook.messages()).into());
    let Audience::Counted(size) = outlook.audience else {
        return vec![locale.format("broadcast-recipients", &[number])];
    };
    if size.left_out() == 0 {
        return vec![locale.format("broadcast-recipients", &[number])];
    }
    let all = ("all", words::exact(locale, size.selected()).into());
    let mut lines = vec![locale.format("broadcast-recipients-of", &[number, all])];
    for (count, key) in [
        (size.opted_out, "broadcast-opt-outs"),
        (size.capped, "broadcast-capped"),
        (size.unreachable, "broadcast-unreachable"),
        (size.bots, "broadcast-bots"),
        (size.held_out, "broadcast-held-out"),
    ] {
        if count > 0 {
            lines.push(locale.format(key, &[("count", count.into())]));
        }
    }
    lines
}

/// How long the chosen way takes, what it costs, and when it ends.
fn way(locale: &Locale, outlook: &Outlook<'_>, forecast: Forecast) -> Vec<String> {
    let Some(duration) = forecast.duration else { return Vec::new() };
    let lasts = outlook.broadcast.plan.lasts;
    let duration_delta = TimeDelta::from_std(duration).unwrap_or(TimeDelta::MAX);
    let span = words::span(locale, duration).into();
    let mut lines = vec![match outlook.now.checked_add_signed(duration_delta) {
        Some(end) if duration_delta < TimeDelta::hours(12) && outlook.starts_at().is_none() => {
            let end = locale.time(end).into();
            locale.format("broadcast-takes-until", &[("span", span), ("time", end)])
        }
        _ => locale.format("broadcast-takes", &[("span", span)]),
    }];
    if forecast.price.tenths > 0 {
        let stars = words::stars(locale, forecast.price).into();
        lines.push(locale.format("broadcast-costs", &[("stars", stars)]));
    }
    if duration_delta > lasts {
        let lasts = words::span(locale, lasts.to_std().unwrap_or_default()).into();
        lines.push(locale.format("broadcast-too-long", &[("span", lasts)]));
    }
    lines
}

/// A length of time, if it is known.
pub(super) fn span(locale: &Locale, forecast: Forecast) -> Option<String> {
    Some(words::span(locale, forecast.duration?))
}
