//! The figures of a range as CSV and JSON.

use std::io::{self, Write};

use rollcall_service::{
    Activity, Cohort, Count, DayFigures, LifecycleCounts, MonthFigures, Share, SourceFigures,
    WeekFigures,
};
use serde_json::{Map, Value, json};

use super::report::Part;

const HEADER: &str = "day,active,active_7_days,active_30_days,stickiness,new_users,interactions,\
                      blocked,unblocked,net_growth,\
                      first_time,returning,resurrected,dormant";

/// Writes a row for each day, as in RFC 4180. There are only numbers and days, so nothing needs quotes.
pub(super) fn write_csv(out: &mut impl Write, figures: &Activity) -> io::Result<()> {
    write!(out, "{HEADER}\r\n")?;
    for it in &figures.days {
        let DayFigures { day, active, active_7_days, active_30_days, .. } = it;
        let DayFigures { new_users, interactions, blocked, unblocked, .. } = it;
        let LifecycleCounts { new, returning, resurrected, dormant } = it.lifecycle;
        let stickiness = ratio(it.stickiness()).map(|it| format!("{it:.3}")).unwrap_or_default();
        let growth = it.net_growth();
        write!(
            out,
            "{day},{active},{active_7_days},{active_30_days},{stickiness},{new_users},\
             {interactions},{blocked},{unblocked},{growth},\
             {new},{returning},{resurrected},{dormant}\r\n"
        )?;
    }
    Ok(())
}

/// All figures of the range, or those of one table.
pub(super) fn as_json(figures: &Activity, only: Option<Part>) -> Value {
    let mut json = Map::new();
    json.insert("since".to_owned(), figures.range.first().to_string().into());
    json.insert("until".to_owned(), figures.range.last().to_string().into());
    for (name, part) in Part::NAMED {
        // Without --only, the lifecycle stands in each day.
        let is_wanted = only.map_or(part != Part::Lifecycle, |only| only == part);
        if is_wanted {
            json.insert(name.to_owned(), of_part(figures, part).into());
        }
    }
    json.into()
}

fn of_part(figures: &Activity, part: Part) -> Vec<Value> {
    match part {
        Part::Days => list(&figures.days, day),
        Part::Lifecycle => list(
            &figures.days,
            |it| json!({ "day": it.day.to_string(), "lifecycle": lifecycle(it.lifecycle) }),
        ),
        Part::Weeks => list(&figures.weeks, week),
        Part::Cohorts => list(&figures.cohorts, cohort),
        Part::Months => list(&figures.months, month),
        Part::Kinds => list(&figures.kinds, count),
        Part::Commands => list(&figures.commands, count),
        Part::Languages => list(&figures.languages, count),
        Part::Sources => list(&figures.sources, source),
    }
}

fn list<T>(items: &[T], as_json: impl Fn(&T) -> Value) -> Vec<Value> {
    items.iter().map(as_json).collect()
}

fn day(it: &DayFigures) -> Value {
    json!({
        "day": it.day.to_string(),
        "active": it.active,
        "active_7_days": it.active_7_days,
        "active_30_days": it.active_30_days,
        "stickiness": ratio(it.stickiness()),
        "new_users": it.new_users,
        "interactions": it.interactions,
        "blocked": it.blocked,
        "unblocked": it.unblocked,
        "net_growth": it.net_growth(),
        "lifecycle": lifecycle(it.lifecycle),
    })
}

fn week(it: &WeekFigures) -> Value {
    json!({ "monday": it.monday.to_string(), "lifecycle": lifecycle(it.lifecycle) })
}

fn lifecycle(it: LifecycleCounts) -> Value {
    json!({
        "first_time": it.new,
        "returning": it.returning,
        "resurrected": it.resurrected,
        "dormant": it.dormant,
    })
}

fn cohort(it: &Cohort) -> Value {
    json!({
        "monday": it.monday.to_string(),
        "users": it.users(),
        "active_by_weeks_later": it.active,
    })
}

fn month(it: &MonthFigures) -> Value {
    json!({
        "month": it.first_day.format("%Y-%m").to_string(),
        "users_by_active_days": it.users_by_active_days,
    })
}

fn count(it: &Count) -> Value {
    json!({ "label": named(&it.label), "count": it.count })
}

fn source(it: &SourceFigures) -> Value {
    json!({
        "source": named(&it.source),
        "users": it.users,
        "starts": it.starts,
        "reachable": it.reachable,
        "day_1": share(it.day_1),
        "day_7": share(it.day_7),
        "day_30": share(it.day_30),
    })
}

fn share(it: Share) -> Value {
    json!({ "active": it.part, "of": it.whole })
}

/// An empty label becomes `null`.
fn named(label: &str) -> Option<&str> {
    Some(label).filter(|label| !label.is_empty())
}

fn ratio(share: Share) -> Option<f64> {
    share.per_mille().map(|per_mille| f64::from(per_mille) / 1000.0)
}
