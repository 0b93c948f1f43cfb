//! The page of a broadcast: its state, what became of its recipients, and its message.

use askama::Template;
use axum::{
    Extension,
    extract::{Path, Query as Pairs, State},
    response::Response,
};
use rollcall_domain::{Broadcast, BroadcastContent, BroadcastState, TelegramId, Variant};
use rollcall_service::Session;

use super::{
    find::{find, users_of},
    message::Bubbles,
    progress::{Progress, goes_on},
    resend::{Resendable, resendable},
    send_test, words,
};
use crate::{
    App,
    page::{AdminNames, Failure, Layout, render, time_zone},
    request::value,
};

#[derive(Template)]
#[template(path = "broadcast.html")]
struct Page {
    layout: Layout,
    broadcast: Broadcast,
    state: (&'static str, &'static str),
    /// What the last request did.
    done: Option<&'static str>,
    progress: Progress,
    /// The recipients that it can be sent to again.
    resendable: Vec<Resendable>,
    /// The message of each variant; empty for a copy.
    messages: Vec<(Option<Variant>, Bubbles)>,
    /// How the winner is found.
    test: Option<String>,
    /// The filter, the list of its users, and whose days it means.
    filter: String,
    list: String,
    days_of: Option<String>,
    /// Whether a test can be sent to the viewer.
    can_test: bool,
    /// Who created it; `None` for a management command.
    by: Option<String>,
}

impl Page {
    fn meaning(&self) -> &'static str {
        words::meaning(&self.broadcast)
    }

    fn is_startable(&self) -> bool {
        matches!(self.broadcast.state, BroadcastState::Draft | BroadcastState::Scheduled)
    }

    fn is_pausable(&self) -> bool {
        matches!(self.broadcast.state, BroadcastState::Preparing | BroadcastState::Sending)
    }

    fn is_paused(&self) -> bool {
        self.broadcast.state.reason().is_some()
    }

    /// Whether the page changes by itself.
    fn goes_on(&self) -> bool {
        goes_on(self.broadcast.state)
    }

    fn rate(&self) -> String {
        match self.broadcast.plan.rate {
            Some(rate) => format!("at most {rate} messages a second"),
            None => "what the bot's limit leaves beside its replies".to_owned(),
        }
    }

    fn lasts(&self) -> String {
        let plan = &self.broadcast.plan;
        let start = match plan.times.local_time {
            Some(_) => "the time of the last time zone",
            None => "its start",
        };
        format!("{} after {start}", words::duration(plan.lasts))
    }

    /// The time at which each user gets it.
    fn local_time(&self) -> Option<String> {
        words::local_time(&self.broadcast.plan)
    }

    fn on_unknown(&self) -> &'static str {
        words::on_unknown(self.broadcast.plan.on_unknown)
    }

    /// Whether a new broadcast can begin with its text.
    fn is_text(&self) -> bool {
        matches!(self.broadcast.plan.content, BroadcastContent::Text { .. })
    }

    /// The variants that an owner can make the winner.
    fn pickable(&self) -> Vec<Variant> {
        let it = &self.broadcast;
        let is_open = it.is_testing() && it.started_at.is_some() && !it.state.has_ended();
        if is_open { it.plan.experiment.variants().collect() } else { Vec::new() }
    }

    /// The chat and the number of the message of which copies are sent.
    fn original(&self) -> Option<(i64, i64)> {
        match self.broadcast.plan.content {
            BroadcastContent::Copy { from_chat_id, message_id, .. } => {
                Some((from_chat_id, message_id))
            }
            BroadcastContent::Text { .. } => None,
        }
    }

    /// The user whose private chat has that message.
    fn original_of(&self) -> Option<TelegramId> {
        self.original().and_then(|(chat, _)| TelegramId::try_from(chat).ok())
    }
}

/// Shows a broadcast.
pub(crate) async fn show(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    layout: Layout,
    Path(id): Path<String>,
    Pairs(pairs): Pairs<Vec<(String, String)>>,
) -> Result<Response, Failure> {
    let broadcast = find(&app, &id).await?;
    let by = broadcast.created_by.as_ref();
    let admins = by.and_then(|by| by.parse().ok()).into_iter().collect();
    let names = AdminNames::of(&app, admins).await?;
    let plan = &broadcast.plan;
    let depends_on_days = plan.filter.depends_on_days();
    Ok(render(&Page {
        layout: layout.tab("broadcasts"),
        state: words::state(broadcast.state),
        done: done(value(&pairs, "done")),
        messages: Bubbles::of_plan(plan, &app.base),
        test: words::test(plan),
        can_test: send_test::chat_of(&app, &session.admin).is_some(),
        filter: plan.filter.to_string(),
        list: users_of(&app, plan),
        days_of: depends_on_days.then(|| time_zone::name(plan.zone)),
        by: by.map(|by| names.name_of(by)),
        progress: Progress::of(&app, broadcast.clone()).await?,
        resendable: resendable(&broadcast, &app.broadcasts.sums(broadcast.id).await?),
        broadcast,
    }))
}

/// What the request did that led here.
fn done(name: &str) -> Option<&'static str> {
    Some(match name {
        "saved" => "Saved as a draft. Nothing was sent yet.",
        "start" => "Started.",
        "schedule" => "Scheduled.",
        "pause" => "Paused. Messages that were going out at this moment still arrive.",
        "resume" => "Resumed.",
        "resend" => "Saved as a draft for these recipients. Nothing was sent yet.",
        "test" => "The test was sent to you.",
        "pick" => "Picked. The users who wait get this variant within seconds, while a bot sends.",
        "cancel" => "Cancelled.",
        _ => return None,
    })
}
