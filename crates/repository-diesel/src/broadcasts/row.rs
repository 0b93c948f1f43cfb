//! Rows of `broadcasts`.

use super::content::{
    read_content, read_decision, read_experiment, read_percent, read_pick, stored_content,
    stored_experiment,
};
use crate::base::{
    connection::AnyConnection, error::Failure, schema::broadcasts, timestamp::UtcMicros,
};
use chrono::{DateTime, Duration};
use diesel::prelude::*;
use rollcall_domain::{
    Broadcast, BroadcastPlan, BroadcastState, DeliveryTimes, Experiment, InvalidQuietHours,
    OnUnknown, TelegramId,
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
    pub(super) experiment: Option<String>,
    pub(super) tested_at: Option<UtcMicros>,
    pub(super) pick: Option<String>,
    pub(super) decision: Option<String>,
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
            experiment: stored_experiment(&plan.experiment),
            tested_at: None,
            pick: None,
            decision: None,
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
        let experiment = Experiment {
            hold_out: self
                .hold_out
                .map(read_percent)
                .transpose()
                .map_err(|it| corrupt("hold_out", &it))?,
            ..match self.experiment.as_deref() {
                None => Experiment::default(),
                Some(text) => read_experiment(text)
                    .ok_or_else(|| corrupt("experiment", &"expected variants"))?,
            }
        };
        let pick = self
            .pick
            .as_deref()
            .map(|text| read_pick(text).ok_or_else(|| corrupt("pick", &"expected a winner")));
        let decision = self.decision.as_deref().map(|text| {
            read_decision(text)
                .ok_or_else(|| corrupt("decision", &"expected a winner with its figures"))
        });
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
            experiment,
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
            tested_at: self.tested_at.map(Into::into),
            pick: pick.transpose()?,
            decision: decision.transpose()?,
        })
    }
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
