//! How long a broadcast takes and what it costs, with the settings of the bot.

use std::num::NonZeroU32;

use rollcall_domain::{Broadcast, BroadcastPlan, grouped};
use rollcall_service::{AudienceSize, Forecast};
use rollcall_telegram::bulk_rate;
use serde_json::{Value, json};

use super::times::wait;
use crate::{
    environment::Environment,
    manage::output::span,
    settings::{SettingError, TelegramArguments},
};

/// How long it takes and what it costs, as it is planned; and for a paid one also without payment.
pub(super) fn forecasts(
    broadcast: &Broadcast,
    size: AudienceSize,
    environment: &Environment,
) -> anyhow::Result<(Forecast, Option<Forecast>)> {
    let plan = &broadcast.plan;
    let planned = forecast(size.reachable, plan, environment)?;
    let without = plan.is_paid.then(|| unpaid(size.reachable, plan, environment)).transpose()?;
    Ok((planned, without))
}

/// How long it takes, and what it costs, in sentences.
pub(super) fn lines(
    plan: &BroadcastPlan,
    (planned, without): (Forecast, Option<Forecast>),
) -> Vec<String> {
    let takes = |forecast: Forecast| match (forecast.rate, forecast.duration) {
        (Some(rate), Some(duration)) => {
            let (span, rate) = (span(duration), grouped(rate.into()));
            format!("takes about {span} at {rate} a second{}", wait(plan))
        }
        _ => format!("is sent as fast as Telegram takes it{}", wait(plan)),
    };
    match without {
        None => vec![format!("It {}.", takes(planned))],
        Some(without) => vec![
            format!("Paid, it {}, and costs about {} Stars.", takes(planned), planned.price),
            format!("Without --paid, it {}, and costs nothing.", takes(without)),
        ],
    }
}

/// The same for programs.
pub(super) fn forecast_as_json(forecast: Forecast) -> Value {
    json!({
        "rate": forecast.rate,
        "seconds": forecast.duration.map(|it| it.as_secs()),
        "stars": forecast.price.to_string().replace(',', "").parse::<f64>().ok(),
    })
}

/// How long so many messages of a broadcast take, and what they cost, with the settings of the bot.
pub(super) fn forecast(
    messages: u64,
    plan: &BroadcastPlan,
    environment: &Environment,
) -> Result<Forecast, SettingError> {
    Ok(if plan.is_paid {
        Forecast::paid(messages, plan.rate)
    } else {
        unpaid(messages, plan, environment)?
    })
}

/// The same without payment.
fn unpaid(
    messages: u64,
    plan: &BroadcastPlan,
    environment: &Environment,
) -> Result<Forecast, SettingError> {
    let send_rate = TelegramArguments::default().send_rate(environment)?;
    let left = bulk_rate(send_rate).map(NonZeroU32::get);
    Ok(Forecast::unpaid(messages, plan.rate, left))
}
