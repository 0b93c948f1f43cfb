//! Rows of `broadcasts`.

use chrono::{DateTime, Duration};
use diesel::prelude::*;
use rollcall_domain::{
    Broadcast, BroadcastContent, BroadcastPlan, BroadcastState, DeliveryTimes, Experiment,
    InvalidPercent, InvalidQuietHours, OnUnknown, Percent, Picture, TelegramId,
};
use serde_json::{Value, json};

use crate::base::{
    connection::AnyConnection, error::Failure, schema::broadcasts, timestamp::UtcMicros,
};

/// A row of `broadcasts`.
#[derive(Insertable, Queryable, Selectable)]
#[diesel(table_name = broadcasts)]
pub(super) struct BroadcastRow {
    pub(super) id: i64,
    pub(super) name: String,
    pub(super) category: String,
    pub(super) filter: String,
    pub(super) zone: String,
    pub(super) content: String,
    pub(super) rate: Option<i32>,
    pub(super) is_paid: bool,
    pub(super) on_unknown: String,
    pub(super) state: String,
    pub(super) reason: Option<String>,
    pub(super) created_at: UtcMicros,
    pub(super) created_by: Option<String>,
    pub(super) starts_at: Option<UtcMicros>,
    pub(super) started_at: Option<UtcMicros>,
    pub(super) lasts_seconds: i32,
    pub(super) prepared_at: Option<UtcMicros>,
    pub(super) ended_at: Option<UtcMicros>,
    pub(super) prepared_to: i64,
    pub(super) settled_to: i64,
    pub(super) claimed_to: i64,
    pub(super) has_opt_out_button: bool,
    pub(super) opt_outs: i64,
    pub(super) local_time: Option<UtcMicros>,
    pub(super) quiet_hours: Option<String>,
    pub(super) hold_out: Option<i32>,
}

/// What is sent, as JSON.
fn stored_content(content: &BroadcastContent) -> String {
    let json = match content {
        BroadcastContent::Text { texts, buttons, picture } => {
            let picture = picture.as_ref().map(|picture| match picture {
                Picture::FileId(id) => json!({ "file_id": id }),
                Picture::Stored(id) => json!({ "stored": id.to_string() }),
            });
            json!({"texts": texts, "buttons": buttons, "picture": picture})
        }
        BroadcastContent::Copy { from_chat_id, message_id, reply_markup } => {
            json!({"copy": [from_chat_id, message_id], "reply_markup": reply_markup})
        }
    };
    json.to_string()
}

/// What is sent, from its JSON.
pub(super) fn read_content(text: &str) -> Option<BroadcastContent> {
    let json: Value = serde_json::from_str(text).ok()?;
    let string = |value: &Value| value.as_str().map(str::to_owned);
    if let Some([from_chat_id, message_id]) =
        json.get("copy").and_then(Value::as_array).map(Vec::as_slice)
    {
        return Some(BroadcastContent::Copy {
            from_chat_id: from_chat_id.as_i64()?,
            message_id: message_id.as_i64()?,
            reply_markup: json.get("reply_markup").and_then(string),
        });
    }
    let texts = json.get("texts")?.as_object()?.iter();
    let texts = texts.map(|(language, text)| Some((language.clone(), string(text)?)));
    Some(BroadcastContent::Text {
        texts: texts.collect::<Option<_>>()?,
        buttons: json.get("buttons").and_then(string).unwrap_or_default(),
        // Broadcasts of former versions have no such field.
        picture: match json.get("picture") {
            None | Some(Value::Null) => None,
            Some(picture) => Some(match picture.get("stored") {
                Some(id) => Picture::Stored(id.as_str()?.parse().ok()?),
                None => Picture::FileId(string(picture.get("file_id")?)?),
            }),
        },
    })
}

impl BroadcastRow {
    pub(super) fn of_plan(
        id: i64,
        plan: &BroadcastPlan,
        by: Option<String>,
        at: UtcMicros,
    ) -> Self {
        Self {
            id,
            name: plan.name.clone(),
            category: plan.category.to_string(),
            filter: plan.filter.to_string(),
            zone: plan.zone.name().to_owned(),
            content: stored_content(&plan.content),
            rate: plan.rate.map(|rate| i32::try_from(rate).unwrap_or(i32::MAX)),
            is_paid: plan.is_paid,
            on_unknown: plan.on_unknown.name().to_owned(),
            state: BroadcastState::Draft.name().to_owned(),
            reason: None,
            created_at: at,
            created_by: by,
            starts_at: plan.starts_at.map(UtcMicros::from),
            started_at: None,
            lasts_seconds: i32::try_from(plan.lasts.num_seconds()).unwrap_or(i32::MAX),
            prepared_at: None,
            ended_at: None,
            prepared_to: 0,
            settled_to: 0,
            claimed_to: 0,
            has_opt_out_button: plan.has_opt_out_button,
            opt_outs: 0,
            local_time: plan.times.local_time.map(|local| local.and_utc().into()),
            quiet_hours: plan.times.quiet_hours.map(|it| it.to_string()),
            hold_out: plan.experiment.hold_out.map(|part| part.get().into()),
        }
    }

    pub(super) fn into_broadcast(self) -> Result<Broadcast, Failure> {
        let id = self.id;
        let corrupt = |column: &'static str, reason: &dyn ToString| Failure::Corrupt {
            table: "broadcasts",
            column,
            key: id.to_string(),
            reason: reason.to_string(),
        };
        let content = read_content(&self.content)
            .ok_or_else(|| corrupt("content", &"expected texts or a message to copy"))?;
        let state = BroadcastState::from_names(&self.state, self.reason.as_deref())
            .ok_or_else(|| corrupt("state", &"no state has this name and reason"))?;
        let quiet_hours = self.quiet_hours.as_deref().map(str::parse).transpose();
        let times = DeliveryTimes {
            local_time: self.local_time.map(|local| DateTime::from(local).naive_utc()),
            quiet_hours: quiet_hours
                .map_err(|it: InvalidQuietHours| corrupt("quiet_hours", &it))?,
        };
        let plan = BroadcastPlan {
            name: self.name,
            category: self.category.parse().map_err(|it| corrupt("category", &it))?,
            filter: self.filter.parse().map_err(|it| corrupt("filter", &it))?,
            zone: self.zone.parse().map_err(|it| corrupt("zone", &it))?,
            content,
            rate: self.rate.and_then(|rate| rate.try_into().ok()),
            is_paid: self.is_paid,
            on_unknown: self
                .on_unknown
                .parse::<OnUnknown>()
                .map_err(|it| corrupt("on_unknown", &it))?,
            starts_at: self.starts_at.map(Into::into),
            lasts: Duration::seconds(self.lasts_seconds.into()),
            times,
            has_opt_out_button: self.has_opt_out_button,
            experiment: Experiment {
                hold_out: self
                    .hold_out
                    .map(read_percent)
                    .transpose()
                    .map_err(|it| corrupt("hold_out", &it))?,
            },
        };
        Ok(Broadcast {
            id,
            plan,
            state,
            created_at: self.created_at.into(),
            created_by: self.created_by,
            started_at: self.started_at.map(Into::into),
            prepared_at: self.prepared_at.map(Into::into),
            ended_at: self.ended_at.map(Into::into),
            prepared_to: TelegramId::try_from(self.prepared_to).ok(),
            settled_to: TelegramId::try_from(self.settled_to).ok(),
            opt_outs: self.opt_outs.try_into().unwrap_or_default(),
        })
    }
}

fn read_percent(stored: i32) -> Result<Percent, InvalidPercent> {
    stored.try_into().ok().and_then(Percent::new).ok_or(InvalidPercent)
}

/// The broadcast of a number.
pub(super) fn find(connection: &mut AnyConnection, id: i64) -> Result<Option<Broadcast>, Failure> {
    let row: Option<BroadcastRow> = broadcasts::table
        .find(id)
        .select(BroadcastRow::as_select())
        .first(connection)
        .optional()?;
    row.map(BroadcastRow::into_broadcast).transpose()
}
