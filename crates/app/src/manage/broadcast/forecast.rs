//! How long a broadcast takes and what it costs, with the settings of the bot.

use std::num::NonZeroU32;

use rollcall_domain::{BroadcastPlan, grouped};
use rollcall_service::{BothWays, Forecast};
use rollcall_telegram::bulk_rate;
use serde_json::{Value, json};

use super::times::wait;
use crate::{
    environment::Environment,
    manage::output::span,
    settings::{SettingError, TelegramArguments},
};

/// How long so many messages of a broadcast take, and what they cost, with the settings of the bot.
pub(super) fn both_ways(
    messages: u64,
    plan: &BroadcastPlan,
    environment: &Environment,
) -> Result<BothWays, SettingError> {
    let send_rate = TelegramArguments::default().send_rate(environment)?;
    let left = bulk_rate(send_rate).map(NonZeroU32::get);
    Ok(BothWays::of(messages, plan.rate, left))
}

/// The same in sentences.
pub(super) fn lines(plan: &BroadcastPlan, both: BothWays) -> Vec<String> {
    let BothWays { unpaid, paid } = both;
    match plan.is_paid {
        true => vec![
            format!("Paid, it {}, and costs about {} Stars.", takes(paid, plan), paid.price),
            format!("Without --paid, it {}, and costs nothing.", takes(unpaid, plan)),
        ],
        false if both.pays_off() => vec![
            format!("It {}, and costs nothing.", takes(unpaid, plan)),
            format!("With --paid, it {}, and costs about {} Stars.", takes(paid, plan), paid.price),
        ],
        false => vec![format!("It {}.", takes(unpaid, plan))],
    }
}

fn takes(forecast: Forecast, plan: &BroadcastPlan) -> String {
    match (forecast.rate, forecast.duration) {
        (Some(rate), Some(duration)) => {
            let (span, rate) = (span(duration), grouped(rate.into()));
            format!("takes about {span} at {rate} a second{}", wait(plan))
        }
        _ => format!("is sent as fast as Telegram takes it{}", wait(plan)),
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
