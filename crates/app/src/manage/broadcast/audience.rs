//! The users of a broadcast.

use rollcall_domain::{BroadcastPlan, TelegramUser, grouped};
use rollcall_service::{AudienceSize, OptOutButton};

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

/// How many users there are, in a sentence.
pub(super) fn audience(AudienceSize { users, reachable }: AudienceSize) -> String {
    let noun = if users == 1 { "user" } else { "users" };
    let all = grouped(users);
    match users.saturating_sub(reachable) {
        0 => format!("It goes to {all} {noun}."),
        missing => format!(
            "It goes to {} of {all} {noun}; the bot cannot write to {}.",
            grouped(reachable),
            grouped(missing)
        ),
    }
}
