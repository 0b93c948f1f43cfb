//! The effects of button presses.

use std::time::Instant;

use frankenstein::methods::AnswerCallbackQueryParams;
use rollcall_domain::{Registration, error_chain};
use rollcall_service::{ScheduleService, ScheduleView, ServiceError};
use rollcall_telegram::{ButtonPress, SendError};

use crate::{
    action::Action,
    audience::Audience,
    conversation::{Asker, Conversation},
    locale::Locale,
    messages,
    outcome::Outcome,
    reply::{Screen, edit},
    schedule, settings_menu,
};

impl Conversation {
    /// Handles the button press of a registered user. Every press is answered once, also after a failure.
    /// The message is edited afterwards, because the edit may have to wait for its turn.
    pub(crate) async fn press(&self, press: &ButtonPress, registration: &Registration) {
        let begun_at = Instant::now();
        let (outcome, asker) = match self.asker(&registration.user).await {
            Ok(mut asker) => {
                let outcome =
                    self.outcome(press, registration, &mut asker).await.unwrap_or_else(|error| {
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
        let text = match (&outcome.opt_out, outcome.notice) {
            (Some((category, is_out)), _) => {
                Some(messages::notice(asker.locale(), category, *is_out))
            }
            (None, None) => outcome.written.clone(),
            (None, notice) => notice.map(|key| asker.locale().text(key)),
        };
        self.acknowledge(press, text, outcome.opt_out.is_some()).await;
        let begun = self.clock.now();
        if let Err(error) = self.change(press, outcome, asker.locale()).await {
            self.not_sent(asker.id, error, begun).await;
        }
        metrics::histogram!("rollcall_handler_seconds").record(begun_at.elapsed());
    }

    /// Changes the message with the button.
    async fn change(
        &self,
        press: &ButtonPress,
        outcome: Outcome,
        locale: &Locale,
    ) -> Result<(), SendError> {
        let Some((_, place)) = press.message else { return Ok(()) };
        if let Some(screen) = outcome.screen {
            edit(&self.outbox, place, &screen).await?;
        }
        if let (Some((category, is_out)), Some(buttons), Some(data)) =
            (outcome.opt_out, &press.buttons, &press.data)
        {
            let opposite = messages::toggle(locale, &category, !is_out);
            self.outbox.replace_button(place, buttons, data, &opposite).await?;
        }
        Ok(())
    }

    /// Answers a press, with a text that pops up. As an alert, the text stays until it is closed.
    async fn acknowledge(&self, press: &ButtonPress, text: Option<String>, is_alert: bool) {
        let answer = AnswerCallbackQueryParams::builder()
            .callback_query_id(&press.id)
            .maybe_text(text)
            .maybe_show_alert(is_alert.then_some(true));
        if let Err(error) = self.outbox.answer(&answer.build()).await {
            // Telegram accepts no answer to an old press, for example after a pause of the bot.
            log::info!(error = error_chain(&error); "a button press was not answered");
        }
    }

    async fn outcome(
        &self,
        press: &ButtonPress,
        registration: &Registration,
        asker: &mut Asker,
    ) -> Result<Outcome, ServiceError> {
        let user = &registration.user;
        let action = press.data.as_deref().and_then(Action::read);
        let (Some(action), Some((chat, place))) = (action, press.message) else {
            return Ok(Outcome::notice("press-stale"));
        };
        let Some(audience) = self.audience(chat, asker.id).await else {
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
        let locale = asker.locale();
        Ok(match (action, &self.schedule) {
            (Action::Schedule(view), Some(schedule)) => {
                self.show_games(schedule, view, audience, asker).await.into()
            }
            (Action::ScheduleTeams { page }, Some(schedule)) => {
                let teams = schedule.teams().await?;
                schedule::teams(locale, &teams, &asker.preferences.favourite_teams, page).into()
            }
            (Action::Favourites { page }, Some(schedule)) => {
                favourites(schedule, page, asker).await?.into()
            }
            (Action::SetFavourite { team, is_favourite, page }, Some(schedule)) => {
                self.choose_team(schedule, (team, is_favourite), page, asker).await?
            }
            // The button is from before the schedule was turned off.
            (
                Action::Schedule(_)
                | Action::ScheduleTeams { .. }
                | Action::Favourites { .. }
                | Action::SetFavourite { .. },
                None,
            ) => Outcome::notice("press-stale"),
            (Action::SetLanguage(language), _) => {
                let is_set = self.preferences.set_language(asker.id, language).await?;
                asker.preferences.language = language;
                self.saved(is_set, asker).await?
            }
            (Action::SetZone(zone), _) => {
                let is_set = self.preferences.set_time_zone(asker.id, zone).await?;
                asker.preferences.time_zone = zone;
                self.saved(is_set, asker).await?
            }
            (Action::Languages, _) => settings_menu::languages(locale, &asker.preferences).into(),
            (Action::Regions, _) => settings_menu::regions(locale, &asker.preferences).into(),
            (Action::Cities { region, page }, _) => {
                settings_menu::cities(locale, &asker.preferences, region, page).into()
            }
            (Action::Settings, _) => self.settings(asker).await?.into(),
            (Action::Messages { page }, _) => self.messages(page, asker).await?,
            (Action::SetMessages { category, is_out, page }, _) => {
                match self.opt_outs.set_opt_out(asker.id, &category, is_out).await? {
                    true => self
                        .messages(page, asker)
                        .await
                        .map(|it| Outcome { notice: it.notice.or(Some("press-saved")), ..it })?,
                    false => Outcome::notice("press-impossible"),
                }
            }
            (Action::OptOut { category, is_out }, _) => {
                match self.opt_outs.set_opt_out(asker.id, &category, is_out).await? {
                    true => Outcome {
                        notice: Some(if is_out { "press-opted-out" } else { "press-opted-in" }),
                        opt_out: Some((category, is_out)),
                        ..Outcome::default()
                    },
                    false => Outcome::notice("press-impossible"),
                }
            }
            (Action::Press(None), _) => Outcome::notice("press-test"),
            (Action::Press(Some(button)), _) => match self.presses.press(asker.id, button).await? {
                Some(answer) => Outcome { written: answer.notice, ..Outcome::default() },
                None => Outcome::notice("press-stale"),
            },
            (Action::Consent { agrees }, _) => {
                self.consent(agrees, registration, audience, asker).await?
            }
            // Erased already.
            (Action::Data(_), _) if registration.suppressed => {
                Screen::from(locale.text("privacy-nothing")).into()
            }
            (Action::Data(action), _) => self.press_of_data(action, audience, place, asker).await,
            (Action::Help, _) => self.help(audience, locale).into(),
            (Action::Users(cursor), _) => self.users(cursor, locale).await?.into(),
            (Action::Selected(cursor), _) => {
                // The filter is the first line of the message.
                match press.text.as_deref().and_then(|text| text.lines().next()) {
                    Some(filter) => self.selected(filter, Some(cursor), locale).await?.into(),
                    None => Outcome::notice("press-stale"),
                }
            }
            (Action::Broadcast(action), _) => {
                self.press_of_broadcast(action, place, user, asker).await?
            }
            (Action::Segments { page }, _) => self.segments(page, locale).await?.into(),
            (Action::Segment(name), _) => {
                self.selected(&format!("segment:{name}"), None, locale).await?.into()
            }
        })
    }

    /// The answer to the question whether an erased user may be stored again. Agreeing registers the user.
    async fn consent(
        &self,
        agrees: bool,
        registration: &Registration,
        audience: Audience,
        asker: &Asker,
    ) -> Result<Outcome, ServiceError> {
        let user = &registration.user;
        Ok(match (agrees, registration.suppressed) {
            (true, true) if self.users.agree(user).await?.suppressed => {
                // Erased once more at the same moment.
                Outcome::notice("press-failed")
            }
            (true, _) => Outcome::noticed("press-agreed", self.start(audience, asker, user)),
            (false, true) => Screen::from(asker.locale().text("consent-declined")).into(),
            // They have agreed meanwhile, by another message.
            (false, false) => Outcome::notice("press-stale"),
        })
    }

    async fn show_games(
        &self,
        schedule: &ScheduleService,
        view: ScheduleView,
        audience: Audience,
        asker: &Asker,
    ) -> Screen {
        self.games(schedule, view, audience, asker).await.unwrap_or_else(|error| {
            log::warn!(error = error_chain(&error); "the schedule cannot be shown");
            schedule::failed(asker.locale(), &asker.preferences)
        })
    }

    async fn choose_team(
        &self,
        schedule: &ScheduleService,
        (team, is_favourite): (i64, bool),
        page: u32,
        asker: &mut Asker,
    ) -> Result<Outcome, ServiceError> {
        if !self.preferences.set_favourite(asker.id, team, is_favourite).await? {
            return Ok(Outcome::notice("press-impossible"));
        }
        // The button may have an old id of the club.
        asker.preferences = self.preferences.preferences(asker.id).await?;
        let screen = favourites(schedule, page, asker).await?;
        Ok(Outcome::saved(screen))
    }

    /// The categories of broadcasts to choose from.
    async fn messages(&self, page: u32, asker: &Asker) -> Result<Outcome, ServiceError> {
        let choices = self.opt_outs.choices(asker.id).await?;
        if choices.is_empty() {
            return Ok(Outcome::notice("press-stale"));
        }
        Ok(messages::categories(asker.locale(), &choices, page).into())
    }

    async fn saved(&self, is_set: bool, asker: &Asker) -> Result<Outcome, ServiceError> {
        if !is_set {
            return Ok(Outcome::notice("press-impossible"));
        }
        let screen = self.settings(asker).await?;
        Ok(Outcome::saved(screen))
    }
}

/// The teams to choose from.
async fn favourites(
    schedule: &ScheduleService,
    page: u32,
    asker: &Asker,
) -> Result<Screen, ServiceError> {
    let teams = schedule.teams().await?;
    Ok(settings_menu::favourites(asker.locale(), &asker.preferences, &teams, page))
}
