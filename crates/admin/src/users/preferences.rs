//! The preferences of a user, on the user's page: language, time zone and favourite teams.

use std::collections::BTreeSet;

use axum::{
    Extension, Form,
    extract::{Path, Query as Pairs, State},
    response::Response,
};
use rollcall_domain::{
    AuditAction, Language, MAX_FAVOURITES, Preferences, Team, TelegramId, TelegramUser,
    ZONE_REGIONS, zone_of_name, zones_of,
};
use rollcall_service::{ServiceError, Session};

use super::{
    choice::Choice,
    query::{Query, read_id},
    views::after_save,
};
use crate::{
    App,
    page::{Failure, text},
};

/// For a form that was sent after another admin, or the user, changed the preferences.
const CHANGED_MEANWHILE: Failure =
    Failure::Refused("These preferences were changed at the same time. Check them and try again.");

/// Separates the preferences in a line.
const SEPARATOR: &str = "; ";

/// The preferences, with all options.
pub(crate) struct Panel {
    /// The language and the time zone as texts.
    pub(crate) words: [String; 2],
    /// The favourite teams as a text; `None` if the bot has no schedule.
    pub(crate) favourites: Option<String>,
    pub(crate) languages: Vec<Choice>,
    /// The time zones by region.
    pub(crate) regions: Vec<(&'static str, Vec<Choice>)>,
    /// The current time zone, if it is not in `regions`.
    pub(crate) other_zone: Option<&'static str>,
    /// The teams to choose from; `None` if the bot has no schedule.
    pub(crate) teams: Option<Vec<Choice>>,
}

impl Panel {
    pub(crate) async fn of(app: &App, user: &TelegramUser) -> Result<Self, ServiceError> {
        let preferences = app.preferences.preferences(user.telegram_id).await?;
        let teams = teams(app, &preferences).await?;
        let zone = preferences.time_zone.map(|zone| zone.name());
        Ok(Self {
            words: words(&preferences),
            favourites: teams.as_deref().map(|teams| favourites(&preferences, teams)),
            languages: languages(&preferences, user.language_code.as_deref()),
            regions: ZONE_REGIONS.map(|region| (region, zones(region, zone))).into(),
            other_zone: zone.filter(|name| zone_of_name(name).is_none()),
            teams: teams
                .map(|teams| teams.iter().map(|team| choice_of(team, &preferences)).collect()),
        })
    }

    /// The preferences in a line. The form sends it back, so that a change in the meantime is noticed.
    pub(crate) fn in_a_line(&self) -> String {
        joined(&self.words, self.favourites.as_deref())
    }
}

/// Changes the preferences to those in the form.
pub(crate) async fn change(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    Path(id): Path<String>,
    Pairs(list): Pairs<Vec<(String, String)>>,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response, Failure> {
    let id = read_id(&id)?;
    if app.users.get_user_by_telegram_id(id).await?.is_none() {
        return Err(Failure::no_user(id));
    }
    let old = app.preferences.preferences(id).await?;
    let teams = teams(&app, &old).await?;
    let wanted = read(&pairs, &old, teams.as_deref())?;
    let was = in_a_line(&old, teams.as_deref());
    if !pairs.iter().any(|(name, value)| name == "was" && *value == was) {
        return Err(CHANGED_MEANWHILE);
    }
    let written = write(&app, id, &old, &wanted).await;
    // A write that failed halfway has changed something, too.
    let new = app.preferences.preferences(id).await?;
    if new != old {
        let (action, new) = (AuditAction::ChangedPreferences, in_a_line(&new, teams.as_deref()));
        app.admins.audit(&session.admin, action, Some(id), Some(&was), Some(&new)).await?;
    }
    if !written? {
        return Err(CHANGED_MEANWHILE);
    }
    Ok(after_save(&app, &session.admin, id, &Query::read(&list), "chosen#preferences").await?)
}

/// Reads the form. An invalid field is an error, and nothing is changed.
fn read(
    pairs: &[(String, String)],
    old: &Preferences,
    teams: Option<&[Team]>,
) -> Result<Preferences, Failure> {
    let value = |name: &str| {
        let pair = pairs.iter().find(|(key, _)| key == name);
        pair.map(|(_, value)| value.as_str())
            .ok_or(Failure::Refused("A field is missing. Nothing was changed."))
    };
    let language = match value("language")? {
        "" => None,
        code => Some(Language::from_code(code).ok_or(Failure::Refused(
            "The bot does not speak this language. Nothing was changed.",
        ))?),
    };
    let time_zone = match value("zone")? {
        "" => None,
        name if old.time_zone.is_some_and(|zone| zone.name() == name) => old.time_zone,
        name => Some(zone_of_name(name).ok_or(Failure::Refused(
            "There is no such time zone; expected one such as Europe/Berlin. Nothing was changed.",
        ))?),
    };
    let chosen = pairs.iter().filter(|(name, _)| name == "team");
    let favourite_teams: BTreeSet<i64> = chosen
        .map(|(_, id)| {
            let known = teams.into_iter().flatten().find(|team| team.id.to_string() == *id);
            known.map(|team| team.id)
        })
        .collect::<Option<_>>()
        .ok_or(Failure::Refused("There is no such team. Nothing was changed."))?;
    // Without the schedule the form has no teams, and the user's favourites stay.
    let favourite_teams =
        if teams.is_some() { favourite_teams } else { old.favourite_teams.clone() };
    if u32::try_from(favourite_teams.len()).is_ok_and(|number| number <= MAX_FAVOURITES) {
        Ok(Preferences { language, time_zone, favourite_teams })
    } else {
        Err(Failure::Refused("Too many teams selected. Nothing was changed."))
    }
}

/// Writes the preferences that differ. Returns whether all of them could be written.
async fn write(
    app: &App,
    id: TelegramId,
    old: &Preferences,
    new: &Preferences,
) -> Result<bool, ServiceError> {
    let mut written = true;
    if new.language != old.language {
        written &= app.preferences.set_language(id, new.language).await?;
    }
    if new.time_zone != old.time_zone {
        written &= app.preferences.set_time_zone(id, new.time_zone).await?;
    }
    let (old, new) = (&old.favourite_teams, &new.favourite_teams);
    // Teams are removed first, to make room for the new ones.
    let gone = old.difference(new).map(|team| (*team, false));
    for (team, is_favourite) in gone.chain(new.difference(old).map(|team| (*team, true))) {
        written &= app.preferences.set_favourite(id, team, is_favourite).await?;
    }
    Ok(written)
}

/// The teams of the season, and favourites that are no longer among them, named by their ids. `None`
/// if the bot has no schedule.
async fn teams(app: &App, preferences: &Preferences) -> Result<Option<Vec<Team>>, ServiceError> {
    let Some(schedule) = &app.schedule else { return Ok(None) };
    let mut teams = schedule.teams().await?;
    let known: BTreeSet<i64> = teams.iter().map(|team| team.id).collect();
    teams.extend(preferences.favourite_teams.difference(&known).map(|id| Team {
        id: *id,
        abbreviation: String::new(),
        name: format!("Team {id}"),
    }));
    Ok(Some(teams))
}

fn words(preferences: &Preferences) -> [String; 2] {
    let language = preferences.language.map_or("From Telegram", text::language);
    let zone = preferences.time_zone.map_or("UTC", |zone| zone.name());
    [language.to_owned(), zone.to_owned()]
}

fn favourites(preferences: &Preferences, teams: &[Team]) -> String {
    let chosen = teams.iter().filter(|team| preferences.favourite_teams.contains(&team.id));
    let names: Vec<&str> = chosen.map(|team| team.name.as_str()).collect();
    if names.is_empty() { "No teams".to_owned() } else { names.join(", ") }
}

fn in_a_line(preferences: &Preferences, teams: Option<&[Team]>) -> String {
    let favourites = teams.map(|teams| favourites(preferences, teams));
    joined(&words(preferences), favourites.as_deref())
}

fn joined(words: &[String], favourites: Option<&str>) -> String {
    let parts: Vec<&str> = words.iter().map(String::as_str).chain(favourites).collect();
    parts.join(SEPARATOR)
}

/// The options for the language: the one from Telegram, then all languages of the bot.
fn languages(preferences: &Preferences, from_telegram: Option<&str>) -> Vec<Choice> {
    let choice = |language: Option<Language>, name: String| Choice {
        value: language.map(Language::code).unwrap_or_default().to_owned(),
        name,
        is_chosen: preferences.language == language,
    };
    let default = text::language(Preferences::default().language_or(from_telegram));
    let default = choice(None, format!("From Telegram: {default}"));
    let each = Language::ALL.map(|it| choice(Some(it), text::language(it).to_owned()));
    [default].into_iter().chain(each).collect()
}

fn zones(region: &str, chosen: Option<&str>) -> Vec<Choice> {
    let choice = |name: &str| Choice {
        value: name.to_owned(),
        name: name.to_owned(),
        is_chosen: chosen == Some(name),
    };
    zones_of(region).into_iter().map(|zone| choice(zone.name())).collect()
}

fn choice_of(team: &Team, preferences: &Preferences) -> Choice {
    Choice {
        value: team.id.to_string(),
        name: team.name.clone(),
        is_chosen: preferences.favourite_teams.contains(&team.id),
    }
}
