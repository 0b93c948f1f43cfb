//! The effects of button presses.

use std::time::Instant;

use frankenstein::methods::AnswerCallbackQueryParams;
use rollcall_domain::{Registration, error_chain};
use rollcall_service::{ScheduleView, ServiceError};
use rollcall_telegram::ButtonPress;

use crate::{
    action::Action,
    audience::Audience,
    conversation::{Asker, Conversation},
    reply::{Screen, edit},
    schedule, settings_menu,
};

/// The result of a press.
#[derive(Default)]
struct Outcome {
    /// The text that pops up.
    notice: Option<&'static str>,
    /// The new content of the message.
    screen: Option<Screen>,
}

impl From<Screen> for Outcome {
    fn from(screen: Screen) -> Self {
        Self { notice: None, screen: Some(screen) }
    }
}

impl Outcome {
    fn notice(key: &'static str) -> Self {
        Self { notice: Some(key), screen: None }
    }
}

impl Conversation {
    /// Handles the button press of a registered user. Every press is answered once, also after a failure.
    /// The message is edited afterwards, because the edit may have to wait for its turn.
    pub(crate) async fn press(&self, press: &ButtonPress, registration: &Registration) {
        let begun_at = Instant::now();
        let (outcome, asker) = match self.asker(&registration.user).await {
            Ok(mut asker) => {
                let outcome = self.outcome(press, &mut asker).await.unwrap_or_else(|error| {
                    log::warn!(error = error_chain(&error); "a button press failed");
                    Outcome::notice("press-failed")
                });
                (outcome, asker)
            }
            Err((error, asker)) => {
                log::warn!(error = error_chain(&error); "a button press failed");
                (Outcome::notice("press-failed"), asker)
            }
        };
        let class = outcome.notice.unwrap_or("press-shown");
        metrics::counter!("rollcall_presses_total", "outcome" => class).increment(1);
        self.acknowledge(press, outcome.notice, &asker).await;
        if let (Some(screen), Some((_, place))) = (outcome.screen, press.message) {
            let begun = self.clock.now();
            if let Err(error) = edit(&self.outbox, place, &screen).await {
                self.not_sent(asker.id, error, begun).await;
            }
        }
        metrics::histogram!("rollcall_handler_seconds").record(begun_at.elapsed());
    }

    async fn acknowledge(&self, press: &ButtonPress, notice: Option<&str>, asker: &Asker) {
        let text = notice.map(|key| asker.locale().text(key));
        let answer =
            AnswerCallbackQueryParams::builder().callback_query_id(&press.id).maybe_text(text);
        if let Err(error) = self.outbox.answer(&answer.build()).await {
            // Telegram accepts no answer to an old press, for example after a pause of the bot.
            log::info!(error = error_chain(&error); "a button press was not answered");
        }
    }

    async fn outcome(
        &self,
        press: &ButtonPress,
        asker: &mut Asker,
    ) -> Result<Outcome, ServiceError> {
        let action = press.data.as_deref().and_then(Action::read);
        let (Some(action), Some((chat, _))) = (action, press.message) else {
            return Ok(Outcome::notice("press-stale"));
        };
        let Some(audience) = Audience::of(chat, asker.id, &self.owners) else {
            self.note_forged();
            return Ok(Outcome::notice("press-stale"));
        };
        // Preferences are shown and changed only in the user's own chat.
        if action.is_private() && !audience.is_private() {
            return Ok(Outcome::notice("press-stale"));
        }
        if action.is_for_owners() && audience != Audience::Owner {
            return Ok(Outcome::notice("press-stale"));
        }
        match action {
            Action::Schedule(view) => self.show_games(view, asker).await,
            Action::SetLanguage(language) => {
                let is_set = self.preferences.set_language(asker.id, language).await?;
                asker.preferences.language = language;
                self.saved(is_set, asker).await
            }
            Action::SetZone(zone) => {
                let is_set = self.preferences.set_time_zone(asker.id, zone).await?;
                asker.preferences.time_zone = zone;
                self.saved(is_set, asker).await
            }
            Action::SetFavourite { team, is_favourite, page } => {
                self.choose_team(team, is_favourite, page, asker).await
            }
            action => self.show(action, asker).await.map(Outcome::from),
        }
    }

    async fn show_games(&self, view: ScheduleView, asker: &Asker) -> Result<Outcome, ServiceError> {
        match self.games(view, asker).await {
            Ok(screen) => Ok(screen.into()),
            Err(error) => {
                log::warn!(error = error_chain(&error); "the schedule cannot be shown");
                Ok(schedule::failed(asker.locale(), &asker.preferences).into())
            }
        }
    }

    /// Actions that only show a screen.
    async fn show(&self, action: Action, asker: &Asker) -> Result<Screen, ServiceError> {
        let (locale, chosen) = (asker.locale(), &asker.preferences);
        Ok(match action {
            Action::ScheduleTeams { page } => {
                let teams = self.schedule.teams().await?;
                schedule::teams(locale, &teams, &chosen.favourite_teams, page)
            }
            Action::Languages => settings_menu::languages(locale, chosen),
            Action::Regions => settings_menu::regions(locale, chosen),
            Action::Cities { region, page } => settings_menu::cities(locale, chosen, region, page),
            Action::Favourites { page } => {
                let teams = self.schedule.teams().await?;
                settings_menu::favourites(locale, chosen, &teams, page)
            }
            Action::Settings
            | Action::Schedule(_)
            | Action::SetLanguage(_)
            | Action::SetZone(_)
            | Action::SetFavourite { .. } => self.settings(asker).await?,
            Action::Users(cursor) => self.users(cursor, locale).await?,
        })
    }

    async fn choose_team(
        &self,
        team: i64,
        is_favourite: bool,
        page: u32,
        asker: &mut Asker,
    ) -> Result<Outcome, ServiceError> {
        if !self.preferences.set_favourite(asker.id, team, is_favourite).await? {
            return Ok(Outcome::notice("press-impossible"));
        }
        // The button may have an old id of the club.
        asker.preferences = self.preferences.preferences(asker.id).await?;
        let screen = self.show(Action::Favourites { page }, asker).await?;
        Ok(Outcome { notice: Some("press-saved"), screen: Some(screen) })
    }

    async fn saved(&self, is_set: bool, asker: &Asker) -> Result<Outcome, ServiceError> {
        if !is_set {
            return Ok(Outcome::notice("press-impossible"));
        }
        let screen = self.settings(asker).await?;
        Ok(Outcome { notice: Some("press-saved"), screen: Some(screen) })
    }
}
