//! `manage users show`.

use std::io::Write;

use anyhow::{Context, bail};
use chrono::NaiveDate;
use clap::Args;
use rollcall_api::user_as_json;
use rollcall_domain::{
    CommandUse, DaysOfUse, LabelName, Language, Note, Preferences, ProfileChange,
    ReachabilityChange, StartPayload, TelegramId, TelegramUser, UnreachableReason, UserDetail,
    Username, grouped,
};
use serde_json::{Value, json};

use super::user::WhichUser;
use crate::{
    environment::Environment,
    manage::output::{print_json, rfc3339, safe, second, stdout},
    services::Services,
    settings::ScheduleArguments,
};

/// How many entries of each history are printed without `--full`.
const HISTORY: usize = 20;

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  manage users show 123456789
  manage users show @ada --full                         all that is stored about @ada
  manage users show 123456789 --full --json             the same, for a program")]
pub struct Show {
    /// The user's Telegram id, or @username
    #[arg(value_name = "ID or @USERNAME")]
    user: WhichUser,
    /// Also show the active days, changes of the profile, preferences and note, and whole histories
    #[arg(long)]
    full: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// What is stored about a user, and what they chose.
struct Full {
    detail: UserDetail,
    preferences: Preferences,
    /// The names of the favourite teams; `None` if the bot has no schedule.
    teams: Option<Vec<String>>,
}

impl Show {
    pub(super) async fn run(
        self,
        services: &Services,
        environment: &Environment,
    ) -> anyhow::Result<()> {
        let user = find(services, self.user).await?;
        let detail = services.directory().user(user.telegram_id).await?;
        // The user may have been deleted since.
        let detail = detail.with_context(|| missing(user.telegram_id))?;
        match (self.full, self.json) {
            (true, _) => {}
            (false, true) => return print_json(&detail_as_json(&detail)),
            (false, false) => return print(&detail, HISTORY),
        }
        let full = Full::read(services, detail, environment).await?;
        if self.json { print_json(&full.as_json()) } else { full.print() }
    }
}

fn missing(id: TelegramId) -> String {
    format!("there is no user with the id {id}")
}

async fn find(services: &Services, which: WhichUser) -> anyhow::Result<TelegramUser> {
    let users = services.users();
    let (found, missing) = match which {
        WhichUser::Id(id) => (users.get_user_by_telegram_id(id).await?, missing(id)),
        WhichUser::Username(username) => {
            let found = users.get_user_by_username(&username).await?;
            (found, format!("there is no user with the username {username}"))
        }
    };
    match found {
        Some(user) => Ok(user),
        None => bail!("{missing}"),
    }
}

/// Prints the profile, and so many entries of each history.
fn print(detail: &UserDetail, history: usize) -> anyhow::Result<()> {
    let user = &detail.user;
    let optional = |text: Option<&str>| safe(text.unwrap_or("-"));
    let mut out = stdout();
    writeln!(out, "{}", safe(&user.to_string()))?;
    writeln!(out, "Telegram id  {}", user.telegram_id)?;
    writeln!(out, "Name         {}", user.shown_name())?;
    writeln!(out, "Username     {}", optional(user.username.as_ref().map(Username::as_str)))?;
    writeln!(out, "Language     {}", optional(user.language_code.as_deref()))?;
    writeln!(out, "Bot          {}", if user.is_bot { "yes" } else { "no" })?;
    writeln!(out, "First seen   {} UTC", second(user.created_at))?;
    writeln!(out, "Changed      {} UTC", second(user.updated_at))?;
    writeln!(out, "Last seen    {} UTC", second(user.last_seen))?;
    writeln!(out, "Source       {}", optional(user.source.as_ref().map(StartPayload::as_str)))?;
    writeln!(out, "Tags         {}", joined(&detail.labels.tags))?;
    writeln!(out, "Groups       {}", joined(&detail.labels.groups))?;
    writeln!(out, "Reachable    {}", reachable(user))?;
    for change in detail.reach_history.iter().take(history) {
        writeln!(out, "  {} UTC  {}", second(change.at), reached(change))?;
    }
    for (at, payload) in detail.starts.iter().take(history) {
        writeln!(out, "  {} UTC  came by {payload}", second(*at))?;
    }
    for (place, used) in detail.uses.iter().enumerate() {
        let DaysOfUse { first, last, number, .. } = used.days;
        let label = if place == 0 { "Used" } else { "" };
        let days = if number == 1 { "day" } else { "days" };
        writeln!(
            out,
            "{label:11}  {}: {number} {days}, first {first}, last {last}",
            safe(&used.name())
        )?;
    }
    Ok(())
}

/// The names of labels in a line.
fn joined(labels: &[LabelName]) -> String {
    let names: Vec<&str> = labels.iter().map(LabelName::as_str).collect();
    if names.is_empty() { "-".to_owned() } else { names.join(", ") }
}

fn detail_as_json(detail: &UserDetail) -> Value {
    let mut shown = user_as_json(&detail.user);
    if let Value::Object(fields) = &mut shown {
        fields.insert("uses".to_owned(), detail.uses.iter().map(use_as_json).collect());
        for (name, labels) in [("tags", &detail.labels.tags), ("groups", &detail.labels.groups)] {
            fields.insert(name.to_owned(), labels.iter().map(LabelName::as_str).collect());
        }
    }
    shown
}

fn use_as_json(CommandUse { command, days }: &CommandUse) -> Value {
    json!({
        "command": command,
        "first_day": days.first.to_string(),
        "last_day": days.last.to_string(),
        "days": days.number,
    })
}

fn reachable(user: &TelegramUser) -> &'static str {
    match user.reachability.obstacle {
        Some(obstacle) => obstacle.name(),
        None if user.reachability.has_private_chat => "yes",
        None => "no private chat yet",
    }
}

fn reached(change: &ReachabilityChange) -> &'static str {
    change.obstacle.map_or("unblocked", UnreachableReason::name)
}

impl Full {
    async fn read(
        services: &Services,
        detail: UserDetail,
        environment: &Environment,
    ) -> anyhow::Result<Self> {
        let preferences = services.preferences().preferences(detail.user.telegram_id).await?;
        let teams = match ScheduleArguments::default().settings(environment)? {
            Some(_) => Some(team_names(services, &preferences).await?),
            None => None,
        };
        Ok(Self { detail, preferences, teams })
    }

    fn print(&self) -> anyhow::Result<()> {
        let Self { detail, preferences, teams } = self;
        print(detail, usize::MAX)?;
        let mut out = stdout();
        let language = preferences.language.map_or("from Telegram", Language::code);
        writeln!(out, "\nPreferences")?;
        writeln!(out, "  Language         {language}")?;
        let zone = preferences.time_zone.map_or("UTC", |zone| zone.name());
        writeln!(out, "  Time zone        {zone}")?;
        if let Some(teams) = teams {
            let teams = if teams.is_empty() { "-".to_owned() } else { safe(&teams.join(", ")) };
            writeln!(out, "  Favourite teams  {teams}")?;
        }
        if let Some(Note { text, at, by }) = &detail.note {
            writeln!(out, "\nNote of {}, {} UTC", safe(by), second(*at))?;
            for line in text.lines() {
                writeln!(out, "  {}", safe(line))?;
            }
        }
        if !detail.profile_changes.is_empty() {
            writeln!(out, "\nProfile changes")?;
        }
        for ProfileChange { at, field, old, new } in &detail.profile_changes {
            let value = |value: &Option<String>| safe(value.as_deref().unwrap_or("-"));
            let (old, new) = (value(old), value(new));
            writeln!(out, "  {} UTC  {}: {old} → {new}", second(*at), field.name())?;
        }
        writeln!(out, "\nActive days: {}", grouped(detail.active_days.into()))?;
        for (day, interactions) in detail.days.iter().rev() {
            let what = if *interactions == 1 { "interaction" } else { "interactions" };
            writeln!(out, "  {day}  {} {what}", grouped((*interactions).into()))?;
        }
        Ok(())
    }

    /// The user as without `--full`, and the rest.
    fn as_json(&self) -> Value {
        let Self { detail, preferences, teams } = self;
        let mut user = detail_as_json(detail);
        let mut chosen = json!({
            "language": preferences.language.map(Language::code),
            "time_zone": preferences.time_zone.map(|zone| zone.name()),
        });
        if let (Some(chosen), Some(teams)) = (chosen.as_object_mut(), teams) {
            chosen.insert("favourite_teams".to_owned(), json!(teams));
        }
        let day = |(day, count): &(NaiveDate, u32)| json!({ "day": day.to_string(), "interactions": count });
        let more = json!({
            "active_days": detail.active_days,
            "days": detail.days.iter().map(day).collect::<Vec<_>>(),
            "reach_history": detail.reach_history.iter().map(|it| json!({
                "at": rfc3339(it.at),
                "obstacle": it.obstacle.map(UnreachableReason::name),
            })).collect::<Vec<_>>(),
            "starts": detail.starts.iter().map(|(at, payload)| json!({
                "at": rfc3339(*at),
                "payload": payload.as_str(),
            })).collect::<Vec<_>>(),
            "profile_changes": detail.profile_changes.iter().map(|it| json!({
                "at": rfc3339(it.at),
                "field": it.field.name(),
                "old": it.old,
                "new": it.new,
            })).collect::<Vec<_>>(),
            "note": detail.note.as_ref().map(|it| json!({
                "text": it.text,
                "at": rfc3339(it.at),
                "by": it.by,
            })),
            "preferences": chosen,
        });
        if let (Some(user), Value::Object(more)) = (user.as_object_mut(), more) {
            user.extend(more);
        }
        user
    }
}

/// The names of the favourite teams. A team that is no longer in the schedule is named by its id.
async fn team_names(services: &Services, preferences: &Preferences) -> anyhow::Result<Vec<String>> {
    if preferences.favourite_teams.is_empty() {
        return Ok(Vec::new());
    }
    let teams = services.schedule().teams().await?;
    let name = |id: &i64| {
        let team = teams.iter().find(|team| team.id == *id);
        team.map_or_else(|| format!("Team {id}"), |team| team.name.clone())
    };
    Ok(preferences.favourite_teams.iter().map(name).collect())
}
