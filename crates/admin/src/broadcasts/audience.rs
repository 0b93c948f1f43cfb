//! How many users a broadcast would go to, how long that takes, and what it costs.

use std::time::Duration;

use chrono::TimeDelta;
use rollcall_domain::{BroadcastPlan, Counted, grouped};
use rollcall_service::{AudienceSize, BothWays, BroadcastError, Forecast};
use tokio::time::timeout;

use super::words;
use crate::{
    App,
    page::{Failure, text},
    request::query_string,
};

/// How long a page waits for an estimate.
const PATIENCE: Duration = Duration::from_secs(10);

/// How many users a broadcast would go to, how long that takes, and what it costs.
pub(super) struct Audience {
    /// How many get the message, and whether that is exact.
    pub(super) messages: String,
    pub(super) is_exact: bool,
    pub(super) is_empty: bool,
    /// The query string by which they are counted.
    pub(super) query: String,
    /// How many the filter selects.
    pub(super) selected: String,
    /// How many are left out, and why, if they were counted.
    pub(super) left_out: Vec<(String, &'static str)>,
    /// How long the messages take, if that is known.
    pub(super) duration: Option<String>,
    /// What it costs; `None` if that is nothing, and a payment would save little time.
    pub(super) price: Option<String>,
    /// The duration and the price of the other way: without payment, or with it.
    pub(super) otherwise: Option<String>,
}

impl Audience {
    /// Counts the audience of a plan, or estimates it if that takes longer than `patience`; else why its
    /// filter selects no users.
    pub(super) async fn of(
        app: &App,
        plan: &BroadcastPlan,
        patience: Duration,
    ) -> Result<Result<Self, String>, Failure> {
        let counted = async {
            Ok(match app.broadcasts.size_within(patience, plan).await? {
                Some(size) => Self::counted(app, plan, size),
                None => Self::estimated(app, plan, app.broadcasts.estimate(plan).await?),
            })
        };
        match timeout(PATIENCE, counted).await {
            Ok(Ok(audience)) => Ok(Ok(audience)),
            Ok(Err(BroadcastError::Audience(error))) => Ok(Err(text::sentence(&error.to_string()))),
            Ok(Err(BroadcastError::Service(error))) => Err(error.into()),
            Ok(Err(error)) => Err(super::find::refusal(error)),
            Err(_) => Ok(Err("Counting the users takes too long.".to_owned())),
        }
    }

    fn counted(app: &App, plan: &BroadcastPlan, size: AudienceSize) -> Self {
        let reasons = size.reasons().into_iter().filter(|(_, users)| *users > 0);
        let left_out = reasons.map(|(reason, users)| match reason {
            "held_out" => (format!("about {}", grouped(users)), words::left_out(reason)),
            reason => (grouped(users), words::left_out(reason)),
        });
        Self {
            left_out: left_out.collect(),
            ..Self::estimated(
                app,
                plan,
                (Counted::Exactly(size.selected()), Counted::Exactly(size.messages)),
            )
        }
    }

    fn estimated(app: &App, plan: &BroadcastPlan, (all, messages): (Counted, Counted)) -> Self {
        let lane = app.messenger.as_ref().map(|it| it.lane(plan.rate, false));
        let both = BothWays::of(messages.number(), plan.rate, lane.and_then(|it| it.rate()));
        let chosen = both.chosen(plan.is_paid);
        let has_price = plan.is_paid || both.pays_off();
        let otherwise = has_price.then(|| both.chosen(!plan.is_paid));
        let zone = if plan.filter.depends_on_days() { plan.zone.name() } else { "" };
        let recipients = app.broadcasts.recipients_now(plan).to_string();
        Self {
            messages: text::users(messages),
            is_exact: matches!(messages, Counted::Exactly(_)),
            is_empty: messages == Counted::Exactly(0),
            query: query_string([("filter", &recipients), ("zone", zone)]),
            selected: text::users(all),
            left_out: Vec::new(),
            duration: duration(chosen).map(|it| match plan.times.cause() {
                Some(cause) => format!("{it}, plus the wait for {cause}"),
                None => it,
            }),
            price: has_price.then(|| price(chosen)),
            otherwise: otherwise.map(|other| {
                let takes = duration(other).map(|it| format!("about {it}"));
                let takes = takes.unwrap_or_else(|| "as long as Telegram takes".to_owned());
                let way = if plan.is_paid { "without payment" } else { "paid" };
                format!("{way}: {takes}, {}", price(other))
            }),
        }
    }
}

fn duration(forecast: Forecast) -> Option<String> {
    let duration = forecast.duration?;
    Some(words::duration(TimeDelta::from_std(duration).unwrap_or(TimeDelta::MAX)))
}

fn price(forecast: Forecast) -> String {
    match forecast.price.tenths {
        0 => "free".to_owned(),
        _ => format!("about {} Telegram Stars", forecast.price),
    }
}
