//! How the domain's values are shown. The fields are those of `--json` of the management commands.

use chrono::{DateTime, SecondsFormat, Utc};
use rollcall_domain::{
    Broadcast, BroadcastContent, Change, Comparison, DayStats, LabelName, PauseReason, Percent,
    Picture, RecipientState, RecipientSums, SameHours, StartPayload, TelegramUser,
    UnreachableReason, UserDetail, UserStats, Username,
};
use rollcall_service::{AudienceSize, CountedSegment};
use serde_json::{Map, Value, json};

/// A time without a zone.
pub(super) const LOCAL_TIME: &str = "%Y-%m-%dT%H:%M:%S";

/// A time: RFC 3339, to the microsecond, in UTC.
pub(super) fn time(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Micros, true)
}

/// A user, as the API and the management commands show one.
pub fn user(user: &TelegramUser) -> Value {
    let reachability = &user.reachability;
    json!({
        "telegram_id": user.telegram_id.get(),
        "first_name": user.first_name,
        "last_name": user.last_name,
        "username": user.username.as_ref().map(Username::as_str),
        "language_code": user.language_code,
        "is_bot": user.is_bot,
        "created_at": time(user.created_at),
        "updated_at": time(user.updated_at),
        "last_seen": time(user.last_seen),
        "source": user.source.as_ref().map(StartPayload::as_str),
        "reachable": reachability.is_reachable(),
        "obstacle": reachability.obstacle.map(UnreachableReason::name),
        "blocked_at": reachability.blocked_at.map(time),
        "unblocked_at": reachability.unblocked_at.map(time),
    })
}

pub(super) fn detail(detail: &UserDetail) -> Value {
    let uses = detail.uses.iter().map(|it| {
        json!({
            "command": it.command,
            "first_day": it.days.first.to_string(),
            "last_day": it.days.last.to_string(),
            "days": it.days.number,
        })
    });
    let mut fields = match user(&detail.user) {
        Value::Object(fields) => fields,
        _ => Map::new(),
    };
    fields.insert("active_days".to_owned(), detail.active_days.into());
    fields.insert("tags".to_owned(), names(&detail.labels.tags));
    fields.insert("groups".to_owned(), names(&detail.labels.groups));
    fields.insert("uses".to_owned(), uses.collect());
    Value::Object(fields)
}

fn names(labels: &[LabelName]) -> Value {
    labels.iter().map(LabelName::as_str).collect()
}

/// Today's figures, as the API and the management commands show them.
pub fn stats(stats: &UserStats) -> Value {
    let so_far = &stats.so_far;
    json!({
        "total_users": stats.total_users,
        "reachable_users": stats.reachable_users,
        "active_today": stats.active_today,
        "active_7_days": stats.active_7_days,
        "active_30_days": stats.active_30_days,
        "new_today": stats.new_today,
        "new_7_days": stats.new_7_days,
        "new_30_days": stats.new_30_days,
        "interactions_today": stats.interactions_today,
        "blocked_today": stats.blocked_today,
        "unblocked_today": stats.unblocked_today,
        "first_day": stats.first_day.map(|day| day.to_string()),
        "week_before": stats.week_before.as_ref().map(day),
        "today_so_far": {
            "full_hours": so_far.full_hours,
            "active": same_hours(so_far.active),
            "new": same_hours(so_far.new),
            "interactions": same_hours(so_far.interactions),
            "blocked": same_hours(so_far.blocked),
            "unblocked": same_hours(so_far.unblocked),
        },
    })
}

fn day(it: &DayStats) -> Value {
    json!({
        "active": it.active,
        "active_7_days": it.active_7_days,
        "active_30_days": it.active_30_days,
        "new": it.new,
        "new_7_days": it.new_7_days,
        "new_30_days": it.new_30_days,
        "interactions": it.interactions,
        "blocked": it.blocked,
        "unblocked": it.unblocked,
    })
}

/// Both figures of each comparison; `null` if there is nothing to compare with.
fn same_hours(it: SameHours) -> Value {
    let change = |comparison: Option<Comparison>| match comparison? {
        Comparison::Change(Change { from, to }) => Some(json!({ "from": from, "to": to })),
        Comparison::New => None,
    };
    json!({ "day_before": change(it.day_before), "week_before": change(it.week_before) })
}

pub(super) fn segment(counted: &CountedSegment) -> Value {
    let segment = &counted.segment;
    json!({
        "name": segment.name.as_str(),
        "filter": segment.filter.to_string(),
        "description": segment.description,
        "zone": segment.zone.name(),
        "created_at": time(segment.created_at),
        "users": counted.size.map(|size| size.users),
        "counted_on": counted.size.map(|size| size.day.to_string()),
        "week_change": counted.change(),
    })
}

/// How many users a broadcast would go to.
pub(super) fn audience(size: &AudienceSize) -> Value {
    let reasons = size.reasons().into_iter();
    let left_out: Map<String, Value> =
        reasons.map(|(reason, users)| (reason.to_owned(), users.into())).collect();
    json!({ "users": size.selected(), "left_out": left_out, "messages": size.messages })
}

pub(super) fn broadcast(broadcast: &Broadcast, sums: &RecipientSums) -> Value {
    let plan = &broadcast.plan;
    let recipients: Map<String, Value> = RecipientState::ALL
        .into_iter()
        .map(|state| (state.name().to_owned(), sums.of(state).into()))
        .collect();
    let content = match &plan.content {
        BroadcastContent::Text { texts, buttons, picture } => {
            let picture = picture.as_ref();
            json!({
                "texts": texts,
                "buttons": buttons.lines().collect::<Vec<_>>(),
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
        "reason": broadcast.state.reason().map(PauseReason::name),
        "category": plan.category.as_str(),
        "opt_out_button": plan.has_opt_out_button,
        "filter": plan.filter.to_string(),
        "zone": plan.zone.name(),
        "content": content,
        "rate": plan.rate,
        "created_at": time(broadcast.created_at),
        "created_by": broadcast.created_by,
        "starts_at": plan.starts_at.map(time),
        "local_time": plan.times.local_time.map(|it| it.format(LOCAL_TIME).to_string()),
        "quiet_hours": plan.times.quiet_hours.map(|it| it.to_string()),
        "lasts_seconds": plan.lasts.num_seconds(),
        "started_at": broadcast.started_at.map(time),
        "ended_at": broadcast.ended_at.map(time),
        "recipients": recipients,
        "opt_outs": broadcast.opt_outs,
        "hold_out": plan.experiment.hold_out.map(Percent::get),
        "held_out": sums.held_out(),
    })
}
