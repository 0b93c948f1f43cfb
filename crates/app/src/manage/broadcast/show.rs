//! `manage broadcast list` and `show`.

use std::io::Write;

use chrono::{DateTime, Utc};
use clap::Args;
use rollcall_domain::{
    Broadcast, BroadcastContent, BroadcastResponse, BroadcastState, Buttons, OnUnknown, Percent,
    Picture, RecipientState, RecipientSums, ResponseSums, grouped,
};
use rollcall_service::BroadcastService;
use serde_json::{Map, Value, json};

use super::{
    activity::{activity_as_json, print_activity},
    forecast::both_ways,
    number::Number,
    times::{described, wait},
    variants::{print_variants, variants_as_json},
};
use crate::{
    environment::Environment,
    manage::{
        output::{print_json, rfc3339, safe, second, span, stdout},
        table::Table,
    },
    values::whole,
};

#[derive(Args, Debug)]
pub struct List {
    /// Number of broadcasts
    #[arg(long, default_value_t = 20, value_parser = whole(1..=200_u32))]
    limit: u32,
    /// List those before this one
    #[arg(long, value_name = "ID", value_parser = whole(1..=i64::MAX))]
    before: Option<i64>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Args, Debug)]
pub struct Show {
    #[command(flatten)]
    number: Number,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl List {
    pub(super) async fn run(self, broadcasts: &BroadcastService) -> anyhow::Result<()> {
        let found = broadcasts.list(self.before, self.limit).await?;
        let is_full = u32::try_from(found.len())? == self.limit;
        let next = found.last().filter(|_| is_full).map(|(broadcast, _)| broadcast.id);
        if self.json {
            let values = found.iter().map(|(broadcast, sums)| as_json(broadcast, sums));
            return print_json(&json!({
                "broadcasts": values.collect::<Vec<_>>(),
                "next": next,
            }));
        }
        let mut out = stdout();
        let mut table =
            Table::new(["STATE", "BEGINS", "NAME", "ID", "RECIPIENTS", "SENT", "LEFT"], 3);
        for (broadcast, sums) in &found {
            let begins = broadcast.started_at.or(broadcast.plan.starts_at);
            table.row([
                broadcast.state.name().to_owned(),
                begins.map_or_else(|| "-".to_owned(), second),
                safe(&broadcast.plan.name),
                broadcast.id.to_string(),
                grouped(sums.all()),
                grouped(sums.of(RecipientState::Sent)),
                grouped(sums.all() - sums.settled()),
            ]);
        }
        if table.is_empty() {
            let nothing = match self.before {
                None => "There is no broadcast yet. `manage broadcast create` creates one.",
                Some(_) => "There are no older broadcasts.",
            };
            writeln!(out, "{nothing}")?;
            return Ok(());
        }
        table.print(&mut out)?;
        if let Some(next) = next {
            writeln!(
                out,
                "Older ones: manage broadcast list --limit {} --before {next}",
                self.limit
            )?;
        }
        Ok(())
    }
}

impl Show {
    pub(super) async fn run(
        self,
        broadcasts: &BroadcastService,
        environment: &Environment,
    ) -> anyhow::Result<()> {
        let broadcast = broadcasts.find(self.number.id).await?;
        let sums = broadcasts.sums(broadcast.id).await?;
        let responses = broadcasts.responses(broadcast.id).await?;
        let next_due = broadcasts.next_due(&broadcast).await?;
        let activity = broadcasts.activity(broadcast.id).await?;
        let arms = broadcasts.arm_sums(broadcast.id).await?;
        if self.json {
            let mut shown = as_json(&broadcast, &sums);
            if let Some(shown) = shown.as_object_mut() {
                let blocks = responses.of(BroadcastResponse::Blocked);
                let pressed = responses.of(BroadcastResponse::Pressed);
                let buttons = broadcast.plan.content.counted_buttons().into_iter();
                let buttons = buttons.map(|(number, text)| {
                    let presses = responses.of(BroadcastResponse::Button(number));
                    json!({ "number": number, "text": text, "presses": presses })
                });
                shown.insert("blocks".to_owned(), blocks.into());
                shown.insert("next_due_at".to_owned(), next_due.map(rfc3339).into());
                let activity = activity_as_json(&broadcast, activity);
                shown.insert("activity".to_owned(), activity);
                let variants = variants_as_json(&broadcast, &arms, &responses);
                shown.insert("variants".to_owned(), variants);
                shown.insert("pressed".to_owned(), pressed.into());
                shown.insert("buttons".to_owned(), buttons.collect::<Vec<_>>().into());
            }
            return print_json(&shown);
        }
        let left = sums.all() - sums.settled();
        let left = match broadcast.state {
            BroadcastState::Sending => {
                let plan = &broadcast.plan;
                both_ways(left, plan, environment)?.chosen(plan.is_paid).duration
            }
            _ => None,
        };
        print(&broadcast, &sums, left.map(span), next_due)?;
        print_responses(&broadcast, &responses)?;
        print_variants(&broadcast, &arms, &responses)?;
        print_activity(&broadcast, activity)
    }
}

/// `left` is how long the rest takes, and `next_due` when the first of the users that wait is due.
fn print(
    broadcast: &Broadcast,
    sums: &RecipientSums,
    left: Option<String>,
    next_due: Option<DateTime<Utc>>,
) -> anyhow::Result<()> {
    let mut out = stdout();
    let plan = &broadcast.plan;
    let state = match broadcast.state.reason() {
        None => broadcast.state.name().to_owned(),
        Some(reason) => format!("{}: {reason}", broadcast.state.name()),
    };
    let filter = match plan.filter.is_everyone() {
        true => "everyone but bots".to_owned(),
        false => safe(&plan.filter.to_string()),
    };
    let unknown = match plan.on_unknown {
        OnUnknown::Skip => "left out (skip)",
        OnUnknown::Resend => "sent again (resend)",
    };
    writeln!(out, "Number       {}", broadcast.id)?;
    writeln!(out, "Name         {}", safe(&plan.name))?;
    writeln!(out, "State        {state}")?;
    writeln!(out, "Category     {}", plan.category)?;
    writeln!(out, "Filter       {filter}")?;
    writeln!(out, "Days of      {}", plan.zone)?;
    writeln!(out, "Message      {}", content(&plan.content))?;
    writeln!(
        out,
        "Opt-out      {}",
        if plan.has_opt_out_button { "with a button" } else { "no button" }
    )?;
    writeln!(out, "Rate         {}", rate(broadcast))?;
    writeln!(out, "If unknown   {unknown}")?;
    if let Some(part) = plan.experiment.hold_out {
        writeln!(out, "Held out     {part} of the users that would get it")?;
    }
    let by =
        broadcast.created_by.as_deref().map_or_else(String::new, |by| format!(" by {}", safe(by)));
    writeln!(out, "Created      {} UTC{by}", second(broadcast.created_at))?;
    for (name, at) in [
        ("Planned for", plan.starts_at),
        ("Started", broadcast.started_at),
        ("Prepared", broadcast.prepared_at),
        ("Ended", broadcast.ended_at),
        ("Sends until", broadcast.expires_at().filter(|_| !broadcast.state.has_ended())),
    ] {
        if let Some(at) = at {
            writeln!(out, "{name:11}  {} UTC", second(at))?;
        }
    }
    for (name, text) in described(plan) {
        writeln!(out, "{name:11}  {text}")?;
    }
    if let Some(left) = left {
        writeln!(out, "Left         about {left}{}", wait(plan))?;
    }
    if let Some(at) = next_due {
        writeln!(
            out,
            "Next due     {} UTC, when the first of the users that wait is due",
            second(at)
        )?;
    }
    if broadcast.started_at.is_none() {
        return Ok(());
    }
    writeln!(out)?;
    let mut table = Table::new(["STATE", "RECIPIENTS"], 1);
    for state in RecipientState::ALL {
        table.row([state.name().to_owned(), grouped(sums.of(state))]);
    }
    table.print(&mut out)?;
    let mut reasons = Table::new(["STATE", "REASON", "RECIPIENTS"], 2);
    for (state, reason, users) in with_reasons(sums) {
        reasons.row([state.name().to_owned(), safe(reason), grouped(users)]);
    }
    if !reasons.is_empty() {
        writeln!(out)?;
        reasons.print(&mut out)?;
    }
    Ok(())
}

/// What recipients did after the message.
fn print_responses(broadcast: &Broadcast, responses: &ResponseSums) -> anyhow::Result<()> {
    if broadcast.started_at.is_none() {
        return Ok(());
    }
    // With variants, their table has the presses.
    let has_variants = broadcast.plan.experiment.has_variants();
    let buttons = broadcast.plan.content.counted_buttons();
    if !has_variants && !buttons.is_empty() {
        let mut table = Table::new(["BUTTON", "RECIPIENTS"], 1);
        for (number, text) in buttons {
            let presses = responses.of(BroadcastResponse::Button(number));
            table.row([safe(&text), grouped(presses)]);
        }
        table.row(["any".to_owned(), grouped(responses.of(BroadcastResponse::Pressed))]);
        let mut out = stdout();
        writeln!(out)?;
        table.print(&mut out)?;
    }
    let mut table = Table::new(["WITHIN 24 HOURS AFTER THE MESSAGE", "RECIPIENTS"], 1);
    table.row(["blocked the bot".to_owned(), grouped(responses.of(BroadcastResponse::Blocked))]);
    let opted_out = format!("opted out of {}", broadcast.plan.category);
    table.row([opted_out, grouped(broadcast.opt_outs)]);
    let mut out = stdout();
    writeln!(out)?;
    table.print(&mut out)?;
    Ok(())
}

/// The message, in a few words.
fn content(content: &BroadcastContent) -> String {
    match content {
        BroadcastContent::Text { texts, buttons, picture } => {
            let text = if picture.is_some() { "a picture with a text" } else { "a text" };
            let others: Vec<String> =
                texts.keys().filter(|it| !it.is_empty()).map(|it| safe(it)).collect();
            let others = match others.is_empty() {
                true => String::new(),
                false => format!(", another one for {}", others.join(", ")),
            };
            let buttons = buttons.parse().unwrap_or(Buttons::default());
            let number: usize = buttons.rows().iter().map(Vec::len).sum();
            let below = match number {
                0 => String::new(),
                1 => ", 1 button".to_owned(),
                number => format!(", {number} buttons"),
            };
            format!("{text}{others}{below}")
        }
        BroadcastContent::Copy { .. } => "a copy of a message in Telegram".to_owned(),
    }
}

fn rate(broadcast: &Broadcast) -> String {
    let plan = &broadcast.plan;
    let most = plan.rate.map(|rate| format!("at most {} a second", grouped(rate.into())));
    match (most, plan.is_paid) {
        (None, false) => "what the bot has left".to_owned(),
        (Some(most), false) => format!("{most}, of what the bot has left"),
        (None, true) => "paid, at most 1,000 a second".to_owned(),
        (Some(most), true) => format!("paid, {most}"),
    }
}

/// The sums that have a reason.
fn with_reasons(sums: &RecipientSums) -> impl Iterator<Item = (RecipientState, &str, u64)> {
    let sums = sums.0.iter().map(|((state, reason), users)| (*state, reason.as_str(), *users));
    sums.filter(|(_, reason, users)| !reason.is_empty() && *users > 0)
}

fn as_json(broadcast: &Broadcast, sums: &RecipientSums) -> Value {
    let plan = &broadcast.plan;
    let recipients: Map<String, Value> = RecipientState::ALL
        .into_iter()
        .map(|state| (state.name().to_owned(), sums.of(state).into()))
        .collect();
    let reasons = with_reasons(sums).map(|(state, reason, users)| {
        json!({ "state": state.name(), "reason": reason, "recipients": users })
    });
    let content = match &plan.content {
        BroadcastContent::Text { texts, buttons, picture } => {
            let picture = picture.as_ref();
            json!({
                "texts": texts,
                "buttons": buttons,
                "picture_id": picture.and_then(Picture::file_id),
                "stored_picture": picture.and_then(Picture::stored).map(|id| id.to_string()),
            })
        }
        BroadcastContent::Copy { from_chat_id, message_id, .. } => {
            json!({ "from_chat_id": from_chat_id, "message_id": message_id })
        }
    };
    json!({
        "id": broadcast.id,
        "name": plan.name,
        "state": broadcast.state.name(),
        "reason": broadcast.state.reason().map(|it| it.name()),
        "category": plan.category.as_str(),
        "opt_out_button": plan.has_opt_out_button,
        "filter": plan.filter.to_string(),
        "zone": plan.zone.name(),
        "content": content,
        "rate": plan.rate,
        "paid": plan.is_paid,
        "on_unknown": plan.on_unknown.name(),
        "created_at": rfc3339(broadcast.created_at),
        "created_by": broadcast.created_by,
        "starts_at": plan.starts_at.map(rfc3339),
        "local_time": plan.times.local_time.map(|it| it.format("%Y-%m-%dT%H:%M:%S").to_string()),
        "quiet_hours": plan.times.quiet_hours.map(|it| it.to_string()),
        "started_at": broadcast.started_at.map(rfc3339),
        "prepared_at": broadcast.prepared_at.map(rfc3339),
        "ended_at": broadcast.ended_at.map(rfc3339),
        "expires_at": broadcast.expires_at().map(rfc3339),
        "recipients": recipients,
        "reasons": reasons.collect::<Vec<_>>(),
        "opt_outs": broadcast.opt_outs,
        "hold_out": plan.experiment.hold_out.map(Percent::get),
        "held_out": sums.held_out(),
    })
}
