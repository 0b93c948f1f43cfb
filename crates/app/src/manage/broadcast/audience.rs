//! The users of a broadcast.

use rollcall_domain::{BroadcastPlan, TelegramUser, grouped};
use rollcall_service::{AudienceSize, OptOutButton};
use serde_json::Value;

use crate::{manage::export::index_names, services::Services};

/// Adds new names to the search index, if a broadcast's filter compares names.
pub(super) async fn index_names_of(
    services: &Services,
    plan: &BroadcastPlan,
) -> anyhow::Result<()> {
    let selection = services.audience().selection(&plan.filter, plan.zone).await?;
    if selection.node().compares_names() {
        index_names(&services.directory()).await?;
    }
    Ok(())
}

/// The button below the message to a user that opts out of the category; `None` without one.
pub(super) async fn opt_out_button(
    services: &Services,
    plan: &BroadcastPlan,
    user: &TelegramUser,
) -> anyhow::Result<Option<OptOutButton>> {
    if !plan.has_opt_out_button {
        return Ok(None);
    }
    let preferences = services.preferences().preferences(user.telegram_id).await?;
    let language = preferences.language_or(user.language_code.as_deref());
    Ok(Some(OptOutButton { category: plan.category.clone(), language }))
}

/// How many users get it, and why others do not, in sentences.
pub(super) fn audience(size: AudienceSize) -> Vec<String> {
    let selected = size.selected();
    let noun = if selected == 1 { "user" } else { "users" };
    if size.left_out() == 0 {
        return vec![format!("It goes to {} {noun}.", grouped(selected))];
    }
    let reasons = size.reasons().into_iter().filter(|(_, users)| *users > 0);
    let reasons: Vec<String> = reasons
        .map(|(reason, users)| {
            let users = grouped(users);
            match reason {
                "opted_out" => format!("{users} opted out"),
                "capped" => format!("{users} with enough messages this week"),
                "unreachable" => format!("{users} unreachable"),
                "held_out" => format!("about {users} held out"),
                _ => format!("{users} {reason}"),
            }
        })
        .collect();
    vec![
        format!("It goes to {} of {} {noun}.", grouped(size.messages), grouped(selected)),
        format!("Left out: {}.", reasons.join(", ")),
    ]
}

/// The same for programs.
pub(super) fn left_out_as_json(size: AudienceSize) -> Value {
    size.reasons().into_iter().map(|(reason, users)| (reason, Value::from(users))).collect()
}
