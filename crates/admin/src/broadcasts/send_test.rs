//! Sending a broadcast's message to the admin who writes it.

use std::time::Duration;

use axum::{
    Extension,
    extract::{Path, State},
    response::{IntoResponse, Redirect, Response},
};
use rollcall_domain::{Admin, BroadcastPlan, TelegramId, TelegramUser};
use rollcall_service::{Delivery, Lane, Letter, Message, Session};
use tokio::{sync::watch, time::timeout};

use super::find::{find, page_of, refusal};
use crate::{App, page::Failure};

/// How long a page waits for Telegram, which may get a picture first. A request may take 30 seconds.
const PATIENCE: Duration = Duration::from_secs(25);

/// The chat to which a test can be sent: that of an admin who signs in through Telegram, while the bot
/// runs in this process.
pub(super) fn chat_of(app: &App, admin: &Admin) -> Option<TelegramId> {
    match admin {
        Admin::Telegram(id) => app.messenger.as_ref().map(|_| *id),
        Admin::Account(_) | Admin::Program(_) => None,
    }
}

/// Sends the message to an admin, as a user would get it; of an experiment, one of each variant. Returns
/// what became of it.
pub(super) async fn send(
    app: &App,
    admin: &Admin,
    plan: &BroadcastPlan,
) -> Result<Result<(), String>, Failure> {
    let (Some(id), Some(messenger)) = (chat_of(app, admin), &app.messenger) else {
        return Err(Failure::Refused(
            "Sign in through the bot to get a test message. Nothing was sent.",
        ));
    };
    let known = app.users.get_user_by_telegram_id(id).await?;
    let user = known.unwrap_or_else(|| TelegramUser::new(id, app.clock.now()));
    let lane = messenger.lane(None, false);
    for variant in plan.experiment.variants() {
        let content = plan.content_of(variant);
        let message = Message::new(content).map_err(|error| refusal(error.into()))?;
        let sent = send_one(app, &*lane, &message, &user).await;
        if sent.is_err() {
            return Ok(sent);
        }
    }
    Ok(Ok(()))
}

async fn send_one(
    app: &App,
    lane: &dyn Lane,
    message: &Message,
    user: &TelegramUser,
) -> Result<(), String> {
    let letter = Letter { message, to: user, opt_out: None, broadcast: None };
    let (_stop, stopped) = watch::channel(false);
    match timeout(PATIENCE, app.broadcasts.pictures().send(lane, letter, stopped)).await {
        Ok(Delivery::Sent(_) | Delivery::Uploaded { .. }) => Ok(()),
        Ok(Delivery::Unreachable(_)) => {
            Err("The bot cannot write to you. Send it /start in Telegram first.".to_owned())
        }
        Ok(
            Delivery::Failed(reason) | Delivery::Content(reason) | Delivery::LostPicture(reason),
        ) => Err(format!("Telegram refuses the message: {reason}")),
        Ok(Delivery::NotYet) => Err("It was not sent. Try again in a minute.".to_owned()),
        Ok(Delivery::Unknown) | Err(_) => {
            Err("Telegram does not answer. Look into your chat with the bot.".to_owned())
        }
    }
}

/// Sends the message of a stored broadcast.
pub(crate) async fn of_stored(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    Path(id): Path<String>,
) -> Result<Response, Failure> {
    let broadcast = find(&app, &id).await?;
    send(&app, &session.admin, &broadcast.plan).await?.map_err(Failure::Invalid)?;
    Ok(Redirect::to(&format!("{}?done=test", page_of(&app, broadcast.id))).into_response())
}
